//! Entries: their texts, revisions and slots.

mod edits;
mod merging;
#[cfg(test)]
mod merging_tests;
mod stems;
#[cfg(test)]
mod tests;

use tracebook_core::course::Course;
use tracebook_core::entry::{self, Entry, EntryRow, Revision};
use tracebook_core::ids::Id;
use tracebook_core::merge;
use tracebook_render::markdown::{self, Markup};
use tracebook_store::entries::{NewEntry, TextWrite, TextWritten};

use self::merging::Bases;
use crate::courses::Courses;
use crate::ground::error::Error;
use crate::ground::runtime::Runtime;
use crate::ground::schema::{
    Caller, EntryCut, EntryDelete, EntryDifference, EntryEdit, EntryGet, EntryHistory, EntryHtml, EntryListRequest,
    EntryMarkup, EntryNew, EntryRename, EntryRestore, EntryRevision, EntryWrite, MarkupRequest, SlotDismiss,
    TextDifference, Written,
};
use crate::ground::tasks::blocking;

/// Entries, their texts and revisions. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    pub(crate) store: tracebook_store::Journal,
    bases: Bases,
    pub(crate) courses: Courses,
    runtime: Runtime,
}

impl Journal {
    pub(crate) fn new(store: tracebook_store::Journal, courses: &Courses, runtime: &Runtime) -> Self {
        Self { store, bases: Bases::default(), courses: courses.clone(), runtime: runtime.clone() }
    }

    pub(crate) async fn entry_list(&self, request: EntryListRequest) -> Result<Vec<EntryRow>, Error> {
        Ok(self.store.entries(request.deleted).await?)
    }

    pub(crate) async fn entry_get(&self, request: EntryGet) -> Result<Entry, Error> {
        let entry = self.find_entry(&request.entry).await?;
        self.bases.remember(entry.row.id, entry.revision, &entry.body);
        Ok(entry)
    }

    pub(crate) async fn entry_new(&self, request: EntryNew, caller: &Caller) -> Result<Entry, Error> {
        let course = self.courses.current().course;
        let week = request.week.as_deref().map(|week| week_of(&course, week)).transpose()?;
        let title = match (request.title.filter(|t| !t.trim().is_empty()), &week) {
            (Some(title), _) => title.trim().to_owned(),
            (None, Some(week)) => course.entry_title(week),
            (None, None) => request.body.as_deref().and_then(markdown::title).unwrap_or_else(|| "Untitled".to_owned()),
        };
        let body = request.body.unwrap_or_else(|| course.template(week.as_deref(), &title));
        let new = NewEntry {
            id: self.runtime.new_id(),
            slug: entry::slug(week.as_deref(), &title),
            week,
            title,
            shows: shown_in(&body),
            body,
            file: None,
            reason: "new".to_owned(),
        };
        Ok(self.store.add_entry(&new, self.runtime.now(), &caller.client).await?)
    }

    pub(crate) async fn entry_write(&self, request: EntryWrite, caller: &Caller) -> Result<Written, Error> {
        let entry = self.find_entry(&request.entry).await?;
        let id = entry.row.id;
        let older = request.base.is_some_and(|base| base != entry.revision) && request.body != entry.body;
        if older && let Some(written) = self.write_merged(&request, entry, caller).await? {
            return Ok(written);
        }
        self.write_body(id, request.base, request.body, request.cut, caller).await
    }

    /// Writes changes of the stored text. Answers nothing, and writes nothing, where they were made on another text.
    pub(crate) async fn entry_edit(&self, request: EntryEdit, caller: &Caller) -> Result<Option<Written>, Error> {
        let entry = self.find_entry(&request.entry).await?;
        if entry.revision != request.base {
            return Ok(None);
        }
        let changed = edits::apply(&entry.body, &request.changes).filter(|body| edits::check(body) == request.check);
        match changed {
            Some(body) => Ok(Some(self.write_body(entry.row.id, Some(request.base), body, None, caller).await?)),
            None => Ok(None),
        }
    }

    /// Writes a text; windows, the command line, captures and imports all go through here.
    pub(crate) async fn write_body(
        &self,
        id: Id,
        base: Option<i64>,
        body: String,
        cut: Option<String>,
        caller: &Caller,
    ) -> Result<Written, Error> {
        let write = TextWrite { id, base, shows: shown_in(&body), body, keep: cut };
        match self.store.write_text(&write, self.runtime.now(), &caller.client).await? {
            Some(TextWritten::Accepted(revision)) => {
                self.bases.remember(id, revision, &write.body);
                Ok(Written { revision, accepted: true, kept: None, message: String::new(), merged: Vec::new() })
            }
            Some(TextWritten::Kept { current, kept }) => Ok(Written {
                revision: current,
                accepted: false,
                kept: Some(kept),
                message: format!(
                    "The entry was changed elsewhere (it is at revision {current}). Nothing was overwritten: your text is kept as revision {kept}"
                ),
                merged: Vec::new(),
            }),
            None => Err(no_entry(&id.to_string())),
        }
    }

