//! Live cards: a stored query that is repeated while its card is visible, until the answer is frozen.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::credentials::{self, Removed};
use crate::evidence::Kind;
use crate::ids::Id;
use crate::question::Source;
use crate::text::printable;
use crate::time::{Nanos, parse_duration};

/// The query of a live card. Its time range is relative to the time of each request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CardQuestion {
    /// The kind of evidence that the answer can become.
    pub kind: Kind,
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
    /// The id of one item. Null for what matches the filter: the newest trace, error or dossier; all log events or
    /// console lines; all traces of a service map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<String>,
    /// The filter or query in the source's own language; empty matches everything.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub filter: String,
    /// The time window before now: `15m`; or from a time on: `2026-11-23T15:20:00Z/`; null for no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub since: Option<String>,
}

/// A live card. The text holds only its id: `![…](live:01J…)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LiveCard {
    pub id: Id,
    pub title: String,
    pub question: CardQuestion,
    /// Seconds between two refreshes while it is visible.
    pub pace_seconds: u32,
    /// Whether it refreshes only on request.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub paused: bool,
}

/// One day. Anything that needs fewer refreshes should be captured instead.
const SLOWEST: u32 = 86_400;
/// The most bytes of a filter or query. The longest query that a source takes has 10,000 characters (Logs Insights).
const LONGEST_FILTER: usize = 40_000;
/// The most bytes of an id, a title or a range.
const LONGEST: usize = 1_000;

impl CardQuestion {
    /// Whether it requests the newest match.
    pub fn newest(&self) -> bool {
        self.id.is_none() && matches!(self.kind, Kind::Trace | Kind::Error | Kind::Dossier)
    }

    /// The error in the filter. Only local filters are checked; cloud sources check their own.
    pub fn filter_problem(&self) -> Option<String> {
        if self.source != Source::Local {
            return None;
        }
        let Some(capture) = self.source.capture(self.kind) else {
            return Some(format!("{} has no {}", self.source.info().name, self.kind.info().plural));
        };
        capture.filter.problem(&self.filter)
    }

    /// Whether a title or an alternative text was generated from a question, of this or of another card.
    pub fn generated(text: &str) -> bool {
        let subjects = Kind::ALL.into_iter().flat_map(|kind| [&kind.info().newest, &kind.info().one]);
        subjects.filter_map(|subject| text.strip_prefix(&**subject)?.strip_prefix(" of ")).any(|rest| {
            let ends = |rest: &str| rest.is_empty() || rest.starts_with(", ");
            Source::ALL.into_iter().any(|source| rest.strip_prefix(&*source.info().name).is_some_and(ends))
        })
    }

    /// The default title: [`CardQuestion::words`], truncated to the length of a title.
    pub fn title(&self) -> String {
        short(&self.words())
    }

    /// `newest trace of local telemetry, service:backend-flask, last 15m`.
    pub fn words(&self) -> String {
        let mut words = self.beginning();
        let since = self.since.as_ref().map(|since| match beginning_of(since) {
            Some(from) => format!("since {}", from.human()),
            None => format!("last {since}"),
        });
        let filter = self.filter.lines().next().filter(|line| !line.trim().is_empty()).map(short);
        for part in [self.id.as_deref().map(short), filter, since].into_iter().flatten() {
            words.push_str(", ");
            words.push_str(&part);
        }
        words
    }

    /// `newest trace of local telemetry`.
    fn beginning(&self) -> String {
        let kind = self.kind.info();
        let what = if self.id.is_some() { &kind.one } else { &kind.newest };
        format!("{what} of {}", self.source.info().name)
    }
}

/// The beginning of a range without an end: `2026-11-23T15:20:00Z/`.
fn beginning_of(since: &str) -> Option<Nanos> {
    Nanos::parse_rfc3339(since.strip_suffix('/')?.trim())
}

/// The start of a text, for use as a name.
fn short(text: &str) -> String {
    printable(text.trim(), 80)
}

