//! A demonstration of the whole workflow without an instrumented service.
//!
//! The demo service is a small server that sends what SDKs send, over the network, to the receivers' ports; the app
//! treats it like any other service.

mod aws;
mod otlp;
mod rollbar;
mod service;
mod xray;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use tracebook_core::entry::Entry;
use tracebook_core::evidence::Kind;

use crate::ground::config::{Listen, ReceiverConfig};
use crate::ground::error::{Code, Error};
use crate::ground::schema::{Caller, Capture, ConsoleText, EntryNew, Export, LiveTraces};
use crate::{Config, Tracebook};

/// The result of the demo.
#[derive(Clone, Debug, Serialize)]
pub struct Demonstrated {
    /// Slug.
    pub entry: String,
    /// The evidence's ids.
    pub evidence: Vec<String>,
    /// The files written, as paths.
    pub exported: Vec<String>,
    /// The journal it is in.
    #[serde(skip)]
    pub data_dir: PathBuf,
}

/// What the demo service is asked for, each with a request of its own.
const PATHS: [&str; 2] = ["/api/activities/home", "/api/activities/notifications"];

/// The entry of [`fill`], with a slot for each list of the tray.
const TO_FILL: &str = "# Demo

A demo service has just sent telemetry to Tracebook, as your own would. Fill the slots below: choose **Capture here** \
beside a slot, then **Capture** on a row of the tray.

The home page asks two more functions; the trace (`service:demo-flask`) shows how long each takes.

Insert image of Traces

One request that fails (`service:demo-xray`). The segment says where.

Insert image of X-Ray traces

What the service logged:

Insert image of the log group

The error that it reported:

Insert image of the Rollbar error

**Export…** writes the entry with its cards. The demo can be deleted like any other entry.
";

/// How long the demo waits for its own telemetry.
const TIMEOUT: Duration = Duration::from_secs(15);

const TEXT: &str = "# Week 2 — Distributed Tracing

## Required Homework

### Instrument Honeycomb with OTEL

The home page asks two more functions; the trace shows how long each takes.

Insert image of Traces

### Instrument AWS X-Ray

One request that fails. The segment says where.

Insert image of X-Ray traces

The group and the sampling rule:

![X-Ray group]()

![X-Ray sampling rule]()

### CloudWatch Logs

Insert image of the log group

### Rollbar

Insert image of the Rollbar error

## Homework Challenges

What the service printed:

![Console output]()

Who calls whom:

![Service map]()

The failed request, everything that is known of it:

![Dossier]()
";

/// A capture of the demo and the slot that it fills.
struct Step {
    kind: Kind,
    id: Option<&'static str>,
    filter: &'static str,
    slot: &'static str,
    what: &'static str,
}

const STEPS: [Step; 9] = [
    Step {
        kind: Kind::Trace,
        id: None,
        filter: "service:demo-flask name:home",
        slot: "Insert image of Traces",
        what: "OTLP",
    },
    Step {
        kind: Kind::Trace,
        id: None,
        filter: "service:demo-xray status:fault",
        slot: "Insert image of X-Ray traces",
        what: "X-Ray",
    },
    Step { kind: Kind::Groups, id: None, filter: "", slot: "X-Ray group", what: "X-Ray's API" },
    Step { kind: Kind::SamplingRules, id: Some("Demo"), filter: "", slot: "X-Ray sampling rule", what: "X-Ray's API" },
    Step {
        kind: Kind::Logs,
        id: None,
        filter: "group:demo-flask",
        slot: "Insert image of the log group",
        what: "CloudWatch Logs",
    },
    Step {
        kind: Kind::Error,
        id: None,
        filter: "TypeError",
        slot: "Insert image of the Rollbar error",
        what: "Rollbar",
    },
    Step { kind: Kind::Console, id: None, filter: "", slot: "Console output", what: "console" },
    Step { kind: Kind::ServiceMap, id: None, filter: "", slot: "Service map", what: "traces" },
    Step {
        kind: Kind::Dossier,
        id: None,
        filter: "service:demo-xray status:fault",
        slot: "Dossier",
        what: "all of them",
    },
];

/// A new temporary directory for a journal.
///
/// # Errors
/// If the temporary directory of the system cannot be written.
pub fn throw_away_dir() -> Result<PathBuf, Error> {
    let made = tempfile::Builder::new().prefix("tracebook-demo-").tempdir();
    made.map(tempfile::TempDir::keep).map_err(|e| crate::ground::files::cannot_write(&std::env::temp_dir(), &e))
}

/// Runs the demo: receivers on free ports, a service, an entry, one evidence of each kind, an export. `say` gets a
/// line for each step.
///
/// # Errors
/// Where a step fails.
pub async fn run(data_dir: PathBuf, out: &Path, say: &(dyn Fn(String) + Sync)) -> Result<Demonstrated, Error> {
    let free = Listen::Named(std::net::SocketAddr::from(([127, 0, 0, 1], 0)));
    let receivers = ReceiverConfig { http: free, grpc: free, xray: free, ..ReceiverConfig::default() };
    let tracebook =
        Tracebook::start(Config { data_dir: data_dir.clone(), receivers: Some(receivers), watch: Vec::new() }).await?;
    let done = run_steps(&tracebook, out, say).await;
    tracebook.shutdown().await;
    done.map(|done| Demonstrated { data_dir, ..done })
}

