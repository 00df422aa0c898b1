//! OpenTelemetry: traces over OTLP/HTTP, in protobuf and in JSON.

pub mod normalise;
pub mod receiver;
pub mod wire;
