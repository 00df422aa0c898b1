//! Which homework of an entry is met, by what, and what is missing.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::fit::Fit;
use super::need::{EvidenceNeed, Need, TextMeasure, TextNeed};
use super::{Homework, Week};
use crate::ids::Id;
use crate::text::grouped;

/// A heading of an entry's text and what stands between it and the next one. The text before the first heading is a
/// section with level 0 and no title.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// The heading without markup.
    pub title: String,
    /// 1 to 6.
    pub level: u8,
    /// The heading's line, from 1.
    pub line: usize,
    /// Words of prose; neither code nor what comments and alternative texts contain.
    pub words: usize,
    /// Pictures other than evidence.
    pub pictures: usize,
}

/// Evidence that an entry shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown<'a> {
    pub id: Id,
    /// The line of its reference, from 1.
    pub line: usize,
    /// What [`Week::fits`] answers for it.
    pub fits: &'a [Fit],
}

/// The state of one homework or challenge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct HomeworkState {
    /// Its heading in the entry.
    pub title: String,
    /// Whether it is optional.
    pub challenge: bool,
    /// Whether all of its needs are met. One without needs is met as soon as its section has text.
    pub met: bool,
    pub needs: Vec<NeedState>,
}

/// The state of one need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NeedState {
    /// The rule: `1 trace from X-Ray with a subsegment`.
    pub text: String,
    pub met: bool,
    /// How many there are, at most `least`.
    pub have: u32,
    /// How many are needed.
    pub least: u32,
    /// The evidence that meets it.
    pub by: Vec<Id>,
    /// Why it is not met; empty if it is.
    pub why: String,
}

