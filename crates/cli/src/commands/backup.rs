//! `tracebook backup` and `restore`.

use std::path::Path;

use serde_json::json;

use tracebook_app::{Error, Tracebook};

use crate::client::Client;
use crate::out::Out;

pub(super) async fn back_up(client: &Client, file: &Path, out: &Out) -> Result<u8, Error> {
    let copied = client.tracebook.back_up(file).await?;
    let answer = json!({ "file": copied.file, "bytes": copied.bytes, "sha256": copied.sha256 });
    out.answer(&answer, |_| format!("{} ({} bytes, SHA-256 {})", copied.file.display(), copied.bytes, copied.sha256));
    Ok(0)
}

pub(super) async fn restore(data_dir: &Path, file: &Path, out: &Out) -> Result<u8, Error> {
    let restored = Tracebook::restore(data_dir, file).await?;
    let from = &restored.from;
    let answer = json!({ "file": from.file, "bytes": from.bytes, "sha256": from.sha256, "kept": restored.kept });
    out.answer(&answer, |_| match &restored.kept {
        Some(kept) => {
            format!("Restored {}. The journal from before is kept in {}", from.file.display(), kept.display())
        }
        None => format!("Restored {}", from.file.display()),
    });
    Ok(0)
}
