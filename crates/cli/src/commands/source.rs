//! `tracebook source`.

use tracebook_app::api::{QueriesRequest, Reach, SecretSet, SourceSet, Sources, SourcesRequest, TokenState, WhoAmI};
use tracebook_app::{Code, Error};

use crate::args::{Source, VendorSettings};
use crate::client::Client;
use crate::input::read_token;
use crate::out::Out;

pub(super) async fn run(client: &Client, command: Source, out: &Out) -> Result<u8, Error> {
    match command {
        Source::List => {
            let sources = client.call(SourcesRequest {}).await?;
            out.answer(&sources, text);
        }
        Source::Set(VendorSettings(settings)) => {
            let sources = client.call(SourceSet(settings)).await?;
            out.answer(&sources, text);
        }
        Source::Token { vendor, forget } => {
            let token = if forget { String::new() } else { read_token()? };
            let sources = client.call(SecretSet { vendor, token, memory_only: false }).await?;
            if let Some(state) = sources.vendors.get(&vendor).filter(|state| state.token == "memory") {
                return Err(Error::new(
                    Code::Storage,
                    "the token was not stored: it would be lost when this command ends",
                    state.keychain_problem.clone(),
                ));
            }
            out.answer(&sources, text);
        }
        Source::Who { vendor } => {
            let identity = client.call(WhoAmI { vendor }).await?;
            out.answer(&identity, |who| {
                let parts = [&who.account, &who.name, &who.region];
                let known: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
                let mut text = known.join(" · ");
                if let Some(fingerprint) = &who.fingerprint {
                    text.push_str(&format!("\n  evidence calls this account {fingerprint}"));
                }
                if let Some(endpoint) = &who.endpoint {
                    let what = if who.emulator { "an emulator answers" } else { "answered" };
                    text.push_str(&format!("\n  {what} at {endpoint}"));
                }
                for note in &who.notes {
                    text.push_str(&format!("\n  {note}"));
                }
                text
            });
        }
        Source::Queries { source } => {
            let list = client.call(QueriesRequest { source }).await?;
            out.table(&list.rows, |q| vec![q.id.clone(), q.from.clone(), q.name.clone(), q.groups.join(", ")]);
            for note in &list.notes {
                out.note(note);
            }
        }
    }
    Ok(0)
}

fn text(sources: &Sources) -> String {
    let aws = &sources.aws;
    let mut lines = vec![
        format!(
            "AWS        profile {}, region {}{}",
            aws.profile.as_deref().unwrap_or("(default credential chain)"),
            aws.effective_region.as_deref().unwrap_or("(none)"),
            aws.endpoint.as_ref().map(|e| format!(", at {e}")).unwrap_or_default(),
        ),
        format!("           profiles: {}", names(aws.profiles.iter().map(|p| format!("{} ({})", p.name, p.kind)))),
    ];
    lines.extend(problem(&aws.reach));
    for (vendor, state) in &sources.vendors {
        lines.push(format!("{:<10} {}, at {}", vendor.info().label, token(state), state.endpoint));
        lines.extend(problem(&state.reach));
    }
    // The same for all tokens but for the variable.
    let problems = sources.vendors.values().map(|state| &state.keychain_problem);
    lines.extend(problems.filter(|problem| !problem.is_empty()).take(1).cloned());
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

fn problem(reach: &Reach) -> Option<String> {
    reach.problem.as_ref().map(|problem| format!("           {}", problem.message))
}

fn names(list: impl Iterator<Item = String>) -> String {
    let list: Vec<String> = list.collect();
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}
