//! OpenTelemetry: traces and logs, over HTTP in protobuf and in JSON, and over gRPC; and sent on to another endpoint.

pub mod client;
mod intake;
pub mod normalise;
pub mod outgoing;
pub mod receiver;
pub mod wire;
