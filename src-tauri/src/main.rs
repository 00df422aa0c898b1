//! `tracebook-desktop`: the window.
//!
//! **For:** one window over [`tracebook_app`]: one `rpc` command, its events, the cards as pictures, dialogs to
//! choose files, and how the window closes ([`closing`]).
//!
//! **Never:** SQL, HTTP, business decisions. It is the only room that knows Tauri.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod closing;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Value as Json, json};
use tauri::http::{Request as HttpRequest, Response as HttpResponse, StatusCode, header};
use tauri::{AppHandle, Emitter as _, Manager as _, RunEvent, State, WebviewUrl, WebviewWindowBuilder, WindowEvent};

use tracebook_app::ErrorBody;
use tracebook_app::evidence::{Size, themed};
use tracebook_app::rpc::{Caller, Event, Request, Topic};
use tracebook_app::{Config, Error, Listen, ReceiverConfig, Tracebook};

use crate::closing::Closing;

/// The name of the event that carries every [`Event`].
const EVENT: &str = "tracebook";
/// A card is shown as a picture and does nothing.
const CARD_CSP: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

fn main() -> ExitCode {
    if let Some(code) = without_display() {
        return code;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&Error::internal(error)),
    };
    let tracebook = match runtime.block_on(start()) {
        Ok(tracebook) => tracebook,
        Err(error) => return failed(&error),
    };
    tauri::async_runtime::set(runtime.handle().clone());
    let code = run(Arc::clone(&tracebook));
    runtime.block_on(tracebook.shutdown());
    code
}

async fn start() -> Result<Arc<Tracebook>, Error> {
    let (config, verbosity) = config()?;
    tracebook_app::diagnostics::start(Some(&config.data_dir), verbosity)?;
    let tracebook = Tracebook::start(config).await?;
    tracebook.watch().await?;
    Ok(tracebook)
}

/// The window's arguments, named as on the command line (`--data DIR`, `--http`, `--grpc` and `--xray ADDRESS`,
/// `--watch COMMAND`, `-v`), and how often `-v` was given.
fn config() -> Result<(Config, u8), Error> {
    let mut data = None;
    let mut verbosity = 0_u8;
    let mut watch = Vec::new();
    let mut receivers = ReceiverConfig::default();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let (name, inline) = match arg.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (arg.as_str(), None),
        };
        if let Some(flags) = arg.strip_prefix('-').filter(|flags| !flags.is_empty() && flags.chars().all(|c| c == 'v'))
        {
            verbosity = verbosity.saturating_add(u8::try_from(flags.len()).unwrap_or(u8::MAX));
            continue;
        }
        if !["--data", "--http", "--grpc", "--xray", "--watch"].contains(&name) {
            return Err(Error::usage(
                format!("the window does not know {arg:?}"),
                "It takes --data DIR, --http, --grpc and --xray ADDRESS, --watch COMMAND and -v; everything else is in `tracebook --help`",
            ));
        }
        let value = inline.or_else(|| args.next()).ok_or_else(|| Error::usage(format!("{name} needs a value"), ""))?;
        let address = || {
            value.parse().map(Listen::Named).map_err(|_| {
                Error::usage(format!("{value:?} is no address"), format!("Write for example {name} 127.0.0.1:0"))
            })
        };
        match name {
            "--http" => receivers.http = address()?,
            "--grpc" => receivers.grpc = address()?,
            "--xray" => receivers.xray = address()?,
            "--watch" => watch.push(value),
            _ => data = Some(PathBuf::from(&value)),
        }
    }
    Ok((Config { data_dir: Config::data_dir(data)?, receivers: Some(receivers), watch }, verbosity))
}

