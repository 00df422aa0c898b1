//! `tracebook sync`.

use std::io::IsTerminal as _;

use tracebook_app::Error;
use tracebook_app::api::{SyncChange, SyncForget, SyncRun, SyncStatus, SyncStatusRequest, Synced, SyncedEntry};
use tracebook_core::text::count;

use crate::args::{Sync, SyncCommand};
use crate::client::Client;
use crate::input::with_passphrase;
use crate::out::Out;

pub(super) async fn run(client: &Client, sync: Sync, out: &Out) -> Result<u8, Error> {
    match sync.command {
        Some(SyncCommand::Status) => out.answer(&client.call(SyncStatusRequest {}).await?, status),
        Some(SyncCommand::Forget) => {
            let there = client.call(SyncForget {}).await?;
            out.answer(&there, |there| if *there { "forgotten" } else { "there was none" }.to_owned());
        }
        None => {
            let ask = |passphrase| {
                client.call(SyncRun {
                    repo: sync.repo.clone(),
                    remote: sync.remote.clone(),
                    branch: sync.branch.clone(),
                    folder: sync.folder.clone(),
                    dry_run: sync.dry_run,
                    prompt: std::io::stdin().is_terminal(),
                    passphrase,
                })
            };
            let done = with_passphrase(ask).await?;
            out.answer(&done, synced);
            out.warnings(&done.warnings);
        }
    }
    Ok(0)
}

fn synced(done: &Synced) -> String {
    let mut text = String::new();
    let would = if done.dry_run { "would be " } else { "" };
    for entry in &done.imported.entries {
        text.push_str(&format!("from {}: {}\n", done.branch, line(entry, would)));
    }
    for entry in &done.exported.entries {
        text.push_str(&format!("to {}: {}\n", done.branch, line(entry, would)));
    }
    for conflict in &done.conflicts {
        text.push_str(&format!("conflict in {} ({}): {}\n", conflict.entry, conflict.title, conflict.message));
    }
    let place = format!("{} on {}", done.branch, done.remote);
    if done.dry_run {
        text.push_str(&match done.message.lines().next() {
            Some(message) => format!("would be committed to {place}: {message}\n"),
            None => format!("nothing would be committed to {place}\n"),
        });
        return text;
    }
    match (done.pushed, &done.commit) {
        (true, Some(commit)) => {
            let message = done.message.lines().next().unwrap_or_default();
            let files = count(done.exported.written.len() + done.exported.removed.len(), "file");
            text.push_str(&format!("pushed {} to {place}, {files}: {message}\n", short(commit)));
        }
        _ => text.push_str(&format!("nothing to publish; equal to {place}\n")),
    }
    text
}

fn status(status: &SyncStatus) -> String {
    if !status.configured {
        return "not published by git: tracebook sync --repo DIR".to_owned();
    }
    let folder = if status.folder.is_empty() { String::new() } else { format!(", folder {}", status.folder) };
    let mut text = format!("{}: {} on {}{folder}\n", status.repo, status.branch, status.remote);
    match (&status.commit, &status.synced_at) {
        (Some(commit), Some(at)) => text.push_str(&format!("last synced at {at}, with {}\n", short(commit))),
        _ => text.push_str("not synced yet\n"),
    }
    for entry in &status.changed {
        text.push_str(&format!("to publish: {}\n", line(entry, "")));
    }
    text
}

fn line(entry: &SyncedEntry, would: &str) -> String {
    let change = match entry.change {
        SyncChange::Added => "added",
        SyncChange::Edited => "edited",
        SyncChange::Deleted => "deleted",
        SyncChange::Restored => "restored",
    };
    format!("{} ({}) {would}{change}", entry.entry, entry.title)
}

fn short(commit: &str) -> String {
    commit.chars().take(10).collect()
}
