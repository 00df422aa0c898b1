//! An exported entry back into the entry that it was, with its evidence.

use std::collections::{BTreeSet, HashMap};

use tracebook_core::canonical::digest;
use tracebook_core::evidence::Frozen;
use tracebook_core::ids::Id;

use crate::block::{self, Shown, our_file};
use crate::export::{ENTRY_FILE, EntryFile, EntryReference};
use crate::markdown::{Reference, image, page, scan};
use crate::verify;

/// What came back.
#[derive(Clone, Debug)]
pub struct ImportedEntry {
    /// The entry's id.
    pub id: Id,
    /// Its short name where it came from; it may be taken here.
    pub slug: String,
    /// Its week.
    pub week: Option<String>,
    /// Its title.
    pub title: String,
    /// Its text: byte for byte the entry's where the markdown is as it was exported, else with the edits.
    pub body: String,
    /// The evidence that could be read and whose digest holds.
    pub evidence: Vec<Frozen>,
    /// What could not be brought back, as sentences.
    pub warnings: Vec<String>,
}

/// Reads an exported entry. `read` is given paths as seen from the markdown's folder (`assets/week2/01J….svg`).
///
/// # Errors
/// A sentence where `entry.json` is not one, or from a later version.
pub fn exported(md: &str, entry_json: &str, read: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<ImportedEntry, String> {
    let about: EntryFile = serde_json::from_str(entry_json).map_err(|e| format!("entry.json cannot be read: {e}"))?;
    if about.tracebook > ENTRY_FILE {
        return Err(format!(
            "entry.json has form {}, and this version reads up to {ENTRY_FILE}: a newer Tracebook wrote it, use that one",
            about.tracebook
        ));
    }
    let mut folders = vec![about.folder.clone()];
    let page = page(md);
    for (folder, ..) in page.pictures.iter().filter_map(|p| our_file(&p.destination)) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }

    let mut warnings = Vec::new();
    let mut evidence: HashMap<Id, Frozen> = HashMap::new();
    let mut fetch = |id: Id, warnings: &mut Vec<String>| match find_evidence(id, &folders, read) {
        Ok((frozen, warning)) => {
            warnings.extend(warning);
            evidence.insert(id, frozen);
        }
        Err(why) => warnings.push(why),
    };
    let mut ids: BTreeSet<Id> = about.references.iter().map(|r| r.evidence).collect();
    ids.extend(page.pictures.iter().filter_map(|p| our_file(&p.destination)).map(|(_, id, _)| id));
    for id in ids {
        fetch(id, &mut warnings);
    }

    let body = match as_exported(md, &about) {
        Some(body) => body,
        None => Edited { md, references: &about.references, evidence: &evidence }.body(&mut warnings),
    };
    let mut evidence: Vec<Frozen> = evidence.into_values().collect();
    evidence.sort_by_key(|f| f.evidence.id);
    Ok(ImportedEntry { id: about.id, slug: about.slug, week: about.week, title: about.title, body, evidence, warnings })
}

/// Reads one evidence out of its picture, full or compact, in the first folder that has it.
fn find_evidence(
    id: Id,
    folders: &[String],
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
) -> Result<(Frozen, Option<String>), String> {
    let mut why = format!("evidence {id}: its picture is missing");
    for folder in folders {
        for size in [card_size("full"), card_size("compact")] {
            let path = format!("{folder}/{}", block::file_name(id, size));
            let Some(bytes) = read(&path) else { continue };
            match verify::data(&bytes, &|name| read(&format!("{folder}/{name}"))) {
                Ok(data) if data.frozen.evidence.id == id => {
                    let edited = (!data.drawing_holds)
                        .then(|| format!("{path}: the picture was edited; its data is intact and was read"));
                    return Ok((data.frozen, edited));
                }
                Ok(data) => why = format!("{path}: it holds evidence {}, not {id}; not read", data.frozen.evidence.id),
                Err(refused) => why = format!("{path}: {}; not read", refused.why),
            }
        }
    }
    Err(why)
}

fn card_size(word: &str) -> crate::card::Size {
    crate::card::Size::of(word)
}

