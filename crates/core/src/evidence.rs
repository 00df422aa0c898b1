//! Evidence: a frozen, immutable capture, and the digest that proves it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::canonical;
use crate::console::Console;
use crate::dossier::Dossier;
use crate::errors::ErrorItem;
use crate::ids::Id;
use crate::logs::Logs;
use crate::query::QueryResult;
use crate::question::Question;
use crate::service_map::ServiceMap;
use crate::text::{self, count, percent};
use crate::time::{Nanos, human_duration};
use crate::trace::Trace;
use crate::xray::{Groups, SamplingRules};

/// The schema that this version writes. Older ones stay readable for ever.
pub const SCHEMA: u32 = 1;

/// What kinds of evidence there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A trace.
    Trace,
    /// Log events.
    Logs,
    /// An error item with its occurrences.
    Error,
    /// Console output.
    Console,
    /// A service map.
    ServiceMap,
    /// X-Ray groups.
    Groups,
    /// X-Ray sampling rules.
    SamplingRules,
    /// A query's result.
    Query,
    /// All evidence of one request.
    Dossier,
}

impl Kind {
    /// Every kind, in the order of the command line's contract.
    pub const ALL: [Self; 9] = [
        Self::Trace,
        Self::Logs,
        Self::Error,
        Self::Console,
        Self::ServiceMap,
        Self::Groups,
        Self::SamplingRules,
        Self::Query,
        Self::Dossier,
    ];

    /// The word in the command line, in JSON and in slots.
    pub fn word(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Logs => "logs",
            Self::Error => "error",
            Self::Console => "console",
            Self::ServiceMap => "service-map",
            Self::Groups => "groups",
            Self::SamplingRules => "sampling-rules",
            Self::Query => "query",
            Self::Dossier => "dossier",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|k| k.word() == text).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|k| k.word()).collect();
            format!("{text:?} is no kind of evidence; the kinds are {}", words.join(", "))
        })
    }
}

/// What was frozen. One variant a [`Kind`]; written as `"kind": …, "body": …`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", content = "body", rename_all = "kebab-case")]
pub enum Body {
    /// A trace, whole.
    Trace(Trace),
    /// Log events.
    Logs(Logs),
    /// An error item with one occurrence whole.
    Error(Box<ErrorItem>),
    /// Console output.
    Console(Console),
    /// A service map.
    ServiceMap(ServiceMap),
    /// X-Ray groups.
    Groups(Groups),
    /// X-Ray sampling rules.
    SamplingRules(SamplingRules),
    /// A query with its result.
    Query(Box<QueryResult>),
    /// All evidence of one request.
    Dossier(Box<Dossier>),
}

impl Body {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Trace(_) => Kind::Trace,
            Self::Logs(_) => Kind::Logs,
            Self::Error(_) => Kind::Error,
            Self::Console(_) => Kind::Console,
            Self::ServiceMap(_) => Kind::ServiceMap,
            Self::Groups(_) => Kind::Groups,
            Self::SamplingRules(_) => Kind::SamplingRules,
            Self::Query(_) => Kind::Query,
            Self::Dossier(_) => Kind::Dossier,
        }
    }
}

/// Where evidence came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Provenance {
    /// The question that was asked; its source says who was asked.
    pub question: Question,
    /// The receiver or endpoint it came by, in words: `OTLP/HTTP`, `X-Ray daemon protocol`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub via: Vec<String>,
    /// The cloud region, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub region: Option<String>,
    /// First and last moment that the data speaks of.
    pub range: (Nanos, Nanos),
    /// When it was frozen.
    pub captured_at: Nanos,
    /// Which version froze it: `tracebook 0.1.0`.
    pub tool: String,
    /// Where the vendor's console shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub console_link: Option<String>,
    /// When the vendor deletes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expires: Option<Nanos>,
    /// How many credential-shaped values were taken out before the digest.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub credentials_removed: u32,
    /// The evidence that this one is a re-capture of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub supersedes: Option<Id>,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// A frozen capture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
pub struct Evidence {
    /// The schema it is written in.
    pub schema: u32,
    /// Its id.
    pub id: Id,
    /// Kind and data.
    #[serde(flatten)]
    pub body: Body,
    /// Where it came from.
    pub provenance: Provenance,
}

/// Evidence with the canonical text it was frozen as. The text is kept as written and never re-made:
/// the digest is over it.
#[derive(Clone, Debug, PartialEq)]
pub struct Frozen {
    /// The evidence.
    pub evidence: Evidence,
    /// Its canonical JSON.
    pub canonical: String,
    /// `sha256:…` of the canonical JSON.
    pub digest: String,
}

/// Why a text is not evidence.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or not in the shape of evidence.
    #[error("this is not evidence: {0}")]
    Shape(#[from] serde_json::Error),
    /// From a later version.
    #[error(
        "this evidence has schema {0}, and this version reads up to {SCHEMA}: a newer Tracebook wrote it, use that one"
    )]
    Newer(u32),
}

impl Evidence {
    /// Writes the canonical JSON and its digest.
    ///
    /// # Errors
    /// Only where the body has no JSON form, which no body made by this house has.
    pub fn seal(self) -> Result<Frozen, serde_json::Error> {
        let canonical = canonical::to_canonical(&self)?;
        let digest = canonical::digest(canonical.as_bytes());
        Ok(Frozen { evidence: self, canonical, digest })
    }

