//! The local ends: which ports, who holds them, and what arrives being committed.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use tracebook_core::clock::Clock;
use tracebook_core::telemetry::SpanRecord;
use tracebook_sources::receive::{Commit, CommitError, Counters, guard};
use tracebook_sources::{otlp, xray};
use tracebook_store::Telemetry;

use crate::config::{Listen, ReceiverConfig};
use crate::error::{Code, Error};
use crate::rpc::Receiver;
use crate::system::SystemClock;
use crate::tracebook::{cannot_write, lock_file};

/// The port that OTLP over HTTP has by convention.
pub const HTTP_PORT: u16 = 4318;
/// The X-Ray daemon's port.
pub const XRAY_PORT: u16 = 2000;

/// What is listened on.
#[derive(Debug)]
pub(crate) struct Receivers {
    list: Vec<Receiver>,
    /// Held as long as this process has the journal's receivers.
    _lock: Option<File>,
}

/// What the lock file says of the process that has the receivers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    http: Option<String>,
    xray: Option<String>,
}

/// Commits what receivers decode.
struct Committer {
    telemetry: Telemetry,
}

#[async_trait]
impl Commit for Committer {
    async fn commit(&self, batch: Vec<SpanRecord>) -> Result<(), CommitError> {
        self.telemetry
            .commit(&batch, SystemClock.now())
            .await
            .map_err(|e| CommitError { retryable: e.is_passing(), message: format!("{e}. {}", e.hint()) })
    }
}

impl Receivers {
    /// No receivers in this process; says whether another one has them.
    pub(crate) fn elsewhere(data_dir: &Path) -> Self {
        let holder = holder(data_dir).unwrap_or_default();
        Self { list: vec![elsewhere("http", holder.http), elsewhere("xray", holder.xray)], _lock: None }
    }

    pub(crate) async fn start(
        wanted: ReceiverConfig,
        data_dir: &Path,
        telemetry: &Telemetry,
        counters: &Arc<Counters>,
        token: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, Error> {
        let mut lock = lock_file(&data_dir.join("receivers.lock"))?;
        let ours = lock.try_lock().is_ok();
        let other = if ours { None } else { holder(data_dir) };
        let commit: Arc<dyn Commit> = Arc::new(Committer { telemetry: telemetry.clone() });
        let bridge = if wanted.containers { container_bridges() } else { Vec::new() };

        let http = Door {
            name: "http",
            port: HTTP_PORT,
            listen: wanted.http,
            theirs: other.as_ref().and_then(|o| o.http.clone()),
            ours,
        };
        let http_listeners = http.open(&bridge, |address| {
            let listener = std::net::TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            tokio::net::TcpListener::from_std(listener)
        })?;
        let xray = Door {
            name: "xray",
            port: XRAY_PORT,
            listen: wanted.xray,
            theirs: other.as_ref().and_then(|o| o.xray.clone()),
            ours,
        };
        let xray_listeners = xray.open(&bridge, xray::receiver::bind_pair)?;

        let bridge_names: Vec<String> = bridge.iter().map(ToString::to_string).collect();
        let allowed: Arc<dyn Fn(&str) -> bool + Send + Sync> =
            Arc::new(move |host| bridge_names.iter().any(|b| b == host));
        let mut list = Vec::new();
        let mut problems = http_listeners.problems;
        let mut address = None;
        for listener in http_listeners.open {
            address = address.or(listener.local_addr().ok());
            let router = guard(otlp::receiver::router(Arc::clone(&commit), Arc::clone(counters)), Arc::clone(&allowed));
            serve(listener, router, token, tasks);
        }
        list.push(http_listeners.row.at(address, &mut problems));

        let mut problems = xray_listeners.problems;
        let mut address = None;
        for (udp, tcp) in xray_listeners.open {
            address = address.or(udp.local_addr().ok());
            tasks.spawn(xray::receiver::serve_udp(udp, Arc::clone(&commit), Arc::clone(counters), token.clone()));
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            let router = guard(
                xray::receiver::tcp_router(Arc::clone(&commit), Arc::clone(counters), clock),
                Arc::clone(&allowed),
            );
            tcp.set_nonblocking(true).map_err(Error::internal)?;
            serve(tokio::net::TcpListener::from_std(tcp).map_err(Error::internal)?, router, token, tasks);
        }
        list.push(xray_listeners.row.at(address, &mut problems));

        if wanted.containers
            && bridge.is_empty()
            && let Some(first) = list.first_mut()
        {
            first.problem = "--containers: no container bridge (docker0, podman0, br-…) was found on this machine, so only loopback is listened on".to_owned();
        }
        if ours {
            let address = |name: &str| list.iter().find(|r: &&Receiver| r.name == name).and_then(|r| r.address.clone());
            let holder = Holder { pid: std::process::id(), http: address("http"), xray: address("xray") };
            write_holder(&mut lock, &holder).map_err(|e| cannot_write(data_dir, &e))?;
        }
        Ok(Self { list, _lock: ours.then_some(lock) })
    }

    /// Every receiver, listening or not.
    pub(crate) fn list(&self) -> Vec<Receiver> {
        self.list.clone()
    }

    /// What needs attention.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.list.iter().filter(|r| !r.problem.is_empty()).map(|r| r.problem.clone()).collect()
    }
}

