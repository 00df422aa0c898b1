//! The local ends: which ports, who holds them, and what arrives being committed.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use tracebook_core::clock::Clock;
use tracebook_sources::receive::{AllowedHosts, Commit, Counters, guard};
use tracebook_sources::{cloudwatch, otlp, rollbar, serve, xray};
use tracebook_store::Telemetry;

use crate::config::{Listen, ReceiverConfig};
use crate::ends::{Ends, LastArrival};
use crate::error::{Code, Error};
use crate::heard::Heard;
use crate::relay::Relay;
use crate::rpc::Receiver;
use crate::system::SystemClock;
use crate::tracebook::{cannot_write, lock_file};

/// The port that OTLP over HTTP has by convention.
pub const HTTP_PORT: u16 = 4318;
/// The port that OTLP over gRPC has by convention.
pub const GRPC_PORT: u16 = 4317;
/// The X-Ray daemon's port.
pub const XRAY_PORT: u16 = 2000;

/// What is listened on.
#[derive(Debug)]
pub(crate) struct Receivers {
    list: Vec<Receiver>,
    last: LastArrival,
    /// Who has what this process has not.
    holder: Option<Holder>,
    /// Held as long as this process has the journal's receivers.
    lock: Option<File>,
}

/// What the lock file says of the process that has the receivers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// Where it takes OTLP over HTTP, CloudWatch Logs and Rollbar: `127.0.0.1:4318`; null where it does not.
    pub http: Option<String>,
    /// Where it takes OTLP over gRPC.
    #[serde(default)]
    pub grpc: Option<String>,
    /// Where it is an X-Ray daemon, over UDP and TCP.
    pub xray: Option<String>,
}

impl Holder {
    fn of(list: &[Receiver]) -> Self {
        let address = |name: &str| list.iter().find(|r| r.name == name).and_then(|r| r.address.clone());
        Self { pid: std::process::id(), http: address("http"), grpc: address("grpc"), xray: address("xray") }
    }

    fn address(&self, name: &str) -> Option<String> {
        match name {
            "http" => self.http.clone(),
            "grpc" => self.grpc.clone(),
            _ => self.xray.clone(),
        }
    }
}

impl Receivers {
    /// No receivers in this process; says whether another one has them.
    pub(crate) fn elsewhere(data_dir: &Path) -> Self {
        let holder = holder(data_dir);
        let address = |name| holder.as_ref().and_then(|holder| holder.address(name));
        let list = ["http", "grpc", "xray"].map(|name| elsewhere(name, address(name)));
        Self { list: list.to_vec(), last: LastArrival::default(), holder, lock: None }
    }

    pub(crate) async fn start(
        wanted: ReceiverConfig,
        data_dir: &Path,
        telemetry: &Telemetry,
        counters: &Arc<Counters>,
        relay: &Relay,
        token: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Result<Self, Error> {
        let mut lock = lock_file(&data_dir.join("receivers.lock"))?;
        let ours = lock.try_lock().is_ok();
        let other = if ours { None } else { holder_in_time(data_dir).await };
        let bridge = if wanted.containers { container_bridges() } else { Vec::new() };
        let door = |name: &'static str, port: u16, listen: Listen| Door {
            name,
            port,
            listen,
            theirs: other.as_ref().and_then(|holder| holder.address(name)),
            ours,
            bridge: &bridge,
        };
        let mut http = door("http", HTTP_PORT, wanted.http).open(tcp)?;
        let mut grpc = door("grpc", GRPC_PORT, wanted.grpc).open(tcp)?;
        let mut xray = door("xray", XRAY_PORT, wanted.xray).open(xray::receiver::bind_pair)?;

        let last = LastArrival::default();
        let ends = Arc::new(Ends { telemetry: telemetry.clone(), last: last.clone(), relay: relay.clone() });
        let heard = Heard::start(telemetry.clone(), token.clone(), tasks);
        let guarded = Guarded::new(&bridge, wanted.allow_origin, heard, relay.clone());
        let commit: Arc<dyn Commit> = ends.clone();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let parts = || (Arc::clone(&commit), Arc::clone(counters), Arc::clone(&clock));
        let serve = |listener, router| tasks.spawn(serve::serve(listener, router, token.clone()));

        for listener in std::mem::take(&mut http.open) {
            let (commit, counters, clock) = parts();
            let router = otlp::receiver::router(Arc::clone(&commit), Arc::clone(&counters), Arc::clone(&clock))
                .merge(rollbar::receiver::router(Arc::clone(&commit), Arc::clone(&counters), Arc::clone(&clock)))
                .merge(cloudwatch::receiver::router(ends.clone(), Arc::clone(&counters), Arc::clone(&clock)))
                .merge(xray::receiver::api_router(commit, ends.clone(), counters, clock));
            serve(listener, guarded.router("http", router));
        }
        for listener in std::mem::take(&mut grpc.open) {
            let (commit, counters, clock) = parts();
            serve(listener, guarded.router("grpc", otlp::receiver::grpc_router(commit, counters, clock)));
        }
        for (udp, tcp) in std::mem::take(&mut xray.open) {
            let (commit, counters, clock) = parts();
            tasks.spawn(xray::receiver::serve_udp(udp, Arc::clone(&commit), Arc::clone(&counters), token.clone()));
            tcp.set_nonblocking(true).map_err(Error::internal)?;
            let tcp = tokio::net::TcpListener::from_std(tcp).map_err(Error::internal)?;
            serve(tcp, guarded.router("xray", xray::receiver::tcp_router(commit, ends.clone(), counters, clock)));
        }
        let mut list = vec![http.row, grpc.row, xray.row];

        if wanted.containers
            && bridge.is_empty()
            && let Some(first) = list.first_mut()
        {
            first.problem = "--containers: no container bridge (docker0, podman0, br-…) was found on this machine, so only loopback is listened on".to_owned();
        }
        for row in &list {
            match &row.address {
                Some(address) => tracing::info!(listener = row.name, address, elsewhere = row.elsewhere, "listening"),
                None => tracing::info!(listener = row.name, problem = row.problem, "not listening"),
            }
        }
        if ours {
            let holder = Holder::of(&list);
            write_holder(&mut lock, &holder).map_err(|e| cannot_write(data_dir, &e))?;
        }
        Ok(Self { list, last, holder: other, lock: ours.then_some(lock) })
    }

