//! The tables that earlier renderers wrote: up to 3, in the order of the data and without folding; 4, without folding
//! errors and without what the occurrences of an error differ in. `verify` compares exports of earlier versions with
//! them, so that these are neither called edited nor exempt from the comparison.

use std::collections::BTreeMap;

use tracebook_core::assemble;
use tracebook_core::choose::Errors;
use tracebook_core::console::Console;
use tracebook_core::dossier::{Dossier, Moment};
use tracebook_core::evidence::{Body, Frozen};
use tracebook_core::logs::Logs;
use tracebook_core::service_map::{ServiceMap, Traffic};
use tracebook_core::text;
use tracebook_core::time::human_duration;
use tracebook_core::trace::{Span, Trace};
use tracebook_core::value::Attribute;

use super::console::console_text;
use super::table::{MOST_ROWS, Table, clip, made};
use super::trace::status;
use super::{captions, map, picture};
use crate::inline::one_line;

/// The tables of frozen evidence as earlier versions wrote them, where they differ from today's.
pub(crate) fn tables(frozen: &Frozen) -> Vec<Table> {
    let fourth = match &frozen.evidence.body {
        Body::Logs(body) => Some(super::logs::table(body, Errors::Stay)),
        Body::Console(body) => Some(super::console::table(body, Errors::Stay)),
        Body::Dossier(body) => Some(super::dossier::table(body, Errors::Stay)),
        Body::Error(_) | Body::Trace(_) | Body::ServiceMap(_) => None,
        Body::Groups(_) | Body::SamplingRules(_) | Body::Query(_) => None,
    };
    fourth.into_iter().chain([up_to_three(frozen)]).collect()
}

fn up_to_three(frozen: &Frozen) -> Table {
    match &frozen.evidence.body {
        Body::Trace(body) => trace(body),
        Body::Logs(body) => logs(body),
        Body::Console(body) => console(body),
        Body::ServiceMap(body) => service_map(body),
        Body::Dossier(body) => dossier(body),
        Body::Error(body) => super::error::table(body, &[]),
        body @ (Body::Groups(_) | Body::SamplingRules(_) | Body::Query(_)) => picture(body).table(),
    }
}

fn trace(trace: &Trace) -> Table {
    let start = trace.start().0;
    let rows = assemble::rows(trace);
    let cells = rows.iter().take(MOST_ROWS).map(|row| {
        let span = &trace.spans[row.index];
        let duration = span.duration().map_or_else(|| "in progress".to_owned(), human_duration);
        let mut notes = Vec::new();
        if let Some(parent) = row.phantom {
            notes.push(format!("parent {parent} never arrived"));
        }
        notes.extend(trace.failures(span));
        notes.extend(said(span));
        let indent = "· ".repeat(row.depth.min(12));
        [
            format!("{indent}{}", span.title()),
            span.service.clone(),
            human_duration(span.start.0.saturating_sub(start)),
            duration,
            status(span),
            notes.join("; "),
        ]
        .map(|cell| clip(&one_line(&cell)))
        .to_vec()
    });
    Table {
        summary: text::count(trace.spans.len(), "span"),
        head: ["Span", "Service", "Start", "Duration", "Status", "Details"].map(str::to_owned).to_vec(),
        rows: cells.collect(),
        more: rows.len().saturating_sub(MOST_ROWS),
    }
}

fn logs(logs: &Logs) -> Table {
    let rows = logs.events.iter().map(|e| {
        [
            e.timestamp.rfc3339(),
            e.severity.clone(),
            e.message.clone(),
            e.group.clone(),
            e.stream.clone(),
            e.trace_id.map(|id| id.to_string()).unwrap_or_default(),
        ]
    });
    let summary = text::count(logs.events.len(), "event");
    made(summary, ["Time", "Severity", "Message", "Group", "Stream", "Trace"], logs.events.len(), rows)
}

fn console(console: &Console) -> Table {
    let rows = (1..).zip(&console.lines).map(|(n, line): (u64, _)| {
        [
            n.saturating_add(u64::from(console.more)).to_string(),
            if line.stderr { "stderr" } else { "stdout" }.to_owned(),
            console_text(line),
        ]
    });
    let summary = text::count(console.lines.len(), "line");
    made(summary, ["Line", "Stream", "Text"], console.lines.len(), rows)
}

