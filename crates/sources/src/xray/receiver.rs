//! The X-Ray daemon's two ports: segments over UDP, and over TCP what SDKs ask the daemon to proxy, with the X-Ray API
//! as far as it makes sense locally.
//!
//! Without a response on TCP, SDKs do not sample most requests.

mod api;
mod groups;
mod http;
mod rules;
mod traces;
mod udp;

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

pub use groups::default as default_group;
pub use http::{api_router, tcp_router};
pub use rules::default as default_rule;
pub use udp::{Accepts, receive_buffer, serve as serve_udp};

use crate::receive::Action;

/// What a request does, by its route. Everything unknown counts as a change.
pub(crate) fn action(path: &str) -> Action {
    match path {
        "/TraceSegments" | "/TelemetryRecords" | "/GetSamplingRules" | "/SamplingTargets" => Action::Send,
        "/TraceSummaries" | "/Traces" | "/ServiceGraph" | "/TraceGraph" | "/Groups" | "/GetGroup" => Action::Read,
        _ => Action::Change,
    }
}

/// The receive buffer to request from the system. Its default holds 92 segments.
const RECEIVE_BUFFER: usize = 8 * 1024 * 1024;

/// Binds a UDP socket with as large a receive buffer as the system grants, see [`receive_buffer`].
///
/// # Errors
/// From the system: the port is in use, the address is not on this machine.
pub fn bind_udp(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(addr)?;
    // A smaller buffer is normal (`net.core.rmem_max`) and not an error.
    socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER).ok();
    Ok(socket)
}

/// Binds UDP and TCP on one port, as SDKs expect; port 0 finds one that is free for both. The listener is non-blocking,
/// as tokio requires.
///
/// # Errors
/// From the system; the message names the protocol.
pub fn bind_pair(addr: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    const MAX_ATTEMPTS: usize = 64;
    let mut attempts = 0;
    loop {
        attempts += 1;
        let listener = TcpListener::bind(addr).map_err(|error| named("TCP", addr, &error))?;
        listener.set_nonblocking(true)?;
        let found = listener.local_addr()?;
        match bind_udp(found) {
            Ok(socket) => return Ok((socket, listener)),
            Err(error) if addr.port() != 0 || error.kind() != io::ErrorKind::AddrInUse || attempts == MAX_ATTEMPTS => {
                return Err(named("UDP", found, &error));
            }
            Err(_) => {}
        }
    }
}

fn named(protocol: &str, addr: SocketAddr, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{protocol} {addr}: {error}"))
}

#[cfg(test)]
mod tests;
