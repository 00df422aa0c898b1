//! What each kind of capture reads.

use tracebook_core::console::Console;
use tracebook_core::evidence::{Body, Kind};
use tracebook_core::freeze::Origin;
use tracebook_core::logs::Logs;
use tracebook_core::question::Source;
use tracebook_core::service_map;
use tracebook_core::time::Nanos;
use tracebook_core::trace::Trace;
use tracebook_core::xray::{self, Group, Groups, SamplingRule, SamplingRules};

use tracebook_sources::xray::receiver::{default_group, default_rule};

use super::Raw;
use crate::Tracebook;
use crate::ground::error::Error;
use crate::ground::question::{trace_id, unsupported};
use crate::ground::records::{assembled, log_event};
use crate::ground::tasks::blocking;
use crate::rpc::{Caller, Capture};

/// What a capture found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) body: Body,
    pub(crate) raw: Raw,
    pub(crate) warnings: Vec<String>,
    /// At most so many were asked for.
    pub(crate) limit: u32,
    /// What a cloud source says of it.
    pub(crate) origin: Origin,
    /// When it was answered, where that is not the moment of the click.
    pub(crate) asked_at: Option<Nanos>,
}

/// How many log events or console lines a capture holds unless one is named.
pub(super) const EVENTS: u32 = 200;
/// The region of what is always there, since nobody asked for one.
const REGION: &str = "us-east-1";
/// Over how many traces a service map is made at most.
const MAP_TRACES: u32 = 2_000;

impl Found {
    pub(crate) fn new(body: Body, limit: u32) -> Self {
        let (raw, origin) = (Raw::default(), Origin::default());
        Self { body, raw, warnings: Vec::new(), limit, origin, asked_at: None }
    }
}

impl Tracebook {
    pub(crate) async fn find(&self, request: &Capture, caller: &Caller) -> Result<Found, Error> {
        if request.source != Source::Local {
            // Boxed: the SDKs' futures are deeper than the compiler follows.
            return Box::pin(self.find_in_cloud(request, caller)).await;
        }
        match request.kind {
            Kind::Trace => self.trace_to_capture(request).await,
            Kind::Logs => self.logs_to_capture(request).await,
            Kind::Error => self.error_to_capture(request).await,
            Kind::Console => self.console_to_capture(request).await,
            Kind::ServiceMap => self.map_to_capture(request).await,
            Kind::Groups => self.groups_to_capture(request).await,
            Kind::SamplingRules => self.rules_to_capture(request).await,
            Kind::Dossier => self.dossier_to_capture(request).await,
            Kind::Query => Err(unsupported(Source::Local, "queries")),
        }
    }

    async fn trace_to_capture(&self, request: &Capture) -> Result<Found, Error> {
        let id = self.which_trace(request).await?;
        let read = self.read_trace(id).await?;
        let mut warnings = read.warnings;
        warnings.extend(read.trace.notes.iter().cloned());
        let raw = Raw { spans: read.records, ..Raw::default() };
        Ok(Found { raw, warnings, ..Found::new(Body::Trace(read.trace), 1) })
    }

    /// The trace that was named, or the newest that matches.
    pub(super) async fn which_trace(&self, request: &Capture) -> Result<tracebook_core::ids::TraceId, Error> {
        match one_of(request, "trace", "`live traces` lists them")? {
            Some(id) => trace_id(id),
            None => {
                let since = self.since(request.since.as_deref())?;
                let found = self.find_traces(&request.filter, since, 1, true).await?;
                found
                    .rows
                    .first()
                    .map(|t| t.trace_id)
                    .ok_or_else(|| nothing_matched("trace whose root span has arrived", "traces", &request.filter))
            }
        }
    }

    async fn logs_to_capture(&self, request: &Capture) -> Result<Found, Error> {
        if let Some(id) = &request.id {
            if request.latest {
                return Err(both());
            }
            let stored = self.stored_log(id).await?;
            let logs = Logs { events: vec![log_event(&stored.record)], ..Logs::default() };
            let raw = Raw { logs: vec![stored.record], ..Raw::default() };
            return Ok(Found { raw, ..Found::new(Body::Logs(logs), 1) });
        }
        let since = self.since(request.since.as_deref())?;
        let limit = if request.latest { 1 } else { EVENTS };
        let mut found = self.find_logs(&request.filter, since, limit, !request.latest).await?;
        if found.events.is_empty() {
            return Err(nothing_matched("log event", "logs", &request.filter));
        }
        found.events.reverse();
        let mut notes = Vec::new();
        if found.more > 0 && !request.latest {
            notes.push(format!("{} older log events matched too and are left out", found.more));
        }
        if found.cut {
            notes.push("older log events were not looked at: there are too many".to_owned());
        }
        let records: Vec<_> = found.events.into_iter().map(|stored| stored.record).collect();
        let events = records.iter().map(log_event).collect();
        let more = if request.latest { 0 } else { found.more };
        let logs = Logs { events, more, notes: notes.clone() };
        let raw = Raw { logs: records, ..Raw::default() };
        Ok(Found { raw, warnings: notes, ..Found::new(Body::Logs(logs), limit) })
    }

    async fn error_to_capture(&self, request: &Capture) -> Result<Found, Error> {
        let id = match one_of(request, "error", "`live errors` lists them")? {
            Some(id) => id.to_owned(),
            None => {
                let since = self.since(request.since.as_deref())?;
                let found = self.find_errors(&request.filter, since, 1).await?;
                let item = found.into_iter().next();
                item.ok_or_else(|| nothing_matched("error", "errors", &request.filter))?.latest.item
            }
        };
        let (error, record) = self.read_error(&id).await?;
        let warnings = error.occurrence.notes.clone();
        let raw = Raw { errors: vec![record], ..Raw::default() };
        Ok(Found { raw, warnings, ..Found::new(Body::Error(Box::new(error)), 1) })
    }

