//! `tracebook relay`.

use tracebook_app::api::{RelayRequest, RelayRow, RelaySet, RelayState};
use tracebook_app::{Code, Error};

use crate::args::Relay;
use crate::client::Client;
use crate::input::read_token;
use crate::out::Out;

pub(super) async fn run(client: &Client, command: Relay, out: &Out) -> Result<u8, Error> {
    let state = match command {
        Relay::Status => client.call(RelayRequest {}).await?,
        Relay::Set { name, on, off, endpoint, key, header } => {
            let on = (on || off).then_some(on);
            client.call(RelaySet { name, on, endpoint, key, header, ..RelaySet::default() }).await?
        }
        Relay::Token { name, forget } => {
            let token = if forget { String::new() } else { read_token()? };
            let request = RelaySet { name: name.clone(), token: Some(token), ..RelaySet::default() };
            let state = client.call(request).await?;
            if let Some(row) = state.rows.iter().find(|row| row.name == name && row.credential == "memory") {
                return Err(Error::new(
                    Code::Storage,
                    "the token was not stored: this system has no keychain, and the token would be lost when this command ends",
                    format!("Set {} before starting `tracebook serve`, or enter the token in the window", row.variable),
                ));
            }
            state
        }
        Relay::Retry { name } => client.call(RelaySet { name, again: true, ..RelaySet::default() }).await?,
        Relay::Forget { name } => client.call(RelaySet { name, forget: true, ..RelaySet::default() }).await?,
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
        "Queue: {} of {} MiB. What is older than {} hours or does not fit is dropped unsent, and counted",
        state.bytes.div_ceil(1 << 20),
        state.limit_bytes >> 20,
        state.limit_hours
    ));
    lines.join("\n")
}

fn row(row: &RelayRow) -> String {
    let switch = if row.on { "on" } else { "off" };
    let mut text = format!(
        "{:<8} {switch:<3}  {} queued, {} sent, {} refused, {} dropped ({})\n  {}",
        row.name, row.waiting, row.sent, row.refused, row.dropped, row.unit, row.what
    );
    if row.on && !row.problem.is_empty() {
        text.push_str(&format!("\n  waiting: {}", row.problem));
        if !row.hint.is_empty() {
            text.push_str(&format!(". {}", row.hint));
        }
    }
    if !row.refusal.is_empty() {
        text.push_str(&format!("\n  last refusal: {}", row.refusal));
    }
    text
}
