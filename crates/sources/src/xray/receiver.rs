//! The X-Ray daemon's two ports: segments over UDP, and over TCP what SDKs ask the daemon to pass on, with the X-Ray API
//! as far as it has a local meaning.
//!
//! Without an answer on TCP, SDKs sample most requests away and send nothing of them.

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
pub use udp::{receive_buffer, serve as serve_udp};

/// What is asked of the system for datagrams that wait. Its default holds 92 segments.
const RECEIVE_BUFFER: usize = 8 * 1024 * 1024;

/// Binds a UDP socket with as large a receive buffer as the system grants; [`receive_buffer`] tells how large.
///
/// # Errors
/// As the system says: the port is taken, the address is not this machine's.
pub fn bind_udp(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(addr)?;
    // Less than asked is normal (`net.core.rmem_max`), and no reason not to listen.
    let _ = socket2::SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER);
    Ok(socket)
}

/// Binds UDP and TCP on one port, which SDKs expect; port 0 finds one that is free for both. The listener does not
/// block, as tokio wants it.
///
/// # Errors
/// As the system says; the message names the protocol that was taken.
pub fn bind_pair(addr: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    const TRIES: usize = 64;
    let mut tries = 0;
    loop {
        tries += 1;
        let listener = TcpListener::bind(addr).map_err(|error| named("TCP", addr, &error))?;
        listener.set_nonblocking(true)?;
        let found = listener.local_addr()?;
        match bind_udp(found) {
            Ok(socket) => return Ok((socket, listener)),
            Err(error) if addr.port() != 0 || error.kind() != io::ErrorKind::AddrInUse || tries == TRIES => {
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
