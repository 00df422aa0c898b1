//! The journeys: what a user does, over public doors only (the program, its ports, its files), with
//! the real SDKs on the other side.

mod bad_input;
mod cloud;
mod crash;
mod keychain;
mod live_cards;
mod local_ends;
mod main_job;
mod relay;
mod serving;
mod support;
mod web;
