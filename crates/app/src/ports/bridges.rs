//! Container bridges: which interfaces connect only this machine's containers, and which addresses those have.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Where Linux describes its interfaces.
const INTERFACES: &str = "/sys/class/net";
/// The pause between two scans for bridges that are new.
const PAUSE: Duration = Duration::from_secs(1);

/// A container bridge with an IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bridge {
    pub(crate) name: String,
    pub(crate) address: Ipv4Addr,
    /// Length of the network's prefix, in bits.
    pub(crate) prefix: u8,
}

impl Bridge {
    fn has(&self, address: Ipv4Addr) -> bool {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix)).unwrap_or(0);
        address.to_bits() & mask == self.address.to_bits() & mask
    }
}

/// What a scan found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) bridges: Vec<Bridge>,
    /// Why interfaces with a bridge's name are not used.
    pub(crate) skipped: Vec<String>,
}

/// The container bridges of this machine.
pub(crate) fn find() -> Found {
    let addresses =
        if_addrs::get_if_addrs().unwrap_or_default().into_iter().filter_map(|interface| match interface.addr {
            if_addrs::IfAddr::V4(v4) => Some(Bridge { name: interface.name, address: v4.ip, prefix: v4.prefixlen }),
            if_addrs::IfAddr::V6(_) => None,
        });
    sift(addresses, Path::new(INTERFACES))
}

fn sift(addresses: impl Iterator<Item = Bridge>, interfaces: &Path) -> Found {
    let mut found = Found::default();
    for bridge in addresses.filter(|bridge| is_bridge_name(&bridge.name)) {
        match objection(&bridge, &interfaces.join(&bridge.name)) {
            None => found.bridges.push(bridge),
            Some(why) => {
                found.skipped.push(format!("--containers: {} ({}) is not used: {why}", bridge.name, bridge.address))
            }
        }
    }
    found.bridges.sort_by_key(|bridge| bridge.address);
    found.bridges.dedup_by_key(|bridge| bridge.address);
    found
}

/// Names that Docker and Podman give to their bridges. A user's own, `br-lan` or `br0`, often connects a network.
fn is_bridge_name(name: &str) -> bool {
    let numbered = |prefix: &str| {
        name.strip_prefix(prefix).is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
    };
    let docker_network = || {
        name.strip_prefix("br-")
            .is_some_and(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
    };
    name == "docker0" || numbered("podman") || numbered("cni-podman") || docker_network()
}

/// Why machines other than this one's containers could reach an interface.
fn objection(bridge: &Bridge, interface: &Path) -> Option<String> {
    if !interface.join("bridge").is_dir() {
        return Some("it is not a bridge".to_owned());
    }
    if !bridge.address.is_private() {
        return Some("its address is not private".to_owned());
    }
    let Ok(ports) = std::fs::read_dir(interface.join("brif")) else {
        return Some("the interfaces that it connects are unknown".to_owned());
    };
    for port in ports {
        let Ok(port) = port else { return Some("the interfaces that it connects are unknown".to_owned()) };
        let name = port.file_name().to_string_lossy().into_owned();
        if !is_container_port(&interface.with_file_name(&name), &name) {
            return Some(format!("it also connects {name}, so other machines may reach it"));
        }
    }
    None
}

/// Whether a port of a bridge is the end of a veth pair, of which a container has the other one.
fn is_container_port(interface: &Path, name: &str) -> bool {
    // A network card has a device; VLANs, bonds, tunnels and Wi-Fi name their type; a tap of a virtual machine has
    // flags; what is stacked on another interface names that one. A veth has none of these.
    let typed = || {
        let event = std::fs::read_to_string(interface.join("uevent")).unwrap_or_default();
        event.lines().any(|line| line.starts_with("DEVTYPE="))
    };
    let stacked = || {
        let entries = std::fs::read_dir(interface).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("lower_"))
    };
    name.starts_with("veth")
        && interface.join("uevent").exists()
        && !interface.join("device").exists()
        && !interface.join("tun_flags").exists()
        && !typed()
        && !stacked()
}

/// Which addresses are containers'. A container of any network reaches Docker's first bridge, and networks come and go.
#[derive(Debug)]
pub(crate) struct ContainerNetworks {
    known: Mutex<(Instant, Vec<Bridge>)>,
}

impl ContainerNetworks {
    pub(crate) fn new(bridges: Vec<Bridge>) -> Self {
        Self { known: Mutex::new((Instant::now(), bridges)) }
    }

