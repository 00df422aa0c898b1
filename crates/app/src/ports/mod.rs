//! The receivers' ports: which process holds them, which addresses they have, and the listeners bound to them.

mod bridges;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use tracebook_sources::xray;

use crate::ground::config::{Listen, ReceiverConfig};
use crate::ground::error::{Code, Error};
use crate::ground::files::{cannot_write, lock_file};
use crate::ground::schema::Receiver;

pub(crate) use bridges::{Bridge, ContainerNetworks};

/// OTLP over HTTP, by convention.
pub(crate) const HTTP_PORT: u16 = 4318;
/// OTLP over gRPC, by convention.
pub(crate) const GRPC_PORT: u16 = 4317;
/// The X-Ray daemon's port.
pub(crate) const XRAY_PORT: u16 = 2000;

/// The receivers of this journal, by whichever process.
#[derive(Debug)]
pub(crate) struct Ports {
    list: Vec<Receiver>,
    /// The other loopback address of a receiver, `[::1]`, by its name.
    also: BTreeMap<String, SocketAddr>,
    /// What this process listens on for containers, by the receiver's name.
    on_bridges: Vec<(&'static str, SocketAddr)>,
    /// The other process that holds the receivers, if this one does not.
    holder: Option<Holder>,
    /// Locked as long as this process holds the journal's receivers.
    lock: Option<File>,
}

/// The bound sockets of this process.
pub(crate) struct Listeners {
    pub(crate) http: Vec<tokio::net::TcpListener>,
    pub(crate) grpc: Vec<tokio::net::TcpListener>,
    pub(crate) xray: Vec<(std::net::UdpSocket, std::net::TcpListener)>,
    /// Container bridges that are listened on too.
    pub(crate) bridges: Vec<Bridge>,
}

/// What the lock file says of the process that holds the receivers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// OTLP over HTTP, CloudWatch Logs, Rollbar: `127.0.0.1:4318`; null where it does not listen.
    pub http: Option<String>,
    /// OTLP over gRPC.
    #[serde(default)]
    pub grpc: Option<String>,
    /// The X-Ray daemon's protocol, UDP and TCP.
    pub xray: Option<String>,
    /// The other loopback address, `[::1]`, of a receiver that has it, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<String, SocketAddr>,
}

impl Holder {
    fn of(list: &[Receiver], also: &BTreeMap<String, SocketAddr>) -> Self {
        let address = |name: &str| list.iter().find(|r| r.name == name).and_then(|r| r.address.clone());
        Self {
            pid: std::process::id(),
            http: address("http"),
            grpc: address("grpc"),
            xray: address("xray"),
            also: also.clone(),
        }
    }

    fn address(&self, name: &str) -> Option<String> {
        match name {
            "http" => self.http.clone(),
            "grpc" => self.grpc.clone(),
            _ => self.xray.clone(),
        }
    }
}

impl Ports {
    /// No receivers in this process; reports whether another one holds them.
    pub(crate) fn elsewhere(data_dir: &Path) -> Self {
        let holder = holder(data_dir);
        let address = |name| holder.as_ref().and_then(|holder| holder.address(name));
        let list = ["http", "grpc", "xray"].map(|name| elsewhere(name, address(name)));
        let also = holder.as_ref().map(|holder| holder.also.clone()).unwrap_or_default();
        Self { list: list.to_vec(), also, on_bridges: Vec::new(), holder, lock: None }
    }