fn dossier(dossier: &Dossier) -> Table {
    let line = dossier.time_line();
    let own = "the trace itself";
    let timed = line.iter().map(|(time, moment)| {
        let (source, text, by) = match moment {
            Moment::Span(i) => {
                let span = &dossier.trace.spans[*i];
                let duration = span.duration().map_or_else(|| "in progress".to_owned(), human_duration);
                let status = status(span);
                let parts = [span.title(), span.service.clone(), duration, status];
                let parts: Vec<String> = parts.into_iter().filter(|p| !p.is_empty()).collect();
                ("span", parts.join(" · "), own)
            }
            Moment::Log(i) => {
                let log = &dossier.logs[*i];
                let event = &log.event;
                let severity = if event.severity.is_empty() { String::new() } else { format!("{} ", event.severity) };
                ("log", format!("{severity}{}", event.message), log.words())
            }
            Moment::Error(i) => {
                let error = &dossier.errors[*i];
                ("error", error.occurrence.title.clone(), error.words(&dossier.trace))
            }
            Moment::Line(i) => {
                let line = &dossier.console[*i];
                ("console", console_text(&line.line), line.words())
            }
        };
        [time.rfc3339(), source.to_owned(), text, by.to_owned()]
    });
    let timeless = dossier
        .console
        .iter()
        .filter(|l| l.line.time.is_none())
        .map(|l| [String::new(), "console".to_owned(), console_text(&l.line), l.words().to_owned()]);
    let all = line.len() + dossier.console.iter().filter(|l| l.line.time.is_none()).count();
    made(text::count(all, "moment"), ["Time", "Source", "What", "Joined"], all, timed.chain(timeless))
}

fn service_map(map: &ServiceMap) -> Table {
    let numbers = |what: String, kind: &str, t: &Traffic| {
        let counts = [t.requests, t.errors, t.faults, t.throttles].map(|n| text::grouped(n as usize));
        let [requests, errors, faults, throttles] = counts;
        let [p50, p95, max] = [t.p50, t.p95, t.max].map(|n| human_duration(n.0));
        [what, kind.to_owned(), requests, errors, faults, throttles, p50, p95, max]
    };
    let names: BTreeMap<u32, &str> = map.nodes.iter().rev().map(|n| (n.id, n.name.as_str())).collect();
    let name = |id: u32| match names.get(&id) {
        Some(name) => captions::brief(name),
        None => format!("node {id}"),
    };
    let nodes = map.nodes.iter().map(|n| numbers(n.name.clone(), map::word(n.kind), &n.traffic));
    let edges = map.edges.iter().map(|e| numbers(format!("{} → {}", name(e.from), name(e.to)), "call", &e.traffic));
    let summary = text::count(map.nodes.len(), "node");
    let head = ["What", "Kind", "Requests", "Errors (4xx)", "Faults (5xx)", "Throttled", "p50", "p95", "Longest"];
    made(summary, head, map.nodes.len() + map.edges.len(), nodes.chain(edges))
}

/// X-Ray annotations, and attributes outside the conventions.
fn said(span: &Span) -> Vec<String> {
    let not_common = |a: &&Attribute| {
        let head = a.key.split('.').next().unwrap_or_default();
        !COMMON.contains(&head)
    };
    span.annotations.iter().chain(span.attributes.iter().filter(not_common)).map(captions::pair).collect()
}

/// Attributes set by instrumentation; others come from the author of the code.
const COMMON: &[&str] = &[
    "http",
    "net",
    "network",
    "url",
    "server",
    "client",
    "user_agent",
    "peer",
    "code",
    "thread",
    "db",
    "rpc",
    "messaging",
    "otel",
    "service",
    "process",
    "host",
    "os",
    "container",
    "k8s",
    "cloud",
    "aws",
    "faas",
    "telemetry",
    "exception",
    "error",
    "source",
    "destination",
    "tls",
    "sql",
    "origin",
    "precursor_ids",
    "user",
    "namespace",
    "type",
    "inferred",
    "library",
    "browser",
    "enduser",
    "session",
    "event",
    "log",
    "file",
    "feature_flag",
    "graphql",
    "gen_ai",
    "xray",
    "meta",
    "trace",
    "SampleRate",
    "resource_arn",
    "remote",
    "sampled",
    "annotation",
    "metadata",
    "traced",
    "links",
    "id",
    "name",
];
