//! `journal.db` (precious) and `telemetry.db` (bounded, disposable).
//!
//! **For:** the only room with SQL. It offers whole operations, each one transaction; rows stay
//! home and what comes out are core's types. One writer (BEGIN IMMEDIATE), readers beside it.
//!
//! **Never:** the network, tauri, a connection handed out. It knows no markdown and no vendor: what is placed
//! where, and what bytes mean, is told to it.
//!
//! # A new table
//! 1. A new file under `migrations/` (never change an old one), with the why in its comments.
//! 2. One file here that is the only one to name the table.
//! 3. A test on a fresh database, and one on a database of the version before.

pub mod arrivals;
mod bounds;
pub mod console;
pub mod entries;
pub mod error;
pub mod errors;
pub mod evidence;
pub mod files;
pub mod heard;
pub mod live_cards;
pub mod logs;
mod open;
pub mod queries;
pub mod relay;
mod shared;
pub mod telemetry;
mod usage;
pub mod watch;
mod xray;

pub use error::StoreError;
pub use open::{Journal, Telemetry};

#[cfg(test)]
mod tests;
