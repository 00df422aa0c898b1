//! Credentials in the texts of entries, which are the user's own and are exported unchanged, unlike evidence.

use std::collections::BTreeMap;

use tracebook_core::credentials::{self, Found};
use tracebook_core::entry::Entry;
use tracebook_core::ids::Id;
use tracebook_core::text;

use super::Transfer;
use crate::ground::error::{Code, Error};
use crate::ground::files::sha256;
use crate::ground::schema::{ExportLeaks, Leak};

/// Characters of a line that are shown.
const SHOWN: usize = 160;
/// Leaks that are listed in a message.
const LISTED: usize = 20;

impl Transfer {
    /// What looks like a credential in the texts that an export would write.
    pub(crate) async fn export_leaks(&self, request: ExportLeaks) -> Result<Vec<Leak>, Error> {
        let stems = self.journal.stems().await?;
        Ok(find(&self.wanted(&request.entries, &stems).await?, &stems))
    }
}

/// The credentials in the texts of entries, in order.
pub(super) fn find<'a>(entries: impl IntoIterator<Item = &'a Entry>, stems: &BTreeMap<Id, String>) -> Vec<Leak> {
    let mut found = Vec::new();
    for entry in entries {
        let Some(stem) = stems.get(&entry.row.id) else { continue };
        let file = format!("journal/{stem}.md");
        let title = credentials::find(&entry.row.title);
        found.extend(
            title.iter().map(|leak| one(entry, &file, None, (entry.row.title.as_str(), title.as_slice()), &[*leak])),
        );
        let body = credentials::find(&entry.body);
        for (line, leaks) in by_line(&entry.body, &body) {
            found.push(one(entry, &file, Some(line), (entry.body.as_str(), body.as_slice()), leaks));
        }
    }
    found
}

/// What was found in a text, with the line of its beginning. A key of many lines is one.
fn by_line<'a>(body: &str, found: &'a [Found]) -> Vec<(u32, &'a [Found])> {
    let mut all: Vec<(u32, &[Found])> = Vec::new();
    let (mut line, mut counted, mut last, mut first) = (1, 0, 0, 0);
    for (n, leak) in found.iter().enumerate() {
        let before = body.as_bytes().get(counted..leak.start).unwrap_or_default();
        line += u32::try_from(before.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX);
        counted = counted.max(leak.start);
        match all.last_mut() {
            Some((_, leaks)) if line <= last + 1 && found[n - 1].kind == leak.kind => *leaks = &found[first..=n],
            _ => {
                all.push((line, &found[n..=n]));
                first = n;
            }
        }
        last = line;
    }
    all
}

fn one(entry: &Entry, file: &str, line: Option<u32>, (text, all): (&str, &[Found]), leaks: &[Found]) -> Leak {
    let kind = leaks.first().map_or("", |leak| leak.kind);
    // What is allowed is these characters in this entry, wherever they stand in it.
    let mut marked = format!("{}\0{kind}", entry.row.id);
    for part in leaks.iter().filter_map(|leak| text.get(leak.start..leak.end)) {
        marked.push('\0');
        marked.push_str(part);
    }
    Leak {
        mark: sha256(marked.as_bytes()),
        entry: entry.row.id,
        file: file.to_owned(),
        line,
        kind: kind.to_owned(),
        shown: leaks.first().map(|leak| shown(text, all, leak.start)).unwrap_or_default(),
    }
}

/// The line of a place, with a mark for everything that was found in it.
fn shown(text: &str, all: &[Found], place: usize) -> String {
    let start = text.get(..place).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let end = text.get(place..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| place + at);
    let first = all.partition_point(|leak| leak.end <= start);
    let mut line = String::new();
    let mut at = start;
    for leak in all[first..].iter().take_while(|leak| leak.start < end) {
        line.push_str(text.get(at..leak.start).unwrap_or_default());
        line.push('…');
        at = leak.end;
    }
    line.push_str(text.get(at..end).unwrap_or_default());
    text::shorten(&text::marked(line.trim()), SHOWN)
}

impl Leak {
    /// File, line and kind, never the credential.
    pub(super) fn said(&self) -> String {
        let Self { file, kind, .. } = self;
        match self.line {
            None => format!("{file}: the title looks like it contains a credential ({kind})"),
            Some(line) => format!("{file}: line {line} of the entry looks like it contains a credential ({kind})"),
        }
    }
}

/// The refusal of an export because of leaks.
pub(super) fn refusal(leaks: &[Leak]) -> Error {
    let mut list = leaks.iter().take(LISTED).map(Leak::said).collect::<Vec<_>>().join("\n");
    if leaks.len() > LISTED {
        list.push_str(&format!("\nand {} more", leaks.len() - LISTED));
    }
    Error::new(
        Code::Refused,
        format!("leak found, nothing was exported:\n{list}"),
        "Remove it from the text, or export everything as it stands with --allow-leaks",
    )
}
