//! The receivers on their ports, and committing what arrives.

use std::net::IpAddr;
use std::sync::Arc;

use tracebook_core::clock::Clock;
use tracebook_sources::authority::{Host, Origin};
use tracebook_sources::receive::{AllowedHosts, Commit, Counters, guard};
use tracebook_sources::{cloudwatch, normalise, otlp, rollbar, serve, xray};
use tracebook_store::Telemetry;

use crate::ground::error::Error;
use crate::ground::runtime::Runtime;
use crate::ingest::last_arrival::LastArrival;
use crate::ingest::request_log::RequestLog;
use crate::ingest::sink::TelemetrySink;
use crate::ports::Listeners;
use crate::relay::Relay;

/// A service that sent something within this many nanoseconds is still sending.
const RECENT: i64 = 30_000_000_000;

/// The receivers of this process.
#[derive(Debug)]
pub(crate) struct Receivers {
    pub(crate) counters: Arc<Counters>,
    last: LastArrival,
}

impl Receivers {
    /// A process without receivers.
    pub(crate) fn none(runtime: &Runtime) -> Self {
        Self { counters: Arc::default(), last: LastArrival::new(runtime.clock()) }
    }

    /// Serves on bound ports until the app stops.
    pub(crate) fn start(
        listeners: Listeners,
        allow_origin: Vec<Origin>,
        telemetry: &Telemetry,
        relay: &Relay,
        runtime: &Runtime,
    ) -> Result<Self, Error> {
        let receivers = Self::none(runtime);
        let counters = &receivers.counters;
        let sink =
            Arc::new(TelemetrySink { store: telemetry.clone(), last: receivers.last.clone(), relay: relay.clone() });
        let log = RequestLog::start(telemetry.clone(), runtime);
        let guarded = Guarded::new(&listeners.bridges, allow_origin, log, relay.clone());
        let commit: Arc<dyn Commit> = sink.clone();
        let clock: Arc<dyn Clock> = runtime.clock();
        let parts = || (Arc::clone(&commit), Arc::clone(counters), Arc::clone(&clock));
        let serve = |listener, router| runtime.spawn(serve::serve(listener, router, runtime.stopping()));

        for listener in listeners.http {
            let (commit, counters, clock) = parts();
            let router = otlp::receiver::router(Arc::clone(&commit), Arc::clone(&counters), Arc::clone(&clock))
                .merge(rollbar::receiver::router(Arc::clone(&commit), Arc::clone(&counters), Arc::clone(&clock)))
                .merge(cloudwatch::receiver::router(sink.clone(), Arc::clone(&counters), Arc::clone(&clock)))
                .merge(xray::receiver::api_router(commit, sink.clone(), counters, clock, normalise));
            serve(listener, guarded.router("http", router));
        }
        for listener in listeners.grpc {
            let (commit, counters, clock) = parts();
            serve(listener, guarded.router("grpc", otlp::receiver::grpc_router(commit, counters, clock)));
        }
        for (udp, tcp) in listeners.xray {
            let (commit, counters, clock) = parts();
            let stopping = runtime.stopping();
            runtime.spawn(xray::receiver::serve_udp(udp, Arc::clone(&commit), Arc::clone(&counters), stopping));
            tcp.set_nonblocking(true).map_err(Error::internal)?;
            let tcp = tokio::net::TcpListener::from_std(tcp).map_err(Error::internal)?;
            serve(
                tcp,
                guarded.router("xray", xray::receiver::tcp_router(commit, sink.clone(), counters, clock, normalise)),
            );
        }
        Ok(receivers)
    }

    /// Whether a service sent something in the last half minute: closing now would lose what it sends next.
    pub(crate) fn still_receiving(&self) -> bool {
        self.last.ago().is_some_and(|ago| ago < RECENT)
    }
}

/// Wraps every router: access control and the request log.
struct Guarded {
    hosts: AllowedHosts,
    origins: Arc<[Origin]>,
    log: RequestLog,
    relay: Relay,
}

impl Guarded {
    fn new(bridge: &[IpAddr], origins: Vec<Origin>, log: RequestLog, relay: Relay) -> Self {
        let bridges = bridge.to_vec();
        let is_bridge = move |host: &Host| match host {
            Host::Name(_) => false,
            Host::V4(address) => bridges.contains(&IpAddr::V4(*address)),
            Host::V6(address) => bridges.contains(&IpAddr::V6(*address)),
        };
        Self { hosts: Arc::new(is_bridge), origins: origins.into(), log, relay }
    }

    fn router(&self, receiver: &'static str, router: axum::Router) -> axum::Router {
        let router = self.relay.without_loops(router);
        self.log.record(receiver, guard(router, Arc::clone(&self.hosts), Arc::clone(&self.origins)))
    }
}
