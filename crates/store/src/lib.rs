//! `journal.db` (what the user wrote and captured) and `telemetry.db` (bounded, disposable).
//!
//! **Responsibility:** the only crate with SQL. Its methods are whole operations, each one transaction, and return the
//! types of core. There is one writer connection (`BEGIN IMMEDIATE`) and several readers beside it.
//!
//! **Never:** the network, tauri, a connection handed out. It knows neither markdown nor vendors: callers say what an
//! entry shows and what bytes mean.
//!
//! Every method returns a [`StoreError`] if the database cannot be read or written; a failed write changes nothing.
//! `# Errors` sections only name what goes beyond that.
//!
//! # Tables
//! Each table is named in one file only. A statement that needs two tables uses an SQL fragment that the other table's
//! file exports. To add a table:
//! 1. Add a file to `migrations/` with the reasons in its comments; never change an old one.
//! 2. Add one file here that names the table.
//! 3. Test it on a new database and on one of the previous version.

pub mod arrivals;
pub mod aside;
pub mod attachments;
pub mod backup;
pub mod changes;
pub mod console;
mod copy;
mod database;
pub mod entries;
pub mod error;
pub mod errors;
pub mod evidence;
pub mod files;
mod identity;
mod limits;
pub mod live_cards;
pub mod lock;
mod logs;
pub mod masks;
mod open;
mod purge;
pub mod queries;
mod read_only;
pub mod refusals;
pub mod relay;
pub mod repair;
pub mod replaced;
pub mod request_log;
pub mod restore;
mod room;
pub mod search;
mod settings;
mod shared;
mod shares;
mod sql;
pub mod sync;
pub mod traces;
mod trim;
mod usage;
mod version;
mod written;
mod xray;

pub use database::{Journal, Telemetry};
pub use error::{StoreError, damage_reported};

#[cfg(test)]
mod tests;
