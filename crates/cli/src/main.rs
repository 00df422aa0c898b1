//! `tracebook`: the command line, and the web host (`serve --ui`).
//!
//! Arguments become requests of [`tracebook_app`], answers become text or JSON. No SQL, no HTTP client, no business
//! logic.

mod args;
mod client;
mod commands;
mod input;
mod out;
mod signals;
mod web;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use serde_json::{Value, json};
use tracebook_core::text::is_hidden;

use crate::args::Args;
use crate::out::Out;

/// Threads free what others allocated: receivers spent a tenth of their time in the system's allocator, and it returned
/// less of what a large request had needed.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return ExitCode::from(without_command(&error)),
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
    // A thread may be blocked reading standard input, which cannot be cancelled.
    runtime.shutdown_background();
    ExitCode::from(code)
}

/// Answers arguments that run no command: help, the version, and usage errors.
fn without_command(error: &clap::Error) -> u8 {
    let json = std::env::args_os().take_while(|a| a != "--").any(|a| a == "--json");
    let text = || error.render().to_string();
    match (json, error.kind()) {
        (true, ErrorKind::DisplayHelp) => Out::json_only().answer(&json!({ "help": text() }), Value::to_string),
        (true, ErrorKind::DisplayVersion) => {
            Out::json_only().answer(&json!({ "version": env!("CARGO_PKG_VERSION") }), Value::to_string);
        }
        (true, _) => {
            let text = text();
            let lines: Vec<&str> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
            let message = lines.join(" ").trim_start_matches("error: ").to_owned();
            Out::json_only()
                .error(&tracebook_app::Error::usage(message, "`tracebook --help` lists commands and arguments"));
        }
        // clap repeats the argument that it cannot read.
        (false, _) if text().chars().any(|c| c != '\n' && is_hidden(c)) => out::print_error(text().trim_end()),
        // The reader may have closed the pipe, which is no failure.
        (false, _) => drop(error.print()),
    }
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) { 0 } else { 2 }
}
