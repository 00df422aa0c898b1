//! Between the journal and files: export, import, verify.

mod export;
mod import;
mod tree;
pub mod verify;
