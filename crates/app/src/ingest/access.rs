//! Who may read received telemetry back, delete it, and change settings through the APIs of the receivers.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;

use tracebook_sources::access::Policy;
use tracebook_sources::receive::Action;
use tracebook_sources::serve::Connection;

use crate::ground::settings::{ReceiverSettings, Who};
use crate::ground::tasks::blocking;
use crate::ports::ContainerNetworks;

/// Reading and changing, as the settings allow it. Sending is allowed to all of this machine and its containers.
#[derive(Debug)]
pub(crate) struct Permissions {
    pub(crate) settings: ReceiverSettings,
    pub(crate) networks: Arc<ContainerNetworks>,
}

#[async_trait]
impl Policy for Permissions {
    async fn objection(&self, action: Action, connection: &Connection) -> Option<String> {
        let on_loopback = connection.local.ip().is_loopback();
        if !on_loopback && !self.networks.contain(connection.peer.ip()) {
            return Some(format!("{} is not the address of a container on this machine.", connection.peer.ip()));
        }
        let (who, setting, does) = match action {
            Action::Send => return None,
            Action::Read => (self.settings.read, "read", "Reading received telemetry"),
            Action::Change => (self.settings.change, "change", "Deleting received telemetry and changing settings"),
        };
        let (allowed, needed, from) = match (on_loopback, who) {
            (false, who) => (who >= Who::Containers, Who::Containers, "from containers"),
            (true, Who::Nobody) => (false, Who::User, "through this API"),
            (true, Who::User) => (is_own(connection).await, Who::Machine, "for other users of this machine"),
            (true, Who::Machine | Who::Containers) => (true, who, ""),
        };
        (!allowed).then(|| {
            format!(
                "{does} is not allowed {from}; sending is. To allow it, write {setting} = \"{}\" in the section \
                 [receivers] of tracebook.toml, and start Tracebook again.",
                needed.word()
            )
        })
    }
}

/// Whether the other end of a loopback connection belongs to a process of the user who runs this one.
async fn is_own(connection: &Connection) -> bool {
    let Some(own) = own_user() else { return true };
    let user = match connection.user.get() {
        Some(user) => *user,
        None => {
            let (peer, local) = (connection.peer, connection.local);
            let found = blocking(move || user_of(peer, local)).await.unwrap_or_default();
            *connection.user.get_or_init(|| found)
        }
    };
    user == Some(own)
}

/// The user that this process runs as; `None` on systems that do not tell whose a connection is.
#[cfg(target_os = "linux")]
fn own_user() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

#[cfg(not(target_os = "linux"))]
fn own_user() -> Option<u32> {
    None
}

/// The user of the socket at the other end of a connection, from Linux's table of connections.
fn user_of(peer: SocketAddr, local: SocketAddr) -> Option<u32> {
    /// The table changes while it is read, so an entry may be missed.
    const ATTEMPTS: usize = 3;
    (0..ATTEMPTS).find_map(|_| {
        ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
            .iter()
            .find_map(|table| user_in(&std::fs::read_to_string(table).ok()?, peer, local))
    })
}

/// A line of the table: number, both ends, state, queues, timer, retransmits, user, time-out, inode
/// (<https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt>). The peer's own end is the one wanted.
fn user_in(table: &str, peer: SocketAddr, local: SocketAddr) -> Option<u32> {
    let (peer, local) = (spellings(peer), spellings(local));
    table.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (own, other) = (words.next()?, words.next()?);
        if !peer.iter().zip(&local).any(|(peer, local)| own == peer && other == local) {
            return None;
        }
        let user = words.nth(4)?.parse().ok()?;
        // Without a process, the socket counts as root's.
        let inode = words.nth(1)?;
        (inode != "0").then_some(user)
    })
}

