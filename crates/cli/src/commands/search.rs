//! `tracebook search`.

use tracebook_app::Error;
use tracebook_app::api::{FoundType, Search};

use crate::client::Client;
use crate::out::Out;

/// Exits with 1 if nothing was found.
pub(super) async fn run(client: &Client, words: &[String], limit: Option<u32>, out: &Out) -> Result<u8, Error> {
    let found = client.call(Search { words: words.join(" "), limit }).await?;
    out.table(&found, |found| {
        let place = match (found.kind, found.line) {
            (FoundType::Entry, Some(line)) => format!("{}:{line}", found.entries.join(", ")),
            (FoundType::Entry, None) => found.entries.join(", "),
            (FoundType::Evidence, _) => found.id.to_string(),
        };
        vec![place, found.title.clone(), found.snippet.clone()]
    });
    Ok(u8::from(found.is_empty()))
}
