//! AWS X-Ray: a local X-Ray daemon (segments over UDP and its HTTP side over TCP) and API (groups, sampling rules,
//! reading traces), and a client of the AWS API.

pub mod client;
mod document;
pub mod expression;
pub mod links;
pub mod normalise;
pub mod outgoing;
pub mod reading;
pub mod receiver;
pub mod wire;
