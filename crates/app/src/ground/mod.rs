//! Shared by all modules, and using none of them: errors, configuration, settings, files, and the clock, ids, events
//! and tasks of the running app.

pub(crate) mod cache;
pub(crate) mod config;
pub(crate) mod error;
pub(crate) mod files;
pub(crate) mod finding;
pub(crate) mod folder;
pub(crate) mod question;
pub(crate) mod records;
pub(crate) mod runtime;
pub(crate) mod schema;
pub(crate) mod settings;
pub(crate) mod tasks;