impl Week {
    /// The state of the homework, then of the challenges, of an entry.
    ///
    /// One piece of evidence counts for one need among the homework, and for one among the challenges; evidence in the
    /// section of a homework counts for it first. As many needs are met as can be, earlier ones before later ones.
    pub fn judge(&self, sections: &[Section], shown: &[Shown<'_>]) -> Vec<HomeworkState> {
        let mut first_need = 0;
        let mut states = Vec::new();
        for (parts, challenge) in [(&self.homework, false), (&self.challenges, true)] {
            states.extend(judge_list(parts, challenge, first_need, sections, shown));
            first_need += parts.iter().map(|part| part.needs.len()).sum::<usize>();
        }
        states
    }
}

fn judge_list(
    parts: &[Homework],
    challenge: bool,
    first_need: usize,
    sections: &[Section],
    shown: &[Shown<'_>],
) -> Vec<HomeworkState> {
    // One place for each piece of evidence that is needed.
    let mut places: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut n = first_need;
    for part in parts {
        let inside = lines_of(&part.title, sections);
        for need in &part.needs {
            if let Need::Evidence(evidence) = need {
                let fit = |at: &usize| fit_of(shown[*at], n) == Fit::Yes;
                let is_inside = |at: &usize| inside.iter().any(|lines| lines.contains(&shown[*at].line));
                let mut candidates: Vec<usize> = (0..shown.len()).filter(fit).collect();
                candidates.sort_by_key(|at| !is_inside(at));
                places.extend((0..evidence.count).map(|_| (n, candidates.clone())));
            }
            n += 1;
        }
    }
    let taken = matching(&places, shown.len());

    let mut n = first_need;
    let mut states = Vec::new();
    for part in parts {
        let mut needs = Vec::new();
        for need in &part.needs {
            needs.push(match need {
                Need::Evidence(evidence) => {
                    let by = (0..shown.len()).filter(|at| taken[*at].is_some_and(|place| places[place].0 == n));
                    evidence_state(need, evidence, by.map(|at| shown[at].id).collect(), n, shown)
                }
                Need::Text(text) => text_state(need, text, &part.title, sections),
            });
            n += 1;
        }
        let met = match needs.is_empty() {
            true => words_below(&part.title, sections, TextMeasure::Words).is_some_and(|words| words > 0),
            false => needs.iter().all(|need| need.met),
        };
        states.push(HomeworkState { title: part.title.clone(), challenge, met, needs });
    }
    states
}

fn fit_of(shown: Shown<'_>, need: usize) -> Fit {
    shown.fits.get(need).copied().unwrap_or_default()
}

/// For each piece of evidence the place that it fills: a maximum matching by augmenting paths. Adding a place never
/// empties an earlier one, so that earlier needs go before later ones.
pub(super) fn matching(places: &[(usize, Vec<usize>)], evidence: usize) -> Vec<Option<usize>> {
    let mut taken: Vec<Option<usize>> = vec![None; evidence];
    for start in 0..places.len() {
        // A path of (place, evidence) that is searched without recursion: places are many in a hostile file.
        let mut seen = vec![false; evidence];
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((place, next)) = path.last_mut() {
            let Some(at) = places[*place].1.get(*next).copied() else {
                path.pop();
                continue;
            };
            *next += 1;
            if seen[at] {
                continue;
            }
            seen[at] = true;
            match taken[at] {
                Some(other) => path.push((other, 0)),
                None => {
                    for (place, next) in path.drain(..) {
                        taken[places[place].1[next - 1]] = Some(place);
                    }
                }
            }
        }
    }
    taken
}

fn evidence_state(need: &Need, evidence: &EvidenceNeed, by: Vec<Id>, n: usize, shown: &[Shown<'_>]) -> NeedState {
    let have = u32::try_from(by.len()).unwrap_or(u32::MAX);
    let met = have >= evidence.count;
    let why = if met { String::new() } else { why_not(evidence, have, n, shown) };
    NeedState { text: need.text(), met, have, least: evidence.count, by, why }
}

fn why_not(need: &EvidenceNeed, have: u32, n: usize, shown: &[Shown<'_>]) -> String {
    let of = |fit| u32::try_from(shown.iter().filter(|s| fit_of(**s, n) == fit).count()).unwrap_or(u32::MAX);
    let (fitting, lacking, elsewhere) = (of(Fit::Yes), of(Fit::Lacking), of(Fit::OtherOrigin));
    let amount = |n: u32| format!("{n} {}", need.nouns(n));
    let nearest = if fitting > have {
        format!("{} of {} in the entry already count for other homework", fitting - have, amount(fitting))
    } else if lacking > 0 {
        format!("the entry shows {}{} without what is needed", amount(lacking), need.origin())
    } else if elsewhere > 0 {
        format!("the entry shows {}, but not{}", amount(elsewhere), need.origin())
    } else if have > 0 {
        return format!("{have} of {}", amount(need.count));
    } else {
        return format!("the entry shows no {}{}{}", need.nouns(1), need.origin(), need.features());
    };
    if have > 0 { format!("{have} of {}; {nearest}", amount(need.count)) } else { nearest }
}

fn text_state(need: &Need, text: &TextNeed, own: &str, sections: &[Section]) -> NeedState {
    let title = text.section.as_deref().unwrap_or(own);
    let found = words_below(title, sections, text.measure);
    let have = u32::try_from(found.unwrap_or(0)).unwrap_or(u32::MAX);
    let met = have >= text.least;
    let why = match found {
        _ if met => String::new(),
        None => format!("there is no heading “{title}”"),
        Some(found) => format!("“{title}” has {} of {}", grouped(found), need_amount(text)),
    };
    NeedState { text: need.text(), met, have: have.min(text.least), least: text.least, by: Vec::new(), why }
}

fn need_amount(need: &TextNeed) -> String {
    need.measure.amount(usize::try_from(need.least).unwrap_or(usize::MAX))
}

/// Titles are equal up to case, spaces and a colon at the end.
fn key(title: &str) -> String {
    let words: Vec<String> = title.split_whitespace().map(str::to_lowercase).collect();
    words.join(" ").trim_end_matches(':').trim_end().to_owned()
}

/// The sections with a title, each with those below it: ranges of indexes.
fn below<'a>(title: &str, sections: &'a [Section]) -> impl Iterator<Item = &'a [Section]> {
    let wanted = key(title);
    sections.iter().enumerate().filter(move |(_, section)| section.level > 0 && key(&section.title) == wanted).map(
        |(at, section)| {
            let rest = &sections[at + 1..];
            let end = rest.iter().position(|next| next.level <= section.level).unwrap_or(rest.len());
            &sections[at..=at + end]
        },
    )
}

/// The most words or pictures below a heading of this title; `None` if there is none.
fn words_below(title: &str, sections: &[Section], measure: TextMeasure) -> Option<usize> {
    below(title, sections)
        .map(|range| {
            range
                .iter()
                .map(|section| match measure {
                    TextMeasure::Words => section.words,
                    TextMeasure::Pictures => section.pictures,
                })
                .sum()
        })
        .max()
}

/// The lines of the sections with a title.
fn lines_of(title: &str, sections: &[Section]) -> Vec<core::ops::Range<usize>> {
    below(title, sections)
        .filter_map(|range| {
            let after = range.last().and_then(|last| sections.iter().find(|s| s.line > last.line));
            Some(range.first()?.line..after.map_or(usize::MAX, |s| s.line))
        })
        .collect()
}

impl HomeworkState {
    /// What is missing, as one sentence without its full stop; empty if it is met.
    pub fn missing(&self) -> String {
        let missing: Vec<String> =
            self.needs.iter().filter(|need| !need.met).map(|need| format!("{} ({})", need.text, need.why)).collect();
        match (self.met, missing.is_empty()) {
            (true, _) => String::new(),
            (false, true) => "its section has no text".to_owned(),
            (false, false) => missing.join("; "),
        }
    }
}
