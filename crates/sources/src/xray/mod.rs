//! AWS X-Ray: a local X-Ray daemon (segments over UDP, HTTP over TCP), a local API (groups, sampling rules, reading
//! traces), and a client of the real API.

pub mod client;
mod document;
pub mod expression;
pub mod links;
pub mod normalise;
pub mod outgoing;
pub mod reading;
pub mod receiver;
pub mod wire;
