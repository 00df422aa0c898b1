//! Captures of local telemetry, one function per kind.

use std::collections::{BTreeMap, HashSet};

use tracebook_core::console::{AsPrinted, Console, ConsoleLine, ConsoleOrigin, Output, RECEIVER_STREAM};
use tracebook_core::evidence::{Body, Kind};
use tracebook_core::freeze::Origin;
use tracebook_core::log_query::StoredLog;
use tracebook_core::logs::Logs;
use tracebook_core::question::Window;
use tracebook_core::service_map;
use tracebook_core::skew;
use tracebook_core::text::count;
use tracebook_core::time::Nanos;
use tracebook_core::trace::Trace;
use tracebook_core::xray::{self, Group, Groups, SamplingRule, SamplingRules};

use tracebook_sources::xray::receiver::{default_group, default_rule};
use tracebook_store::console::StoredLine;

use super::Capturer;
use crate::ground::error::Error;
use crate::ground::finding::{Finding, MAX_ROWS, Raw, both, named, one_of};
use crate::ground::question::{trace_id, unsupported};
use crate::ground::records::{assembled, log_event};
use crate::ground::schema::{Caller, Capture};
use crate::ground::tasks::blocking;
use crate::telemetry::{errors, logs};

/// The region of X-Ray's built-in group and rule.
const REGION: &str = "us-east-1";
/// The most traces of a service map.
const MAX_MAP_TRACES: u32 = 2_000;

impl Capturer {
    pub(crate) async fn find(&self, request: &Capture, caller: &Caller) -> Result<Finding, Error> {
        let Capture { source, kind, .. } = request;
        if source.capture(*kind).is_none() {
            return Err(unsupported(*source, *kind));
        }
        // Futures of cloud calls are boxed: they are deeper than the compiler follows.
        match source.info().vendor {
            None => self.find_local(request).await,
            Some(vendor) => Box::pin(self.find_in_cloud(vendor, request, caller)).await,
        }
    }

    async fn find_local(&self, request: &Capture) -> Result<Finding, Error> {
        match request.kind {
            Kind::Trace => self.trace_to_capture(request).await,
            Kind::Logs => self.logs_to_capture(request).await,
            Kind::Error => self.error_to_capture(request).await,
            Kind::Console => self.console_to_capture(request).await,
            Kind::ServiceMap => self.map_to_capture(request).await,
            Kind::Groups => self.groups_to_capture(request).await,
            Kind::SamplingRules => self.rules_to_capture(request).await,
            Kind::Dossier => self.dossier_to_capture(request).await,
            Kind::Query => Err(unsupported(request.source, request.kind)),
        }
    }

    async fn trace_to_capture(&self, request: &Capture) -> Result<Finding, Error> {
        let id = self.which_trace(request).await?;
        let mut read = self.telemetry.read_trace(id).await?;
        let skewed = self.telemetry.skewed_senders(id).await?;
        let notes = self.telemetry.notes_on(&read.trace, &skewed).await?;
        read.trace.notes.extend(notes);
        let mut warnings = read.warnings;
        warnings.extend(read.trace.notes.iter().cloned());
        let raw = Raw { spans: read.records, ..Raw::default() };
        let origin = clock_of(skewed.into_iter().map(|(_, ahead)| ahead));
        Ok(Finding { raw, warnings, origin, ..Finding::new(Body::Trace(read.trace), 1) })
    }

    /// The named trace, or the newest that matches.
    pub(super) async fn which_trace(&self, request: &Capture) -> Result<tracebook_core::ids::TraceId, Error> {
        match one_of(request, "trace", "`live traces` lists them")? {
            Some(id) => trace_id(id),
            None => {
                let window = self.telemetry.window(request.since.as_deref())?;
                let found = self.telemetry.find_traces(&request.filter, window, 1, true).await?;
                found
                    .rows
                    .first()
                    .map(|t| t.trace_id)
                    .ok_or_else(|| nothing_matched("trace whose root span has arrived", "traces", &request.filter))
            }
        }
    }

    async fn logs_to_capture(&self, request: &Capture) -> Result<Finding, Error> {
        if let Some(id) = &request.id {
            if request.latest {
                return Err(both());
            }
            let stored = self.telemetry.stored_log(id).await?;
            let (notes, origin) = skewed_groups(std::slice::from_ref(&stored));
            let logs = Logs { events: vec![log_event(&stored.record)], notes: notes.clone(), ..Logs::default() };
            let raw = Raw { logs: vec![stored.record], ..Raw::default() };
            return Ok(Finding { raw, warnings: notes, origin, ..Finding::new(Body::Logs(logs), 1) });
        }
        let window = self.telemetry.window(request.since.as_deref())?;
        let limit = if request.latest { 1 } else { MAX_ROWS };
        let mut found = self.telemetry.find_logs(&request.filter, window, limit, !request.latest).await?;
        if found.events.is_empty() {
            return Err(nothing_matched("log event", "logs", &request.filter));
        }
        found.events.reverse();
        let mut notes = Vec::new();
        if found.more > 0 && !request.latest {
            notes.push(format!("{} older log events match too and are left out", found.more));
        }
        if found.cut {
            notes.push("older log events were not searched: there are too many".to_owned());
        }
        let (skewed, origin) = skewed_groups(&found.events);
        notes.extend(skewed);
        let records: Vec<_> = found.events.into_iter().map(|stored| stored.record).collect();
        let events = records.iter().map(log_event).collect();
        let more = if request.latest { 0 } else { found.more };
        let logs = Logs { events, more, notes: notes.clone() };
        let raw = Raw { logs: records, ..Raw::default() };
        Ok(Finding { raw, warnings: notes, origin, ..Finding::new(Body::Logs(logs), limit) })
    }

