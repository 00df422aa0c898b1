//! What a user can do, one function each.
//!
//! **For:** capture, journal, export, import, verify, receivers, demo; [`api`] declares every command once, and
//! [`Tracebook`] owns every background task under one cancellation token. Both hosts (the window,
//! the command line) call nothing else.
//!
//! This crate does not use Tauri or SQL, and does not know the vendors' JSON. Access to the system (clock, randomness,
//! files, ports) is here and passed to the crates below as values.
//!
//! Each folder is a module; imports between modules run one way, from `ground` (used by all) up to `api`.

pub mod api;
mod attachments;
mod capture;
mod change_feed;
mod cloud;
mod courses;
pub mod demo;
pub mod diagnostics;
mod doctor;
mod env;
pub mod evidence;
mod explore;
mod ground;
mod homework;
mod ingest;
mod journal;
mod live_cards;
pub mod pictures;
mod ports;
mod relay;
mod report;
mod search;
pub mod signing;
mod status;
mod storage;
mod sync;
mod system;
mod telemetry;
#[cfg(test)]
mod testing;
mod tracebook;
pub mod transfer;
mod web_key;

pub use ground::config::{Config, Listen, ReceiverConfig};
pub use ground::error::{Code, Error, ErrorBody};
pub use ports::Holder;
pub use system::local_time;
pub use tracebook::{Repaired, Tracebook};
pub use tracebook_core::text::marked;
pub use tracebook_sources::authority;
/// For a host that serves HTTP: connections, bodies and answers are bounded together with those of the receivers.
pub use tracebook_sources::serve as http_server;
pub use transfer::verify;
pub use web_key::WebKey;

/// The name and version that evidence carries.
pub const TOOL: &str = concat!("tracebook ", env!("CARGO_PKG_VERSION"));