    /// Binds the receivers' ports and takes the journal's lock, unless another process has it.
    pub(crate) async fn open(wanted: &ReceiverConfig, data_dir: &Path) -> Result<(Self, Listeners), Error> {
        let mut lock = lock_file(&data_dir.join("receivers.lock"))?;
        let ours = lock.try_lock().is_ok();
        let other = if ours { None } else { holder_in_time(data_dir).await };
        let found = if wanted.containers { bridges::find() } else { bridges::Found::default() };
        let port = |name: &'static str, port: u16, listen: Listen| Port {
            name,
            port,
            listen,
            theirs: other.as_ref().and_then(|holder| holder.address(name)),
            ours,
            bridges: &found.bridges,
        };
        let http = port("http", HTTP_PORT, wanted.http).bind(tcp)?;
        let grpc = port("grpc", GRPC_PORT, wanted.grpc).bind(tcp)?;
        let xray = port("xray", XRAY_PORT, wanted.xray).bind(xray::receiver::bind_pair)?;
        let on_bridges = [&http.on_bridges[..], &grpc.on_bridges, &xray.on_bridges].concat();
        let mut also: BTreeMap<String, SocketAddr> =
            http.also.into_iter().chain(grpc.also).chain(xray.also).map(|(name, at)| (name.to_owned(), at)).collect();
        let mut list = vec![http.row, grpc.row, xray.row];
        let mut problems = found.skipped;
        if wanted.containers && found.bridges.is_empty() {
            problems.push("--containers: no container bridge (docker0, podman0, br-…) was found on this machine, so receivers listen on loopback only".to_owned());
        }
        if let Some(first) = list.first_mut() {
            problems.extend((!first.problem.is_empty()).then(|| first.problem.clone()));
            first.problem = problems.join(". ");
        }
        for row in &list {
            match &row.address {
                Some(address) => tracing::info!(listener = row.name, address, elsewhere = row.elsewhere, "listening"),
                None => tracing::info!(listener = row.name, problem = row.problem, "not listening"),
            }
        }
        for (listener, address) in &on_bridges {
            tracing::info!(listener, %address, "listening for containers");
        }
        if ours {
            let holder = Holder::of(&list, &also);
            write_holder(&mut lock, &holder).map_err(|e| cannot_write(data_dir, &e))?;
        }
        for receiver in list.iter().filter(|receiver| receiver.elsewhere) {
            let theirs = other.as_ref().and_then(|holder| holder.also.get(&receiver.name));
            also.extend(theirs.map(|address| (receiver.name.clone(), *address)));
        }
        let listeners =
            Listeners { http: http.listeners, grpc: grpc.listeners, xray: xray.listeners, bridges: found.bridges };
        Ok((Self { list, also, on_bridges, holder: other, lock: ours.then_some(lock) }, listeners))
    }

    /// Every receiver, listening or not.
    pub(crate) fn list(&self) -> Vec<Receiver> {
        self.list.clone()
    }

    /// Whether this process holds the journal's receivers.
    pub(crate) fn held(&self) -> bool {
        self.lock.is_some()
    }

    /// Every address of this journal's receivers, as far as this process knows.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let on_loopback = self.list.iter().filter_map(|r| r.address.as_deref()?.parse().ok());
        on_loopback
            .chain(self.also.values().copied())
            .chain(self.on_bridges.iter().map(|(_, address)| *address))
            .collect()
    }

    /// The loopback addresses that a receiver of this journal listens on.
    pub(crate) fn on_loopback(&self, name: &str) -> Vec<SocketAddr> {
        let first = self.address(name).and_then(|address| address.parse().ok());
        first.into_iter().chain(self.also.get(name).copied()).collect()
    }

    /// The addresses that a receiver of this process has on container bridges.
    pub(crate) fn for_containers(&self, name: &str) -> Vec<SocketAddr> {
        self.on_bridges.iter().filter(|(of, _)| *of == name).map(|(_, address)| *address).collect()
    }

    /// The address of a receiver of this journal, of this process or of the one that holds it.
    pub(crate) fn address(&self, name: &str) -> Option<String> {
        self.list.iter().find(|r| r.name == name).and_then(|r| r.address.clone())
    }

    /// The address that a receiver of this process listens on.
    pub(crate) fn own_address(&self, name: &str) -> Option<String> {
        self.list.iter().find(|r| r.name == name && !r.elsewhere).and_then(|r| r.address.clone())
    }

    /// The other process that receives for this journal, where this one leaves a receiver to it.
    pub(crate) fn holder(&self) -> Option<&Holder> {
        self.holder.as_ref().filter(|_| self.list.iter().any(|r| r.elsewhere || r.address.is_none()))
    }

    /// What needs attention.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.list.iter().filter(|r| !r.problem.is_empty()).map(|r| r.problem.clone()).collect()
    }
}

/// A receiver's port before it is bound.
struct Port<'a> {
    name: &'static str,
    port: u16,
    listen: Listen,
    theirs: Option<String>,
    ours: bool,
    bridges: &'a [Bridge],
}

