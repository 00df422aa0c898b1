//! Which homework of an entry is met, and by which evidence.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tracebook_core::course::{Course, Fit, HomeworkState, Shown, Week};
use tracebook_core::entry::Entry;
use tracebook_core::ids::Id;
use tracebook_render::markdown::{self, Markup};
use tracebook_store::StoreError;

use crate::courses::Courses;
use crate::ground::error::Error;
use crate::ground::schema::{CountedEvidence, EntryHomework, HomeworkRequest};
use crate::journal::Journal;
use crate::live_cards::LiveCards;

/// Results that are kept; beyond these, all are computed again.
const MOST_KEPT: usize = 20_000;

/// The homework of entries. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Homework {
    courses: Courses,
    journal: Journal,
    live_cards: LiveCards,
    kept: Arc<Mutex<Kept>>,
}

/// How evidence fits the rules of a week. Neither changes, unless the course does.
#[derive(Debug, Default)]
struct Kept {
    course: Option<Arc<Course>>,
    fits: HashMap<(String, Id), Arc<Fitting>>,
}

/// How one piece of evidence fits.
#[derive(Debug)]
struct Fitting {
    title: String,
    /// See [`Week::fits`].
    fits: Vec<Fit>,
}

impl Homework {
    pub(crate) fn new(courses: &Courses, journal: &Journal, live_cards: &LiveCards) -> Self {
        let (courses, journal, live_cards) = (courses.clone(), journal.clone(), live_cards.clone());
        Self { courses, journal, live_cards, kept: Arc::default() }
    }

    pub(crate) async fn list(&self, request: HomeworkRequest) -> Result<Vec<EntryHomework>, Error> {
        let entries: Vec<String> = match request.entry {
            Some(entry) => vec![entry],
            None => {
                let rows = self.journal.store.entries(false).await?;
                rows.into_iter().filter(|row| row.week.is_some()).map(|row| row.id.to_string()).collect()
            }
        };
        let mut list = Vec::new();
        for entry in entries {
            let entry = self.journal.find_entry(&entry).await?;
            let markup = self.journal.markup_of(entry.row.id, &entry.body).await?;
            list.push(self.of(&entry, &markup).await?);
        }
        Ok(list)
    }

    /// The homework of one entry.
    pub(crate) async fn of(&self, entry: &Entry, markup: &Markup) -> Result<EntryHomework, Error> {
        let course = self.courses.current().course;
        let mut homework = EntryHomework {
            entry: entry.row.id,
            slug: entry.row.slug.clone(),
            title: entry.row.title.clone(),
            week: None,
            slots_open: markup.slots.len(),
            slots_filled: markup.references.len() + markup.live.len(),
            homework: Vec::new(),
            evidence: Vec::new(),
        };
        let Some(week) = entry.row.week.as_deref().and_then(|week| course.week(week)) else { return Ok(homework) };
        let mut places: Vec<(Id, usize)> = markup.references.iter().map(|r| (r.id, r.place.line)).collect();
        let cards = self.live_cards.cards_of(&markup.live).await?;
        for reference in &markup.live {
            let frozen = cards.iter().find(|live| live.card.id == reference.id).and_then(|live| live.frozen);
            places.extend(frozen.map(|id| (id, reference.place.line)));
        }
        places.sort_by_key(|(_, line)| *line);
        let mut shown = Vec::new();
        for (id, line) in places {
            if shown.iter().all(|(known, _, _)| *known != id)
                && let Some(fits) = self.fits(&course, week, id).await?
            {
                shown.push((id, line, fits));
            }
        }
        let items: Vec<Shown<'_>> =
            shown.iter().map(|(id, line, kept)| Shown { id: *id, line: *line, fits: &kept.fits }).collect();
        homework.week = Some(week.week.clone());
        homework.homework = week.judge(&markdown::sections(&entry.body), &items);
        let counts = |id: &Id| {
            let needs = homework.homework.iter().flat_map(|state: &HomeworkState| &state.needs);
            needs.into_iter().any(|need| need.by.contains(id))
        };
        homework.evidence = shown
            .iter()
            .filter(|(id, _, _)| counts(id))
            .map(|(id, line, kept)| CountedEvidence { id: *id, title: kept.title.clone(), line: *line })
            .collect();
        Ok(homework)
    }

