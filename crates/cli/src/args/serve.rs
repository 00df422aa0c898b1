use std::net::SocketAddr;

use clap::Args;

use tracebook_app::authority::{Authority, Origin};

use super::values::{address, host, origin};

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Receive OTLP over HTTP, CloudWatch Logs and Rollbar here [default: 127.0.0.1:4318]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) http: Option<SocketAddr>,
    /// Receive OTLP over gRPC here [default: 127.0.0.1:4317]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) grpc: Option<SocketAddr>,
    /// Receive the X-Ray daemon's protocol here, UDP and TCP [default: 127.0.0.1:2000]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) xray: Option<SocketAddr>,
    /// Serve the UI to a browser [default: 127.0.0.1:4390, or a free port]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, value_parser = address)]
    pub(crate) ui: Option<Option<SocketAddr>>,
    /// Replace the UI's key: open pages then need the new URL
    #[arg(long, requires = "ui")]
    pub(crate) new_key: bool,
    /// Start no receivers
    #[arg(long)]
    pub(crate) no_receivers: bool,
    /// Also listen on the container bridge, for services in containers
    #[arg(long)]
    pub(crate) containers: bool,
    /// Allow requests under this host name: to the UI (a cloud workspace's), and to the receivers (that of a service in
    /// a compose file, such as otel-collector)
    #[arg(long, value_name = "NAME", value_parser = host)]
    pub(crate) allow_host: Vec<Authority>,
    /// Allow web pages of this origin to send telemetry, for example http://localhost:3000
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    pub(crate) allow_origin: Vec<Origin>,
    /// Run a command and store its output, for example "docker compose logs -f backend-flask"
    #[arg(long, value_name = "COMMAND")]
    pub(crate) watch: Vec<String>,
}
