//! The domain model as plain values: entries, evidence, traces, questions.
//!
//! **For:** the types and the rules between them: ids, time, the one [`trace::Trace`] that OTLP and X-Ray become, the
//! catalog of sources and kinds, how evidence is assembled, frozen and digested, what a credential looks like, which
//! weeks a course has.
//!
//! **Never:** I/O of any kind. No tokio, no database, no network, no file, no clock: time and
//! randomness are passed in ([`clock::Clock`], [`ids::Entropy`]). Errors are about values only.

pub mod assemble;
pub mod canonical;
pub mod catalog;
pub mod clock;
pub mod console;
pub mod content;
pub mod course;
pub mod credentials;
pub mod diff;
pub mod dossier;
pub mod entry;
pub mod errors;
pub mod event_filter;
pub mod evidence;
pub mod filter;
pub mod filter_pattern;
pub mod freeze;
pub mod ids;
pub mod live_card;
pub mod log_query;
pub mod logs;
pub mod query;
pub mod question;
pub mod service_map;
pub mod telemetry;
pub mod text;
pub mod time;
pub mod trace;
pub mod value;
pub mod xray;
