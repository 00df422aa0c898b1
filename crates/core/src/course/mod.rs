//! The course: its weeks, their homework and challenges, and the rule that each is met by.
//!
//! A course is a file of TOML ([`parse`]); the one of [`builtin`] is compiled in. [`Week::fits`] tells which rules one
//! piece of evidence meets, [`Week::judge`] which homework of an entry is met, by what, and what is missing. Both are
//! pure.

mod fit;
mod judge;
mod need;
mod parse;
mod template;
#[cfg(test)]
mod tests;

use std::sync::LazyLock;

pub use fit::Fit;
pub use judge::{HomeworkState, NeedState, Section, Shown};
pub use need::{Count, EvidenceNeed, Feature, Measure, Need, Origin, TextMeasure, TextNeed};
pub use parse::{MAX_BYTES, Problem, parse};

use crate::entry;

/// A course. What a file may contain is bounded, see [`parse`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// Its name; empty if the file has none.
    pub title: String,
    /// In the order of the file. Their numbers differ.
    pub weeks: Vec<Week>,
}

/// One week of a course.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Week {
    /// `0` … `99`, `X`.
    pub week: String,
    /// The topic of the week.
    pub title: String,
    /// What is required.
    pub homework: Vec<Homework>,
    /// What is optional.
    pub challenges: Vec<Homework>,
    /// What a new entry contains; `None` for the usual template. See [`Week::template`].
    pub template: Option<String>,
}

/// One homework or challenge. Its title is the heading of its section in an entry.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Homework {
    pub title: String,
    /// What it is met by, all of it. Without any it is not checked.
    pub needs: Vec<Need>,
}

impl Course {
    /// The week with this number.
    pub fn week(&self, week: &str) -> Option<&Week> {
        self.weeks.iter().find(|w| w.week == week)
    }

    /// The title of a week's entry: `Week 2 — Distributed Tracing`; `Week 12` for one that the course does not have.
    pub fn entry_title(&self, week: &str) -> String {
        self.week(week).map_or_else(|| format!("Week {week}"), Week::entry_title)
    }

    /// Checks a week that a user named, as [`entry::week`] does, and that the course has it.
    ///
    /// # Errors
    /// A message that lists the weeks.
    pub fn find_week(&self, text: &str) -> Result<String, String> {
        match entry::week(text) {
            Ok(week) if self.week(&week).is_some() => Ok(week),
            Ok(_) | Err(_) => {
                let weeks: Vec<&str> = self.weeks.iter().map(|w| w.week.as_str()).collect();
                Err(format!("{:?} is not a week of the course: the weeks are {}", text.trim(), weeks.join(", ")))
            }
        }
    }
}

impl Week {
    /// `Week 2 — Distributed Tracing`.
    pub fn entry_title(&self) -> String {
        match self.title.is_empty() {
            true => format!("Week {}", self.week),
            false => format!("Week {} — {}", self.week, self.title),
        }
    }

    /// Homework, then challenges, with whether it is a challenge.
    pub fn parts(&self) -> impl Iterator<Item = (&Homework, bool)> {
        let homework = self.homework.iter().map(|part| (part, false));
        homework.chain(self.challenges.iter().map(|part| (part, true)))
    }

    /// The needs of [`Self::parts`], in order.
    pub fn needs(&self) -> impl Iterator<Item = &Need> {
        self.parts().flat_map(|(part, _)| &part.needs)
    }
}

/// The file of [`builtin`], for people who write their own.
pub const BUILTIN: &str = include_str!("builtin.toml");

static PARSED: LazyLock<Course> = LazyLock::new(|| parse(BUILTIN).unwrap_or_default());

/// The course that a journal has unless it names another.
pub fn builtin() -> &'static Course {
    &PARSED
}
