//! Doubts about evidence from a file: what in it contradicts something else in it.
//!
//! What can be found is a contradiction: between the data and the picture or table beside it, between the time in the
//! id and the time of the capture, between that time and the times in the data. Evidence in which everything was made
//! to agree, with all ids and times regenerated, contradicts nothing, so that no doubt is raised: only a signature
//! could prove who made it.

use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

use crate::evidence::{Body, Evidence};
use crate::text::{beginning, is_hidden};
use crate::time::{Nanos, human_duration};

/// Something in evidence that contradicts something else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
pub struct Doubt {
    /// What was compared.
    pub rule: Rule,
    /// For the reader: `the picture shows other data`.
    pub why: String,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The time in the id with the time of the capture: the id is made at the capture.
    Id,
    /// The times in the data with the time of the capture: data cannot be from later.
    Time,
    /// The times in the data with the range that the provenance names.
    Range,
    /// The time of the capture with that of the import.
    Future,
    /// The picture with one drawn from the data again.
    Picture,
    /// The table and the digest in the text with the data.
    Text,
    /// The data with the digest that its picture names.
    Digest,
    /// Another file with the same id, and other data.
    Copy,
    /// A rule of a later version, or a reason that only a text states.
    Other,
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match String::deserialize(deserializer)?.as_str() {
            "id" => Self::Id,
            "time" => Self::Time,
            "range" => Self::Range,
            "future" => Self::Future,
            "picture" => Self::Picture,
            "text" => Self::Text,
            "digest" => Self::Digest,
            "copy" => Self::Copy,
            // Also those that are not known yet.
            _ => Self::Other,
        })
    }
}

impl Doubt {
    /// A doubt, with a reason of one line.
    pub fn new(rule: Rule, why: &str) -> Self {
        let why: String = beginning(why, LONGEST).chars().filter(|c| !c.is_control() && !is_hidden(*c)).collect();
        Self { rule, why }
    }
}

/// How far apart times may be that should be the same, in nanoseconds: clocks differ, and a live card may show its
/// answer for minutes before it is frozen.
pub const TOLERANCE: i64 = 300 * SECOND;
/// How far in the future a capture may be: the clock of whoever imports may be wrong.
const FUTURE: i64 = 24 * 3_600 * SECOND;
/// Times in a range are rounded by vendors.
const ROUNDED: i64 = SECOND;
const SECOND: i64 = 1_000_000_000;
/// The most characters of a reason, and the most doubts about one evidence: those in files may be any number.
const LONGEST: usize = 300;
const MOST: usize = 16;

/// The doubts that evidence itself raises.
pub fn of(evidence: &Evidence) -> Vec<Doubt> {
    let provenance = &evidence.provenance;
    let captured = provenance.captured_at;
    let mut doubts = Vec::new();
    let made = evidence.id.time();
    let apart = made.0.saturating_sub(captured.0);
    if apart.saturating_abs() > TOLERANCE {
        let way = if apart > 0 { "after" } else { "before" };
        doubts.push(Doubt::new(
            Rule::Id,
            &format!(
                "its id was made {}, {} {way} the time of the capture",
                made.human(),
                human_duration(apart.saturating_abs())
            ),
        ));
    }
    let (first, last) = times(&evidence.body);
    let ahead = last.0.saturating_sub(captured.0);
    let known = provenance.ahead.unwrap_or_default().0.max(0);
    if ahead.saturating_sub(known) > TOLERANCE {
        doubts.push(Doubt::new(
            Rule::Time,
            &format!("it contains data of {}, {} after its capture", last.human(), human_duration(ahead)),
        ));
    }
    let (from, until) = provenance.range;
    let outside = from.0.saturating_sub(first.0) > ROUNDED || last.0.saturating_sub(until.0) > ROUNDED;
    if (first, last) != (Nanos(0), Nanos(0)) && outside {
        doubts.push(Doubt::new(
            Rule::Range,
            &format!("its data is from {} to {}, which is not the range that it names", first.human(), last.human()),
        ));
    }
    doubts
}

/// Evidence that was captured after `now`.
pub fn future(evidence: &Evidence, now: Nanos) -> Option<Doubt> {
    let captured = evidence.provenance.captured_at;
    let why = || format!("it was captured {}, after its import on {}", captured.human(), now.human());
    (captured.0.saturating_sub(now.0) > FUTURE).then(|| Doubt::new(Rule::Future, &why()))
}

/// How far the data is ahead of a capture, if that is more than clocks usually differ.
pub(crate) fn ahead(body: &Body, captured_at: Nanos) -> Option<Nanos> {
    let ahead = times(body).1.0.saturating_sub(captured_at.0);
    (ahead > TOLERANCE).then_some(Nanos(ahead))
}

/// The first and last time in the data. A query's range is the one that was asked for, and may end in the future.
fn times(body: &Body) -> (Nanos, Nanos) {
    match body {
        Body::Query(_) => (Nanos(0), Nanos(0)),
        Body::Trace(_)
        | Body::Logs(_)
        | Body::Error(_)
        | Body::Console(_)
        | Body::ServiceMap(_)
        | Body::Groups(_)
        | Body::SamplingRules(_)
        | Body::Dossier(_) => body.range(),
    }
}

/// Adds doubts that are not known yet; true if there were any.
pub fn add(doubts: &mut Vec<Doubt>, more: impl IntoIterator<Item = Doubt>) -> bool {
    let before = doubts.len();
    for doubt in more {
        let doubt = Doubt::new(doubt.rule, &doubt.why);
        if doubts.len() < MOST && !doubts.contains(&doubt) {
            doubts.push(doubt);
        }
    }
    doubts.len() > before
}

