//! Honeycomb: the environment of a key, deep links, boards, saved queries, and query results if the plan includes them.
//!
//! Its API returns aggregates and never spans: to keep a trace, receive it through the local OTLP receiver.

mod auth;
pub mod client;
pub mod links;
mod run;
pub mod spec;
#[cfg(test)]
mod tests;
