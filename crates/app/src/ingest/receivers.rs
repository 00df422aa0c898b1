//! The receivers on their ports, and committing what arrives.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use tracebook_core::clock::Clock;
use tracebook_sources::access::{Policy, limit};
use tracebook_sources::authority::{Host, Origin};
use tracebook_sources::receive::{AllowedHosts, Commit, Counters, guard};
use tracebook_sources::{cloudwatch, normalise, otlp, rollbar, serve, xray};
use tracebook_store::Telemetry;

use crate::ground::error::Error;
use crate::ground::runtime::Runtime;
use crate::ground::settings::ReceiverSettings;
use crate::ingest::access::Permissions;
use crate::ingest::last_arrival::LastArrival;
use crate::ingest::request_log::RequestLog;
use crate::ingest::segment_log::SegmentLog;
use crate::ingest::sink::TelemetrySink;
use crate::ports::{Bridge, ContainerNetworks, Listeners};
use crate::relay::Relay;

/// A service that sent something within this many nanoseconds is still sending.
const RECENT: i64 = 30_000_000_000;

/// Who else than this machine's own programs may send.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowed {
    /// Names and addresses that requests may be for, beside those of loopback.
    pub(crate) hosts: Vec<Host>,
    /// Web pages.
    pub(crate) origins: Vec<Origin>,
}

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
        allowed: Allowed,
        settings: ReceiverSettings,
        telemetry: &Telemetry,
        redact: bool,
        relay: &Relay,
        runtime: &Runtime,
    ) -> Result<Self, Error> {
        let receivers = Self::none(runtime);
        let counters = &receivers.counters;
        let sink = Arc::new(TelemetrySink {
            store: telemetry.clone(),
            last: receivers.last.clone(),
            relay: relay.clone(),
            settings_used: AtomicI64::default(),
            segments: SegmentLog::new(telemetry),
            redact,
        });
        let log = RequestLog::start(telemetry.clone(), counters, runtime);
        let networks = Arc::new(ContainerNetworks::new(listeners.bridges.clone()));
        let guarded = Guarded {
            hosts: hosts(listeners.bridges, allowed.hosts),
            origins: allowed.origins.into(),
            policy: Arc::new(Permissions { settings, networks: Arc::clone(&networks) }),
            counters: Arc::clone(counters),
            log,
            relay: relay.clone(),
        };
        let commit: Arc<dyn Commit> = sink.clone();
        let clock: Arc<dyn Clock> = runtime.clock();
        let parts = || (Arc::clone(&commit), Arc::clone(counters), Arc::clone(&clock));
        let serve = |listener, name: &'static str, router| {
            let router = guarded.router(name, router);
            runtime.spawn(serve::serve_receiver(listener, router, runtime.stopping(), name, Arc::clone(counters)));
        };

        for listener in listeners.http {
            let (commit, counters, clock) = parts();
            let router = otlp::receiver::router(Arc::clone(&commit), Arc::clone(&counters), Arc::clone(&clock))
                .merge(rollbar::receiver::router(Arc::clone(&commit), Arc::clone(&counters), Arc::clone(&clock)))
                .merge(cloudwatch::receiver::router(sink.clone(), Arc::clone(&counters), Arc::clone(&clock)))
                .merge(xray::receiver::api_router(commit, sink.clone(), counters, clock, normalise));
            serve(listener, "http", router);
        }
        for listener in listeners.grpc {
            let (commit, counters, clock) = parts();
            serve(listener, "grpc", otlp::receiver::grpc_router(commit, counters, clock));
        }
        for (udp, tcp) in listeners.xray {
            let (commit, counters, clock) = parts();
            let stopping = runtime.stopping();
            let on_loopback = udp.local_addr().is_ok_and(|address| address.ip().is_loopback());
            let networks = Arc::clone(&networks);
            let accepts: Option<xray::receiver::Accepts> =
                (!on_loopback).then(|| Arc::new(move |address: IpAddr| networks.contain(address)) as _);
            let (commits, counted, times) = (Arc::clone(&commit), Arc::clone(&counters), Arc::clone(&clock));
            runtime.spawn(xray::receiver::serve_udp(udp, accepts, commits, counted, times, stopping));
            tcp.set_nonblocking(true).map_err(Error::internal)?;
            let tcp = tokio::net::TcpListener::from_std(tcp).map_err(Error::internal)?;
            serve(tcp, "xray", xray::receiver::tcp_router(commit, sink.clone(), counters, clock, normalise));
        }
        Ok(receivers)
    }

    /// Whether a service sent something in the last half minute: closing now would lose what it sends next.
    pub(crate) fn still_receiving(&self) -> bool {
        self.last.ago().is_some_and(|ago| ago < RECENT)
    }
}

/// The addresses of bridges, by which containers reach the receivers, and the hosts that the user allowed.
fn hosts(bridges: Vec<Bridge>, allowed: Vec<Host>) -> AllowedHosts {
    let bridges = bridges.into_iter().map(|bridge| Host::V4(bridge.address));
    let known: Vec<Host> = bridges.chain(allowed).collect();
    Arc::new(move |host: &Host| known.contains(host))
}

/// Wraps every router: access control and the request log.
struct Guarded {
    hosts: AllowedHosts,
    origins: Arc<[Origin]>,
    policy: Arc<dyn Policy>,
    counters: Arc<Counters>,
    log: RequestLog,
    relay: Relay,
}

impl Guarded {
    fn router(&self, receiver: &'static str, router: axum::Router) -> axum::Router {
        let router = limit(self.relay.without_loops(router), Arc::clone(&self.policy), Arc::clone(&self.counters));
        self.log.record(receiver, guard(router, Arc::clone(&self.hosts), Arc::clone(&self.origins)))
    }
}