/// An address as the table spells it: words of 32 bits in the machine's byte order, in hex. An IPv4 address may also be
/// that of an IPv6 socket.
fn spellings(address: SocketAddr) -> Vec<String> {
    let port = address.port();
    let word = |bytes: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(bytes));
    let long = |octets: [u8; 16]| {
        let (words, _) = octets.as_chunks::<4>();
        format!("{}:{port:04X}", words.iter().map(|bytes| word(*bytes)).collect::<String>())
    };
    match address {
        SocketAddr::V4(v4) => {
            vec![format!("{}:{port:04X}", word(v4.ip().octets())), long(v4.ip().to_ipv6_mapped().octets())]
        }
        SocketAddr::V6(v6) => vec![long(v6.ip().octets())],
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::ports::Bridge;

    fn permissions(read: Who, change: Who) -> Permissions {
        let docker = Bridge { name: "docker0".into(), address: [172, 17, 0, 1].into(), prefix: 16 };
        let networks = Arc::new(ContainerNetworks::new(vec![docker]));
        Permissions { settings: ReceiverSettings { read, change }, networks }
    }

    fn connection(peer: &str, local: &str, user: Option<u32>) -> Connection {
        let found = Connection {
            peer: peer.parse().expect("an address"),
            local: local.parse().expect("an address"),
            user: Arc::default(),
        };
        found.user.set(user).expect("new");
        found
    }

    #[tokio::test]
    async fn containers_only_send_unless_the_settings_say_otherwise() {
        let container = connection("172.17.0.9:4000", "172.17.0.1:4318", None);
        let network = connection("192.168.1.5:4000", "172.17.0.1:4318", None);
        let default = permissions(Who::User, Who::User);
        assert_eq!(default.objection(Action::Send, &container).await, None);
        let why = default.objection(Action::Read, &container).await.expect("refused");
        assert!(why.contains("not allowed from containers") && why.contains("read = \"containers\""), "{why}");
        let why = default.objection(Action::Change, &container).await.expect("refused");
        assert!(why.contains("change = \"containers\""), "{why}");
        let machine = permissions(Who::Machine, Who::Machine);
        assert!(machine.objection(Action::Read, &container).await.is_some());
        let open = permissions(Who::Containers, Who::User);
        assert_eq!(open.objection(Action::Read, &container).await, None);
        assert!(open.objection(Action::Change, &container).await.is_some());
        let all = permissions(Who::Containers, Who::Containers);
        assert_eq!(all.objection(Action::Change, &container).await, None);
        for action in [Action::Send, Action::Read, Action::Change] {
            assert!(all.objection(action, &network).await.is_some(), "routed through this machine: {action:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn other_users_only_send_unless_the_settings_say_otherwise() {
        let own = own_user().expect("Linux");
        let loopback = |user| connection("127.0.0.1:4000", "127.0.0.1:4318", user);
        let default = permissions(Who::User, Who::User);
        for action in [Action::Read, Action::Change] {
            assert_eq!(default.objection(action, &loopback(Some(own))).await, None);
            for other in [None, Some(own + 1), Some(65534)] {
                let why = default.objection(action, &loopback(other)).await.expect("refused");
                assert!(why.contains("other users of this machine") && why.contains("\"machine\""), "{why}");
            }
        }
        assert_eq!(default.objection(Action::Send, &loopback(None)).await, None);
        assert_eq!(permissions(Who::Machine, Who::Nobody).objection(Action::Read, &loopback(None)).await, None);
        let nobody = permissions(Who::Nobody, Who::Nobody);
        let why = nobody.objection(Action::Change, &loopback(Some(own))).await.expect("refused");
        assert!(why.contains("change = \"user\""), "{why}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_user_of_a_connection_is_found() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // A container of this test may have no IPv6.
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let local = listener.local_addr().expect("bound");
            let client = TcpStream::connect(local).expect("connects");
            let (_server, peer) = listener.accept().expect("accepts");
            assert_eq!(user_of(peer, local), own_user(), "{address}");
            assert_eq!(user_of(local, peer), own_user(), "the server's own end");
            drop(client);
            assert_eq!(user_of("127.0.0.1:1".parse().expect("an address"), local), None);
        }
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn the_table_of_connections_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:10DE 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 100 1 0 100 0 0 10 0\n\
            1: 0100007F:10DE 0100007F:C000 01 00000000:00000000 00:00000000 00000000  1000        0 101 1 0 20 4 30 10 -1\n\
            2: 0100007F:C000 0100007F:10DE 01 00000000:00000000 00:00000000 00000000  1001        0 102 1 0 20 4 30 10 -1\n\
            3: 0100007F:C001 0100007F:10DE 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0\n\
            4: 0000000000000000FFFF00000100007F:C002 0000000000000000FFFF00000100007F:10DE 01 0:0 00:0 0 1002 0 103 1 0\n\
            bad line\n";
        let server: SocketAddr = "127.0.0.1:4318".parse().expect("an address");
        let user = |port: u16| user_in(table, SocketAddr::from(([127, 0, 0, 1], port)), server);
        assert_eq!(user(0xC000), Some(1001));
        assert_eq!(user(0xC001), None, "a closed socket says nothing");
        assert_eq!(user(0xC002), Some(1002), "an IPv6 socket with an IPv4 address");
        assert_eq!(user(0xC003), None);
    }
}
