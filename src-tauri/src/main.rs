//! `tracebook-desktop`: the window.
//!
//! One window over [`tracebook_app`]: one `rpc` command, its events, the cards as images, file dialogs, and how the
//! window closes ([`closing`]). The only crate that uses Tauri. No SQL, no HTTP, no business logic.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod closing;
#[cfg(target_os = "linux")]
mod renderer;
mod rpc;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use tauri::http::{Request as HttpRequest, Response as HttpResponse, StatusCode, header};
use tauri::{AppHandle, Emitter as _, Manager as _, RunEvent, WebviewUrl, WebviewWindowBuilder, WindowEvent};

use tracebook_app::api::{Event, Topic};
use tracebook_app::{Config, Error, Listen, ReceiverConfig, Tracebook, diagnostics, pictures};

use crate::closing::Closing;

/// The name of the event that carries every [`Event`].
const EVENT: &str = "tracebook";

/// Threads free what others allocated: receivers spent a tenth of their time in the system's allocator, and it returned
/// less of what a large request had needed.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    if let Some(code) = without_display() {
        return code;
    }
    #[cfg(target_os = "linux")]
    renderer::choose();
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
    tracing::info!("stopping");
    runtime.block_on(tracebook.shutdown());
    code
}

async fn start() -> Result<Arc<Tracebook>, Error> {
    let (config, verbosity) = config()?;
    diagnostics::start(Some(&config.data_dir), verbosity)?;
    diagnostics::announce("window");
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
                format!("unexpected argument {arg:?}"),
                "It takes --data DIR, --http, --grpc and --xray ADDRESS, --watch COMMAND and -v; everything else is in `tracebook --help`",
            ));
        }
        let value = inline.or_else(|| args.next()).ok_or_else(|| Error::usage(format!("{name} needs a value"), ""))?;
        let address = || {
            value.parse().map(Listen::Named).map_err(|_| {
                Error::usage(format!("{value:?} is not an address"), format!("Write for example {name} 127.0.0.1:0"))
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
        .invoke_handler(tauri::generate_handler![rpc::rpc, closing::closing])
        .register_asynchronous_uri_scheme_protocol("tracebook", |context, request, responder| {
            let tracebook = self::tracebook(context.app_handle());
            tauri::async_runtime::spawn(async move { responder.respond(picture(&tracebook, &request).await) });
        })
        .setup(|app| {
            WebviewWindowBuilder::new(app, "main", WebviewUrl::App("index.html".into()))
                .title("Tracebook")
                .inner_size(1280.0, 860.0)
                .min_inner_size(700.0, 480.0)
                // The page handles files that are dropped, as in a browser.
                .disable_drag_drop_handler()
                .build()?;
            forward_events(app.handle());
            Ok(())
        })
        .build(context);
    let app = match built {
        Ok(app) => app,
        Err(error) => return failed(&Error::internal(error)),
    };
    // `run` would end the process here, before the receivers have stored what they received.
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

fn forward_events(app: &AppHandle) {
    let app = app.clone();
    let mut events = tracebook(&app).events();
    tauri::async_runtime::spawn(async move {
        loop {
            let event = match events.recv().await {
                Ok(event) => event,
                // Events were missed: anything may have changed.
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {
                    Event::Changed { topic: Topic::All, id: String::new(), by: String::new() }
                }
                Err(tokio::sync::broadcast::error::RecvError::Closed) => break,
            };
            if let Err(error) = app.emit(EVENT, event) {
                tracing::debug!(%error, "an event did not reach the window");
            }
        }
    });
}

/// Answers `tracebook://localhost/…`; see [`pictures::picture`].
async fn picture(tracebook: &Tracebook, request: &HttpRequest<Vec<u8>>) -> HttpResponse<Vec<u8>> {
    let uri = request.uri();
    let path = uri.path().trim_start_matches('/');
    let (status, kind, body, foreign) = match pictures::picture(tracebook, path, uri.query().unwrap_or_default()).await
    {
        Ok(picture) => (StatusCode::OK, picture.media, picture.bytes, picture.foreign),
        Err(error) => (StatusCode::NOT_FOUND, "text/plain", error.message.into_bytes(), false),
    };
    let mut response = HttpResponse::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_SECURITY_POLICY, header::HeaderValue::from_static(pictures::CSP));
    let disposition = if foreign { "attachment" } else { "inline" };
    headers.insert(header::CONTENT_DISPOSITION, header::HeaderValue::from_static(disposition));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    response
}

/// Reports a missing display, where the toolkit would panic.
fn without_display() -> Option<ExitCode> {
    let shown = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    if cfg!(target_os = "linux") && !shown("DISPLAY") && !shown("WAYLAND_DISPLAY") {
        print_error(
            "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set).\n  Use `tracebook serve --ui` and open the URL it prints in a browser.",
        );
        return Some(ExitCode::from(5));
    }
    None
}

fn failed(error: &Error) -> ExitCode {
    print_error(&format!("error: {}\n  {}", error.message, error.hint));
    ExitCode::from(error.exit_code())
}

#[expect(clippy::print_stderr, reason = "without a window there is no other place for messages")]
fn print_error(text: &str) {
    eprintln!("{}", tracebook_app::marked(text));
}
