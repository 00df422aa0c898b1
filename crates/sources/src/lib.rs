//! Sources of evidence: one folder per vendor, with its wire format, normaliser and receiver.
//!
//! Receivers accept what SDKs send ([`otlp`], [`xray`], [`cloudwatch`], [`rollbar`]), split it into one record per
//! span, log event or occurrence with its bytes as sent, and pass batches to an implementation of [`receive::Commit`].
//! They acknowledge only after it has returned. [`normalise`] reads a record as `core` types. [`console`] recognises
//! spans in printed text. Clients ([`aws`], [`honeycomb`], and a `client` in each vendor's folder) fetch the same data
//! from the vendors' APIs, through [`cloud::Fetch`], into the same records.
//!
//! This crate does not use the store, Tauri, `std::fs` or the system clock. Headers with credentials (`Authorization`,
//! `x-honeycomb-team`) are not read, so they cannot be stored; only the region is read from AWS's.
//!
//! To add a vendor: `wire.rs` turns bytes into records or a reason for rejection, `normalise.rs` turns a record into a
//! [`LooseSpan`] and never fails, `receiver.rs` provides an axum router or serves a socket. Input is not trusted: it
//! must not cause panics, unbounded recursion, or allocations beyond a small multiple of its size.

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

/// Reads a record as a span, with warnings about what could not be read. Never fails: if the bytes are unreadable, the
/// columns of the record are used.
pub fn normalise(record: &SpanRecord) -> (LooseSpan, Vec<String>) {
    match record.encoding {
        Encoding::OtlpProtobuf | Encoding::OtlpJson => otlp::normalise::span(record),
        Encoding::XrayJson => xray::normalise::segment(record),
        Encoding::ConsoleJson => console::normalise::span(record),
    }
}

/// The span for a record with unreadable bytes.
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

/// The beginning of a text, for messages that quote untrusted input.
fn clip(text: &str) -> String {
    const LONGEST: usize = 80;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