    /// Whether a container, or this machine through one of its bridges, has the address.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        let IpAddr::V4(address) = address else { return false };
        let mut known = self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.1.iter().any(|bridge| bridge.has(address)) {
            return true;
        }
        if known.0.elapsed() < PAUSE {
            return false;
        }
        *known = (Instant::now(), find().bridges);
        known.1.iter().any(|bridge| bridge.has(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A description of interfaces as in /sys.
    struct Sys(tempfile::TempDir);

    impl Sys {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn write(&self, file: &str, text: &str) {
            let path = self.0.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("creates");
            std::fs::write(path, text).expect("writes");
        }

        fn bridge(&self, name: &str, ports: &[&str]) {
            self.write(&format!("{name}/bridge/bridge_id"), "8000.0242");
            std::fs::create_dir_all(self.0.path().join(name).join("brif")).expect("creates");
            for port in ports {
                self.write(&format!("{name}/brif/{port}/state"), "3");
            }
        }

        fn veth(&self, name: &str) {
            self.write(&format!("{name}/uevent"), "INTERFACE=veth\nIFINDEX=7\n");
        }

        fn sift(&self, name: &str, address: &str) -> Result<Vec<Bridge>, String> {
            let one = Bridge { name: name.to_owned(), address: address.parse().expect("an address"), prefix: 16 };
            let found = sift([one].into_iter(), self.0.path());
            match found.skipped.first() {
                Some(why) => Err(why.clone()),
                None => Ok(found.bridges),
            }
        }
    }

    #[test]
    fn bridges_of_docker_and_podman_are_used() {
        let sys = Sys::new();
        sys.veth("veth1a2b3c4");
        for name in ["docker0", "podman0", "podman12", "cni-podman0", "br-0123456789ab"] {
            sys.bridge(name, &["veth1a2b3c4"]);
            assert_eq!(sys.sift(name, "172.17.0.1").map(|found| found.len()), Ok(1), "{name}");
        }
        for name in
            ["br-lan", "br0", "br-0123456789a", "br-0123456789abc", "br-0123456789AB", "podman", "docker1", "eth0"]
        {
            sys.bridge(name, &[]);
            assert_eq!(sys.sift(name, "172.17.0.1"), Ok(Vec::new()), "{name}");
        }
    }

    #[test]
    fn what_other_machines_may_reach_is_skipped_and_said() {
        let sys = Sys::new();
        let name = "br-0123456789ab";
        let why = |address: &str| sys.sift(name, address).expect_err("skipped");
        assert!(why("172.18.0.1").contains("is not a bridge"));
        sys.bridge(name, &[]);
        for address in ["8.8.8.8", "100.64.0.1", "169.254.1.1", "172.32.0.1"] {
            assert!(why(address).contains("not private"), "{address}");
        }
        sys.veth("veth0");
        sys.bridge(name, &["veth0"]);
        assert!(sys.sift(name, "192.168.7.1").is_ok());
        sys.bridge(name, &["veth0", "eth1"]);
        assert!(why("192.168.7.1").contains("also connects eth1"));

        for (file, text) in [
            ("veth9/device/vendor", "0x8086"),
            ("veth9/uevent", "DEVTYPE=vlan\n"),
            ("veth9/uevent", "INTERFACE=veth9\nDEVTYPE=wlan\n"),
            ("veth9/tun_flags", "0x1002"),
            ("veth9/lower_eth0/ifindex", "2\n"),
        ] {
            let sys = Sys::new();
            sys.veth("veth9");
            sys.write(file, text);
            sys.bridge(name, &["veth9"]);
            let why = sys.sift(name, "172.18.0.1").expect_err("skipped");
            assert!(why.contains("also connects veth9"), "{file}: {why}");
        }
    }

    #[test]
    fn addresses_of_containers_are_recognised() {
        let bridge = |address: &str, prefix| Bridge {
            name: "docker0".to_owned(),
            address: address.parse().expect("an address"),
            prefix,
        };
        let networks = ContainerNetworks::new(vec![bridge("172.17.0.1", 16), bridge("10.88.0.1", 24)]);
        let contain = |address: &str| networks.contain(address.parse().expect("an address"));
        assert!(contain("172.17.0.1") && contain("172.17.255.2") && contain("10.88.0.9"));
        assert!(!contain("172.18.0.2") && !contain("10.88.1.9") && !contain("192.168.1.5") && !contain("::1"));
        assert!(
            bridge("10.0.0.1", 0).has(Ipv4Addr::new(8, 8, 8, 8))
                && !bridge("10.0.0.1", 32).has(Ipv4Addr::new(10, 0, 0, 2))
        );
    }
}