impl LiveCard {
    /// Validates the card for storage: bounded lengths, an interval that the source allows, no credentials. Filter
    /// terms that contain a credential are dropped; also returns the number of credentials removed.
    ///
    /// # Errors
    /// A message if the question is invalid.
    pub fn checked(mut self) -> Result<(Self, usize), String> {
        let question = &mut self.question;
        let named = |text: Option<String>| text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        question.id = named(question.id.take());
        question.since = named(question.since.take()).filter(|since| since != "/");
        if question.kind == Kind::Console && question.id.is_some() {
            return Err("console output has no ids: use a filter for its live card".to_owned());
        }
        if let Some(since) = &question.since {
            let (_, to) = since.split_once('/').unwrap_or_default();
            if !to.trim().is_empty() {
                return Err(
                    "a live card is asked again and again, and a range that has an end gives the same answer: \
                     capture it, or leave out the end"
                        .to_owned(),
                );
            }
            if since.len() > LONGEST || (parse_duration(since).is_none() && beginning_of(since).is_none()) {
                return Err(format!(
                    "{:?} is not a duration: write for example 15m, 2h or 7d, or 2026-11-23T15:20:00Z/ for what came since",
                    short(since)
                ));
            }
        }
        if question.filter.len() > LONGEST_FILTER {
            return Err(format!("the filter has {} bytes, and the limit is {LONGEST_FILTER}", question.filter.len()));
        }
        if question.id.as_ref().is_some_and(|id| id.len() > LONGEST) {
            return Err("the id is too long".to_owned());
        }
        let mut removed = 0;
        question.filter = without_credentials(&question.filter, &mut removed);
        question.id = question.id.take().map(|id| without_credentials(&id, &mut removed));
        let title = self.title.split_whitespace().collect::<Vec<_>>().join(" ");
        let title = without_credentials(&short(&title), &mut removed);
        self.title = if title.is_empty() { self.question.title() } else { title };
        let (shortest, usual) = self.question.source.intervals(self.question.kind);
        self.pace_seconds = match self.pace_seconds {
            0 => usual,
            chosen => chosen.clamp(shortest, SLOWEST),
        };
        Ok((self, removed))
    }
}

/// The terms of a filter with the blanks after them. A quoted text is never split, and `name = "value"` is one term.
fn terms(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut quote = None;
    let mut begin = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((_, c)) = chars.next() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' => quote = Some(c),
            None if c.is_whitespace() => {
                let Some(&(next, after)) = chars.peek() else { break };
                let joins = |c: char| matches!(c, '=' | '!');
                let before = text[begin..next].trim_end().chars().last();
                if !after.is_whitespace() && !joins(after) && before.is_none_or(|c| c != '=') {
                    found.push(&text[begin..next]);
                    begin = next;
                }
            }
            _ => {}
        }
    }
    found.push(&text[begin..]);
    found
}