    pub(crate) async fn entry_rename(&self, request: EntryRename, caller: &Caller) -> Result<EntryRow, Error> {
        let row = self.find_entry(&request.entry).await?.row;
        let title = request.title.map_or(row.title, |t| t.trim().to_owned());
        if title.is_empty() {
            return Err(Error::usage("an entry needs a title", "Write at least one letter"));
        }
        let week = match request.week {
            None => row.week,
            Some(text) if text.trim().is_empty() => None,
            Some(text) if row.week.as_deref() == Some(text.trim()) => row.week,
            Some(text) => Some(week_of(&self.courses.current().course, &text)?),
        };
        self.store.rename_entry(row.id, &title, week.as_deref(), self.runtime.now(), &caller.client).await?;
        Ok(self.find_entry(&row.id.to_string()).await?.row)
    }

    pub(crate) async fn entry_cut(&self, request: EntryCut, caller: &Caller) -> Result<Vec<Revision>, Error> {
        let id = self.find_entry(&request.entry).await?.row.id;
        let now = self.runtime.now();
        self.store.keep_revision(id, &request.reason, now, &caller.client).await?;
        self.store.thin_revisions(id, now).await?;
        Ok(self.store.revisions(id).await?)
    }

    pub(crate) async fn entry_history(&self, request: EntryHistory) -> Result<Vec<Revision>, Error> {
        let id = self.find_entry(&request.entry).await?.row.id;
        Ok(self.store.revisions(id).await?)
    }

    pub(crate) async fn entry_revision(&self, request: EntryRevision) -> Result<String, Error> {
        let id = self.find_entry(&request.entry).await?.row.id;
        self.store.revision_text(id, request.revision).await?.ok_or_else(|| {
            Error::not_found(
                format!("{} has no revision {}", request.entry, request.revision),
                "`entry history` lists the revisions that can be read back",
            )
        })
    }

    pub(crate) async fn entry_difference(&self, request: EntryDifference) -> Result<TextDifference, Error> {
        let EntryDifference { entry, revision } = request;
        let old = self.entry_revision(EntryRevision { entry: entry.clone(), revision }).await?;
        let now = self.find_entry(&entry).await?;
        let diff = blocking(move || merge::unified(&old, &now.body)).await?;
        Ok(TextDifference { from: revision, to: now.revision, diff })
    }

    pub(crate) async fn entry_delete(&self, request: EntryDelete, caller: &Caller) -> Result<EntryRow, Error> {
        let row = self.find_entry(&request.entry).await?.row;
        self.store.bin_entry(row.id, Some(self.runtime.now()), &caller.client).await?;
        Ok(row)
    }

    pub(crate) async fn entry_restore(&self, request: EntryRestore, caller: &Caller) -> Result<EntryRow, Error> {
        let row = self.find_entry(&request.entry).await?.row;
        self.store.bin_entry(row.id, None, &caller.client).await?;
        Ok(row)
    }

    pub(crate) async fn markup(&self, request: MarkupRequest) -> Result<Markup, Error> {
        match request.entry {
            Some(entry) => {
                let id = self.find_entry(&entry).await?.row.id;
                self.markup_of(id, &request.body).await
            }
            None => Ok(markdown::scan(&request.body)),
        }
    }

    /// References and slots of the stored text; nothing if that is another revision.
    pub(crate) async fn entry_markup(&self, request: EntryMarkup) -> Result<Option<Markup>, Error> {
        let entry = self.find_entry(&request.entry).await?;
        if entry.revision != request.revision {
            return Ok(None);
        }
        Ok(Some(self.markup_of(entry.row.id, &entry.body).await?))
    }

    /// The stored text as HTML, in which pictures have the addresses that the text gives them.
    pub(crate) async fn entry_html(&self, request: EntryHtml) -> Result<String, Error> {
        Ok(markdown::reading(&self.find_entry(&request.entry).await?.body))
    }

    pub(crate) async fn slot_dismiss(&self, request: SlotDismiss, caller: &Caller) -> Result<Markup, Error> {
        let id = self.find_entry(&request.entry).await?.row.id;
        self.store.dismiss_slot(id, &request.text, &caller.client).await?;
        self.markup_of(id, &request.body).await
    }

    /// References and slots of an entry's text, without the slots that the user dismissed.
    pub(crate) async fn markup_of(&self, id: Id, body: &str) -> Result<Markup, Error> {
        let mut markup = markdown::scan(body);
        let dismissed = self.store.dismissed_slots(id).await?;
        if !dismissed.is_empty() {
            markup.slots.retain(|slot| !dismissed.contains(&slot.text));
            for (i, slot) in markup.slots.iter_mut().enumerate() {
                slot.n = i + 1;
            }
        }
        Ok(markup)
    }

    /// An entry by id or slug.
    pub(crate) async fn find_entry(&self, reference: &str) -> Result<Entry, Error> {
        self.store.entry(reference).await?.ok_or_else(|| no_entry(reference))
    }
}

fn no_entry(reference: &str) -> Error {
    Error::not_found(
        format!("there is no entry {reference:?}"),
        "`entry list` shows the entries; `entry new --week 2` makes one",
    )
}

fn week_of(course: &Course, text: &str) -> Result<String, Error> {
    course
        .find_week(text)
        .map_err(|message| Error::usage(message, "Leave the week out for an entry outside of the course"))
}

/// The ids of the evidence that a text shows.
pub(crate) fn shown_in(body: &str) -> Vec<Id> {
    markdown::scan(body).references.into_iter().map(|r| r.id).collect()
}
