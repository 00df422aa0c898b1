//! `tracebook`: the app without a window.
//!
//! **For:** the command line of `tracebook --help` for people, scripts and tests, and the web host (`serve --ui`).
//!
//! **Never:** SQL, HTTP to others, business decisions: an argument becomes a request of
//! [`tracebook_app`], an answer becomes text or JSON.

mod args;
mod commands;
mod out;
mod relay;
mod serve;
mod source;
mod web;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use serde_json::{Value, json};

use crate::args::Args;
use crate::out::Out;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return ExitCode::from(not_run(&error)),
    };
    let out = Out::new(args.json, args.quiet);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out.error(&tracebook_app::Error::internal(error));
            return ExitCode::from(5);
        }
    };
    let code = match runtime.block_on(commands::run(args, &out)) {
        Ok(code) => code,
        Err(error) => {
            out.error(&error);
            error.exit_code()
        }
    };
    // Standard input may be blocked in a read that nobody ends.
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Answers arguments that start nothing: help, the version, and what cannot be understood.
fn not_run(error: &clap::Error) -> u8 {
    let json = std::env::args_os().take_while(|a| a != "--").any(|a| a == "--json");
    let text = || error.render().to_string();
    match (json, error.kind()) {
        (true, ErrorKind::DisplayHelp) => Out::json_only().answer(&json!({ "help": text() }), Value::to_string),
        (true, ErrorKind::DisplayVersion) => {
            Out::json_only().answer(&json!({ "version": env!("CARGO_PKG_VERSION") }), Value::to_string);
        }
        (true, _) => {
            let text = text();
            let said: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
            let message = said.join(" ").trim_start_matches("error: ").to_owned();
            Out::json_only()
                .error(&tracebook_app::Error::usage(message, "`tracebook --help` lists commands and arguments"));
        }
        (false, _) => {
            // A closed pipe is the reader's choice.
            let _ = error.print();
        }
    }
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) { 0 } else { 2 }
}
