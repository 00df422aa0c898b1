//! The app's commands, for the page.

#![expect(clippy::let_underscore_must_use, reason = "what `tauri::command` expands to")]

use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use tauri::State;

use tracebook_app::api::{self, Caller, Request};
use tracebook_app::{Error, ErrorBody, Tracebook};

/// Carries out a command of the app. The window's own command is [`crate::closing::closing`].
#[tauri::command]
pub(crate) async fn rpc(
    cmd: String,
    args: Json,
    client: Option<String>,
    call: Option<String>,
    tracebook: State<'_, Arc<Tracebook>>,
) -> Result<Box<RawValue>, ErrorBody> {
    let request: Request = serde_json::from_value(json!({ "cmd": cmd, "args": args })).map_err(|e| {
        Error::usage(format!("{cmd}: {e}"), "The window and the app have different versions: reinstall Tracebook")
            .body()
    })?;
    let caller = Caller { client: client.unwrap_or_default(), call: call.unwrap_or_default() };
    api::rpc(&tracebook, request, &caller).await.map_err(|e| e.body())
}
