//! Splits protobuf down to the records by hand, so that each keeps the bytes it came in, including fields that this
//! version does not know.

use std::sync::Arc;

use prost::Message as _;
use tracebook_core::time::Nanos;

use super::{Language, Outcome, Reading, Shared, Signal, mend, scope_name, service, size, too_heavy};

/// Field numbers, the same in traces and logs.
const RESOURCES: u32 = 1;
const SCOPES: u32 = 2;
/// `instrumentation_library_spans` of before 2022, with the fields of `scope_spans`.
const LIBRARIES: u32 = 1000;
const RECORDS: u32 = 2;

pub(super) fn decode<S: Signal>(body: &[u8], now: Nanos, granted: usize) -> Outcome<S::Record> {
    let mut reading = Reading::<S>::new(now, granted);
    let read = resources(body, &mut reading);
    reading.finish(read)
}

fn resources<S: Signal>(body: &[u8], reading: &mut Reading<S>) -> Result<(), String> {
    let mut request = Fields(body);
    while let Some(field) = request.next()? {
        if field.number == RESOURCES {
            resource(field.message()?, reading)?;
        }
    }
    Ok(())
}

fn resource<S: Signal>(sent: &[u8], reading: &mut Reading<S>) -> Result<(), String> {
    reading.containers += 1;
    reading.goes_on()?;
    // What the records share may follow them, so it is collected first.
    let (rest, scopes) = split(sent, &[SCOPES, LIBRARIES])?;
    if scopes == 0 {
        return Ok(());
    }
    let mut resource = shared(rest, Kind::Resource, reading)?;
    // If a resource cannot be read, its records are kept all the same: its bytes stay, and reading them later gives a
    // warning.
    let service = service(resource.as_mut().ok().and_then(|bytes| message(bytes, Kind::Resource)));
    let mut fields = Fields(sent);
    while let Some(field) = fields.next()? {
        if field.number != SCOPES && field.number != LIBRARIES {
            continue;
        }
        let (rest, records) = split(field.message()?, &[RECORDS])?;
        if records == 0 {
            continue;
        }
        let scope = shared(rest, Kind::Scope, reading)?;
        let shared = resource.clone().and_then(|resource| {
            let mut scope = scope?;
            let stream = scope_name(message(&mut scope, Kind::Scope));
            let (language, now, service) = (Language::Protobuf, reading.now, service.clone());
            Ok(Shared { language, now, service, stream, resource, scope })
        });
        match shared {
            Err(why) => reading.reject(records, || why),
            Ok(shared) => records_of(field.message()?, &shared, reading)?,
        }
    }
    Ok(())
}

/// A resource or scope, or why it cannot be kept.
fn shared<S: Signal>(
    bytes: Vec<u8>,
    kind: Kind,
    reading: &mut Reading<S>,
) -> Result<Result<Arc<[u8]>, String>, String> {
    if let Some(why) = too_heavy::<S>(&bytes) {
        return Ok(Err(why));
    }
    match size::of_protobuf(&bytes, kind) {
        Err(why) => Ok(Err(why)),
        Ok(decoding) => {
            reading.takes_for_now(bytes.len() + decoding)?;
            let kept = size::cut(bytes, kind).map(Arc::from);
            kept.as_ref().map_or(Ok(()), |kept: &Arc<[u8]>| reading.takes(kept.len()))?;
            Ok(kept)
        }
    }
}

/// A resource or scope as a message, mended if it has to be.
fn message<M: prost::Message + Default>(bytes: &mut Arc<[u8]>, kind: Kind) -> Option<M> {
    M::decode(bytes.as_ref()).ok().or_else(|| {
        let mended = mend::texts(bytes, kind)?;
        let message = M::decode(mended.as_slice()).ok()?;
        *bytes = mended.into();
        Some(message)
    })
}

fn records_of<S: Signal>(message: &[u8], shared: &Shared, reading: &mut Reading<S>) -> Result<(), String> {
    let mut fields = Fields(message);
    while let Some(field) = fields.next()? {
        if field.number != RECORDS {
            continue;
        }
        let bytes = field.message()?;
        if let Some(why) = too_heavy::<S>(bytes) {
            reading.reject(1, || why);
            continue;
        }
        match size::of_protobuf(bytes, S::KIND) {
            Err(why) => {
                reading.reject(1, || why);
                continue;
            }
            Ok(decoding) => reading.takes_for_now(decoding)?,
        }
        let decoded: Result<_, prost::DecodeError> =
            S::Message::decode(bytes).map(|message| (message, bytes.to_vec())).or_else(|error| {
                let mended =
                    mend::texts(bytes, S::KIND).filter(|mended| too_heavy::<S>(mended).is_none()).ok_or(error)?;
                S::Message::decode(mended.as_slice()).map(|message| (message, mended))
            });
        match decoded {
            Err(error) => reading.unreadable(format!("a {} is not readable: {error}", S::WORD)),
            Ok((message, bytes)) => match S::record(message, bytes, shared) {
                Ok(record) => reading.push(record)?,
                Err(why) => reading.reject(1, || why),
            },
        }
    }
    Ok(())
}

/// The message without the fields of these numbers, and how many they are.
fn split(message: &[u8], without: &[u32]) -> Result<(Vec<u8>, usize), String> {
    let mut rest = Vec::new();
    let mut cut = 0;
    let mut fields = Fields(message);
    while let Some(field) = fields.next()? {
        if without.contains(&field.number) {
            field.message()?;
            cut += 1;
        } else {
            rest.extend_from_slice(field.whole);
        }
    }
    Ok((rest, cut))
}

