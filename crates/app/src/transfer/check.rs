//! What readers of an export would stumble over, found before anything is written.

use std::path::PathBuf;

use tracebook_core::entry::Entry;
use tracebook_core::ids::Id;
use tracebook_core::text::count;
use tracebook_render::markdown::{self, Link, Markup, ProblemKind};

use super::{Transfer, leaks, pictures};
use crate::ground::error::Error;
use crate::ground::schema::{Caller, EntryCheck, EntryChecked, Leak, Problem};
use crate::ground::tasks::blocking;

/// Evidence that was captured longer than this before its entry was begun is probably from other work.
const OLD: i64 = 30 * DAY;
const DAY: i64 = 24 * 3600 * 1_000_000_000;

impl Transfer {
    /// The problems of one entry or of all, by entry and line.
    pub(crate) async fn check(&self, request: EntryCheck, caller: &Caller) -> Result<EntryChecked, Error> {
        let call = self.runtime.begin(caller);
        let stems = self.journal.stems().await?;
        let named: Vec<String> = request.entry.into_iter().collect();
        let entries = self.wanted(&named, &stems).await?;
        let masks = Self::count_masks(&self.masking().await?, &entries);
        let mut problems = Vec::new();
        for (n, entry) in entries.iter().enumerate() {
            call.progress(n, entries.len(), format!("Checking {}", entry.row.title))?;
            let markup = markdown::scan(&entry.body);
            let mut found = in_text(entry, &markup, &leaks::find(std::slice::from_ref(entry), &stems));
            found.extend(self.in_references(entry, &markup).await?);
            if let Some(stem) = stems.get(&entry.row.id) {
                found.extend(self.in_links(entry, stem).await?);
            }
            // What concerns the whole entry comes first.
            found.sort();
            problems.extend(found.into_iter().map(|(line, kind, message)| Problem {
                entry: entry.row.slug.clone(),
                line,
                kind,
                message,
            }));
        }
        call.progress(entries.len(), entries.len(), "Done")?;
        Ok(EntryChecked { ok: problems.is_empty(), problems, masks })
    }

    /// What references show: evidence that is gone or old, homework without evidence.
    async fn in_references(&self, entry: &Entry, markup: &Markup) -> Result<Vec<Row>, Error> {
        let mut found: Vec<Row> = Vec::new();
        let cards = self.live_cards.cards_of(&markup.live).await?;
        let mut places: Vec<(Id, usize)> = markup.references.iter().map(|r| (r.id, r.place.line)).collect();
        for reference in &markup.live {
            let line = reference.place.line;
            match cards.iter().find(|live| live.card.id == reference.id) {
                None => {
                    found.push((Some(line), ProblemKind::Evidence, "this live card is not in the journal".to_owned()))
                }
                Some(live) => match live.frozen {
                    Some(id) => places.push((id, line)),
                    None => {
                        let message = format!(
                            "the live card {:?} was never frozen, so an export shows no evidence",
                            live.card.title
                        );
                        found.push((Some(line), ProblemKind::Evidence, message));
                    }
                },
            }
        }
        for (id, line) in places {
            let mut add = |kind, message: String| found.push((Some(line), kind, message));
            let Some(record) = self.journal.store.evidence_record(id).await? else {
                add(ProblemKind::Evidence, format!("evidence {id} is not in this journal"));
                continue;
            };
            if record.purged {
                add(ProblemKind::Evidence, format!("{:?} was deleted for good", record.title));
                continue;
            }
            if record.deleted {
                let message = format!("{:?} is in the bin: `evidence restore {id}` takes it out", record.title);
                add(ProblemKind::Evidence, message);
            }
            let age = entry.row.id.time().0.saturating_sub(record.captured_at.0);
            // What came with an import is older than its entry here.
            if age > OLD && record.imported_at.is_none() {
                let days = usize::try_from(age / DAY).unwrap_or(usize::MAX);
                let message =
                    format!("{:?} was captured {} before this entry was begun", record.title, count(days, "day"));
                add(ProblemKind::OldEvidence, message);
            }
        }
        let required = self.homework.of(entry, markup).await?.homework.into_iter().filter(|state| !state.challenge);
        found.extend(required.filter(|state| !state.met).map(|state| {
            let message = format!("required homework {:?} is not met: {}", state.title, state.missing());
            (None, ProblemKind::Homework, message)
        }));
        Ok(found)
    }

    /// Relative links and pictures whose file is missing, seen from where the entry was imported from or exported to.
    /// Pictures that the journal has are exported.
    async fn in_links(&self, entry: &Entry, stem: &str) -> Result<Vec<Row>, Error> {
        let mut links: Vec<Link> = Vec::new();
        for link in markdown::links(&entry.body).into_iter().filter(|link| !link.path().is_empty()) {
            let attached = match link.below().filter(|_| link.picture) {
                Some(below) => self.journal.store.attached_at(entry.row.id, &below).await?,
                None => None,
            };
            let has = match attached {
                Some((id, _)) => self.journal.store.attachment(id).await?.is_some_and(|record| !record.purged),
                None => false,
            };
            if !has {
                links.push(link);
            }
        }
        if links.is_empty() {
            return Ok(Vec::new());
        }
        let paths = [format!("journal/{stem}.md"), format!("{stem}.md")];
        let known = self.journal.store.roots_of_file([&paths[0], &paths[1]]).await?;
        let folders: Vec<PathBuf> = known
            .into_iter()
            .filter_map(|(root, path)| Some(PathBuf::from(root).join(path).parent()?.to_owned()))
            .collect();
        blocking(move || {
            let kind = |message: &str| match message.starts_with("the picture") {
                true => ProblemKind::Picture,
                false => ProblemKind::Link,
            };
            let per_folder = folders.iter().map(|folder| pictures::problems(&links, folder));
            match per_folder.min_by_key(Vec::len) {
                Some(problems) => {
                    problems.into_iter().map(|(line, message)| (Some(line), kind(&message), message)).collect()
                }
                // Written here and never exported: other entries are beside it in an export, pictures are not.
                None => links
                    .iter()
                    .filter(|link| link.picture)
                    .map(|link| {
                        let message = format!("the picture {} is not in this journal", link.path());
                        (Some(link.line), ProblemKind::Picture, message)
                    })
                    .collect(),
            }
        })
        .await
    }
}

/// Line, kind and message.
type Row = (Option<usize>, ProblemKind, String);

/// What the text has by itself.
fn in_text(entry: &Entry, markup: &Markup, leaks: &[Leak]) -> Vec<Row> {
    let mut found: Vec<Row> = Vec::new();
    for leak in leaks {
        let line = leak.line.and_then(|line| usize::try_from(line).ok());
        let what = if line.is_some() { "this" } else { "the title" };
        found.push((line, ProblemKind::Leak, format!("{what} looks like it contains a credential ({})", leak.kind)));
    }
    for slot in &markup.slots {
        let wanted = if slot.wants == "unknown" { "evidence" } else { &slot.wants };
        let message = format!("{:?} still needs {wanted}", slot.text);
        found.push((Some(slot.line), ProblemKind::Slot, message));
    }
    found.extend(markdown::review(&entry.body).into_iter().map(|f| (Some(f.line), f.kind, f.message)));
    found
}
