//! Which homework of a course exported texts meet.

use std::collections::BTreeMap;

use serde::Serialize;

use tracebook_core::course::{Course, Fit, Section, Shown};
use tracebook_core::evidence::Evidence;
use tracebook_core::ids::Id;

/// An exported text, as the rules of a course read it.
#[derive(Clone, Debug)]
pub(super) struct Paper {
    pub(super) week: Option<String>,
    pub(super) sections: Vec<Section>,
    /// The evidence that it shows, by line.
    pub(super) shown: Vec<(Id, usize)>,
}

/// Homework of a course that is met, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Met {
    pub week: String,
    pub title: String,
    /// Whether it is optional.
    pub challenge: bool,
    /// The evidence that meets its rules; empty where these are about text.
    pub evidence: Vec<Id>,
}

/// Homework of a course that is not met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lacking {
    pub week: String,
    pub title: String,
    /// What is missing, for the reader.
    pub why: String,
}

/// Judges a student's texts. Only evidence that holds counts. Of several texts of one week, each homework may be met by
/// another one. Optional homework is never missing.
pub(super) fn judge(course: &Course, papers: &[Paper], holds: &BTreeMap<Id, &Evidence>) -> (Vec<Met>, Vec<Lacking>) {
    let (mut met, mut missing) = (Vec::new(), Vec::new());
    for week in &course.weeks {
        let mut states = Vec::new();
        for paper in papers.iter().filter(|paper| paper.week.as_ref() == Some(&week.week)) {
            let mut fits: Vec<(Id, usize, Vec<Fit>)> = Vec::new();
            for (id, line) in &paper.shown {
                if let Some(evidence) = holds.get(id).filter(|_| fits.iter().all(|(known, ..)| known != id)) {
                    fits.push((*id, *line, week.fits(evidence)));
                }
            }
            let shown: Vec<Shown<'_>> =
                fits.iter().map(|(id, line, fits)| Shown { id: *id, line: *line, fits }).collect();
            states.push(week.judge(&paper.sections, &shown));
        }
        for (n, (homework, challenge)) in week.parts().enumerate() {
            let (week, title) = (week.week.clone(), homework.title.clone());
            let all = || states.iter().filter_map(|states| states.get(n));
            if let Some(state) = all().find(|state| state.met) {
                let evidence = state.needs.iter().flat_map(|need| need.by.iter().copied()).collect();
                met.push(Met { week, title, challenge, evidence });
            } else if !challenge {
                let why = match all().next() {
                    Some(state) => state.missing(),
                    None => format!("there is no exported entry of week {week}"),
                };
                missing.push(Lacking { week, title, why });
            }
        }
    }
    (met, missing)
}
