//! Consistent copies of a database that is in use.

use std::fs::File;
use std::path::Path;

use sqlx::SqliteConnection;
use tempfile::NamedTempFile;

use crate::error::StoreError;

/// A new empty file beside a path, with a random name and mode 0600. It is removed unless it is [`keep`]t.
pub(crate) fn temporary(beside: &Path) -> Result<NamedTempFile, StoreError> {
    let folder = match beside.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok(tempfile::Builder::new().prefix(".tracebook-").suffix(".tmp").tempfile_in(folder)?)
}

/// Copies the database of a connection into a new file, which is complete or absent.
///
/// # Errors
/// If the file exists.
pub(crate) async fn into(connection: &mut SqliteConnection, target: &Path) -> Result<(), StoreError> {
    let file = temporary(target)?;
    vacuum_into(connection, file.path()).await?;
    keep(file, target, false)
}

/// Copies the database of a connection into an empty file.
pub(crate) async fn vacuum_into(connection: &mut SqliteConnection, file: &Path) -> Result<(), StoreError> {
    sqlx::query("VACUUM INTO ?").bind(path_text(file)?).execute(connection).await?;
    Ok(())
}

/// Flushes a temporary file and gives it its name; only with `over` may there be a file of that name.
pub(crate) fn keep(file: NamedTempFile, target: &Path, over: bool) -> Result<(), StoreError> {
    file.as_file().sync_all()?;
    match over {
        true => file.persist(target).map(drop),
        false => file.persist_noclobber(target).map(drop),
    }
    .map_err(|e| StoreError::from(e.error))?;
    sync_folder(target);
    Ok(())
}

/// Flushes the names in a file's folder. Not every file system can, and then the name is as safe as it gets.
pub(crate) fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Err(error) = File::open(folder).and_then(|folder| folder.sync_all()) {
        tracing::debug!(%error, "the folder could not be flushed");
    }
}

/// A path for SQLite, which takes UTF-8 only.
pub(crate) fn path_text(path: &Path) -> Result<&str, StoreError> {
    path.to_str().ok_or_else(|| StoreError::ReadOnly(format!("{} is not a name in UTF-8", path.display())))
}
