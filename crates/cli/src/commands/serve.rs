//! `serve`: receivers and web host until Ctrl-C.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::broadcast;

use tracebook_app::{Code, Config, Error, Holder, Listen, ReceiverConfig, Tracebook, WebKey, diagnostics};

use crate::args::Serve;
use crate::out::Out;
use crate::{signals, web};

/// The UI's port unless the user names one; where it is taken, a free one is used.
const UI_PORT: u16 = 4390;

pub(super) async fn run(data_dir: PathBuf, args: Serve, json: bool, out: &Out) -> Result<u8, Error> {
    diagnostics::announce("serve");
    let listen = |named: Option<SocketAddr>| named.map_or(Listen::Default, Listen::Named);
    let receivers = (!args.no_receivers).then(|| ReceiverConfig {
        http: listen(args.http),
        grpc: listen(args.grpc),
        xray: listen(args.xray),
        containers: args.containers,
        allow_host: args.allow_host.iter().map(|allowed| allowed.host.clone()).collect(),
        allow_origin: args.allow_origin,
    });
    let listeners = match args.ui {
        Some(named) => Some(bind_ui(named).await?),
        None => None,
    };
    let tracebook =
        Tracebook::start(Config { data_dir: data_dir.clone(), receivers, watch: args.watch.clone() }).await?;
    tracebook.watch().await?;
    tokio::spawn(print_relay_log(tracebook.relay_lines(), *out));

    let mut url = None;
    let mut served = None;
    if let Some(listeners) = listeners {
        let key = WebKey::open(&data_dir, args.new_key)?;
        let host = web::Host::new(std::sync::Arc::clone(&tracebook), args.allow_host, key, &listeners)?;
        url = Some(host.url());
        let stopping = tracebook.stopping();
        served = Some(tokio::spawn(web::serve(listeners, host, stopping)));
    }

    // From here on a Ctrl-C ends it cleanly: whoever reads the ready line may interrupt it at once.
    let mut interrupts = signals::Interrupts::listen();
    let listening = |name: &str| tracebook.listens_on(name);
    let on_bridges = |name: &str| -> Vec<String> {
        tracebook.listens_for_containers(name).iter().map(ToString::to_string).collect()
    };
    let elsewhere = tracebook.received_elsewhere();
    if json {
        let mut ready = json!({ "ready": true, "http": listening("http"), "grpc": listening("grpc"), "xray": listening("xray"), "ui": url.as_ref().map(|url| json!({ "url": url })) });
        if args.containers {
            ready["containers"] =
                json!({ "http": on_bridges("http"), "grpc": on_bridges("grpc"), "xray": on_bridges("xray") });
        }
        if let Some(holder) = elsewhere {
            ready["elsewhere"] = json!(holder);
        }
        out.answer(&ready, |_| String::new());
    } else {
        let mut lines = Vec::new();
        for (what, name) in [
            ("HTTP (OTLP, CloudWatch Logs, Rollbar)", "http"),
            ("OTLP over gRPC", "grpc"),
            ("X-Ray (UDP and TCP)", "xray"),
        ] {
            let addresses: Vec<String> = listening(name).into_iter().chain(on_bridges(name)).collect();
            lines.extend((!addresses.is_empty()).then(|| format!("{what:<39}{}\n", addresses.join("  "))));
        }
        lines.extend(url.as_ref().map(|url| format!("{:<39}{url}\n", "UI")));
        out.answer(&(), |()| format!("{}Ctrl-C stops.", lines.concat()));
    }
    if args.containers {
        out.warn("--containers: every container on this machine's bridge networks can send to this journal");
    }
    if let Some(holder) = elsewhere.filter(|_| !args.no_receivers) {
        out.warn(&held_elsewhere(holder));
    }
    for problem in tracebook.problems() {
        out.warn(&problem);
    }

    interrupts.next().await;
    tracing::info!("stopping");
    out.note("Stopping…");
    tracebook.shutdown().await;
    if let Some(served) = served {
        served.await.map_err(Error::internal)?;
    }
    Ok(0)
}

/// Names the other process that has this journal's receivers.
fn held_elsewhere(holder: &Holder) -> String {
    let listeners = [("HTTP", &holder.http), ("gRPC", &holder.grpc), ("X-Ray", &holder.xray)];
    let listeners: Vec<String> =
        listeners.into_iter().filter_map(|(name, address)| Some(format!("{name} on {}", address.as_ref()?))).collect();
    format!(
        "process {} holds this journal's receivers ({}). This process sees what they store; to listen here as well, name other ports, for example --http 127.0.0.1:0",
        holder.pid,
        if listeners.is_empty() { "none is open".to_owned() } else { listeners.join(", ") }
    )
}

/// Prints the relay's log, which has the form of the X-Ray daemon's.
async fn print_relay_log(mut lines: broadcast::Receiver<String>, out: Out) {
    loop {
        match lines.recv().await {
            Ok(line) => out.log(&line),
            Err(broadcast::error::RecvError::Lagged(n)) => out.log(&format!("({n} lines were skipped)")),
            Err(broadcast::error::RecvError::Closed) => break,
        }
    }
}

/// The listeners of the UI: unless the user names an address, of both loopback addresses where this machine has both.
async fn bind_ui(named: Option<SocketAddr>) -> Result<Vec<TcpListener>, Error> {
    let refused = |address: SocketAddr, error: std::io::Error| {
        Error::new(
            Code::Unreachable,
            format!("cannot listen on {address}: {error}"),
            "Name another port with --ui, or port 0 for any free one",
        )
    };
    match named {
        Some(address) if !address.ip().is_loopback() => Err(Error::usage(
            format!("{address} is not a loopback address"),
            "The UI can read and write your files: serve it on 127.0.0.1 and let your workspace forward the port (see --allow-host)",
        )),
        Some(address) => Ok(vec![TcpListener::bind(address).await.map_err(|e| refused(address, e))?]),
        None => {
            let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, UI_PORT));
            let first = match TcpListener::bind(usual).await {
                Ok(listener) => listener,
                Err(_) => {
                    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                    TcpListener::bind(any).await.map_err(|e| refused(any, e))?
                }
            };
            let port = first.local_addr().map_err(Error::internal)?.port();
            // Without it, the printed URL works all the same.
            let other = TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await.ok();
            Ok(std::iter::once(first).chain(other).collect())
        }
    }
}
