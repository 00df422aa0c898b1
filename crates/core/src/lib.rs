//! The domain model as plain values: entries, evidence, traces, questions.
//!
//! **For:** types and their rules: ids, time, [`trace::Trace`] as the common form of OTLP and X-Ray, the catalog of
//! sources and kinds, assembling, freezing and digesting evidence, recognizing credentials, the weeks of the course.
//!
//! **Never:** I/O of any kind. No tokio, no database, no network, no file, no clock: time and
//! randomness are passed in ([`clock::Clock`], [`ids::Entropy`]). Errors concern values only.

pub mod access_log;
pub mod analysis;
pub mod assemble;
pub mod attributes;
pub mod canonical;
pub mod catalog;
pub mod chart;
pub mod choose;
pub mod clock;
pub mod console;
pub mod content;
pub mod course;
pub mod credentials;
pub mod diff;
pub mod dossier;
pub mod doubts;
pub mod endpoint;
pub mod entry;
pub mod errors;
pub mod event_filter;
pub mod evidence;
pub mod filter;
pub mod filter_pattern;
pub mod freeze;
pub mod ids;
pub mod json;
pub mod kinds;
pub mod level;
pub mod live_card;
pub mod log_query;
pub mod logs;
pub mod masking;
pub mod merge;
pub mod open;
pub mod picture;
pub mod query;
pub mod question;
pub mod search;
pub mod service_map;
pub mod skew;
pub mod telemetry;
pub mod template;
pub mod text;
pub mod time;
pub mod trace;
pub mod value;
pub mod variation;
pub mod xray;
