//! Rollbar: the local end of its item API, as pyrollbar and rollbar.js speak it.

pub mod normalise;
pub mod receiver;
pub mod wire;
