//! The configuration that a host starts the app with.

use std::net::SocketAddr;
use std::path::PathBuf;

use tracebook_sources::authority::{Host, Origin};

use crate::ground::error::Error;

/// How the app is started.
#[derive(Clone, Debug)]
pub struct Config {
    /// The journal's directory.
    pub data_dir: PathBuf,
    /// The receivers; `None` for commands that only read and write the journal.
    pub receivers: Option<ReceiverConfig>,
    /// Watched commands, each a shell command line.
    pub watch: Vec<String>,
}

/// What a receiver listens on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Listen {
    /// The default port; if it is taken, the app reports that and runs without it.
    #[default]
    Default,
    /// An address given by the user; if it is taken, the app does not start.
    Named(SocketAddr),
    Off,
}

/// The receivers.
#[derive(Clone, Debug, Default)]
pub struct ReceiverConfig {
    /// OTLP over HTTP, CloudWatch Logs, Rollbar, X-Ray's API; 127.0.0.1:4318.
    pub http: Listen,
    /// OTLP over gRPC; 127.0.0.1:4317.
    pub grpc: Listen,
    /// The X-Ray daemon's protocol, UDP and TCP; 127.0.0.1:2000.
    pub xray: Listen,
    /// Also listen on the addresses of container bridges.
    pub containers: bool,
    /// Hosts that requests may be for, beside those of loopback: the name of a service in a compose file.
    pub allow_host: Vec<Host>,
    /// Origins of web pages that may send telemetry: `http://localhost:3000`.
    pub allow_origin: Vec<Origin>,
}

impl Config {
    /// The platform's data directory for this app, unless `TRACEBOOK_DATA` or the user names one.
    ///
    /// # Errors
    /// If the platform has none (no HOME).
    pub fn data_dir(named: Option<PathBuf>) -> Result<PathBuf, Error> {
        if let Some(named) = named.or_else(|| std::env::var_os("TRACEBOOK_DATA").map(PathBuf::from)) {
            if named.as_os_str().is_empty() {
                return Err(Error::usage(
                    "the data directory's name is empty",
                    "Give --data a path, or unset TRACEBOOK_DATA",
                ));
            }
            return std::path::absolute(&named)
                .map_err(|e| Error::usage(format!("{}: {e}", named.display()), "Give --data a path"));
        }
        dirs::data_dir()
            .map(|d| d.join("tracebook"))
            .ok_or_else(|| Error::usage("this system has no data directory", "Give one with --data or TRACEBOOK_DATA"))
    }
}
