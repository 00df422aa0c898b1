//! Dispatches queries to a source: local telemetry or a cloud source.

mod filters;
mod links;
mod queries;

use std::sync::Arc;

use tracebook_core::catalog::List;
use tracebook_core::console::ConsoleRow;
use tracebook_core::errors::{ErrorItem, ErrorRow};
use tracebook_core::evidence::{Body, Kind};
use tracebook_core::logs::{LogEvent, LogRow};
use tracebook_core::question::Source;
use tracebook_core::trace::{Trace, TraceSummary};
use tracebook_render::card::{self, Form};

use crate::cloud::{self, Answered, Cloud, CloudVendor};
use crate::ground::cache::Cache;
use crate::ground::error::Error;
use crate::ground::question::{trace_id, unsupported};
use crate::ground::runtime::Runtime;
use crate::ground::schema::{
    Caller, ErrorRef, Listed, LiveConsole, LiveErrors, LiveLogs, LiveTraces, LogRef, OccurrencePick,
    OccurrencesRequest, TraceGet,
};
use crate::ground::tasks::blocking;
use crate::telemetry::Telemetry;

/// How many answers of queries wait to be frozen.
const MAX_ANSWERS: usize = 20;

/// Lists and reads from every source. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Explorer {
    /// Queries that the user saved.
    journal: tracebook_store::Journal,
    telemetry: Telemetry,
    cloud: Arc<Cloud>,
    answers: Arc<Cache<Answered>>,
    runtime: Runtime,
}

// The futures of cloud calls are boxed: they are deeper than the compiler follows.
impl Explorer {
    pub(crate) fn new(
        journal: &tracebook_store::Journal,
        telemetry: &Telemetry,
        cloud: &Arc<Cloud>,
        runtime: &Runtime,
    ) -> Self {
        Self {
            journal: journal.clone(),
            telemetry: telemetry.clone(),
            cloud: Arc::clone(cloud),
            answers: Arc::new(Cache::new(MAX_ANSWERS)),
            runtime: runtime.clone(),
        }
    }

    pub(crate) async fn live_traces(
        &self,
        request: LiveTraces,
        caller: &Caller,
    ) -> Result<Listed<TraceSummary>, Error> {
        match answerer(request.source, List::Traces, |vendor| vendor.traces())? {
            None => self.telemetry.traces(&request).await,
            Some(vendor) => vendor.list(&self.cloud, request, caller).await,
        }
    }

    pub(crate) async fn trace_get(&self, request: TraceGet, caller: &Caller) -> Result<Trace, Error> {
        match answerer(request.source, List::Traces, |vendor| vendor.traces())? {
            None => Ok(self.telemetry.read_trace(trace_id(&request.trace_id)?).await?.trace),
            Some(vendor) => vendor.get(&self.cloud, request, caller).await,
        }
    }

    pub(crate) async fn live_logs(
        &self,
        LiveLogs(request): LiveLogs,
        caller: &Caller,
    ) -> Result<Listed<LogRow>, Error> {
        match answerer(request.source, List::Logs, |vendor| vendor.logs())? {
            None => self.telemetry.logs(&request).await,
            Some(vendor) => vendor.list(&self.cloud, request, caller).await,
        }
    }

    pub(crate) async fn log_get(&self, request: LogRef, caller: &Caller) -> Result<LogEvent, Error> {
        match answerer(request.source, List::Logs, |vendor| vendor.logs())? {
            None => self.telemetry.log(&request.id).await,
            Some(vendor) => vendor.get(&self.cloud, request, caller).await,
        }
    }

    pub(crate) async fn live_errors(
        &self,
        LiveErrors(request): LiveErrors,
        caller: &Caller,
    ) -> Result<Listed<ErrorRow>, Error> {
        match answerer(request.source, List::Errors, |vendor| vendor.errors())? {
            None => self.telemetry.errors(&request).await,
            Some(vendor) => vendor.list(&self.cloud, request, caller).await,
        }
    }

    pub(crate) async fn error_get(&self, request: ErrorRef, caller: &Caller) -> Result<ErrorItem, Error> {
        match answerer(request.source, List::Errors, |vendor| vendor.errors())? {
            None => Ok(self.telemetry.read_error(&request.id).await?.0),
            Some(vendor) => vendor.get(&self.cloud, request, caller).await,
        }
    }

    pub(crate) async fn live_console(&self, LiveConsole(request): LiveConsole) -> Result<Listed<ConsoleRow>, Error> {
        match request.source.lists(List::Console) {
            true => self.telemetry.console(&request).await,
            false => Err(unsupported(request.source, Kind::Console)),
        }
    }

    pub(crate) async fn occurrences(
        &self,
        request: OccurrencesRequest,
        caller: &Caller,
    ) -> Result<Listed<OccurrencePick>, Error> {
        match answerer(request.source, List::Errors, |vendor| vendor.errors())? {
            None => self.telemetry.occurrences(&request.id).await,
            Some(vendor) => vendor.occurrences(&self.cloud, request, caller).await,
        }
    }

    /// The card of a local trace as it is now.
    ///
    /// # Errors
    /// If no span of it has arrived.
    pub(crate) async fn trace_card(&self, id: &str, form: Form) -> Result<String, Error> {
        let trace = self.telemetry.read_trace(trace_id(id)?).await?.trace;
        blocking(move || card::preview(&Body::Trace(trace), form)).await
    }
}

/// The part of a vendor that answers a list; `None` for local telemetry.
fn answerer<T: ?Sized>(
    source: Source,
    list: List,
    part: impl Fn(&'static dyn CloudVendor) -> Option<&'static T>,
) -> Result<Option<&'static T>, Error> {
    let none = || unsupported(source, list.kind());
    match source.info().vendor {
        _ if !source.lists(list) => Err(none()),
        None => Ok(None),
        Some(vendor) => part(cloud::vendor(vendor)).map(Some).ok_or_else(none),
    }
}
