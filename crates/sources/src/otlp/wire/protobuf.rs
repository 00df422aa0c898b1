//! Splits protobuf down to the records by hand, so that each keeps the bytes it came in, including fields that this
//! version does not know.

use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message as _;
use tracebook_core::time::Nanos;

use super::{Decoded, Language, Reading, Shared, Signal, scope_name, service, too_heavy, weighed};

/// Field numbers, the same in traces and logs.
const RESOURCES: u32 = 1;
const SCOPES: u32 = 2;
/// `instrumentation_library_spans` of before 2022, with the fields of `scope_spans`.
const LIBRARIES: u32 = 1000;
const RECORDS: u32 = 2;

pub(super) fn decode<S: Signal>(body: &[u8], now: Nanos) -> Result<Decoded<S::Record>, String> {
    let mut reading = Reading::<S>::new(now);
    let mut request = Fields(body);
    while let Some(field) = request.next()? {
        if field.number == RESOURCES {
            resource(field.message()?, &mut reading)?;
        }
    }
    reading.finish()
}

fn resource<S: Signal>(message: &[u8], reading: &mut Reading<S>) -> Result<(), String> {
    // What the records share may follow them, so it is collected first.
    let (rest, scopes) = split(message, &[SCOPES, LIBRARIES])?;
    if scopes == 0 {
        return Ok(());
    }
    let resource = weighed::<S>(rest);
    // If a resource cannot be read, its records are kept all the same: its bytes stay, and reading them later gives a
    // warning.
    let service = service(resource.as_ref().ok().and_then(|bytes| proto::ResourceSpans::decode(bytes.as_ref()).ok()));
    let mut fields = Fields(message);
    while let Some(field) = fields.next()? {
        if field.number != SCOPES && field.number != LIBRARIES {
            continue;
        }
        let (rest, records) = split(field.message()?, &[RECORDS])?;
        if records == 0 {
            continue;
        }
        let shared = resource.clone().and_then(|resource| {
            let scope = weighed::<S>(rest)?;
            let stream = scope_name(proto::ScopeSpans::decode(scope.as_ref()).ok());
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
        match S::Message::decode(bytes) {
            Err(error) => reading.unreadable(format!("a {} is not readable: {error}", S::WORD)),
            Ok(message) => match S::record(message, bytes.to_vec(), shared) {
                Ok(record) => reading.decoded.records.push(record),
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

/// The fields of a message, in order.
struct Fields<'a>(&'a [u8]);

struct Field<'a> {
    number: u32,
    /// The content of a length-delimited field.
    inside: Option<&'a [u8]>,
    /// With tag and length.
    whole: &'a [u8],
}

impl<'a> Field<'a> {
    fn message(&self) -> Result<&'a [u8], String> {
        self.inside.ok_or_else(|| format!("field {} is not a message", self.number))
    }
}

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<Field<'a>>, String> {
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
