//! `tracebook relay`: what is sent on to the real services.

use serde_json::{Value as Json, json};

use tracebook_app::rpc::{RelayRow, RelayState};
use tracebook_app::{Code, Error};

use crate::args::Relay;
use crate::commands::Door;
use crate::out::Out;

pub(crate) async fn run(door: &Door, command: Relay, out: &Out) -> Result<u8, Error> {
    let set = |request: Json| door.ask::<RelayState>("relay_set", request);
    let state = match command {
        Relay::Status => door.ask("relay_status", json!({})).await?,
        Relay::Set { name, on, off, endpoint, key, header } => {
            let on = (on || off).then_some(on);
            set(json!({ "name": name, "on": on, "endpoint": endpoint, "key": key, "header": header })).await?
        }
        Relay::Token { name, forget } => {
            // Never as an argument: those are in the shell's history, and every process sees them.
            let token = if forget { String::new() } else { crate::source::from_stdin()? };
            let state = set(json!({ "name": name, "token": token })).await?;
            if let Some(row) = state.rows.iter().find(|row| row.name == name && row.credential == "memory") {
                return Err(Error::new(
                    Code::Storage,
                    "the token was not kept: this system has no keychain, and it would be gone with this command",
                    format!("Set {} before starting `tracebook serve`, or give it in the window", row.variable),
                ));
            }
            state
        }
        Relay::Retry { name } => set(json!({ "name": name, "again": true })).await?,
        Relay::Forget { name } => set(json!({ "name": name, "forget": true })).await?,
    };
    out.answer(&state, text);
    Ok(0)
}

fn text(state: &RelayState) -> String {
    let mut lines: Vec<String> = state.rows.iter().map(row).collect();
    if !state.problem.is_empty() {
        lines.push(state.problem.clone());
    }
    lines.push(format!(
        "{} of {} MiB wait, for {} hours at most; then the oldest go unsent and are counted",
        state.bytes.div_ceil(1 << 20),
        state.limit_bytes >> 20,
        state.limit_hours
    ));
    lines.join("\n")
}

fn row(row: &RelayRow) -> String {
    let switch = if row.on { "on" } else { "off" };
    let mut text = format!(
        "{:<8} {switch:<3}  {} waiting, {} sent, {} refused, {} dropped ({})\n  {}",
        row.name, row.waiting, row.sent, row.refused, row.dropped, row.unit, row.what
    );
    if row.on && !row.problem.is_empty() {
        text.push_str(&format!("\n  waits: {}", row.problem));
        if !row.hint.is_empty() {
            text.push_str(&format!(". {}", row.hint));
        }
    }
    if !row.refusal.is_empty() {
        text.push_str(&format!("\n  refused last: {}", row.refusal));
    }
    text
}
