//! From the body of an `ExportTraceServiceRequest` to one record a span, each with its own bytes.

mod json;
mod protobuf;

use std::sync::Arc;

use opentelemetry_proto::tonic::resource::v1 as resource_proto;
use opentelemetry_proto::tonic::trace::v1 as proto;
use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::telemetry::{Encoding, SpanRecord};
use tracebook_core::trace::Trace;

use super::normalise;

pub use json::decode as decode_json;
pub(super) use json::{resource_spans, scope_spans, span};
pub use protobuf::decode as decode_protobuf;

/// The most one span, or what its resource or scope say, may weigh. Two bytes of protobuf can be an attribute of
/// seventy: one span as large as the whole body would cost gigabytes whenever it is read.
pub const LARGEST_SPAN: usize = 4 * 1024 * 1024;

/// What a request held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// The good spans, in the order sent.
    pub spans: Vec<SpanRecord>,
    /// How many spans were not good.
    pub rejected: usize,
    /// Why the first of those was not.
    pub reason: Option<String>,
}

impl Decoded {
    fn reject(&mut self, n: usize, why: impl FnOnce() -> String) {
        if n > 0 {
            self.rejected += n;
            self.reason.get_or_insert_with(why);
        }
    }
}

/// What the spans of one scope share.
struct Shared {
    encoding: Encoding,
    service: String,
    resource: Arc<[u8]>,
    scope: Arc<[u8]>,
}

/// Nothing or the bytes, if small enough to be read whole.
fn weighed(bytes: Vec<u8>) -> Result<Arc<[u8]>, String> {
    match too_heavy(&bytes) {
        Some(why) => Err(why),
        None => Ok(bytes.into()),
    }
}

fn too_heavy(bytes: &[u8]) -> Option<String> {
    (bytes.len() > LARGEST_SPAN)
        .then(|| format!("one span, resource or scope of {} bytes is more than {LARGEST_SPAN} bytes", bytes.len()))
}

fn service(resource: Option<resource_proto::Resource>) -> String {
    normalise::service_name(&normalise::resource(resource, String::new(), &mut Vec::new()))
}

/// The record of a span: index columns beside the bytes as sent.
fn record(message: proto::Span, raw: Vec<u8>, shared: &Shared) -> Result<SpanRecord, String> {
    let trace_id = TraceId(id_bytes(&message.trace_id, "trace id")?);
    let span_id = SpanId(id_bytes(&message.span_id, "span id")?);
    let span = normalise::span_of(message, span_id, &mut Vec::new());
    let (parent_id, start, end, status) = (span.parent, span.start, span.end, span.status.code);
    let alone = Trace { trace_id, resources: Vec::new(), scopes: Vec::new(), spans: vec![span], notes: Vec::new() };
    Ok(SpanRecord {
        trace_id,
        span_id,
        parent_id,
        encoding: shared.encoding,
        title: alone.name(),
        service: shared.service.clone(),
        start,
        end,
        status,
        raw,
        resource: Arc::clone(&shared.resource),
        scope: Arc::clone(&shared.scope),
    })
}

fn id_bytes<const N: usize>(bytes: &[u8], what: &str) -> Result<[u8; N], String> {
    let id: [u8; N] =
        bytes.try_into().map_err(|_| format!("a {what} has {} bytes where {N} are needed", bytes.len()))?;
    if id == [0; N] { Err(format!("a {what} is all zeros")) } else { Ok(id) }
}

#[cfg(test)]
mod tests;
