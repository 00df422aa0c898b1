//! Honeycomb: whose key it is, deep links, boards, saved queries, and query results where the plan has them.
//!
//! Its API gives aggregates and never spans: a trace that is to be kept must come through this app's own OTLP receiver.

pub mod client;
pub mod links;
mod run;
pub mod spec;
#[cfg(test)]
mod tests;
