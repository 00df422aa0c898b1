//! The tests of the crate's public functions. One binary, so that it links once.

mod cards;
mod common;
mod doubts;
mod export;
mod formatting;
mod kinds;
mod linear;
mod renderers;
mod slots;
mod spec;
mod verify;
mod writing;
