//! The tests of the crate's public functions. One binary, so that it links once.

mod bindings;
mod payloads;
mod recordings;
