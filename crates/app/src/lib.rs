//! What a user can do, one function each.
//!
//! **For:** capture, journal, export, import, verify, receivers, demo; [`rpc`] declares every command once, and
//! [`Tracebook`] owns every background task under one cancellation token. Both hosts (the window,
//! the command line) call nothing else.
//!
//! **Never:** tauri, SQL, a vendor's JSON. What touches the system (clock, randomness, files, ports) is here and
//! handed to the rooms below as values.

mod bounds;
pub mod capture;
mod cloud;
pub mod config;
pub mod demo;
pub mod diagnostics;
pub mod doctor;
mod ends;
pub mod env;
pub mod error;
pub mod evidence;
pub mod export;
mod heard;
pub mod import;
pub mod journal;
pub mod live;
mod live_cards;
pub mod receivers;
mod relay;
pub mod rpc;
mod settings;
mod status;
mod system;
mod tracebook;
pub mod verify;
pub mod watch_command;
mod watching;

pub use config::{Config, Listen, ReceiverConfig};
pub use error::{Code, Error};
pub use tracebook::Tracebook;

/// The name and version that evidence carries.
pub const TOOL: &str = concat!("tracebook ", env!("CARGO_PKG_VERSION"));
