//! Receivers: committing and counting what arrives, and watched commands.

mod access;
mod ages;
pub(crate) mod command_runner;
mod last_arrival;
pub(crate) mod receivers;
pub(crate) mod request_log;
pub(crate) mod retention;
mod segment_log;
pub(crate) mod sink;
mod stored_screen;
