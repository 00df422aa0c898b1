//! What receivers take in, before anybody asks: one record a span, with what lists need beside the bytes as
//! sent. Normalising happens when a trace is read, so that it can be redone by a better version.

use std::sync::Arc;

use crate::ids::{SpanId, TraceId};
use crate::time::Nanos;
use crate::trace::{Protocol, StatusCode};

/// How a record's bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// OTLP protobuf: `raw` is one `Span` message, `resource` a `ResourceSpans` without its
    /// `scope_spans`, `scope` a `ScopeSpans` without its `spans`; unknown fields are still in all three.
    OtlpProtobuf,
    /// OTLP JSON: the same three as JSON objects.
    OtlpJson,
    /// X-Ray: `raw` is one segment or subsegment document without its nested `subsegments` (they
    /// are records of their own, with `trace_id` and `parent_id` put in); `resource` and `scope` are empty.
    XrayJson,
}

impl Encoding {
    /// Which protocol writes so.
    pub fn protocol(self) -> Protocol {
        match self {
            Self::OtlpProtobuf | Self::OtlpJson => Protocol::Otlp,
            Self::XrayJson => Protocol::Xray,
        }
    }

    /// The number it is stored as. Never reused.
    pub fn code(self) -> i64 {
        match self {
            Self::OtlpProtobuf => 1,
            Self::OtlpJson => 2,
            Self::XrayJson => 3,
        }
    }

    /// Back from [`Encoding::code`].
    pub fn from_code(code: i64) -> Option<Self> {
        [Self::OtlpProtobuf, Self::OtlpJson, Self::XrayJson].into_iter().find(|e| e.code() == code)
    }
}

/// One span as received.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanRecord {
    /// The trace it belongs to.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// Its parent's id, as sent.
    pub parent_id: Option<SpanId>,
    /// How the bytes are written.
    pub encoding: Encoding,
    /// What a list calls it if it is the root, with the HTTP status where there is one:
    /// `GET /api/activities/home 200`.
    pub title: String,
    /// The service it belongs to.
    pub service: String,
    /// When it began.
    pub start: Nanos,
    /// When it ended; `None` while in progress.
    pub end: Option<Nanos>,
    /// How it ended.
    pub status: StatusCode,
    /// The span's bytes.
    pub raw: Vec<u8>,
    /// The resource's bytes, shared by the spans of one batch.
    pub resource: Arc<[u8]>,
    /// The scope's bytes, shared by the spans of one batch.
    pub scope: Arc<[u8]>,
}
