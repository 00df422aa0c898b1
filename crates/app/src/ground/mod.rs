//! What every module may use, and what uses none of them: errors, configuration, settings, files, and the running
//! app's clock, ids, events and tasks.

pub(crate) mod cache;
pub(crate) mod config;
pub(crate) mod error;
pub(crate) mod files;
pub(crate) mod question;
pub(crate) mod records;
pub(crate) mod runtime;
pub(crate) mod schema;
pub(crate) mod settings;
pub(crate) mod tasks;
