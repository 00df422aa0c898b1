//! From data to what a reader sees, and back, as pure functions.
//!
//! **For:** the only room that parses markdown: references, slots, links; evidence → card (SVG,
//! text table); entry → export tree; an export tree → entry and evidence; verdicts.
//!
//! **Never:** I/O of any kind. Values in, bytes out; the caller chooses where.

mod block;
pub mod card;
pub mod export;
pub mod import;
pub mod markdown;
pub mod verify;
