//! Evidence: a frozen, immutable capture with a digest.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::canonical;
use crate::console::{Console, ConsoleLine};
use crate::content::Content;
use crate::dossier::Dossier;
use crate::errors::ErrorItem;
use crate::ids::Id;
use crate::logs::Logs;
use crate::query::QueryResult;
use crate::question::Question;
use crate::service_map::ServiceMap;
use crate::time::Nanos;
use crate::trace::Trace;
use crate::xray::{Groups, SamplingRules};

/// The schema that this version writes. Older ones stay readable.
pub const SCHEMA: u32 = 1;

macro_rules! kinds {
    ($( $(#[doc = $doc:literal])* $word:literal $name:ident($content:ty), )*) => {
        /// The kinds of evidence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind { $( $(#[doc = $doc])* $name, )* }

        impl Kind {
            /// Every kind, in the order of the command line's contract.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$name),*];

            /// The word in the command line, in JSON and in slots.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }

        /// The frozen data, one variant per [`Kind`]; written as `"kind": …, "body": …`.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
        #[serde(tag = "kind", content = "body", rename_all = "kebab-case")]
        pub enum Body { $( $(#[doc = $doc])* $name($content), )* }

        impl Body {
            pub fn kind(&self) -> Kind {
                match self { $(Self::$name(_) => Kind::$name,)* }
            }

            /// Its implementation of [`Content`].
            pub fn content(&self) -> &dyn Content {
                match self { $(Self::$name(content) => content,)* }
            }
        }
    };
}

kinds! {
    /// A complete trace.
    "trace" Trace(Trace),
    /// Log events.
    "logs" Logs(Logs),
    /// An error item with one full occurrence.
    "error" Error(Box<ErrorItem>),
    /// Console output.
    "console" Console(Console),
    /// A service map.
    "service-map" ServiceMap(ServiceMap),
    /// X-Ray groups.
    "groups" Groups(Groups),
    /// X-Ray sampling rules.
    "sampling-rules" SamplingRules(SamplingRules),
    /// A query with its result.
    "query" Query(Box<QueryResult>),
    /// All evidence of one request.
    "dossier" Dossier(Box<Dossier>),
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

/// The provenance of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Provenance {
    /// The question, with its source.
    pub question: Question,
    /// The receiver or endpoint it came from, as text: `OTLP/HTTP`, `X-Ray daemon protocol`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub via: Vec<String>,
    /// The cloud region, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub region: Option<String>,
    /// The first and last time in the data.
    pub range: (Nanos, Nanos),
    /// When it was frozen.
    pub captured_at: Nanos,
    /// The version that froze it: `tracebook 0.1.0`.
    pub tool: String,
    /// Link to it in the vendor's console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub console_link: Option<String>,
    /// When the vendor will delete it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expires: Option<Nanos>,
    /// The number of credential-shaped values removed before the digest was computed.
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
    pub id: Id,
    /// Kind and data.
    #[serde(flatten)]
    pub body: Body,
    /// The provenance.
    pub provenance: Provenance,
}

/// Evidence with the canonical text it was frozen as. The digest is over that text, so it is never regenerated.
#[derive(Clone, Debug, PartialEq)]
pub struct Frozen {
    pub evidence: Evidence,
    /// Its canonical JSON.
    pub canonical: String,
    /// `sha256:…` of the canonical JSON.
    pub digest: String,
}

/// Why a text cannot be read as evidence.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or not the JSON form of evidence.
    #[error("this is not evidence: {0}")]
    Shape(#[from] serde_json::Error),
    /// Written by a later version.
    #[error(
        "this evidence has schema {0}, and this version reads up to {SCHEMA}: reading it requires a newer Tracebook"
    )]
    Newer(u32),
}

impl Evidence {
    /// Writes the canonical JSON and its digest.
    ///
    /// # Errors
    /// Only where the body cannot be written as JSON, which every body of this crate can.
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

impl Body {
    /// See [`Content::title`].
    pub fn title(&self) -> String {
        self.content().title()
    }

    /// See [`Content::range`].
    pub fn range(&self) -> (Nanos, Nanos) {
        self.content().range()
    }

    /// The console lines in it, in their order.
    pub fn console_lines(&self) -> impl Iterator<Item = &ConsoleLine> {
        let own = if let Self::Console(console) = self { console.lines.as_slice() } else { &[] };
        let joined = if let Self::Dossier(dossier) = self { dossier.console.as_slice() } else { &[] };
        own.iter().chain(joined.iter().map(|joined| &joined.line))
    }
}

impl Frozen {
    /// Reads canonical JSON back. The digest is always computed from the text.
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
