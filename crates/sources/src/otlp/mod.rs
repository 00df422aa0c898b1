//! OpenTelemetry: receives traces and logs over HTTP (protobuf and JSON) and gRPC, and forwards them to another
//! endpoint.

pub mod client;
mod intake;
mod messages;
pub mod normalise;
pub mod outgoing;
pub mod readable;
pub mod receiver;
pub mod wire;
