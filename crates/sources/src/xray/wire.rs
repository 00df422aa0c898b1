//! Splits a datagram (header line, newline, document) into one record per segment or subsegment.
//!
//! Documents are split rather than parsed and rewritten, so that numbers and strings stay as sent, and nested
//! subsegments use no stack.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tracebook_core::ids::{SpanId, TraceId};
use tracebook_core::telemetry::{Encoding, SpanRecord};
use tracebook_core::text::{NAME_BYTES, TITLE_BYTES, bounded};
use tracebook_core::time::Nanos;
use tracebook_core::trace::Trace;

use super::normalise;
use crate::json::{self, Key, ObjectText, Readable, Shallow, elements, members, quoted};
use crate::text::clip;
use crate::time;

/// The daemon's receive buffer. A datagram that fills it was truncated, which UDP does not report.
pub const BUFFER: usize = 64 * 1024;

/// The largest document that is read: X-Ray's own limit is 64 kB, some exporters on TCP exceed it.
pub const MAX_DOCUMENT_BYTES: usize = 512 * 1024;

/// Maximum nesting of subsegments. Each level is read once more than the one above.
pub const DEEPEST: usize = 256;

/// Why a datagram or document is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("an empty datagram")]
    Empty,
    /// It filled the buffer.
    #[error("a datagram of {0} bytes or more, of which the end is lost")]
    Truncated(usize),
    /// It has no newline.
    #[error("a datagram without the header line {{\"format\":\"json\",\"version\":1}}: {0:?}")]
    MissingHeader(String),
    /// The first line is not the header.
    #[error("the header line should be {{\"format\":\"json\",\"version\":1}} and is {0:?}")]
    BadHeader(String),
    /// Nothing after the header line.
    #[error("a header line without a segment document")]
    MissingDocument,
    /// Over [`MAX_DOCUMENT_BYTES`].
    #[error("a segment document of {0} bytes is larger than {MAX_DOCUMENT_BYTES} bytes")]
    TooLarge(usize),
    /// It is no JSON object, also after mending.
    #[error("the segment document is not a readable JSON object: {0}")]
    NotJson(String),
    /// It is nested deeper than [`DEEPEST`].
    #[error("subsegments are nested more than {DEEPEST} levels deep")]
    TooDeep,
    /// A required field is missing.
    #[error("a segment document without {0}")]
    Missing(&'static str),
    /// A required field has the wrong type.
    #[error("a segment document whose {0} is {1}: {2}")]
    Bad(&'static str, String, &'static str),
    /// A time cannot be true.
    #[error("a segment document whose {0} is {1}")]
    BadTime(&'static str, String),
}

/// Reads one datagram.
pub fn parse_datagram(datagram: &[u8]) -> Result<Vec<SpanRecord>, Refusal> {
    if datagram.is_empty() {
        return Err(Refusal::Empty);
    }
    if datagram.len() >= BUFFER {
        return Err(Refusal::Truncated(datagram.len()));
    }
    let said = |bytes: &[u8]| clip(&String::from_utf8_lossy(&bytes[..bytes.len().min(400)]));
    let Some(newline) = datagram.iter().position(|&byte| byte == b'\n') else {
        return Err(Refusal::MissingHeader(said(datagram)));
    };
    let (header, document) = (&datagram[..newline], &datagram[newline + 1..]);
    if !is_header(header) {
        return Err(Refusal::BadHeader(said(header)));
    }
    if document.trim_ascii().is_empty() {
        return Err(Refusal::MissingDocument);
    }
    parse_document(document)
}

fn is_header(line: &[u8]) -> bool {
    // As the SDKs of Python and Node write it.
    if matches!(line, br#"{"format": "json", "version": 1}"# | br#"{"format":"json","version":1}"#) {
        return true;
    }
    let Ok(Value::Object(header)) = serde_json::from_slice(line) else { return false };
    let format = header.get("format").and_then(Value::as_str);
    let version = header.get("version").and_then(Value::as_f64);
    format.is_some_and(|format| format.eq_ignore_ascii_case("json")) && version == Some(1.0)
}

/// Reads one segment or subsegment document, without header line: itself first, then its subsegments, parents before
/// children.
///
/// A nested subsegment that cannot stand alone (no id, no name, no start time) stays in its parent's raw bytes.
pub fn parse_document(document: &[u8]) -> Result<Vec<SpanRecord>, Refusal> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(Refusal::TooLarge(document.len()));
    }
    let text = String::from_utf8_lossy(document);
    let mut records = Vec::new();
    // What is still to be split, each with its parent. A stack, because the sender chooses the nesting.
    let top = take_apart(text.trim_start_matches('\u{feff}'), None)?;
    let mut pending = vec![(top, 0)];
    while let Some((mut cut, depth)) = pending.pop() {
        if depth > DEEPEST {
            return Err(Refusal::TooDeep);
        }
        let enclosing = Enclosing { trace_id: cut.trace_id_text.clone(), span_id: cut.head.span_id };
        let mut below = Vec::new();
        for subsegment in std::mem::take(&mut cut.subsegments) {
            match take_apart(subsegment, Some(&enclosing)) {
                Ok(child) => below.push((child, depth + 1)),
                Err(_) => cut.unread.push(subsegment),
            }
        }
        pending.extend(below.into_iter().rev());
        records.push(cut.into_record()?);
    }
    Ok(records)
}

