//! User scenarios over public interfaces only (the program, its ports, its files), with the real SDKs.

mod attachments;
mod bad_input;
mod bridges;
mod cloud;
mod crash;
mod diagnostics;
mod disk;
mod keychain;
mod live_cards;
mod local_ends;
mod main_job;
mod memory;
mod node_doctor;
mod refused;
mod relay;
mod search;
mod serving;
mod signing;
mod support;
mod sync;
mod sync_rounds;
mod web;