    async fn error_to_capture(&self, request: &Capture) -> Result<Finding, Error> {
        let id = match one_of(request, "error", "`live errors` lists them")? {
            Some(id) => id.to_owned(),
            None => {
                let window = self.telemetry.window(request.since.as_deref())?;
                let found = self.telemetry.find_errors(&request.filter, window, 1).await?;
                let item = found.into_iter().next();
                item.ok_or_else(|| nothing_matched("error", "errors", &request.filter))?.latest.item
            }
        };
        let (mut error, record) = self.telemetry.read_error(&id).await?;
        let item = self.telemetry.store.error_item(&record.item).await?;
        let ahead = item.filter(|item| item.latest.uuid == record.uuid).and_then(|item| errors::skew_of(&item));
        error.occurrence.notes.extend(ahead.map(|ahead| skew::note("", ahead)));
        let warnings = error.occurrence.notes.clone();
        let raw = Raw { errors: vec![record], ..Raw::default() };
        let origin = clock_of(ahead);
        Ok(Finding { raw, warnings, origin, ..Finding::new(Body::Error(Box::new(error)), 1) })
    }

    async fn console_to_capture(&self, request: &Capture) -> Result<Finding, Error> {
        if let Some(given) = &request.text {
            let mut console = Console::from_text(&given.source, &given.text);
            // Only a client that read bytes knows their encoding.
            console.notes.extend(given.encoding.clone());
            console.origin = given.origin.or(match given.source.as_str() {
                "pasted text" => Some(ConsoleOrigin::Pasted),
                "standard input" => Some(ConsoleOrigin::Input),
                _ => None,
            });
            return self.console_found(Output { console, printed: AsPrinted::of_text(&given.text) }).await;
        }
        if request.id.is_some() {
            return Err(Error::usage(
                "console output has no ids",
                "Use --filter and --since over what `serve --watch` keeps, --file FILE, or -- COMMAND",
            ));
        }
        let window = self.telemetry.window(request.since.as_deref())?;
        let limit = if request.latest { 1 } else { MAX_ROWS };
        let mut found = self.telemetry.find_lines(&request.filter, window, limit).await?;
        found.reverse();
        let Some(first) = found.first() else {
            return Err(nothing_matched("console line", "console", &request.filter));
        };
        let mut sources: Vec<&str> = vec![&first.record.stream];
        for line in &found {
            if !sources.contains(&line.record.stream.as_str()) {
                sources.push(&line.record.stream);
            }
        }
        let own = sources == [RECEIVER_STREAM];
        let console = Console {
            source: sources.join(", "),
            origin: Some(if own { ConsoleOrigin::Receiver } else { ConsoleOrigin::Watched }),
            lines: found.iter().cloned().map(console_line).collect(),
            ..Console::default()
        };
        let printed = self.printed(&found, &request.filter).await?;
        Ok(Finding { raw: Raw { console: printed, ..Raw::default() }, ..Finding::new(Body::Console(console), limit) })
    }

    /// What was printed to the streams of these lines, from the first to the last of them.
    async fn printed(&self, lines: &[StoredLine], filter: &str) -> Result<AsPrinted, Error> {
        let last = lines.iter().map(|line| line.record.timestamp).max();
        let window = Window {
            from: lines.iter().map(|line| line.begun.unwrap_or(line.record.timestamp)).min(),
            to: last.map(|last| Nanos(last.0.saturating_add(1))),
            ..Window::default()
        };
        let streams: HashSet<&str> = lines.iter().map(|line| line.record.stream.as_str()).collect();
        let mut printed = self.telemetry.printed_lines(filter, window).await?;
        printed.retain(|line| streams.contains(line.record.stream.as_str()));
        printed.sort_by_key(|line| (line.record.timestamp, line.seq));
        Ok(printed.into_iter().map(console_line).collect())
    }

