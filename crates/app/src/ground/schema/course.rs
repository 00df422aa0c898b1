//! The course, and the homework of entries.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use tracebook_core::course::HomeworkState;
use tracebook_core::ids::Id;

/// Which course to show.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct CourseGet {
    /// A course file; the journal's course if null.
    #[serde(default)]
    #[ts(optional)]
    pub file: Option<String>,
}

/// A course.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CourseView {
    pub title: String,
    /// The file it is read from; null for the one that is compiled in.
    pub file: Option<String>,
    /// The weeks of the file; of a file that cannot be used, none.
    pub weeks: Vec<CourseWeek>,
    /// Why the file cannot be used, by line.
    pub problems: Vec<CourseProblem>,
    /// The file's text.
    pub toml: String,
}

/// A week of a course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CourseWeek {
    /// `"0"` … `"99"`, `"X"`.
    pub week: String,
    /// `Week 2 — Distributed Tracing`.
    pub title: String,
    /// Homework, then challenges.
    pub homework: Vec<CourseHomework>,
}

/// A homework or a challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CourseHomework {
    pub title: String,
    /// Whether it is optional.
    pub challenge: bool,
    /// What it is met by, all of it: `1 trace from X-Ray with a subsegment`.
    pub needs: Vec<String>,
}

/// Something in a course file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CourseProblem {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub hint: String,
}

/// Whose homework to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct HomeworkRequest {
    /// Id or slug of an entry; every entry of a week if null.
    #[serde(default)]
    #[ts(optional)]
    pub entry: Option<String>,
}

/// How far an entry is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EntryHomework {
    /// The entry's id.
    pub entry: Id,
    pub slug: String,
    pub title: String,
    /// The week that the course has for it; null if none.
    pub week: Option<String>,
    /// Places for evidence that are still empty.
    pub slots_open: usize,
    /// References to evidence, and live cards.
    pub slots_filled: usize,
    /// Homework, then challenges.
    pub homework: Vec<HomeworkState>,
    /// The evidence that it is met by.
    pub evidence: Vec<CountedEvidence>,
}

/// Evidence that counts for homework.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CountedEvidence {
    pub id: Id,
    pub title: String,
    /// Where the entry shows it, from 1.
    pub line: usize,
}