/// Fills a running journal with something to try: a service sends to its receivers, and an entry has slots for what
/// was sent.
///
/// # Errors
/// `unreachable` if nothing receives for this journal, or what was sent does not arrive.
pub async fn fill(tracebook: &Tracebook, caller: &Caller) -> Result<Entry, Error> {
    let (http, xray) = (address(tracebook, "http")?, address(tracebook, "xray")?);
    let service = service::Service::start(&http, &xray, tracebook.runtime.clock()).await?;
    let mut asked = Ok(0);
    for path in PATHS {
        asked = service.request(path).await;
        if asked.is_err() {
            break;
        }
    }
    service.stop().await;
    asked?;
    for filter in ["service:demo-flask name:home", "service:demo-xray status:fault"] {
        wait_for(tracebook, filter, caller).await?;
    }
    let new = EntryNew { week: None, title: None, body: Some(TO_FILL.to_owned()) };
    tracebook.journal.entry_new(new, caller).await
}

fn address(tracebook: &Tracebook, name: &str) -> Result<String, Error> {
    tracebook.ports.address(name).ok_or_else(|| {
        Error::new(
            Code::Unreachable,
            format!("the {name} receiver does not listen"),
            "`tracebook doctor` says which program has its port",
        )
    })
}

async fn run_steps(
    tracebook: &Arc<Tracebook>,
    out: &Path,
    say: &(dyn Fn(String) + Sync),
) -> Result<Demonstrated, Error> {
    let caller = Caller { client: "demo".to_owned(), call: String::new() };
    let (http, xray) = (address(tracebook, "http")?, address(tracebook, "xray")?);
    say(format!("Receiving OTLP, CloudWatch Logs and Rollbar on http://{http} and X-Ray on {xray}"));

    let service = service::Service::start(&http, &xray, tracebook.runtime.clock()).await?;
    say(format!("A demo service runs on http://{} and sends to all of them", service.address()));
    for path in PATHS {
        let status = service.request(path).await?;
        say(format!("  GET {path} → {status}"));
    }
    let printed = service.printed();
    service.stop().await;

    let new = EntryNew { week: Some("2".to_owned()), title: None, body: Some(TEXT.to_owned()) };
    let entry = tracebook.journal.entry_new(new, &caller).await?;
    say(format!("Wrote the entry {} ({})", entry.row.slug, entry.row.title));

    let mut evidence = Vec::new();
    for step in STEPS {
        if matches!(step.kind, Kind::Trace | Kind::Dossier) {
            wait_for(tracebook, step.filter, &caller).await?;
        }
        let newest = matches!(step.kind, Kind::Trace | Kind::Dossier | Kind::Error);
        let request = Capture {
            id: step.id.map(str::to_owned),
            latest: newest,
            filter: step.filter.to_owned(),
            text: (step.kind == Kind::Console).then(|| ConsoleText {
                source: "demo service".to_owned(),
                text: printed.clone(),
                origin: None,
                encoding: None,
            }),
            into: Some(entry.row.slug.clone()),
            slot: Some(step.slot.to_owned()),
            ..Capture::of(step.kind)
        };
        let captured = tracebook.live_cards.capture(request, &caller).await?;
        say(format!("Froze ({}): {}", step.what, captured.evidence.title));
        evidence.push(captured.evidence.id.to_string());
    }

    let request = Export { entries: vec![entry.row.slug.clone()], to: out.display().to_string(), ..Export::default() };
    let exported = tracebook.transfer.export(request, &caller).await?;
    if let Some(refused) = exported.refused.first() {
        return Err(Error::new(
            Code::Refused,
            format!("{} exists already and was not written by Tracebook", out.join(refused).display()),
            "Give --out an empty folder",
        ));
    }
    let verified = crate::transfer::verify::verify(&[out.join("journal").display().to_string()], None)?;
    if !verified.ok {
        return Err(Error::internal("the exported demo cannot be verified"));
    }
    say(format!("Verified: {} of {} intact", verified.evidence.len(), evidence.len()));
    let exported = exported.written.iter().map(|path| out.join(path).display().to_string()).collect();
    Ok(Demonstrated { entry: entry.row.slug, evidence, exported, data_dir: PathBuf::new() })
}

/// Waits until a complete trace has arrived.
async fn wait_for(tracebook: &Tracebook, filter: &str, caller: &Caller) -> Result<(), Error> {
    let arrived = async {
        loop {
            let request = LiveTraces { filter: filter.to_owned(), limit: Some(1), ..LiveTraces::default() };
            if !tracebook.explore.live_traces(request, caller).await?.rows.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, arrived).await.unwrap_or_else(|_| {
        Err(Error::new(
            Code::Unreachable,
            format!("what the demo service sent has not arrived after {} s", TIMEOUT.as_secs()),
            "Is something between this program and its own loopback ports (a firewall, a proxy)?",
        ))
    })
}
