//! What decoding takes, and cutting resources and scopes that are too large to be kept with every span.

use opentelemetry_proto::tonic::common::v1 as common;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1 as proto;
use prost::Message as _;
use tracebook_core::text::{NAME_BYTES, bounded};

use super::protobuf::{Fields, Kind};

/// A record, resource or scope of at most this size is decoded without counting its values first.
const UNCOUNTED: usize = 32 * 1024;

/// The most values in a record, resource or scope. SDKs send at most 128 attributes with a span by default.
pub(super) const MAX_VALUES: usize = 65_536;

/// The most memory of a record in JSON as a tree, in bytes.
const MAX_TREE: usize = 16 * 1024 * 1024;

/// A larger resource or scope is stored with its texts cut. Both are read again for every span of a trace.
const MAX_SHARED: usize = 64 * 1024;

/// In a resource or scope that is too large, longer texts are cut to the length of a name.
const MAX_SHARED_TEXT: usize = 1024;

/// What decoding a protobuf message takes besides its bytes while it lasts.
pub(super) fn of_protobuf(bytes: &[u8], kind: Kind) -> Result<usize, String> {
    /// An attribute as prost's message and as core's, in lists that double when they grow.
    const VALUE: usize = 256;
    if bytes.len() <= UNCOUNTED {
        return Ok(0);
    }
    let values = Fields::count(bytes, kind, MAX_VALUES);
    match values > MAX_VALUES {
        true => Err(too_many()),
        false => Ok(bytes.len() + values * VALUE),
    }
}

/// The same of a JSON text.
pub(super) fn of_json(bytes: &[u8]) -> Result<usize, String> {
    if bytes.len() <= UNCOUNTED {
        return Ok(0);
    }
    let tree = crate::json::tree_bytes(bytes);
    match tree > MAX_TREE {
        true => Err(too_many()),
        // The tree, and the message that it becomes.
        false => Ok(2 * tree),
    }
}

fn too_many() -> String {
    format!("one record, resource or scope has more than {MAX_VALUES} values")
}

/// A resource or scope that can be kept with every record.
pub(super) fn cut(bytes: Vec<u8>, kind: Kind) -> Result<Vec<u8>, String> {
    if bytes.len() <= MAX_SHARED {
        return Ok(bytes);
    }
    let cut = match kind {
        Kind::Resource => proto::ResourceSpans::decode(bytes.as_slice()).map(|mut message| {
            clip(&mut message.schema_url);
            clip_all(message.resource.iter_mut().flat_map(|resource| &mut resource.attributes));
            message.encode_to_vec()
        }),
        _ => proto::ScopeSpans::decode(bytes.as_slice()).map(|mut message| {
            clip(&mut message.schema_url);
            if let Some(scope) = &mut message.scope {
                clip(&mut scope.name);
                clip(&mut scope.version);
                clip_all(scope.attributes.iter_mut());
            }
            message.encode_to_vec()
        }),
    };
    small(cut.map_err(|error| error.to_string())?)
}

/// The same of a JSON text.
pub(super) fn cut_json(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if bytes.len() <= MAX_SHARED {
        return Ok(bytes);
    }
    let mut said = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    clip_json(&mut said);
    small(said.to_string().into_bytes())
}

fn small(cut: Vec<u8>) -> Result<Vec<u8>, String> {
    /// With room for many short attributes.
    const MOST: usize = 4 * MAX_SHARED;
    match cut.len() > MOST {
        true => Err(format!("one resource or scope of {} bytes is more than {MOST} bytes", cut.len())),
        false => Ok(cut),
    }
}

fn clip(text: &mut String) {
    if text.len() > MAX_SHARED_TEXT {
        *text = bounded(std::mem::take(text), NAME_BYTES);
    }
}

fn clip_all<'a>(attributes: impl Iterator<Item = &'a mut common::KeyValue>) {
    for attribute in attributes {
        clip(&mut attribute.key);
        if let Some(value) = &mut attribute.value {
            clip_value(value);
        }
    }
}

/// No deeper than prost decodes.
fn clip_value(value: &mut common::AnyValue) {
    match &mut value.value {
        Some(Any::StringValue(text)) => clip(text),
        Some(Any::BytesValue(bytes)) => bytes.truncate(MAX_SHARED_TEXT),
        Some(Any::ArrayValue(list)) => list.values.iter_mut().for_each(clip_value),
        Some(Any::KvlistValue(map)) => clip_all(map.values.iter_mut()),
        Some(Any::BoolValue(_) | Any::IntValue(_) | Any::DoubleValue(_) | Any::StringValueStrindex(_)) | None => {}
    }
}

/// No deeper than the reader goes.
fn clip_json(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => clip(text),
        serde_json::Value::Array(list) => list.iter_mut().for_each(clip_json),
        serde_json::Value::Object(map) => map.values_mut().for_each(clip_json),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}