impl crate::Tracebook {
    /// What needs the user's attention.
    pub fn problems(&self) -> Vec<String> {
        self.receivers.problems()
    }

    /// The address of a receiver of this journal, of this process or of another that holds it.
    pub fn receiver_address(&self, name: &str) -> Option<String> {
        self.receivers.list.iter().find(|r| r.name == name).and_then(|r| r.address.clone())
    }
}

/// One receiver's door before it is open.
struct Door {
    name: &'static str,
    port: u16,
    listen: Listen,
    theirs: Option<String>,
    ours: bool,
}

struct Opened<L> {
    row: Receiver,
    open: Vec<L>,
    problems: Vec<String>,
}

impl Door {
    /// Opens the loopback address and, with it, the container bridges.
    fn open<L>(&self, bridges: &[IpAddr], bind: impl Fn(SocketAddr) -> std::io::Result<L>) -> Result<Opened<L>, Error> {
        let mut opened = Opened {
            row: Receiver { name: self.name.to_owned(), ..Receiver::default() },
            open: Vec::new(),
            problems: Vec::new(),
        };
        let address = match self.listen {
            Listen::Off => return Ok(opened),
            Listen::Default if !self.ours => {
                opened.row = elsewhere(self.name, self.theirs.clone());
                return Ok(opened);
            }
            Listen::Default => SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.port)),
            Listen::Named(address) => address,
        };
        if !address.ip().is_loopback() {
            return Err(Error::usage(
                format!("{address} is not a loopback address"),
                "Receivers take anything without a password, so they listen on 127.0.0.1 only; --containers adds the container bridge",
            ));
        }
        match bind(address) {
            Ok(listener) => opened.open.push(listener),
            Err(error) if matches!(self.listen, Listen::Named(_)) => {
                return Err(Error::new(
                    Code::Unreachable,
                    format!("{address} cannot be listened on: {error}"),
                    "Name another port, or port 0 for any that is free",
                ));
            }
            Err(error) => {
                let what = match self.name {
                    "xray" => "a real X-Ray daemon",
                    _ => "an OpenTelemetry collector, Jaeger or another Tracebook",
                };
                opened.problems.push(format!(
                    "Port {} is taken ({error}), probably by {what}: stop it, or start `tracebook serve --{} 127.0.0.1:0` and use the port it prints. Everything else runs",
                    self.port, self.name
                ));
                return Ok(opened);
            }
        }
        for bridge in bridges {
            let address = SocketAddr::new(*bridge, address.port());
            match bind(address) {
                Ok(listener) => opened.open.push(listener),
                Err(error) => opened.problems.push(format!("--containers: {address} cannot be listened on: {error}")),
            }
        }
        Ok(opened)
    }
}

impl Receiver {
    fn at(mut self, address: Option<SocketAddr>, problems: &mut Vec<String>) -> Self {
        if let Some(address) = address {
            self.address = Some(address.to_string());
        }
        self.problem = std::mem::take(problems).join(". ");
        self
    }
}

fn elsewhere(name: &str, address: Option<String>) -> Receiver {
    Receiver { name: name.to_owned(), elsewhere: address.is_some(), address, problem: String::new() }
}

fn serve(listener: tokio::net::TcpListener, router: axum::Router, token: &CancellationToken, tasks: &TaskTracker) {
    let token = token.clone();
    tasks.spawn(async move {
        let stopped = token.clone().cancelled_owned();
        // Ends by the token; requests under way are answered, but a client that never ends its
        // request must not hold the app up.
        let served = axum::serve(listener, router).with_graceful_shutdown(stopped);
        let deadline = async {
            token.cancelled().await;
            tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        };
        tokio::select! {
            _ = served.into_future() => {}
            () = deadline => {}
        }
    });
}

/// The addresses of container bridges on this machine. Never 0.0.0.0: who is on the coffee shop's network
/// must not reach a receiver.
fn container_bridges() -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .into_iter()
        .filter(|i| {
            let name = i.name.as_str();
            name == "docker0" || name.starts_with("podman") || name.starts_with("cni-podman") || name.starts_with("br-")
        })
        .map(|i| i.ip())
        .filter(IpAddr::is_ipv4)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Who has the receivers; `None` if nobody does.
fn holder(data_dir: &Path) -> Option<Holder> {
    let mut file = File::open(data_dir.join("receivers.lock")).ok()?;
    if file.try_lock_shared().is_ok() {
        return None; // left behind by a process that is gone
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write_holder(lock: &mut File, holder: &Holder) -> std::io::Result<()> {
    lock.set_len(0)?;
    lock.seek(SeekFrom::Start(0))?;
    lock.write_all(serde_json::to_string(holder)?.as_bytes())?;
    lock.flush()
}
