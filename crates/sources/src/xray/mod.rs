//! AWS X-Ray: the local end of the X-Ray daemon, segments over UDP and its HTTP side over TCP, and of the API: groups,
//! sampling rules, and traces read back; and the client of the API itself.

pub mod client;
mod document;
pub mod expression;
pub mod links;
pub mod normalise;
pub mod outgoing;
pub mod reading;
pub mod receiver;
pub mod wire;