struct Bound<L> {
    row: Receiver,
    also: Option<(&'static str, SocketAddr)>,
    on_bridges: Vec<(&'static str, SocketAddr)>,
    listeners: Vec<L>,
}

fn tcp(address: SocketAddr) -> std::io::Result<tokio::net::TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

impl Port<'_> {
    /// Binds the loopback address and, with it, the container bridges.
    fn bind<L: Local>(&self, bind: impl Fn(SocketAddr) -> std::io::Result<L>) -> Result<Bound<L>, Error> {
        let row = Receiver { name: self.name.to_owned(), ..Receiver::default() };
        let mut bound = Bound { row, also: None, on_bridges: Vec::new(), listeners: Vec::new() };
        let address = match self.listen {
            Listen::Off => return Ok(bound),
            Listen::Default if !self.ours => {
                bound.row = elsewhere(self.name, self.theirs.clone());
                return Ok(bound);
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
        let port = match bind(address) {
            Ok(listener) => {
                let found = listener.local();
                bound.row.address = found.map(|a| a.to_string());
                bound.listeners.push(listener);
                found.map_or(address.port(), |found| found.port())
            }
            Err(error) if matches!(self.listen, Listen::Named(_)) => {
                return Err(Error::new(
                    Code::Unreachable,
                    format!("cannot listen on {address}: {error}"),
                    "Name another port, or port 0 for any that is free",
                ));
            }
            Err(error) => {
                let what = match self.name {
                    "xray" => "a real X-Ray daemon",
                    _ => "an OpenTelemetry collector, Jaeger or another Tracebook",
                };
                bound.row.problem = format!(
                    "Port {} is taken ({error}), probably by {what}: stop it, or start `tracebook serve --{} 127.0.0.1:0` and use the port it prints. Everything else runs",
                    self.port, self.name
                );
                return Ok(bound);
            }
        };
        let mut problems = Vec::new();
        if self.listen == Listen::Default {
            // `localhost` is either address, and some runtimes try only one of them.
            let other = SocketAddr::V6(SocketAddrV6::new(Ipv6Addr::LOCALHOST, port, 0, 0));
            match bind(other) {
                Ok(listener) => {
                    bound.also = Some((self.name, other));
                    bound.listeners.push(listener);
                }
                Err(error) if error.kind() == ErrorKind::AddrInUse => problems.push(format!(
                    "{other} is taken ({error}): services that resolve localhost to IPv6 send to another program; name 127.0.0.1 in their settings"
                )),
                // This machine has no IPv6.
                Err(error) => tracing::debug!(%error, listener = self.name, "not listening on [::1]"),
            }
        }
        for bridge in self.bridges {
            let wanted = SocketAddr::new(IpAddr::V4(bridge.address), port);
            // Containers use the port that the user named. If any will do, it is the loopback one where that is free.
            let listener = bind(wanted).or_else(|error| match address.port() {
                0 => bind(SocketAddr::new(wanted.ip(), 0)),
                _ => Err(error),
            });
            match listener {
                Ok(listener) => {
                    bound.on_bridges.push((self.name, listener.local().unwrap_or(wanted)));
                    bound.listeners.push(listener);
                }
                Err(error) => problems.push(format!("--containers: cannot listen on {wanted}: {error}")),
            }
        }
        bound.row.problem = problems.join(". ");
        Ok(bound)
    }
}

/// The local address of a listener.
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

/// Whether another process holds the receivers.
pub(crate) fn held_by_another(data_dir: &Path) -> bool {
    holder(data_dir).is_some()
}

/// The process that holds the receivers.
fn holder(data_dir: &Path) -> Option<Holder> {
    let mut file = File::open(data_dir.join("receivers.lock")).ok()?;
    if file.try_lock_shared().is_ok() {
        return None; // left by a process that has ended
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Waits for a process that has taken the lock to write its addresses.
async fn holder_in_time(data_dir: &Path) -> Option<Holder> {
    const MAX_TRIES: u32 = 20;
    for _ in 0..MAX_TRIES {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_default_port_listens_on_both_loopback_addresses() {
        let free = |address: &str| std::net::TcpListener::bind(address).and_then(|bound| bound.local_addr());
        let port = free("127.0.0.1:0").expect("a free port").port();
        // A container of this test may have no IPv6, which must not matter.
        let wanted = 1 + usize::from(free(&format!("[::1]:{port}")).is_ok());
        let of = |listen| Port { name: "xray", port, listen, theirs: None, ours: true, bridges: &[] };
        let bound = of(Listen::Default).bind(xray::receiver::bind_pair).expect("binds");
        assert_eq!((bound.listeners.len(), bound.row.problem.as_str()), (wanted, ""));
        assert_eq!(bound.row.address, Some(format!("127.0.0.1:{port}")));
        assert_eq!(bound.also.is_some(), wanted == 2);
        drop(bound);
        let named = of(Listen::Named(SocketAddr::from(([127, 0, 0, 1], port)))).bind(tcp).expect("binds");
        assert_eq!(named.listeners.len(), 1, "an address that was named is the only one");
    }
}
