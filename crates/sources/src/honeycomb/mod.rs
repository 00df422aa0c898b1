//! Honeycomb: key information, deep links, boards, saved queries, and query results on plans that include them.
//!
//! Its API returns aggregates, never spans. To capture a trace, it must be received over OTLP.

pub mod client;
pub mod links;
mod run;
pub mod spec;
#[cfg(test)]
mod tests;