    /// Every receiver, listening or not.
    pub(crate) fn list(&self) -> Vec<Receiver> {
        self.list.clone()
    }

    /// Whether this process has the journal's receivers.
    pub(crate) fn held(&self) -> bool {
        self.lock.is_some()
    }

    /// Where receivers of this journal listen, as far as this process knows.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.list.iter().filter_map(|r| r.address.as_deref()?.parse().ok()).collect()
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

    /// Whether a service sent something in the last half minute: closing now would lose what it sends next.
    pub fn still_receiving(&self) -> bool {
        const LATELY: i64 = 30_000_000_000;
        self.receivers.last.ago().is_some_and(|ago| ago < LATELY)
    }

    /// The address that a receiver of this process listens on; `None` where it does not, or another process does.
    pub fn listens_on(&self, name: &str) -> Option<String> {
        self.receivers.list.iter().find(|r| r.name == name && !r.elsewhere).and_then(|r| r.address.clone())
    }

    /// The other process that receives for this journal, where this one leaves a receiver to it.
    pub fn received_elsewhere(&self) -> Option<&Holder> {
        self.receivers
            .holder
            .as_ref()
            .filter(|_| self.receivers.list.iter().any(|r| r.elsewhere || r.address.is_none()))
    }

    /// The address of a receiver of this journal, of this process or of another that holds it.
    pub fn receiver_address(&self, name: &str) -> Option<String> {
        self.receivers.list.iter().find(|r| r.name == name).and_then(|r| r.address.clone())
    }
}

/// One receiver's door before it is open.
struct Door<'a> {
    name: &'static str,
    port: u16,
    listen: Listen,
    theirs: Option<String>,
    ours: bool,
    bridge: &'a [IpAddr],
}

struct Opened<L> {
    row: Receiver,
    open: Vec<L>,
}

fn tcp(address: SocketAddr) -> std::io::Result<tokio::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

impl Door<'_> {
    /// Opens the loopback address and, with it, the container bridges.
    fn open<L: Local>(&self, bind: impl Fn(SocketAddr) -> std::io::Result<L>) -> Result<Opened<L>, Error> {
        let mut opened =
            Opened { row: Receiver { name: self.name.to_owned(), ..Receiver::default() }, open: Vec::new() };
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
            Ok(listener) => {
                opened.row.address = listener.local().map(|a| a.to_string());
                opened.open.push(listener);
            }
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
                opened.row.problem = format!(
                    "Port {} is taken ({error}), probably by {what}: stop it, or start `tracebook serve --{} 127.0.0.1:0` and use the port it prints. Everything else runs",
                    self.port, self.name
                );
                return Ok(opened);
            }
        }
        let mut problems = Vec::new();
        for bridge in self.bridge {
            let address = SocketAddr::new(*bridge, address.port());
            match bind(address) {
                Ok(listener) => opened.open.push(listener),
                Err(error) => problems.push(format!("--containers: {address} cannot be listened on: {error}")),
            }
        }
        opened.row.problem = problems.join(". ");
        Ok(opened)
    }
}

/// Where a listener listens.
trait Local {
    fn local(&self) -> Option<SocketAddr>;
}

impl Local for tokio::net::TcpListener {
    fn local(&self) -> Option<SocketAddr> {
        self.local_addr().ok()
    }
}

impl<T> Local for (std::net::UdpSocket, T) {
    fn local(&self) -> Option<SocketAddr> {
        self.0.local_addr().ok()
    }
}

fn elsewhere(name: &str, address: Option<String>) -> Receiver {
    Receiver { name: name.to_owned(), elsewhere: address.is_some(), address, problem: String::new() }
}

/// What stands before every router: who may ask, and what was asked.
struct Guarded {
    hosts: AllowedHosts,
    origins: Arc<[String]>,
    heard: Heard,
    relay: Relay,
}

impl Guarded {
    fn new(bridge: &[IpAddr], origins: Vec<String>, heard: Heard, relay: Relay) -> Self {
        let names: Vec<String> = bridge.iter().map(ToString::to_string).collect();
        Self { hosts: Arc::new(move |host| names.iter().any(|b| b == host)), origins: origins.into(), heard, relay }
    }

    fn router(&self, door: &'static str, router: axum::Router) -> axum::Router {
        let router = self.relay.unlooped(router);
        self.heard.listen(door, guard(router, Arc::clone(&self.hosts), Arc::clone(&self.origins)))
    }
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

/// Whether another process has the receivers.
pub(crate) fn held_by_another(data_dir: &Path) -> bool {
    holder(data_dir).is_some()
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

/// The same of a process that has the lock and is about to say where it listens.
async fn holder_in_time(data_dir: &Path) -> Option<Holder> {
    const TRIES: u32 = 20;
    for _ in 0..TRIES {
        if let Some(holder) = holder(data_dir) {
            return Some(holder);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    None
}

fn write_holder(lock: &mut File, holder: &Holder) -> std::io::Result<()> {
    lock.set_len(0)?;
    lock.seek(SeekFrom::Start(0))?;
    lock.write_all(serde_json::to_string(holder)?.as_bytes())?;
    lock.flush()
}