    /// Console output as evidence; recognised spans become telemetry.
    pub(super) async fn console_found(&self, output: Output) -> Result<Finding, Error> {
        let Output { mut console, printed } = output;
        if console.lines.is_empty() {
            return Err(Error::not_found(
                "the output has no lines",
                "Give text, a file, or a command that prints something",
            ));
        }
        let spans = tracebook_sources::console::spans(&console.lines, Some(self.runtime.now()));
        if !spans.is_empty() {
            self.telemetry.store.commit(&spans, self.runtime.now()).await?;
            let mut traces: Vec<_> = spans.iter().map(|s| s.trace_id).collect();
            traces.sort_unstable();
            traces.dedup();
            console.notes.push(format!(
                "{} of {} recognised in it; {} can be captured too",
                count(spans.len(), "span"),
                count(traces.len(), "trace"),
                if traces.len() == 1 { "it" } else { "they" }
            ));
        }
        let warnings = console.notes.clone();
        let raw = Raw { console: printed, ..Raw::default() };
        Ok(Finding { raw, warnings, ..Finding::new(Body::Console(console), 0) })
    }

    async fn map_to_capture(&self, request: &Capture) -> Result<Finding, Error> {
        let window = self.telemetry.window(request.since.as_deref())?;
        let (rows, notes) = match &request.id {
            Some(id) => (vec![trace_id(id)?], Vec::new()),
            None => {
                let found = self.telemetry.find_traces(&request.filter, window, MAX_MAP_TRACES, false).await?;
                (found.rows.into_iter().map(|t| t.trace_id).collect::<Vec<_>>(), found.notes)
            }
        };
        if rows.is_empty() {
            return Err(nothing_matched("trace", "traces", &request.filter));
        }
        let full = rows.len() == usize::try_from(MAX_MAP_TRACES).unwrap_or(usize::MAX);
        let mut records = Vec::with_capacity(rows.len());
        for id in rows {
            records.push((id, self.telemetry.store.spans(id).await?));
        }
        let map = blocking(move || {
            let traces: Vec<Trace> = records
                .iter()
                .filter(|(_, spans)| !spans.is_empty())
                .map(|(id, spans)| assembled(*id, spans).0)
                .collect();
            let mut map = service_map::of(traces.iter());
            map.notes.extend(notes);
            if full {
                map.notes.push(format!("made from the newest {MAX_MAP_TRACES} traces; older ones are left out"));
            }
            map
        })
        .await?;
        let warnings = map.notes.clone();
        Ok(Finding { warnings, ..Finding::new(Body::ServiceMap(map), MAX_MAP_TRACES) })
    }

    async fn groups_to_capture(&self, request: &Capture) -> Result<Finding, Error> {
        let mut groups = vec![default_group(REGION)];
        groups.extend(self.telemetry.store.xray_groups().await?);
        let groups = named(groups, request, "group", |g: &Group| &g.name)?;
        let body = Body::Groups(Groups { groups, notes: Vec::new() });
        Ok(Finding::new(body, 0))
    }

    async fn rules_to_capture(&self, request: &Capture) -> Result<Finding, Error> {
        let mut rules = self.telemetry.store.sampling_rules().await?;
        rules.push(default_rule(REGION));
        let rules = named(rules, request, "sampling rule", |r: &SamplingRule| &r.name)?;
        let notes = xray::warnings(&rules);
        let warnings = notes.clone();
        let body = Body::SamplingRules(SamplingRules { rules, notes });
        Ok(Finding { warnings, ..Finding::new(body, 0) })
    }
}

fn nothing_matched(what: &str, list: &str, filter: &str) -> Error {
    let message = match filter.is_empty() {
        true => format!("no {what}"),
        false => format!("no {what} matches {filter:?}"),
    };
    Error::not_found(
        message,
        format!(
            "`env` prints the settings that point a service here, `doctor` says why nothing arrives; `live {list}` shows what has arrived"
        ),
    )
}

fn console_line(stored: StoredLine) -> ConsoleLine {
    let line = stored.record;
    ConsoleLine { text: line.text, stderr: line.stderr, time: Some(line.timestamp) }
}

/// The provenance of what skewed clocks wrote: the furthest, in nanoseconds.
pub(super) fn clock_of(skews: impl IntoIterator<Item = i64>) -> Origin {
    let furthest = skews.into_iter().max_by_key(|ahead| ahead.saturating_abs());
    Origin { clock_skew: furthest.map(Nanos), ..Origin::default() }
}

/// The notes about log groups whose clock differs from this machine's.
fn skewed_groups(events: &[StoredLog]) -> (Vec<String>, Origin) {
    let mut groups: BTreeMap<&str, i64> = BTreeMap::new();
    for stored in events {
        if let Some(ahead) = logs::skew_of(stored) {
            let known = groups.entry(&stored.record.group).or_insert(ahead);
            *known = if known.saturating_abs() < ahead.saturating_abs() { ahead } else { *known };
        }
    }
    let notes = groups.iter().map(|(group, ahead)| skew::note(group, *ahead)).collect();
    (notes, clock_of(groups.into_values()))
}
