//! AWS X-Ray: the local end of the X-Ray daemon, segments over UDP and its HTTP side over TCP.

pub mod normalise;
pub mod receiver;
pub mod wire;