/// The messages of a request, as far as their parts may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `ResourceSpans` without its scopes, and what is in it; likewise for scopes.
    Resource,
    Scope,
    Span,
    Log,
    /// A span's event or status, or a scope: texts in fields 1 and 2, attributes in field 3. A resource has them in
    /// field 1.
    Event,
    Inner,
    Link,
    Attribute,
    Value,
    List,
    Map,
    /// Nothing in it is counted.
    Leaf,
}

impl Kind {
    /// The kind of a field's message.
    pub(super) fn part(self, field: u32) -> Self {
        match (self, field) {
            (Self::Resource, 1) => Self::Inner,
            (Self::Scope, 1) => Self::Event,
            (Self::Inner, 1)
            | (Self::Event, 3)
            | (Self::Link, 4)
            | (Self::Span, 9)
            | (Self::Log, 6)
            | (Self::Map, 1) => Self::Attribute,
            (Self::Inner, 3) => Self::Inner,
            (Self::Span, 11 | 15) => Self::Event,
            (Self::Span, 13) => Self::Link,
            (Self::Log, 5) | (Self::Attribute, 2) | (Self::List, 1) => Self::Value,
            (Self::Value, 5) => Self::List,
            (Self::Value, 6) => Self::Map,
            _ => Self::Leaf,
        }
    }
}

impl Kind {
    /// Whether a field is a text.
    pub(super) fn is_text(self, field: u32) -> bool {
        match self {
            Self::Resource | Self::Scope | Self::Link => field == 3,
            Self::Span => matches!(field, 3 | 5),
            Self::Log => matches!(field, 3 | 12),
            Self::Event => matches!(field, 1 | 2),
            Self::Attribute | Self::Value => field == 1,
            Self::Inner | Self::List | Self::Map | Self::Leaf => false,
        }
    }
}

/// The fields of a message, in order.
pub(super) struct Fields<'a>(&'a [u8]);

pub(super) struct Field<'a> {
    pub(super) number: u32,
    /// The content of a length-delimited field.
    pub(super) inside: Option<&'a [u8]>,
    /// With tag and length.
    pub(super) whole: &'a [u8],
}

impl<'a> Field<'a> {
    fn message(&self) -> Result<&'a [u8], String> {
        self.inside.ok_or_else(|| format!("field {} is not a message", self.number))
    }
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self(message)
    }

    /// How many fields a message and its parts have; counting stops above `most`, and where it is unreadable.
    pub(super) fn count(message: &'a [u8], kind: Kind, most: usize) -> usize {
        let mut count = 0;
        let mut open = vec![(Self(message), kind)];
        while let Some((fields, kind)) = open.last_mut() {
            match fields.next() {
                Ok(Some(field)) => {
                    count += 1;
                    if count > most {
                        break;
                    }
                    if let (Some(inside), part) = (field.inside, kind.part(field.number))
                        && part != Kind::Leaf
                    {
                        open.push((Self(inside), part));
                    }
                }
                Ok(None) | Err(_) => {
                    open.pop();
                }
            }
        }
        count
    }

    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, String> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let before = self.0;
        let (number, wire_type) = self.tag()?;
        let inside = match wire_type {
            3 => {
                self.skip_group(number)?;
                None
            }
            4 => return Err("unexpected end of a group".to_owned()),
            other => self.scalar(other)?,
        };
        let whole = &before[..before.len() - self.0.len()];
        Ok(Some(Field { number, inside, whole }))
    }

    fn scalar(&mut self, wire_type: u64) -> Result<Option<&'a [u8]>, String> {
        match wire_type {
            0 => self.varint().map(|_| None),
            1 => self.take(8).map(|_| None),
            2 => {
                let length = self.varint()?;
                self.take(length).map(Some)
            }
            5 => self.take(4).map(|_| None),
            other => Err(format!("wire type {other} does not exist")),
        }
    }

    /// Groups nest; counting the open ones replaces recursion.
    fn skip_group(&mut self, number: u32) -> Result<(), String> {
        let mut open = vec![number];
        while let Some(&innermost) = open.last() {
            match self.tag()? {
                (number, 3) => open.push(number),
                (number, 4) if number == innermost => {
                    open.pop();
                }
                (_, 4) => return Err("unexpected end of a group".to_owned()),
                (_, other) => {
                    self.scalar(other)?;
                }
            }
        }
        Ok(())
    }

    fn tag(&mut self) -> Result<(u32, u64), String> {
        let tag = self.varint()?;
        match u32::try_from(tag >> 3) {
            Ok(number @ 1..=0x1fff_ffff) => Ok((number, tag & 7)),
            _ => Err(format!("{} is not a field number", tag >> 3)),
        }
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0u64;
        for (i, &byte) in self.0.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                self.0 = &self.0[i + 1..];
                return Ok(value);
            }
        }
        Err(if self.0.len() < 10 { "the message ends too early" } else { "a number is too long" }.to_owned())
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        let split = usize::try_from(length).ok().and_then(|length| self.0.split_at_checked(length));
        let (taken, rest) = split.ok_or_else(|| "the message ends too early".to_owned())?;
        self.0 = rest;
        Ok(taken)
    }
}
