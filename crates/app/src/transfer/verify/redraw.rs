//! Today's drawings of cards that an earlier renderer drew.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tracebook_render::verify;

use super::Check;
use crate::ground::error::Error;
use crate::ground::files::cannot_write;

/// The folder that they are written into.
#[derive(Debug)]
pub(super) struct Redraw(PathBuf);

impl Redraw {
    pub(super) fn into(folder: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(folder).map_err(|e| cannot_write(folder, &e))?;
        Ok(Self(folder.to_owned()))
    }

    /// Writes a new file; false if there is another one.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<bool, Error> {
        let path = self.0.join(name);
        // A new file, never through a link.
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(mut file) => file.write_all(bytes).map(|()| true).map_err(|e| cannot_write(&path, &e)),
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                Ok(std::fs::read(&path).is_ok_and(|there| there == bytes))
            }
            Err(e) => Err(cannot_write(&path, &e)),
        }
    }
}

impl Check {
    /// Redraws a card and its drawing for narrow screens, if that was asked for. `read` is called with `file`, and with
    /// names in its folder.
    pub(super) fn redrawn(&self, read: &dyn Fn(&str) -> Option<Vec<u8>>, file: &str) -> Result<(), Error> {
        let Some(redraw) = &self.redraw else { return Ok(()) };
        let folder = file.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let wide = file.replace(".narrow.svg", ".svg");
        let narrow = format!("{}.narrow.svg", wide.strip_suffix(".svg").unwrap_or(&wide));
        for file in [wide, narrow] {
            let Some(svg) = read(&file) else { continue };
            let beside = |name: &str| read(&format!("{folder}{name}"));
            let Some((name, bytes)) = verify::redrawn(&svg, &beside) else { continue };
            if !redraw.write(&name, &bytes)? {
                self.warn(format!("{} is there already and was not changed", redraw.0.join(name).display()));
            }
        }
        Ok(())
    }
}
