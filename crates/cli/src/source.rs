//! `tracebook source`: settings, tokens and identity of the cloud sources.

use std::io::Read as _;

use serde_json::json;

use tracebook_app::rpc::{Identity, Listed, Reach, SavedQuery, Sources, TokenState};
use tracebook_app::{Code, Error};

use crate::args::Source;
use crate::commands::Door;
use crate::out::{Out, columns};

pub(crate) async fn run(door: &Door, command: Source, out: &Out) -> Result<u8, Error> {
    match command {
        Source::List => {
            let sources: Sources = door.ask("sources", json!({})).await?;
            out.answer(&sources, text);
        }
        Source::Set { aws_profile, aws_region, aws_endpoint, rollbar_endpoint, rollbar_web, honeycomb_endpoint } => {
            let request = json!({
                "aws_profile": aws_profile, "aws_region": aws_region, "aws_endpoint": aws_endpoint,
                "rollbar_endpoint": rollbar_endpoint, "rollbar_web": rollbar_web, "honeycomb_endpoint": honeycomb_endpoint,
            });
            let sources: Sources = door.ask("source_set", request).await?;
            out.answer(&sources, text);
        }
        Source::Token { vendor, forget } => {
            // Never as an argument: those are in the shell's history, and every process sees them.
            let token = if forget { String::new() } else { from_stdin()? };
            let sources: Sources = door.ask("secret_set", json!({ "vendor": vendor, "token": token })).await?;
            let state = if vendor == "rollbar" { &sources.rollbar } else { &sources.honeycomb };
            if state.token == "memory" {
                return Err(Error::new(
                    Code::Storage,
                    "the token was not kept: it would be gone with this command",
                    state.keychain_problem.clone(),
                ));
            }
            out.answer(&sources, text);
        }
        Source::Who { vendor } => {
            let identity: Identity = door.ask("who_am_i", json!({ "vendor": vendor })).await?;
            out.answer(&identity, |who| {
                let parts = [&who.account, &who.name, &who.region];
                let said: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
                let mut text = said.join(" · ");
                for note in &who.notes {
                    text.push_str(&format!("\n  {note}"));
                }
                text
            });
        }
        Source::Queries { source } => {
            let list: Listed<SavedQuery> = door.ask("queries", json!({ "source": source })).await?;
            out.answer(&list.rows, |rows| {
                columns(
                    &rows
                        .iter()
                        .map(|q| vec![q.id.clone(), q.from.clone(), q.name.clone(), q.groups.join(", ")])
                        .collect::<Vec<_>>(),
                )
            });
            for note in &list.notes {
                out.note(note);
            }
        }
    }
    Ok(0)
}

/// A token, from standard input.
pub(crate) fn from_stdin() -> Result<String, Error> {
    /// Longer than any token.
    const MOST: u64 = 10_000;
    let mut text = String::new();
    std::io::stdin().take(MOST).read_to_string(&mut text).map_err(|e| {
        Error::usage(format!("the token cannot be read: {e}"), "Pipe it in, or paste it and end with Ctrl-D")
    })?;
    match text.trim() {
        "" => Err(Error::usage(
            "no token was given",
            "Pipe it in, or paste it and end with Ctrl-D; --forget takes it away",
        )),
        token => Ok(token.to_owned()),
    }
}

fn text(sources: &Sources) -> String {
    let aws = &sources.aws;
    let mut lines = vec![
        format!(
            "AWS        profile {}, region {}{}",
            aws.profile.as_deref().unwrap_or("(the default chain)"),
            aws.effective_region.as_deref().unwrap_or("(none)"),
            aws.endpoint.as_ref().map(|e| format!(", at {e}")).unwrap_or_default(),
        ),
        format!("           profiles: {}", names(aws.profiles.iter().map(|p| format!("{} ({})", p.name, p.kind)))),
    ];
    lines.extend(trouble(&aws.reach));
    for (name, state) in [("Rollbar", &sources.rollbar), ("Honeycomb", &sources.honeycomb)] {
        lines.push(format!("{name:<10} {}, at {}", token(state), state.endpoint));
        lines.extend(trouble(&state.reach));
    }
    if !sources.rollbar.keychain_problem.is_empty() {
        lines.push(sources.rollbar.keychain_problem.clone());
    }
    lines.push(sources.usage.summary.clone());
    lines.join("\n")
}

fn token(state: &TokenState) -> String {
    match state.token.as_str() {
        "none" => format!("no token ({} is not set)", state.variable),
        "environment" => format!("token from {}", state.variable),
        place => format!("token from the {place}"),
    }
}

fn trouble(reach: &Reach) -> Option<String> {
    reach.problem.as_ref().map(|problem| format!("           {}", problem.message))
}

fn names(list: impl Iterator<Item = String>) -> String {
    let list: Vec<String> = list.collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}
