//! Texts, with what their exports list.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tracebook_core::ids::Id;
use tracebook_render::manifest;
use tracebook_render::verify::{self, Text, Verdict};
use tracebook_render::written::Exported;

use super::index::Index;
use super::{Check, EntryVerdict, File, Place, VerifiedEntry, VerifiedEvidence};
use crate::ground::error::Error;
use crate::ground::files::{MAX_FILE_BYTES, is_markdown};

/// Evidence that an export lists and that its text does not show, with the text's path.
pub(super) type Lost = Vec<(Id, String)>;

impl Check {
    /// The verdicts on all texts. Returns the evidence of those that are missing.
    pub(super) fn texts(&mut self, files: &[File], named: bool) -> Result<Lost, Error> {
        let texts: Vec<usize> = (0..files.len()).filter(|n| is_markdown(Path::new(&files[*n].name))).collect();
        let mut index = Index::of(self, files);
        if named {
            for n in &texts {
                index.add_beside(self, &files[*n], *n);
            }
        }
        for listing in &index.listings {
            self.listed.add(listing, self.allowed.is_some());
            self.signatures.push(listing.signature.clone());
        }
        if let Some(findings) = &mut self.class {
            findings.keep_images(files, &index.journals());
        }
        // The lines of the manifest whose text was found.
        let mut found: BTreeSet<Id> = BTreeSet::new();
        for n in texts {
            self.text(&files[n], n, &index, &mut found)?;
        }
        let mut lost = Vec::new();
        if named {
            return Ok(lost);
        }
        for listing in &index.listings {
            for (entry, lines) in listing.manifest.entries() {
                let Some(line) = lines.first().filter(|_| found.insert(entry)) else { continue };
                let file = listing.shown.with_file_name(&line.file).display().to_string();
                lost.extend(line.evidence.iter().map(|id| (*id, file.clone())));
                let why = format!("{} lists this text, which is not there", manifest::NAME);
                self.entries.push(VerifiedEntry { file, verdict: EntryVerdict::Missing, why, notes: Vec::new() });
            }
        }
        for about in index.abouts.iter().filter(|about| about.text.is_none()) {
            let Some(exported) = about.exported.as_ref().filter(|exported| found.insert(exported.id())) else {
                continue;
            };
            let journal = about.shown.parent().and_then(Path::parent).and_then(Path::parent);
            let file = journal.unwrap_or(Path::new("")).join(format!("{}.md", about.stem)).display().to_string();
            lost.extend(exported.evidence().map(|id| (id, file.clone())));
            let why = format!("{} is of this text, which is not there", exported.folder());
            self.entries.push(VerifiedEntry { file, verdict: EntryVerdict::Missing, why, notes: Vec::new() });
        }
        let listed = |journal: &Path| index.listings.iter().any(|listing| listing.journal == journal);
        if index.abouts.iter().any(|about| about.exported.is_some() && !listed(&about.journal)) {
            self.warn(format!("there is no {}, so a deleted entry would not be noticed", manifest::NAME));
        }
        Ok(lost)
    }