/// The reasons in one line: `the picture shows other data; its id was made …`.
pub fn reasons(doubts: &[Doubt]) -> String {
    doubts.iter().map(|doubt| doubt.why.as_str()).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::freeze::{self, Click, Origin};
    use crate::ids::{Entropy, Id};
    use crate::logs::{LogEvent, Logs};
    use crate::question::Question;

    struct Zeros;

    impl Entropy for Zeros {
        fn ten_bytes(&self) -> [u8; 10] {
            [0; 10]
        }
    }

    const NOW: i64 = 1_795_447_300_000_000_000;

    /// Evidence as this version freezes it: a log event `offset` seconds from the capture.
    fn captured(offset: i64) -> Evidence {
        let event = LogEvent { timestamp: Nanos(NOW + offset * SECOND), ..LogEvent::default() };
        let click = Click {
            id: Id::new(Nanos(NOW), &Zeros),
            question: Question::default(),
            captured_at: Nanos(NOW),
            tool: "tracebook".to_owned(),
            supersedes: None,
            origin: Origin::default(),
        };
        let body = Body::Logs(Logs { events: vec![event], ..Logs::default() });
        freeze::body(body, click).expect("freezes").frozen.evidence
    }

    fn rules(evidence: &Evidence) -> Vec<Rule> {
        of(evidence).into_iter().map(|doubt| doubt.rule).collect()
    }

    #[test]
    fn what_was_captured_raises_no_doubt() {
        for offset in [-3_600, -1, 0, 1, 299, 301, 86_400, 40_000_000] {
            let evidence = captured(offset);
            assert_eq!(rules(&evidence), [], "{offset}");
            assert_eq!(evidence.provenance.ahead.is_some(), offset > 300, "the skew is recorded: {offset}");
        }
    }

    #[test]
    fn a_moved_capture_contradicts_the_id_and_the_data() {
        for (moved, expected) in [
            (-3_600, &[Rule::Id, Rule::Time][..]),
            (-301, &[Rule::Id, Rule::Time]),
            (301, &[Rule::Id]),
            (86_400 * 365, &[Rule::Id]),
            (-299, &[]),
            (299, &[]),
        ] {
            let mut evidence = captured(0);
            evidence.provenance.captured_at = Nanos(NOW + moved * SECOND);
            assert_eq!(rules(&evidence), expected, "{moved}");
        }
        // A recorded skew is no excuse for more of it.
        let mut evidence = captured(3_600);
        evidence.provenance.captured_at = Nanos(NOW - 3_600 * SECOND);
        assert_eq!(rules(&evidence), [Rule::Id, Rule::Time]);
    }

    #[test]
    fn moved_data_is_outside_its_range() {
        let mut evidence = captured(-60);
        let Body::Logs(logs) = &mut evidence.body else { panic!("logs") };
        logs.events[0].timestamp = Nanos(NOW - 3_600 * SECOND);
        assert_eq!(rules(&evidence), [Rule::Range]);
    }

    #[test]
    fn a_capture_in_the_future_is_doubtful() {
        let evidence = captured(0);
        assert_eq!(future(&evidence, Nanos(NOW - 3_600 * SECOND)), None);
        let doubt = future(&evidence, Nanos(NOW - 30 * 3_600 * SECOND)).expect("a doubt");
        assert_eq!(doubt.rule, Rule::Future);
    }

    #[test]
    fn doubts_are_bounded_and_of_one_line() {
        let mut doubts = Vec::new();
        let long = format!("a\nb\u{202e}{}", "é".repeat(1_000));
        assert!(add(&mut doubts, (0..100).map(|n| Doubt { rule: Rule::Copy, why: format!("{n}{long}") })));
        assert_eq!(doubts.len(), MOST);
        assert!(
            doubts.iter().all(|doubt| doubt.why.chars().count() <= LONGEST && !doubt.why.contains(['\n', '\u{202e}']))
        );
        let again = doubts.clone();
        assert!(!add(&mut doubts, again), "nothing new");
    }

    #[test]
    fn rules_of_later_versions_are_read() {
        let doubt: Doubt = serde_json::from_str(r#"{"rule":"signature","why":"it is not signed"}"#).expect("reads");
        assert_eq!(doubt, Doubt::new(Rule::Other, "it is not signed"));
        for rule in [
            Rule::Id,
            Rule::Time,
            Rule::Range,
            Rule::Future,
            Rule::Picture,
            Rule::Text,
            Rule::Digest,
            Rule::Copy,
            Rule::Other,
        ] {
            let json = serde_json::to_string(&rule).expect("a word");
            assert_eq!(serde_json::from_str::<Rule>(&json).expect("reads back"), rule);
        }
    }

    proptest! {
        #[test]
        fn any_times_can_be_judged(captured_at: i64, first: i64, last: i64, ahead: Option<i64>, event: i64) {
            let mut evidence = captured(0);
            evidence.provenance.captured_at = Nanos(captured_at);
            evidence.provenance.range = (Nanos(first), Nanos(last));
            evidence.provenance.ahead = ahead.map(Nanos);
            let Body::Logs(logs) = &mut evidence.body else { panic!("logs") };
            logs.events[0].timestamp = Nanos(event);
            of(&evidence);
            future(&evidence, Nanos(event));
        }
    }
}