    /// The title of evidence and how it fits the rules of a week; `None` if it cannot be read.
    async fn fits(&self, course: &Arc<Course>, week: &Week, id: Id) -> Result<Option<Arc<Fitting>>, Error> {
        let key = (week.week.clone(), id);
        // What was purged is not kept here either.
        if self.journal.store.evidence_record(id).await?.is_none_or(|record| record.purged) {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).fits.retain(|(_, known), _| *known != id);
            return Ok(None);
        }
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let same = kept.course.as_ref().is_some_and(|known| Arc::ptr_eq(known, course));
            if !same || kept.fits.len() >= MOST_KEPT {
                *kept = Kept { course: Some(Arc::clone(course)), fits: HashMap::new() };
            }
            if let Some(fits) = kept.fits.get(&key) {
                return Ok(Some(Arc::clone(fits)));
            }
        }
        let frozen = match self.journal.store.evidence(id).await {
            Ok(Some(frozen)) => frozen,
            // Damage is reported where the evidence is shown.
            Ok(None) | Err(StoreError::Damaged(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let fits = Arc::new(Fitting { title: frozen.evidence.title(), fits: week.fits(&frozen.evidence) });
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.course.as_ref().is_some_and(|known| Arc::ptr_eq(known, course)) {
            kept.fits.insert(key, Arc::clone(&fits));
        }
        Ok(Some(fits))
    }
}

#[cfg(test)]
mod tests {
    use tracebook_core::console::{Console, Output};
    use tracebook_core::evidence::Kind;

    use super::*;
    use crate::ground::schema::{Caller, Capture, EntryNew, EvidenceDelete};
    use crate::testing::Home;

    const COURSE: &str = "[[week]]\nnumber = 12\ntitle = \"Last\"\n\
        [[week.homework]]\ntitle = \"Compose\"\nneeds = [{ kind = \"console\", contains = \"running\" }, { words = 3 }]\n\
        [[week.challenge]]\ntitle = \"Two\"\nneeds = [{ kind = \"console\", count = 2, slot = \"Output\" }]\n";

    async fn console(home: &Home, entry: &str, text: &str) -> Id {
        let request = Capture { into: Some(entry.to_owned()), ..Capture::of(Kind::Console) };
        let output = Output { console: Console::from_text("docker compose ps", text), ..Output::default() };
        home.app.capture.capture_console(output, request, &Caller::default()).await.expect("captures").evidence.id
    }

    async fn of(home: &Home, entry: &str) -> EntryHomework {
        let request = HomeworkRequest { entry: Some(entry.to_owned()) };
        home.app.homework.list(request).await.expect("lists").remove(0)
    }

    #[tokio::test]
    async fn homework_is_met_by_what_the_entry_shows() {
        let home = Home::new().await;
        std::fs::write(home.dir.path().join("data").join("course.toml"), COURSE).expect("writes");
        let new = EntryNew { week: Some("12".to_owned()), title: None, body: None };
        let entry = home.app.journal.entry_new(new, &Caller::default()).await.expect("makes");
        assert_eq!(entry.row.title, "Week 12 — Last");
        assert_eq!(entry.body.matches("![Output]()").count(), 2);
        let slug = entry.row.slug;
        let homework = of(&home, &slug).await;
        assert_eq!((homework.slots_open, homework.slots_filled), (3, 0));
        assert!(homework.homework.iter().all(|state| !state.met));

        let other = console(&home, &slug, "nothing").await;
        let fits = console(&home, &slug, "db  Running").await;
        let homework = of(&home, &slug).await;
        assert_eq!((homework.slots_open, homework.slots_filled), (3, 2), "without a slot, at the end");
        let [compose, two] = homework.homework.as_slice() else { panic!("{homework:?}") };
        assert_eq!(compose.needs[0].by, [fits]);
        assert!(!compose.needs[1].met && !compose.met);
        assert_eq!((two.needs[0].have, two.met), (2, true));
        assert_eq!(homework.evidence.iter().map(|e| e.id).collect::<Vec<_>>(), [other, fits]);

        // Data that is gone counts no longer.
        let request = EvidenceDelete { id: fits, purge: true };
        home.app.evidence.delete(request, &Caller::default()).await.expect("purges");
        assert!(of(&home, &slug).await.homework.iter().all(|state| !state.met));
    }

    #[tokio::test]
    async fn a_changed_course_is_judged_again() {
        let home = Home::new().await;
        let file = home.dir.path().join("data").join("course.toml");
        std::fs::write(&file, COURSE).expect("writes");
        let new = EntryNew {
            week: Some("12".to_owned()),
            title: None,
            body: Some("## Compose\n\none two three\n".to_owned()),
        };
        let slug = home.app.journal.entry_new(new, &Caller::default()).await.expect("makes").row.slug;
        console(&home, &slug, "db  stopped").await;
        assert!(!of(&home, &slug).await.homework[0].met);
        std::fs::write(&file, COURSE.replace("running", "stopped")).expect("writes");
        // Times of files are coarse; the length differs, too.
        std::fs::write(&file, format!("{}# changed\n", COURSE.replace("running", "stopped"))).expect("writes");
        assert!(of(&home, &slug).await.homework[0].met);
        // A week that the course does not have any more.
        std::fs::remove_file(&file).expect("removes");
        let homework = of(&home, &slug).await;
        assert_eq!((homework.week, homework.homework.len()), (None, 0));
    }
}
