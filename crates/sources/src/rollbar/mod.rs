//! Rollbar: a receiver for its item API, as pyrollbar and rollbar.js use it, and a client of its API.

pub mod client;
pub mod normalise;
pub mod receiver;
pub mod wire;
