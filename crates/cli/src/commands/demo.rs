//! `tracebook demo`.

use std::path::PathBuf;

use tracebook_app::Error;

use crate::out::Out;

pub(super) async fn run(journal: PathBuf, folder: Option<PathBuf>, out: &Out) -> Result<u8, Error> {
    let folder = folder.unwrap_or_else(|| journal.join("export"));
    let progress = |line: String| out.note(&line);
    let done = tracebook_app::demo::run(journal, &folder, &progress).await?;
    out.answer(&done, |done| {
        let mut text = String::from("\nExported:\n");
        for path in &done.exported {
            text.push_str(&format!("  {path}\n"));
        }
        let program = std::env::args_os().next().map_or("tracebook".to_owned(), |p| p.to_string_lossy().into_owned());
        let data_dir = done.data_dir.display();
        text.push_str(&format!(
            "\nThe journal is in {data_dir}. To open it in a browser:\n  {program} --data {data_dir} serve --ui\n"
        ));
        text
    });
    Ok(0)
}
