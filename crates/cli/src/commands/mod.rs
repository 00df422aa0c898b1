//! Arguments become requests, answers become text or JSON. One file for each group of commands.

mod attachment;
mod backup;
mod capture;
mod course;
mod demo;
mod doctor;
mod entry;
mod evidence;
mod grading;
mod live;
mod mask;
mod relay;
mod search;
mod serve;
mod signing;
mod source;
mod sync;
mod transfer;

use tracebook_app::{Config, Error, diagnostics};

use crate::args::{Args, Command, Doctor};
use crate::client::Client;
use crate::out::Out;

/// Runs a command and returns the exit code.
pub(crate) async fn run(args: Args, out: &Out) -> Result<u8, Error> {
    if let Some(form) = args.command.not_built() {
        return Err(Error::not_built(form));
    }
    let data_dir = match &args.command {
        command if !command.uses_journal() => None,
        Command::Demo { .. } if args.data.is_none() => Some(tracebook_app::demo::throw_away_dir()?),
        _ => Some(Config::data_dir(args.data)?),
    };
    diagnostics::start(data_dir.as_deref(), args.verbose)?;
    let data_dir = data_dir.unwrap_or_default();
    match args.command {
        Command::Serve(serve) => serve::run(data_dir, serve, args.json, out).await,
        Command::Demo { out: folder } => demo::run(data_dir, folder, out).await,
        Command::Verify(verify) => grading::verify(&verify, out),
        // Both work on a journal that cannot be opened.
        Command::Restore { file } => backup::restore(&data_dir, &file, out).await,
        Command::Doctor(Doctor { repair: true, .. }) => doctor::repair(&data_dir, out).await,
        command => {
            let client = Client::open(data_dir).await?;
            for problem in client.tracebook.problems() {
                out.warn(&problem);
            }
            let code = with_journal(&client, command, out).await;
            client.close().await;
            code
        }
    }
}

async fn with_journal(client: &Client, command: Command, out: &Out) -> Result<u8, Error> {
    match command {
        Command::Entry(command) => entry::run(client, command, out).await,
        Command::Course(command) => course::run(client, command, out).await,
        Command::Homework { entry } => course::homework(client, entry, out).await,
        Command::Slots { entry } => entry::slots(client, entry, out).await,
        Command::Import { paths } => transfer::import(client, paths, out).await,
        Command::Check { entry } => transfer::check(client, entry, out).await,
        Command::Mask(command) => mask::run(client, command, out).await,
        Command::Signing(command) => signing::run(client, command, out).await,
        Command::Export(export) => transfer::export(client, export, out).await,
        Command::Search { words, limit } => search::run(client, &words, limit, out).await,
        Command::Live(live) => live::run(client, live, out).await,
        Command::Capture(capture) => capture::run(client, capture, out).await,
        Command::Evidence(command) => evidence::run(client, command, out).await,
        Command::Attachment(command) => attachment::run(client, command, out).await,
        Command::Doctor(doctor) => doctor::run(client, doctor, out).await,
        Command::Env { target } => doctor::env(client, target, out).await,
        Command::Source(command) => source::run(client, command, out).await,
        Command::Relay(command) => relay::run(client, command, out).await,
        Command::Sync(sync) => sync::run(client, sync, out).await,
        Command::Backup { file } => backup::back_up(client, &file, out).await,
        Command::Serve(_) | Command::Demo { .. } | Command::Verify(_) | Command::Restore { .. } => {
            Err(Error::internal(format!("{command:?} does not use an open journal")))
        }
    }
}