    async fn console_to_capture(&self, request: &Capture) -> Result<Found, Error> {
        if let Some(given) = &request.text {
            let console = Console::from_text(&given.source, &given.text);
            return self.console_found(console).await;
        }
        if request.id.is_some() {
            return Err(Error::usage(
                "console output has no ids",
                "Use --filter and --since over what `serve --watch` keeps, --file FILE, or -- COMMAND",
            ));
        }
        let since = self.since(request.since.as_deref())?;
        let limit = if request.latest { 1 } else { EVENTS };
        let mut found = self.find_lines(&request.filter, since, limit).await?;
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
        let console = Console {
            source: sources.join(", "),
            lines: found
                .iter()
                .map(|stored| tracebook_core::console::ConsoleLine {
                    text: stored.record.text.clone(),
                    stderr: stored.record.stderr,
                    time: Some(stored.record.timestamp),
                })
                .collect(),
            ..Console::default()
        };
        Ok(Found::new(Body::Console(console), limit))
    }

    /// Console output as evidence; spans that are recognised in it become telemetry.
    pub(super) async fn console_found(&self, mut console: Console) -> Result<Found, Error> {
        if console.lines.is_empty() {
            return Err(Error::not_found(
                "there is no line in it",
                "Give text, a file, or a command that prints something",
            ));
        }
        let spans = tracebook_sources::console::spans(&console.lines);
        if !spans.is_empty() {
            self.telemetry.commit(&spans, self.now()).await?;
            let mut traces: Vec<_> = spans.iter().map(|s| s.trace_id).collect();
            traces.sort_unstable();
            traces.dedup();
            let n = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
            console.notes.push(format!(
                "{} of {} recognised in it; {} can be captured too",
                n(spans.len(), "span"),
                n(traces.len(), "trace"),
                if traces.len() == 1 { "it" } else { "they" }
            ));
        }
        let warnings = console.notes.clone();
        Ok(Found { warnings, ..Found::new(Body::Console(console), 0) })
    }

    async fn map_to_capture(&self, request: &Capture) -> Result<Found, Error> {
        let since = self.since(request.since.as_deref())?;
        let (rows, notes) = match &request.id {
            Some(id) => (vec![trace_id(id)?], Vec::new()),
            None => {
                let found = self.find_traces(&request.filter, since, MAP_TRACES, false).await?;
                (found.rows.into_iter().map(|t| t.trace_id).collect::<Vec<_>>(), found.notes)
            }
        };
        if rows.is_empty() {
            return Err(nothing_matched("trace", "traces", &request.filter));
        }
        let full = rows.len() == usize::try_from(MAP_TRACES).unwrap_or(usize::MAX);
        let mut records = Vec::with_capacity(rows.len());
        for id in rows {
            records.push((id, self.telemetry.spans(id).await?));
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
                map.notes.push(format!("made over the newest {MAP_TRACES} traces; older ones are left out"));
            }
            map
        })
        .await?;
        let warnings = map.notes.clone();
        Ok(Found { warnings, ..Found::new(Body::ServiceMap(map), MAP_TRACES) })
    }

    async fn groups_to_capture(&self, request: &Capture) -> Result<Found, Error> {
        let mut groups = vec![default_group(REGION)];
        groups.extend(self.telemetry.xray_groups().await?);
        let groups = named(groups, request, "group", |g: &Group| &g.name)?;
        let body = Body::Groups(Groups { groups, notes: Vec::new() });
        Ok(Found::new(body, 0))
    }

    async fn rules_to_capture(&self, request: &Capture) -> Result<Found, Error> {
        let mut rules = self.telemetry.sampling_rules().await?;
        rules.push(default_rule(REGION));
        let rules = named(rules, request, "sampling rule", |r: &SamplingRule| &r.name)?;
        let notes = xray::warnings(&rules);
        let warnings = notes.clone();
        let body = Body::SamplingRules(SamplingRules { rules, notes });
        Ok(Found { warnings, ..Found::new(body, 0) })
    }
}

/// The one of this name; all where none is named.
pub(super) fn named<T>(all: Vec<T>, request: &Capture, what: &str, name: fn(&T) -> &String) -> Result<Vec<T>, Error> {
    let Some(wanted) = &request.id else { return Ok(all) };
    let names = all.iter().map(|one| name(one).as_str()).collect::<Vec<_>>().join(", ");
    let found: Vec<T> = all.into_iter().filter(|one| name(one) == wanted).collect();
    match found.is_empty() {
        true => Err(Error::not_found(format!("there is no {what} {wanted:?}"), format!("There are: {names}"))),
        false => Ok(found),
    }
}

/// The id that was given, or `None` where the newest was asked for.
pub(super) fn one_of<'a>(request: &'a Capture, what: &str, where_ids_are: &str) -> Result<Option<&'a str>, Error> {
    match (&request.id, request.latest) {
        (Some(_), true) => Err(both()),
        (Some(id), false) => Ok(Some(id)),
        (None, true) => Ok(None),
        (None, false) => Err(Error::usage(
            format!("which {what}?"),
            format!("Give its id ({where_ids_are}), or --latest for the newest"),
        )),
    }
}

pub(super) fn both() -> Error {
    Error::usage("both an id and --latest were given", "Give one of the two")
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