/// A text without the words that contain a credential, by its form or by the name before it (`db.password=…`).
fn without_credentials(text: &str, count: &mut usize) -> String {
    const GONE: char = '\u{0}';
    let mut removed = Removed::default();
    let plain = text.replace(GONE, "");
    let clean = credentials::remove_from_text(&plain, &mut removed);
    *count += removed.count();
    let marked = clean.replace(credentials::PLACEHOLDER, &GONE.to_string());
    let mut out = String::with_capacity(marked.len());
    for word in terms(&marked) {
        let named = word.split_once('=').is_some_and(|(name, value)| {
            let value = value.trim_start_matches(['=', '"', '\'']).trim_matches(['"', '\'', ' ', '\t']);
            credentials::is_credential_name(name) && !value.is_empty()
        });
        if named && !word.contains(GONE) {
            *count += 1;
        }
        if !named && !word.contains(GONE) {
            out.push_str(word);
        }
    }
    if out.len() == text.len() { out } else { out.trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(kind: Kind, filter: &str) -> LiveCard {
        let question = CardQuestion { kind, source: Source::Local, id: None, filter: filter.into(), since: None };
        let id = "01JD4ZK8S7M5V9TQ2WXYB3CDEF".parse().expect("a ULID");
        LiveCard { id, title: String::new(), question, pace_seconds: 0, paused: false }
    }

    #[test]
    fn a_card_gets_a_title_and_an_interval_its_source_allows() {
        let (made, removed) = card(Kind::Trace, "service:backend-flask").checked().expect("is good");
        assert_eq!(made.title, "newest trace of local telemetry, service:backend-flask");
        assert_eq!((made.pace_seconds, removed), (2, 0));
        let mut fast = card(Kind::Query, "fields @message");
        fast.question.source = Source::Cloudwatch;
        fast.pace_seconds = 1;
        fast.question.since = Some(" 15m ".into());
        let (made, _) = fast.checked().expect("is good");
        assert_eq!(made.pace_seconds, 60);
        assert_eq!(made.title, "query of AWS CloudWatch Logs, fields @message, last 15m");
        assert_eq!(made.clone().checked(), Ok((made, 0)), "what is good stays as it is");
    }

    #[test]
    fn generated_titles_are_recognized() {
        let (long, _) = card(Kind::Trace, &"service:a ".repeat(40)).checked().expect("is good");
        assert_eq!(long.clone().checked(), Ok((long.clone(), 0)), "a long one is cut the same way twice");
        for kind in Kind::ALL {
            let mut made = card(kind, "x").question;
            assert!(CardQuestion::generated(&made.title()), "{}", made.title());
            made.filter = String::new();
            assert!(CardQuestion::generated(&made.title()), "{}", made.title());
        }
        for own in ["", "Home", "trace of mine", "newest trace of local telemetryx"] {
            assert!(!CardQuestion::generated(own), "{own}");
        }
    }

    #[test]
    fn invalid_questions_are_rejected() {
        let mut wrong = card(Kind::Logs, "");
        wrong.question.since = Some("soon".into());
        assert!(wrong.checked().expect_err("no range").contains("15m"));
        let ranged = |since: &str| {
            let mut card = card(Kind::Logs, "");
            card.question.since = Some(since.into());
            card.checked()
        };
        let (open, _) = ranged("2026-11-23T15:20:00Z/").expect("from a time on");
        assert_eq!(open.title, "log events of local telemetry, since 2026-11-23 15:20:00 UTC");
        assert_eq!(ranged("/").expect("no limit").0.question.since, None);
        for ended in ["2026-11-23T15:20:00Z/2026-11-23T15:30:00Z", "/2026-11-23T15:30:00Z"] {
            assert!(ranged(ended).expect_err("it never changes").contains("leave out the end"), "{ended}");
        }
        assert!(ranged("soon/").expect_err("no time").contains("not a duration"));
        let mut ids = card(Kind::Console, "");
        ids.question.id = Some("1".into());
        assert!(ids.checked().is_err());
        assert!(card(Kind::Logs, &"x".repeat(50_000)).checked().is_err());
        let mut long = card(Kind::Logs, "");
        long.title = "é\n".repeat(5_000);
        assert!(long.checked().expect("is cut").0.title.len() < 200);
    }

    #[test]
    fn local_filters_are_validated() {
        for (kind, filter, good) in [
            (Kind::Trace, "service:api duration>100ms", true),
            (Kind::Trace, "duration>", false),
            (Kind::Logs, "group:cruddur ?timeout ?refused", true),
            (Kind::Logs, "{ $.status", false),
            (Kind::Error, "level:error TypeError", true),
            (Kind::Query, "fields @message", false),
            (Kind::Groups, "", true),
        ] {
            assert_eq!(card(kind, filter).question.filter_problem().is_none(), good, "{kind:?} {filter}");
        }
        let mut cloud = card(Kind::Trace, "service() { fault ");
        cloud.question.source = Source::Xray;
        assert_eq!(cloud.question.filter_problem(), None, "its language is the source's to judge");
    }

    #[test]
    fn a_question_is_stored_without_credentials() {
        for (filter, kept) in [
            ("service:api AKIAIOSFODNN7EXAMPLE", "service:api"),
            ("db.password=hunter22 status:error", "status:error"),
            ("http.request.header.authorization=\"Bearer abcdefgh12345678\" x=1", "x=1"),
            ("annotation[db_password] = \"hunter22xx\" AND fault", "AND fault"),
            ("password=\"correct horse battery\" fault", "fault"),
            ("a != \"b c\" secret != \"Basic dXNlcjpodW50ZXIy\"", "a != \"b c\""),
            ("a\u{0}b", "ab"),
        ] {
            let (made, removed) = card(Kind::Trace, filter).checked().expect("is good");
            assert_eq!(made.question.filter, kept, "{filter:?}");
            assert_eq!(removed > 0, !filter.contains('\u{0}'), "{filter:?}");
        }
        for filter in
            ["{ $.status = 500 } ?token", "http.route=/api/home  name:\"GET /api\"", "fields @a\n| limit 3\n", " x "]
        {
            let (made, removed) = card(Kind::Logs, filter).checked().expect("is good");
            assert_eq!((made.question.filter.as_str(), removed), (filter, 0));
        }
    }
}
