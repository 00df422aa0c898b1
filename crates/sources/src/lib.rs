//! Where evidence comes from: one folder a vendor, each with its wire format, its normalising and its receiver.
//!
//! **For:** listening as the local end of what an SDK sends to ([`otlp`], [`xray`], [`cloudwatch`], [`rollbar`]), cutting what
//! arrives into one record a span, log event or occurrence with its bytes as sent, and reading such a record as the core's
//! words ([`normalise`]); recognising what a service prints ([`console`]). A receiver hands its batches to whoever implements [`receive::Commit`], and
//! says "accepted" only after that did. And asking the vendors' own APIs for what the same SDKs sent to the cloud ([`aws`],
//! [`honeycomb`], and a `client` in each vendor's folder): through [`cloud::Fetch`], into the same records.
//!
//! **Never:** the store, tauri, `std::fs`, the wall clock. Credential headers (`Authorization`,
//! `x-honeycomb-team`) are not looked at, so they cannot be kept; of AWS's the region is read, and nothing else.
//!
//! To add a vendor: `wire.rs` turns bytes into records and refuses with words, `normalise.rs` turns a record into a
//! [`LooseSpan`] and never fails, `receiver.rs` gives an axum router or serves a socket. What came
//! over the network may be anything: no input panics, recurses without bound, or allocates more
//! than a small multiple of its size.

pub mod aws;
mod body;
pub mod cloud;
pub mod cloudwatch;
pub mod console;
pub mod honeycomb;
mod json;
pub mod otlp;
pub mod receive;
pub mod rollbar;
pub mod serve;
#[cfg(test)]
mod testing;
pub mod xray;

use tracebook_core::assemble::LooseSpan;
use tracebook_core::telemetry::{Encoding, SpanRecord};
use tracebook_core::trace::{Resource, Scope, Span};

/// Reads a record as a span of the core, with warnings about what could not be read. Never fails: where the bytes are
/// unreadable, what the record itself knows is still given.
pub fn normalise(record: &SpanRecord) -> (LooseSpan, Vec<String>) {
    match record.encoding {
        Encoding::OtlpProtobuf | Encoding::OtlpJson => otlp::normalise::span(record),
        Encoding::XrayJson => xray::normalise::segment(record),
        Encoding::ConsoleJson => console::normalise::span(record),
    }
}

/// What is left of a record whose bytes cannot be read any more.
fn from_index(record: &SpanRecord) -> LooseSpan {
    let mut span = Span::new(record.span_id, &record.title, record.encoding.protocol(), record.start);
    span.parent = record.parent_id;
    span.service.clone_from(&record.service);
    span.end = record.end;
    span.status.code = record.status;
    LooseSpan { span, resource: Resource::default(), scope: Scope::default() }
}

/// A number for people, with the right form of the word: `1 span`, `3 spans`.
fn count(n: usize, word: &str) -> String {
    format!("{n} {word}{}", if n == 1 { "" } else { "s" })
}

/// The beginning of a text, for a message that quotes what a stranger sent.
fn clip(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