    fn text(&mut self, file: &File, n: usize, index: &Index<'_>, found: &mut BTreeSet<Id>) -> Result<(), Error> {
        let shown = file.shown.display().to_string();
        let about = index.about(n);
        let lines = index.lines(n);
        let entry = about.and_then(|about| about.exported.as_ref()).map(Exported::id);
        found.extend(lines.iter().map(|line| line.entry));
        if lines.is_empty() {
            found.extend(entry);
        }
        let bytes = file.folder.read(Path::new(&file.name), MAX_FILE_BYTES);
        let md = match bytes.map(String::from_utf8) {
            Ok(Ok(md)) => md,
            unread => {
                let why = unread.err().map_or_else(|| "it is not UTF-8".to_owned(), |why| why.to_string());
                self.unreadable(shown, format!("the text cannot be read: {why}"));
                return Ok(());
            }
        };
        let (rows, verdict) = {
            let read = |path: &str| self.read(file, path);
            let elsewhere = |id: Id, name: &str| index.elsewhere(self, id, name);
            let entry_json = about.map(|about| (format!("assets/{}/entry.json", about.stem), about.bytes.clone()));
            let text = Text { path: &shown, md: &md, entry_json, lines: &lines, read: &read, elsewhere: &elsewhere };
            let verify::TextVerdict { files, entry, .. } = verify::text(&text);
            (files, entry)
        };
        let listed: BTreeSet<Id> = (lines.iter().flat_map(|line| line.evidence.iter().copied()))
            .chain(about.iter().filter_map(|about| about.exported.as_ref()).flat_map(Exported::evidence))
            .collect();
        let mut unlisted = false;
        for row in rows {
            let relative = Path::new(&row.file).strip_prefix(file.shown.parent().unwrap_or(Path::new("")));
            let relative = relative.unwrap_or(Path::new(&row.file)).to_owned();
            let real = match index.shown(&row.file) {
                Some(known) => known.real.clone(),
                None => file.real.with_file_name("").join(&relative),
            };
            self.seen.insert(real);
            if row.verdict == Verdict::Redrawn {
                self.redrawn(&|path| self.read(file, path), &relative.to_string_lossy())?;
            }
            let mut row = VerifiedEvidence::from(row);
            row.place = if row.id.is_some_and(|id| listed.contains(&id)) { Place::Listed } else { Place::Text };
            if row.place == Place::Text && row.id.is_some() && !(lines.is_empty() && about.is_none()) {
                row.notes.push("the export of this text does not list it: it was added later".to_owned());
                unlisted = true;
            }
            self.evidence.push(row);
        }
        if let Some(findings) = &mut self.class {
            let exported = about.and_then(|about| about.exported.as_ref());
            findings.text(&shown, exported.and_then(Exported::week), &md);
        }
        let mut notes = Vec::new();
        if let Some(line) = lines.first().filter(|line| Path::new(&line.file) != Path::new(&file.name)) {
            notes.push(format!("it was exported as {}", line.file));
        }
        match about {
            Some(about) if about.stem != super::index::stem_of(&file.real) => {
                notes.push(format!("its entry.json is in assets/{}", about.stem));
            }
            Some(about) if about.exported.is_none() => notes.push("its entry.json cannot be read".to_owned()),
            None if lines.iter().any(|line| !line.evidence.is_empty()) => {
                notes.push("its entry.json is missing, so it cannot be imported with its evidence".to_owned());
            }
            Some(_) | None => {}
        }
        if unlisted {
            notes.push("it shows evidence that its export does not list".to_owned());
        }
        if let Some((verdict, why)) = verdict {
            self.entries.push(VerifiedEntry { file: shown, verdict, why, notes });
        }
        Ok(())
    }

    fn unreadable(&mut self, file: String, why: String) {
        self.evidence.push(VerifiedEvidence::new(file, None, Verdict::Edited, why, Vec::new()));
    }

    /// Evidence of texts that are missing, and evidence that was moved from one text to another. `first` is the number
    /// of rows before this clone.
    pub(super) fn lost(&mut self, lost: Lost, first: usize) {
        let mut rows = self.evidence.split_off(first.min(self.evidence.len()));
        for (id, text) in lost {
            match rows.iter_mut().find(|row| row.id == Some(id) && row.verdict != Verdict::Missing) {
                Some(row) if row.place == Place::Loose => {
                    row.notes.push(format!("{text}, which showed it, is not there"));
                }
                Some(row) => moved(row, &text),
                None => {
                    let why = format!("{text} showed it, and is not there");
                    let file = Path::new(&text).with_file_name(format!("{id}.svg")).display().to_string();
                    rows.push(VerifiedEvidence::new(file, Some(id), Verdict::Missing, why, Vec::new()));
                }
            }
        }
        // Shown by another text, whose export does not list it.
        let there: BTreeMap<Id, usize> = (rows.iter().enumerate())
            .filter(|(_, row)| row.place == Place::Text && row.verdict.holds())
            .filter_map(|(n, row)| Some((row.id?, n)))
            .collect();
        let gone: BTreeMap<usize, usize> = (rows.iter().enumerate())
            .filter(|(_, row)| row.verdict == Verdict::Missing && row.about.is_none())
            .filter_map(|(n, row)| Some((n, *there.get(&row.id?)?)))
            .collect();
        for (gone, there) in &gone {
            let from = rows[*gone].file.clone();
            moved(&mut rows[*there], &from);
        }
        let mut n = 0;
        rows.retain(|_| {
            n += 1;
            !gone.contains_key(&(n - 1))
        });
        self.evidence.append(&mut rows);
    }
}

/// Marks evidence that another text showed.
fn moved(row: &mut VerifiedEvidence, from: &str) {
    if row.verdict.holds() {
        row.verdict = Verdict::Moved;
        row.why = format!("it was exported with {from}; {}", row.why);
        row.notes.insert(0, row.why.clone());
    }
}