/// The records of a document that arrived `now`, unless a time in it cannot be true.
pub(super) fn check_times(records: Vec<SpanRecord>, now: Nanos) -> Result<Vec<SpanRecord>, Refusal> {
    for record in &records {
        for (key, time) in [("start_time", Some(record.start)), ("end_time", record.end)] {
            if let Some(why) = time.and_then(|time| time::objection(time, now)) {
                return Err(Refusal::BadTime(key, why));
            }
        }
    }
    Ok(records)
}

/// What a record takes in a list, in bytes.
pub(super) fn record_bytes(record: &SpanRecord) -> usize {
    // Twice, because a list doubles when it grows; and what the allocator adds to three texts.
    2 * size_of::<SpanRecord>() + record.raw.len() + record.title.len() + record.service.len() + 3 * 16
}

/// The parent of a nested subsegment.
struct Enclosing {
    trace_id: String,
    span_id: SpanId,
}

/// A document without its subsegments.
struct Cut<'a> {
    head: Head,
    /// As the sender wrote it, for subsegments that omit it.
    trace_id_text: String,
    /// The fields in [`Needed`].
    said: Map<String, Value>,
    raw: String,
    subsegments: Vec<&'a str>,
    unread: Vec<&'a str>,
}

struct Head {
    trace_id: TraceId,
    span_id: SpanId,
}

/// A document while its members are read.
#[derive(Default)]
struct Parts<'a> {
    rest: ObjectText,
    /// Whether the document itself has `trace_id`, `parent_id` and `type`.
    present: [bool; 3],
    subsegments: Vec<&'a str>,
}

impl<'a> Parts<'a> {
    /// Whether the member is a part of the document without its subsegments.
    fn add(&mut self, key: &str, value: &'a str) -> bool {
        match key {
            "subsegments" => {
                let mut list = Vec::new();
                let read = elements(value, |one| {
                    list.push(one);
                    Ok(())
                });
                if read.is_ok() {
                    self.subsegments.append(&mut list);
                    return false;
                }
            }
            // Null is absent, and an enclosing segment's value takes precedence.
            "trace_id" | "parent_id" | "type" if value == "null" => return false,
            "trace_id" => self.present[0] = true,
            "parent_id" => self.present[1] = true,
            "type" => self.present[2] = true,
            _ => {}
        }
        self.rest.member(key, value);
        true
    }

    /// Adds what a subsegment has from the one that it is in; returns it.
    fn inherit(&mut self, enclosing: Option<&Enclosing>) -> Vec<(&'static str, String)> {
        let Some(enclosing) = enclosing else { return Vec::new() };
        let inherited = [
            ("trace_id", enclosing.trace_id.clone()),
            ("parent_id", enclosing.span_id.to_string()),
            ("type", "subsegment".to_owned()),
        ];
        let missing = inherited.into_iter().zip(self.present).filter(|(_, present)| !present);
        let missing: Vec<_> = missing.map(|(member, _)| member).collect();
        for (key, value) in &missing {
            self.rest.member(key, &quoted(value));
        }
        missing
    }
}

fn take_apart<'a>(text: &'a str, enclosing: Option<&Enclosing>) -> Result<Cut<'a>, Refusal> {
    let apart = match read_strict(text, enclosing) {
        Some(apart) => apart,
        None => read_lenient(text, enclosing)?,
    };
    Cut::new(apart)
}

/// What a document consists of.
#[derive(Debug, PartialEq)]
struct Apart<'a> {
    /// The fields in [`Needed`].
    said: Map<String, Value>,
    /// The document without its subsegments, as strict JSON.
    raw: String,
    subsegments: Vec<&'a str>,
}

/// Takes strict JSON apart, as nearly all senders write it: in one pass, in which each value is checked as well.
/// `None` for everything else.
fn read_strict<'a>(text: &'a str, enclosing: Option<&Enclosing>) -> Option<Apart<'a>> {
    let mut parts = Parts { rest: ObjectText::with_capacity(text.len().min(4096)), ..Parts::default() };
    let mut said = Map::new();
    json::walk(text, |key, rest| {
        // Subsegments are checked when they are read, each on its own.
        let length = match key.as_ref() {
            "subsegments" => json::first::<&RawValue>(rest)?.1,
            _ => json::first::<Shallow>(rest)?.1,
        };
        let value = &rest[..length];
        if parts.add(&key, value) {
            if key == "subsegments" {
                return None;
            }
            if is_needed(&key) {
                said.insert(key.into_owned(), serde_json::from_str(value).ok()?);
            }
        }
        Some(length)
    })?;
    for (key, value) in parts.inherit(enclosing) {
        said.insert(key.to_owned(), value.into());
    }
    Some(Apart { said, raw: parts.rest.finish(), subsegments: parts.subsegments })
}

