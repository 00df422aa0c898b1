//! Questions to whichever source is named: local telemetry or a cloud source.

mod filters;
mod links;
pub(crate) mod queries;
