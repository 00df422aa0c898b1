//! Rollbar: the local end of its item API, as pyrollbar and rollbar.js speak it, and a client of its read API.

pub mod client;
pub mod normalise;
pub mod receiver;
pub mod wire;
