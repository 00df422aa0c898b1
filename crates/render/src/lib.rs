//! Pure functions that render data as cards and Markdown, and read them back.
//!
//! **For:** Markdown (the only crate that parses it): references, slots, links; evidence → card (SVG, text table);
//! entry → export tree; export tree → entry and evidence; verdicts.
//!
//! **Never:** I/O of any kind. Values in, bytes out; the caller chooses where.

mod block;
pub mod card;
mod entry_file;
pub mod export;
pub mod html;
pub mod import;
mod inline;
pub mod manifest;
pub mod markdown;
pub mod verify;
pub mod written;
