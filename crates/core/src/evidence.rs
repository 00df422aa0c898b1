//! Evidence: a frozen, immutable capture with a digest.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ts_rs::TS;

use crate::canonical;
use crate::console::ConsoleLine;
use crate::endpoint::Endpoint;
use crate::ids::Id;
pub use crate::kinds::{Body, Kind};
use crate::question::Question;
use crate::time::Nanos;
use crate::trace::Trace;

/// The schema that this version writes. Older ones stay readable.
pub const SCHEMA: u32 = 1;

/// The provenance of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Provenance {
    /// The question, with its source.
    pub question: Question,
    /// The receiver or endpoint it came from, as text: `OTLP/HTTP`, `X-Ray daemon protocol`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub via: Vec<String>,
    /// The systems that answered, in the order in which they were asked. Empty where only local telemetry was read, and
    /// in evidence of versions that did not record them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub endpoints: Vec<Endpoint>,
    /// The cloud region, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub region: Option<String>,
    /// The first and last time in the data.
    pub range: (Nanos, Nanos),
    /// When it was frozen.
    pub captured_at: Nanos,
    /// How far the last time in the data was after `captured_at`, if the clock of a sender was minutes ahead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ahead: Option<Nanos>,
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
    /// How far the clock of a sender was ahead of the arrival of its data (or behind, if negative), where that is more
    /// than usual; of several, the furthest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub clock_skew: Option<Nanos>,
    /// The number of spans that came without an end time, see [`crate::open`].
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub without_end: u32,
    /// The number of credential-shaped values removed before the digest was computed.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[ts(optional, as = "Option<_>")]
    pub credentials_removed: u32,
    /// The evidence that this one is a re-capture of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub supersedes: Option<Id>,
}

impl Provenance {
    /// Whether something else than a vendor answered, at least in part.
    pub fn is_emulated(&self) -> bool {
        self.endpoints.iter().any(Endpoint::is_emulator)
    }
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
    /// As its `Deserialize` reads it, in a third of the time: there, the kind stands behind the data in canonical JSON,
    /// so that all data is buffered before it can be read.
    fn read(canonical: &str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Parts<'a> {
            schema: u32,
            id: Id,
            kind: Kind,
            #[serde(borrow)]
            body: &'a RawValue,
            provenance: Provenance,
        }
        let Parts { schema, id, kind, body, provenance } = serde_json::from_str(canonical)?;
        Ok(Self { schema, id, body: Body::read(kind, body)?, provenance })
    }

    /// Writes the canonical JSON and its digest.
    ///
    /// # Errors
    /// Only where the body cannot be written as JSON, which every body of this crate can.
    pub fn seal(self) -> Result<Frozen, serde_json::Error> {
        let canonical = canonical::to_canonical(&self)?;
        let digest = canonical::digest(canonical.as_bytes());
        Ok(Frozen { evidence: self, canonical, digest })
    }

    /// As [`Evidence::seal`], with the canonical JSON of the body, which is written once for a large one.
    pub(crate) fn seal_with(self, body: &str) -> Result<Frozen, serde_json::Error> {
        let Self { schema, id, provenance, .. } = &self;
        let kind = self.body.kind();
        let envelope = canonical::to_canonical(&Envelope { schema: *schema, id: *id, kind, provenance })?;
        // `{"body":…,"kind":"…"}` and `{"id":…,"kind":"…",…}`: the body comes first of all members.
        let end = format!(",\"kind\":\"{}\"}}", kind.word());
        let (Some(body), Some(members)) = (body.strip_suffix(end.as_str()), envelope.strip_prefix('{')) else {
            return self.seal();
        };
        let canonical = [body, ",", members].concat();
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
    /// See [`crate::content::Content::title`].
    pub fn title(&self) -> String {
        self.content().title()
    }

    /// See [`crate::content::Content::range`].
    pub fn range(&self) -> (Nanos, Nanos) {
        self.content().range()
    }

    /// The trace in it, if it has one.
    pub fn trace(&self) -> Option<&Trace> {
        if let Self::Trace(trace) = self {
            return Some(trace);
        }
        if let Self::Dossier(dossier) = self { Some(&dossier.trace) } else { None }
    }

    /// The console lines in it, in their order.
    pub fn console_lines(&self) -> impl Iterator<Item = &ConsoleLine> {
        let own = if let Self::Console(console) = self { console.lines.as_slice() } else { &[] };
        let joined = if let Self::Dossier(dossier) = self { dossier.console.as_slice() } else { &[] };
        own.iter().chain(joined.iter().map(|joined| &joined.line))
    }
}

/// Evidence without its body, for [`Evidence::seal_with`].
#[derive(Serialize)]
struct Envelope<'a> {
    schema: u32,
    id: Id,
    kind: Kind,
    provenance: &'a Provenance,
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
        let evidence = Evidence::read(canonical);
        // A later version may also be one that this version cannot read.
        let schema = match &evidence {
            Ok(evidence) => evidence.schema,
            Err(_) => serde_json::from_str::<Head>(canonical)?.schema,
        };
        if schema > SCHEMA {
            return Err(ReadError::Newer(schema));
        }
        let evidence = evidence?;
        Ok(Self { evidence, canonical: canonical.to_owned(), digest: canonical::digest(canonical.as_bytes()) })
    }
}
