//! Evidence: a frozen, immutable capture, and the digest that proves it.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::canonical;
use crate::ids::Id;
use crate::question::Question;
use crate::time::{Nanos, human_duration};
use crate::trace::Trace;

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
}

impl Body {
    /// Which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Trace(_) => Kind::Trace,
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
        const LONGEST: usize = 160;
        match &self.body {
            Body::Trace(trace) => {
                let n = trace.spans.len();
                let spans = if n == 1 { "1 span".to_owned() } else { format!("{n} spans") };
                let mut name = trace.name();
                if let Some((end, _)) = name.char_indices().nth(LONGEST) {
                    name.truncate(end);
                    name.push('…');
                }
                let mut title = format!("{name}, {spans}, {}", human_duration(trace.duration()));
                match trace.status_word() {
                    "ok" => {}
                    word => {
                        title.push_str(", ");
                        title.push_str(&word.replace('_', " "));
                    }
                }
                title
            }
        }
    }
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
