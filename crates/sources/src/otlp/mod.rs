//! OpenTelemetry: traces and logs, over HTTP in protobuf and in JSON, and over gRPC.

mod intake;
pub mod normalise;
pub mod receiver;
pub mod wire;
