//! Where evidence comes from: one folder a vendor, each with its wire format, normalisation and receiver.
//!
//! **Responsibility:** receiving what SDKs send ([`otlp`], [`xray`], [`cloudwatch`], [`rollbar`]), splitting it into
//! one record a span, log event or occurrence with its bytes as sent, and reading such records as core's types
//! ([`normalise`]); recognising spans in what a service prints ([`console`]). A receiver passes its batches to an
//! implementation of [`receive::Commit`], and acknowledges them only after that. And fetching from the vendors' APIs
//! what the same SDKs sent to the cloud ([`aws`], [`honeycomb`], and a `client` in each vendor's folder), through
//! [`cloud::Fetch`], into the same records.
//!
//! **Never:** the store, tauri, `std::fs`, the system clock. Credential headers (`Authorization`, `x-honeycomb-team`)
//! are not read, so they cannot be stored; of AWS's only the region is read.
//!
//! To add a vendor: `wire.rs` turns bytes into records or refuses with a message, `normalise.rs` turns a record into a
//! [`LooseSpan`] and never fails, `receiver.rs` is an axum router or serves a socket. Network input may be anything:
//! none panics, recurses without bound, or allocates more than a small multiple of its size.

pub mod access;
mod amzn;
pub mod authority;
pub mod aws;
mod body;
pub mod budget;
pub mod cloud;
pub mod cloudwatch;
pub mod console;
pub mod honeycomb;
mod json;
pub mod otlp;
pub mod receive;
mod record;
pub mod refusals;
pub mod rollbar;
pub mod serve;
#[cfg(test)]
mod testing;
mod text;
mod time;
pub mod xray;

use tracebook_core::assemble::LooseSpan;
use tracebook_core::telemetry::{Encoding, SpanRecord};

/// Reads a record as core's span: see [`Normaliser::read`].
pub fn normalise(record: &SpanRecord) -> (LooseSpan, Vec<String>) {
    Normaliser::default().read(record)
}

/// Reads the records of a trace as core's spans; what they share is read once.
#[derive(Default)]
pub struct Normaliser<'a> {
    otlp: otlp::normalise::Shared<'a>,
}

impl<'a> Normaliser<'a> {
    /// A span, with warnings about what could not be read. Never fails: if the bytes are unreadable, the record's
    /// columns are returned.
    pub fn read(&mut self, record: &'a SpanRecord) -> (LooseSpan, Vec<String>) {
        match record.encoding {
            Encoding::OtlpProtobuf | Encoding::OtlpJson => otlp::normalise::span(record, &mut self.otlp),
            Encoding::XrayJson => xray::normalise::segment(record),
            Encoding::ConsoleJson => console::normalise::span(record),
        }
    }
}
