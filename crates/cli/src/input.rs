//! Reading files and standard input.

use std::io::Read as _;

use tracebook_app::Error;

/// Longer than any token.
const MAX_TOKEN: u64 = 10_000;

/// The bytes of a file, or of standard input for `-`.
pub(crate) fn read_bytes(path: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let read = match path {
        "-" => std::io::stdin().lock().read_to_end(&mut bytes).map(drop),
        _ => std::fs::read(path).map(|read| bytes = read),
    };
    read.map_err(|e| Error::usage(format!("{path}: {e}"), "Name a readable file, or - for standard input"))?;
    Ok(bytes)
}

/// The same as text.
pub(crate) fn read_text(path: &str) -> Result<String, Error> {
    String::from_utf8(read_bytes(path)?).map_err(|e| {
        Error::usage(
            format!(
                "{path} is not UTF-8: invalid byte at position {}. Nothing was written",
                e.utf8_error().valid_up_to()
            ),
            "Convert it first, for example with: iconv -f WINDOWS-1252 -t UTF-8",
        )
    })
}

/// A token from standard input. Never from an argument: those are in the shell's history, and every process sees them.
pub(crate) fn read_token() -> Result<String, Error> {
    let mut text = String::new();
    std::io::stdin().take(MAX_TOKEN).read_to_string(&mut text).map_err(|e| {
        Error::usage(format!("the token cannot be read: {e}"), "Pipe it in, or paste it and press Ctrl-D")
    })?;
    match text.trim() {
        "" => Err(Error::usage(
            "no token was given",
            "Pipe it in, or paste it and press Ctrl-D; --forget removes the stored one",
        )),
        token => Ok(token.to_owned()),
    }
}
