//! `serve`: receivers and web host until Ctrl-C.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::json;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use tracebook_app::Holder;
use tracebook_app::{Code, Config, Error, Listen, ReceiverConfig, Tracebook};

use crate::args::Serve;
use crate::out::Out;
use crate::web;

/// Where the UI is served unless the user names an address; another free port where it is taken.
const UI_PORT: u16 = 4390;

pub(crate) async fn run(data_dir: PathBuf, args: Serve, json: bool, out: &Out) -> Result<u8, Error> {
    let listen = |named: Option<SocketAddr>| named.map_or(Listen::Default, Listen::Named);
    let receivers = (!args.no_receivers).then(|| ReceiverConfig {
        http: listen(args.http),
        grpc: listen(args.grpc),
        xray: listen(args.xray),
        containers: args.containers,
        allow_origin: args.allow_origin,
    });
    let listener = match args.ui {
        Some(named) => Some(bind_ui(named).await?),
        None => None,
    };
    let tracebook = Tracebook::start(Config { data_dir, receivers, watch: args.watch.clone() }).await?;
    tracebook.watch().await?;
    tokio::spawn(tell(tracebook.relay_lines(), *out));

    let mut url = None;
    let mut served = None;
    if let Some(listener) = listener {
        let host = web::Host::new(std::sync::Arc::clone(&tracebook), args.allow_host, &listener)?;
        url = Some(host.url());
        let stopping = tracebook.stopping();
        served = Some(tokio::spawn(web::serve(listener, host, stopping)));
    }

    let listening = |name: &str| tracebook.listens_on(name);
    let (http, grpc, xray) = (listening("http"), listening("grpc"), listening("xray"));
    let elsewhere = tracebook.received_elsewhere();
    if json {
        let mut ready = json!({ "ready": true, "http": http, "grpc": grpc, "xray": xray, "ui": url.as_ref().map(|url| json!({ "url": url })) });
        if let Some(holder) = elsewhere {
            ready["elsewhere"] = json!(holder);
        }
        out.answer(&ready, |_| String::new());
    } else {
        let line = |what: &str, address: Option<&str>| address.map(|a| format!("{what:<39}{a}\n")).unwrap_or_default();
        out.answer(&(), |()| {
            format!(
                "{}{}{}{}Ctrl-C stops.",
                line("HTTP (OTLP, CloudWatch Logs, Rollbar)", http.as_deref()),
                line("OTLP over gRPC", grpc.as_deref()),
                line("X-Ray (UDP and TCP)", xray.as_deref()),
                line("UI", url.as_deref())
            )
        });
    }
    if args.containers {
        out.warn("--containers: every container on this machine's bridge can send to this journal");
    }
    if let Some(holder) = elsewhere.filter(|_| !args.no_receivers) {
        out.warn(&held(holder));
    }
    for problem in tracebook.problems() {
        out.warn(&problem);
    }

    stopped().await;
    out.note("Stopping…");
    tracebook.shutdown().await;
    if let Some(served) = served {
        served.await.map_err(Error::internal)??;
    }
    Ok(0)
}

/// Says who receives for this journal, where it is somebody else.
fn held(holder: &Holder) -> String {
    let ends = [("HTTP", &holder.http), ("gRPC", &holder.grpc), ("X-Ray", &holder.xray)];
    let ends: Vec<String> =
        ends.into_iter().filter_map(|(name, address)| Some(format!("{name} on {}", address.as_ref()?))).collect();
    format!(
        "process {} holds this journal's receivers ({}). What it stores is seen here too; to listen here as well, name other ports, such as --http 127.0.0.1:0",
        holder.pid,
        if ends.is_empty() { "none is open".to_owned() } else { ends.join(", ") }
    )
}

/// What is sent on, as the X-Ray daemon tells it.
async fn tell(mut lines: broadcast::Receiver<String>, out: Out) {
    loop {
        match lines.recv().await {
            Ok(line) => out.log(&line),
            Err(broadcast::error::RecvError::Lagged(n)) => out.log(&format!("({n} lines were left out)")),
            Err(broadcast::error::RecvError::Closed) => break,
        }
    }
}

async fn bind_ui(named: Option<SocketAddr>) -> Result<tokio::net::TcpListener, Error> {
    let refused = |address: SocketAddr, error: std::io::Error| {
        Error::new(
            Code::Unreachable,
            format!("{address} cannot be listened on: {error}"),
            "Name another port with --ui, or port 0 for any that is free",
        )
    };
    match named {
        Some(address) if !address.ip().is_loopback() => Err(Error::usage(
            format!("{address} is not a loopback address"),
            "The UI can read and write files as you: serve it on 127.0.0.1 and let your workspace forward the port (with --allow-host NAME)",
        )),
        Some(address) => tokio::net::TcpListener::bind(address).await.map_err(|e| refused(address, e)),
        None => {
            let usual = SocketAddr::from(([127, 0, 0, 1], UI_PORT));
            match tokio::net::TcpListener::bind(usual).await {
                Ok(listener) => Ok(listener),
                Err(_) => {
                    let any = SocketAddr::from(([127, 0, 0, 1], 0));
                    tokio::net::TcpListener::bind(any).await.map_err(|e| refused(any, e))
                }
            }
        }
    }
}

/// Is cancelled by Ctrl-C, or by the polite way to end a process.
pub(crate) fn stopped_token() -> CancellationToken {
    let token = CancellationToken::new();
    let ours = token.clone();
    tokio::spawn(async move {
        stopped().await;
        ours.cancel();
    });
    token
}

/// Ctrl-C, or the polite way to end a process.
pub(crate) async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else {
            // Without a handler the system's own applies, and Ctrl-C still works.
            let _ = tokio::signal::ctrl_c().await;
            return;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
}