/// Takes any document apart that can be read with mending.
fn read_lenient<'a>(text: &'a str, enclosing: Option<&Enclosing>) -> Result<Apart<'a>, Refusal> {
    let mut parts = Parts::default();
    members(text, |key, value| {
        parts.add(&key, value);
        Ok(())
    })
    .map_err(Refusal::NotJson)?;
    parts.inherit(enclosing);
    let raw = parts.rest.finish();
    let (Needed(said), mended) = json::read(raw.as_bytes()).map_err(Refusal::NotJson)?;
    Ok(Apart { said, raw: mended.unwrap_or(raw), subsegments: parts.subsegments })
}

/// The members that the record's columns are made of. The others are only checked to be readable: annotations matter
/// only when the trace is read.
struct Needed(Map<String, Value>);

fn is_needed(key: &str) -> bool {
    // From a method, a path and a status, in any convention: `Span::title`.
    key.starts_with("http")
        || key.starts_with("url")
        || matches!(
            key,
            "id" | "trace_id"
                | "parent_id"
                | "name"
                | "start_time"
                | "end_time"
                | "in_progress"
                | "type"
                | "namespace"
                | "fault"
                | "error"
                | "throttle"
        )
}

impl<'a> Deserialize<'a> for Needed {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'a> Visitor<'a> for Members {
            type Value = Needed;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Needed, A::Error> {
                let mut said = Map::new();
                while let Some(Key(key)) = map.next_key()? {
                    if is_needed(&key) {
                        said.insert(key.into_owned(), map.next_value()?);
                    } else {
                        map.next_value::<Readable>()?;
                    }
                }
                Ok(Needed(said))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// What a document must contain.
fn check(said: &Map<String, Value>) -> Result<Head, Refusal> {
    let get = |key: &'static str| said.get(key).filter(|value| !value.is_null()).ok_or(Refusal::Missing(key));
    let bad = |key, value: &Value, why| Refusal::Bad(key, clip(&value.to_string()), why);

    let value = get("trace_id")?;
    let trace_id = value.as_str().and_then(|id| id.parse().ok());
    let trace_id = trace_id.ok_or_else(|| bad("trace_id", value, "expected 1-8hex-24hex"))?;
    let value = get("id")?;
    let span_id = value.as_str().and_then(|id| id.parse().ok());
    let span_id = span_id.ok_or_else(|| bad("id", value, "expected 16 hex digits"))?;
    let value = get("name")?;
    if value.as_str().is_none_or(|name| name.trim().is_empty()) {
        return Err(bad("name", value, "expected a text"));
    }
    let value = get("start_time")?;
    if json::seconds(value).is_none() {
        return Err(bad("start_time", value, "expected seconds since 1970 as a number"));
    }
    Ok(Head { trace_id, span_id })
}

impl<'a> Cut<'a> {
    fn new(apart: Apart<'a>) -> Result<Self, Refusal> {
        let Apart { said, raw, subsegments } = apart;
        let head = check(&said)?;
        let trace_id_text = said.get("trace_id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Self { head, trace_id_text, said, raw, subsegments, unread: Vec::new() })
    }

    fn into_record(mut self) -> Result<SpanRecord, Refusal> {
        if !self.unread.is_empty() {
            self.raw.pop(); // the closing brace; there are members before it
            // A subsegment that stays inside must not make the whole document unreadable later: as a text, it does not.
            let readable = |text: &&str| match json::read::<Readable>(text.as_bytes()) {
                Ok((_, None)) => (*text).to_owned(),
                Ok((_, Some(mended))) => mended,
                Err(_) => quoted(text),
            };
            let inside: Vec<String> = self.unread.iter().map(readable).collect();
            self.raw.push_str(&format!(",\"subsegments\":[{}]}}", inside.join(",")));
            // Together they may be nested too deep.
            serde_json::from_str::<Readable>(&self.raw).map_err(|error| Refusal::NotJson(json::words(&error)))?;
        }
        let Head { trace_id, span_id } = self.head;
        let span = normalise::span_of(self.said, span_id, &mut Vec::new());
        let (parent_id, service, start, end) = (span.parent, span.service.clone(), span.start, span.end);
        let status = span.status.code;
        let alone = Trace { trace_id, resources: Vec::new(), scopes: Vec::new(), spans: vec![span], notes: Vec::new() };
        Ok(SpanRecord {
            trace_id,
            span_id,
            twin: 0,
            parent_id,
            encoding: Encoding::XrayJson,
            title: bounded(alone.name(), TITLE_BYTES),
            service: bounded(service, NAME_BYTES),
            start,
            end,
            status,
            raw: self.raw.into_bytes(),
            resource: Arc::default(),
            scope: Arc::default(),
        })
    }
}

#[cfg(test)]
mod tests;