/// The entry's text, if the markdown is what was exported; git may have turned its line endings on the way.
fn as_exported(md: &str, about: &EntryFile) -> Option<String> {
    let is = |text: &str| digest(text.as_bytes()) == about.digest;
    let text = match is(md) {
        true => md.to_owned(),
        false => Some(md.replace("\r\n", "\n")).filter(|text| text != md && is(text))?,
    };
    let mut body = String::with_capacity(text.len());
    let mut read = 0;
    for reference in &about.references {
        let end = reference.at.checked_add(reference.length)?;
        body.push_str(text.get(read..reference.at)?);
        body.push_str(&reference.source);
        read = end;
    }
    body.push_str(text.get(read..)?);
    Some(body)
}

/// A markdown that was edited after its export.
struct Edited<'a> {
    md: &'a str,
    references: &'a [EntryReference],
    evidence: &'a HashMap<Id, Frozen>,
}

impl Edited<'_> {
    /// Turns every block and picture of ours into its reference; all else stays.
    fn body(&self, warnings: &mut Vec<String>) -> String {
        let page = page(self.md);
        let blocks = block::find(self.md, &page);
        let mut edits = Vec::new();
        for found in &blocks {
            match found.shown() {
                Some((shown, _)) => edits.push((found.range.clone(), self.source(found.id, &shown))),
                None if found.lines.is_some()
                    && !page.pictures.iter().any(|p| found.range.contains(&p.range.start)) =>
                {
                    warnings.push(format!(
                        "evidence {}: its block has no picture any more; the reference was put back",
                        found.id
                    ));
                    let shown = self.default_shown(found.id);
                    edits.push((found.range.clone(), self.source(found.id, &shown)));
                }
                None => warnings.push(format!(
                    "evidence {}: its block was taken apart; only its picture became a reference",
                    found.id
                )),
            }
        }
        for picture in &page.pictures {
            let inside = edits.iter().any(|(range, _)| range.contains(&picture.range.start));
            let Some((_, id, size)) = our_file(&picture.destination) else { continue };
            if !inside && (self.evidence.contains_key(&id) || self.references.iter().any(|r| r.evidence == id)) {
                let shown = Shown { alt: picture.alt.clone(), caption: picture.title.clone(), size };
                edits.push((picture.range.clone(), self.source(id, &shown)));
            }
        }
        edits.sort_by_key(|(range, _)| range.start);
        let mut body = String::with_capacity(self.md.len());
        let mut read = 0;
        for (range, text) in edits {
            body.push_str(&self.md[read..range.start]);
            body.push_str(&text);
            read = range.end;
        }
        body.push_str(&self.md[read..]);
        body
    }

    fn default_shown(&self, id: Id) -> Shown {
        let known = self.known(id).into_iter().find_map(|(_, r)| r).zip(self.evidence.get(&id));
        known.map_or_else(
            || Shown { alt: String::new(), caption: String::new(), size: card_size("full") },
            |(reference, frozen)| Shown::of(&reference, frozen),
        )
    }

    /// The sources of this evidence, each with what it says, where it can be read by itself.
    fn known(&self, id: Id) -> Vec<(&str, Option<Reference>)> {
        let of = |r: &EntryReference| scan(&r.source).references.into_iter().next();
        self.references.iter().filter(|r| r.evidence == id).map(|r| (r.source.as_str(), of(r))).collect()
    }

    /// The reference for what the text shows: the entry's own, unless its words were edited.
    fn source(&self, id: Id, shown: &Shown) -> String {
        let known = self.known(id);
        let frozen = self.evidence.get(&id);
        let same = |reference: &Reference| match frozen {
            Some(frozen) => Shown::of(reference, frozen) == *shown,
            None => reference.alt == shown.alt,
        };
        if let Some((source, _)) = known.iter().find(|(_, r)| r.as_ref().is_some_and(same)) {
            return (*source).to_owned();
        }
        // A reference-style image cannot be read without its definition.
        if let [(source, None)] = known.as_slice() {
            return (*source).to_owned();
        }
        let caption = match (&shown.caption, known.iter().find_map(|(_, r)| r.as_ref())) {
            (own, _) if !own.is_empty() => own.clone(),
            (_, Some(reference)) if frozen.is_some_and(|f| Shown::of(reference, f).caption.is_empty()) => {
                reference.caption.clone()
            }
            _ => String::new(),
        };
        let query = if shown.size == card_size("compact") { "?size=compact" } else { "" };
        image(
            &crate::markdown::one_line(&shown.alt),
            &format!("evidence:{id}{query}"),
            &crate::markdown::one_line(&caption),
        )
    }
}
