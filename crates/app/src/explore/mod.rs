//! Dispatches queries to a source: local telemetry or a cloud source.

mod filters;
mod links;
mod queries;

use std::sync::Arc;

use tracebook_core::catalog::{ConsoleFrom, ErrorsFrom, LogsFrom, TracesFrom};
use tracebook_core::console::ConsoleRow;
use tracebook_core::errors::{ErrorItem, ErrorRow};
use tracebook_core::evidence::{Body, Kind};
use tracebook_core::logs::{LogEvent, LogRow};
use tracebook_core::question::Source;
use tracebook_core::trace::{Trace, TraceSummary};
use tracebook_render::card::{self, Size};

use crate::cloud::Cloud;
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

pub(crate) use queries::Answered;

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
        match traces_from(request.source)? {
            TracesFrom::Local => self.telemetry.traces(&request).await,
            TracesFrom::Xray => Box::pin(self.cloud.traces_of(request, caller)).await,
        }
    }

    pub(crate) async fn trace_get(&self, request: TraceGet, caller: &Caller) -> Result<Trace, Error> {
        let from = traces_from(request.source)?;
        let id = trace_id(&request.trace_id)?;
        match from {
            TracesFrom::Local => Ok(self.telemetry.read_trace(id).await?.trace),
            TracesFrom::Xray => {
                let ask = self.cloud.ask_aws(caller).await?;
                Ok(self.cloud.read_xray_trace(&ask, id).await?.trace)
            }
        }
    }

    pub(crate) async fn live_logs(
        &self,
        LiveLogs(request): LiveLogs,
        caller: &Caller,
    ) -> Result<Listed<LogRow>, Error> {
        match logs_from(request.source)? {
            LogsFrom::Local => self.telemetry.logs(&request).await,
            LogsFrom::Cloudwatch => Box::pin(self.cloud.logs_of(request, caller)).await,
        }
    }

    pub(crate) async fn log_get(&self, request: LogRef, caller: &Caller) -> Result<LogEvent, Error> {
        match logs_from(request.source)? {
            LogsFrom::Local => self.telemetry.log(&request.id).await,
            LogsFrom::Cloudwatch => Box::pin(self.cloud.log_of(request, caller)).await,
        }
    }

    pub(crate) async fn live_errors(
        &self,
        LiveErrors(request): LiveErrors,
        caller: &Caller,
    ) -> Result<Listed<ErrorRow>, Error> {
        match errors_from(request.source)? {
            ErrorsFrom::Local => self.telemetry.errors(&request).await,
            ErrorsFrom::Rollbar => Box::pin(self.cloud.errors_of(request, caller)).await,
        }
    }

    pub(crate) async fn error_get(&self, request: ErrorRef, caller: &Caller) -> Result<ErrorItem, Error> {
        match errors_from(request.source)? {
            ErrorsFrom::Local => Ok(self.telemetry.read_error(&request.id).await?.0),
            ErrorsFrom::Rollbar => Box::pin(self.cloud.error_of(request, caller)).await,
        }
    }

    pub(crate) async fn live_console(&self, LiveConsole(request): LiveConsole) -> Result<Listed<ConsoleRow>, Error> {
        let source = request.source;
        match source.console().ok_or_else(|| unsupported(source, Kind::Console))? {
            ConsoleFrom::Local => self.telemetry.console(&request).await,
        }
    }

    pub(crate) async fn occurrences(
        &self,
        request: OccurrencesRequest,
        caller: &Caller,
    ) -> Result<Listed<OccurrencePick>, Error> {
        match errors_from(request.source)? {
            ErrorsFrom::Local => self.telemetry.occurrences(&request.id).await,
            ErrorsFrom::Rollbar => Box::pin(self.cloud.occurrences(request, caller)).await,
        }
    }

    /// The card of a local trace as it is now.
    ///
    /// # Errors
    /// If no span of it has arrived.
    pub(crate) async fn trace_card(&self, id: &str, size: Size) -> Result<String, Error> {
        let trace = self.telemetry.read_trace(trace_id(id)?).await?.trace;
        blocking(move || card::preview(&Body::Trace(trace), size)).await
    }
}

fn traces_from(source: Source) -> Result<TracesFrom, Error> {
    source.traces().ok_or_else(|| unsupported(source, Kind::Trace))
}

fn logs_from(source: Source) -> Result<LogsFrom, Error> {
    source.logs().ok_or_else(|| unsupported(source, Kind::Logs))
}

fn errors_from(source: Source) -> Result<ErrorsFrom, Error> {
    source.errors().ok_or_else(|| unsupported(source, Kind::Error))
}