fn run(tracebook: Arc<Tracebook>) -> ExitCode {
    let mut context = tauri::generate_context!();
    // `make dev-window`: the pages come from Vite. No build that is given to users can be pointed elsewhere.
    if cfg!(debug_assertions) {
        context.config_mut().build.dev_url = std::env::var("TRACEBOOK_DEV_URL").ok().and_then(|url| url.parse().ok());
    }
    let built = tauri::Builder::default()
        .plugin(tauri_plugin_dialog::init())
        .manage(Arc::clone(&tracebook))
        .manage(Closing::default())
        .invoke_handler(tauri::generate_handler![rpc, closing::closing])
        .register_asynchronous_uri_scheme_protocol("tracebook", |context, request, responder| {
            let tracebook = self::tracebook(context.app_handle());
            tauri::async_runtime::spawn(async move { responder.respond(picture(&tracebook, &request).await) });
        })
        .setup(|app| {
            WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
                .title("Tracebook")
                .inner_size(1280.0, 860.0)
                .min_inner_size(700.0, 480.0)
                .build()?;
            forward_events(app.handle());
            Ok(())
        })
        .build(context);
    let app = match built {
        Ok(app) => app,
        Err(error) => return failed(&Error::internal(error)),
    };
    // `run` would end the process here, before the receivers have stored what they hold.
    let code = app.run_return(|app, event| {
        if let RunEvent::WindowEvent { label, event: WindowEvent::CloseRequested { api, .. }, .. } = event {
            closing::requested(app, &label, &api);
        }
    });
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

fn tracebook(app: &AppHandle) -> Arc<Tracebook> {
    Arc::clone(app.state::<Arc<Tracebook>>().inner())
}

/// The one command (the other, [`closing::closing`], is about the window itself).
#[tauri::command]
async fn rpc(
    cmd: String,
    args: Json,
    client: Option<String>,
    call: Option<String>,
    tracebook: State<'_, Arc<Tracebook>>,
) -> Result<Box<RawValue>, ErrorBody> {
    let request: Request = serde_json::from_value(json!({ "cmd": cmd, "args": args })).map_err(|e| {
        Error::usage(format!("{cmd}: {e}"), "The window and the app do not fit: install Tracebook anew").body()
    })?;
    let caller = Caller { client: client.unwrap_or_default(), call: call.unwrap_or_default() };
    tracebook.rpc(request, &caller).await.map_err(|e| e.body())
}

fn forward_events(app: &AppHandle) {
    let app = app.clone();
    let mut events = tracebook(&app).events();
    tauri::async_runtime::spawn(async move {
        loop {
            let event = match events.recv().await {
                Ok(event) => event,
                // Too slow to see them all: everything may have changed.
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                    Event::Changed { topic: Topic::All, id: String::new(), by: String::new() }
                }
                Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
            };
            // A window that is gone needs no event.
            let _ = app.emit(EVENT, event);
        }
    });
}

/// `tracebook://localhost/card/<id>.svg?size=compact&theme=dark`, `…/live/<trace id>.svg`, and `…/livecard/<id>.svg?at=<time>`.
async fn picture(tracebook: &Tracebook, request: &HttpRequest<Vec<u8>>) -> HttpResponse<Vec<u8>> {
    let query = request.uri().query().unwrap_or_default();
    let asked = |key: &str| query.split('&').filter_map(|pair| pair.split_once('=')).find(|(k, _)| *k == key);
    let size = Size::of(asked("size").map_or("", |(_, size)| size));
    let path = request.uri().path().trim_start_matches('/').trim_end_matches(".svg");
    let drawn = match path.split_once('/') {
        Some(("card", id)) => match id.parse() {
            Ok(id) => tracebook.card(id, size).await,
            Err(_) => Err(Error::not_found(format!("no card {id}"), "")),
        },
        Some(("live", id)) => tracebook.live_trace(id, size).await,
        Some(("livecard", id)) => match id.parse() {
            Ok(id) => tracebook.live_card_picture(id, asked("at").map(|(_, at)| at), size).await,
            Err(_) => Err(Error::not_found(format!("no live card {id}"), "")),
        },
        _ => Err(Error::not_found(format!("nothing at {path}"), "")),
    };
    let (status, kind, body) = match drawn {
        Ok(svg) => {
            let svg = asked("theme").map_or(svg.clone(), |(_, theme)| themed(&svg, theme == "dark"));
            (StatusCode::OK, "image/svg+xml", svg)
        }
        Err(error) => (StatusCode::NOT_FOUND, "text/plain", error.message),
    };
    let mut response = HttpResponse::new(body.into_bytes());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(CARD_CSP));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    response
}

/// Says what is missing where there is no display: the toolkit would only panic.
fn without_display() -> Option<ExitCode> {
    let shown = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    if cfg!(target_os = "linux") && !shown("DISPLAY") && !shown("WAYLAND_DISPLAY") {
        say(
            "There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set).\n  Use `tracebook serve --ui` and open the URL it prints in a browser.",
        );
        return Some(ExitCode::from(5));
    }
    None
}

fn failed(error: &Error) -> ExitCode {
    say(&format!("error: {}\n  {}", error.message, error.hint));
    ExitCode::from(error.exit_code())
}

#[expect(clippy::print_stderr, reason = "before the window is there, this is the only place to say anything")]
fn say(text: &str) {
    eprintln!("{text}");
}