    /// What lists, alt texts and cards call it: `GET /api/activities/home 200, 2 spans, 12.4 ms`. At most some 200
    /// characters, whatever a span's name is.
    pub fn title(&self) -> String {
        self.body.title()
    }
}

/// The most characters that a name from data takes of a title.
const LONGEST: usize = 160;

impl Body {
    /// See [`Evidence::title`].
    pub fn title(&self) -> String {
        match self {
            Self::Trace(trace) => trace_title(trace),
            Self::Logs(logs) => {
                let n = logs.events.len();
                let groups = logs.groups();
                let from = match groups.as_slice() {
                    [] => String::new(),
                    [one] => format!(" of {}", short(one)),
                    [one, rest @ ..] => format!(" of {} and {} more", short(one), rest.len()),
                };
                match logs.events.as_slice() {
                    [event] => format!("log event{from}: {}", short(&event.message)),
                    _ => format!("{}{from}", count(n, "log event")),
                }
            }
            Self::Error(error) => {
                let times = match error.occurrences {
                    1 => "once".to_owned(),
                    2 => "twice".to_owned(),
                    n => format!("{n} times"),
                };
                format!("{}: {}, {times}", error.level.word(), short(&error.title))
            }
            Self::Console(console) => {
                let mut title = format!("{}, {}", short(&console.source), count(console.lines.len(), "line"));
                if let Some(code) = console.exit_code.filter(|code| *code != 0) {
                    title.push_str(&format!(", exit code {code}"));
                }
                title
            }
            Self::ServiceMap(map) => {
                let services = map.nodes.iter().filter(|n| n.kind == crate::service_map::NodeKind::Service).count();
                let traces = usize::try_from(map.traces).unwrap_or(usize::MAX);
                format!("service map: {} over {}", count(services, "service"), count(traces, "trace"))
            }
            Self::Groups(groups) => match groups.groups.as_slice() {
                [one] => format!("X-Ray group {}", short(&one.name)),
                all => format!("{} of X-Ray", count(all.len(), "group")),
            },
            Self::SamplingRules(rules) => match rules.rules.as_slice() {
                [one] => format!(
                    "X-Ray sampling rule {}, {} % after {}/s",
                    short(&one.name),
                    percent(one.fixed_rate),
                    one.reservoir_size
                ),
                all => format!("{} of X-Ray", count(all.len(), "sampling rule")),
            },
            Self::Query(query) => {
                format!("{} query {}, {}", query.language.name(), short(query.label()), count(query.rows.len(), "row"))
            }
            Self::Dossier(dossier) => {
                let mut parts = vec![trace_title(&dossier.trace)];
                for (n, word) in [
                    (dossier.logs.len(), "log event"),
                    (dossier.errors.len(), "error"),
                    (dossier.console.len(), "console line"),
                ] {
                    if n > 0 {
                        parts.push(count(n, word));
                    }
                }
                format!("dossier of {}", parts.join(", "))
            }
        }
    }

    /// First and last moment that the data speaks of; zeros where it speaks of none.
    pub fn range(&self) -> (Nanos, Nanos) {
        match self {
            Self::Trace(trace) => (trace.start(), trace.end()),
            Self::Logs(logs) => logs.range(),
            Self::Error(error) => (error.first, error.last),
            Self::Console(console) => {
                let times = console.lines.iter().filter_map(|line| line.time);
                (times.clone().min().unwrap_or_default(), times.max().unwrap_or_default())
            }
            Self::ServiceMap(map) => (map.start, map.end),
            Self::Groups(_) => (Nanos::default(), Nanos::default()),
            Self::SamplingRules(rules) => {
                let of = |f: fn(&crate::xray::SamplingRule) -> Nanos| rules.rules.iter().map(f);
                (of(|r| r.created).min().unwrap_or_default(), of(|r| r.modified).max().unwrap_or_default())
            }
            Self::Query(query) => (query.start, query.end),
            Self::Dossier(dossier) => {
                let line = dossier.time_line();
                let first = line.first().map_or(dossier.trace.start(), |(t, _)| *t);
                let last = line.last().map_or(dossier.trace.end(), |(t, _)| *t);
                (first, last.max(dossier.trace.end()))
            }
        }
    }
}

fn trace_title(trace: &Trace) -> String {
    let mut title =
        format!("{}, {}, {}", short(&trace.name()), count(trace.spans.len(), "span"), human_duration(trace.duration()));
    match trace.status_word() {
        "ok" => {}
        word => {
            title.push_str(", ");
            title.push_str(&word.replace('_', " "));
        }
    }
    title
}

/// The first line of a text from data, without colours and control characters, bounded.
fn short(text: &str) -> String {
    text::printable(&crate::console::plain(text.trim().lines().next().unwrap_or_default()), LONGEST)
}

impl Frozen {
    /// Reads canonical JSON back. The digest is computed from the text, whatever the text says.
    ///
    /// # Errors
    /// [`ReadError`] where the text is not evidence or from a later version.
    pub fn read(canonical: &str) -> Result<Self, ReadError> {
        #[derive(Deserialize)]
        struct Head {
            schema: u32,
        }
        let head: Head = serde_json::from_str(canonical)?;
        if head.schema > SCHEMA {
            return Err(ReadError::Newer(head.schema));
        }
        let evidence: Evidence = serde_json::from_str(canonical)?;
        Ok(Self { evidence, canonical: canonical.to_owned(), digest: canonical::digest(canonical.as_bytes()) })
    }
}
