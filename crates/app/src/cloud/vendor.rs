//! What a cloud vendor does, beside the data of its row in the catalog. Everything that differs between vendors is
//! asked for here: `doctor`, lists, queries, captures and links do not name any of them.

use async_trait::async_trait;

use tracebook_core::endpoint::Endpoint;
use tracebook_core::errors::{ErrorItem, ErrorRow};
use tracebook_core::evidence::Kind;
use tracebook_core::logs::{LogEvent, LogRow};
use tracebook_core::question::Source;
use tracebook_core::time::Nanos;
use tracebook_core::trace::{Trace, TraceSummary};

use super::Cloud;
use super::queries::{Answered, SavedQueries};
use crate::ground::error::Error;
use crate::ground::finding::Finding;
use crate::ground::schema::{
    Caller, Capture, Check, ErrorRef, FilterExample, FilterVerdict, Identity, LinkAnswer, Listed, LiveQuestion,
    LiveTraces, LogRef, OccurrencePick, OccurrencesRequest, QueryRun, SavedQuery, TraceGet,
};

/// A cloud vendor. What a source lists is declared in its row: a test compares the two.
#[async_trait]
pub(crate) trait CloudVendor: Send + Sync {
    /// Whom the credentials authenticate.
    async fn identity(&self, cloud: &Cloud, caller: &Caller) -> Result<Identity, Error>;

    /// More checks of `doctor`, once the credentials were accepted.
    async fn checks(&self, _cloud: &Cloud, _caller: &Caller) -> Vec<Check> {
        Vec::new()
    }

    /// Whether a filter of one of its sources is valid, and what can be written.
    fn check_filter(&self, source: Source, filter: &str) -> FilterVerdict;

    /// A kind that its sources provide; queries are run by [`Queries`].
    async fn capture(&self, cloud: &Cloud, request: &Capture, caller: &Caller) -> Result<Finding, Error>;

    /// A link to its console.
    async fn link(&self, cloud: &Cloud, target: LinkTarget<'_>, caller: &Caller) -> Result<LinkAnswer, Error>;

    fn traces(&self) -> Option<&dyn Traces> {
        None
    }

    fn logs(&self) -> Option<&dyn Logs> {
        None
    }

    fn errors(&self) -> Option<&dyn Errors> {
        None
    }

    fn queries(&self) -> Option<&dyn Queries> {
        None
    }
}

/// What a link leads to.
pub(crate) struct LinkTarget<'a> {
    pub(crate) kind: Kind,
    pub(crate) id: &'a str,
    /// The trace of the id, where the catalog says that it is a local one.
    pub(crate) local: Option<Trace>,
}

/// Lists and reads traces.
#[async_trait]
pub(crate) trait Traces: Send + Sync {
    async fn list(&self, cloud: &Cloud, request: LiveTraces, caller: &Caller) -> Result<Listed<TraceSummary>, Error>;
    async fn get(&self, cloud: &Cloud, request: TraceGet, caller: &Caller) -> Result<Trace, Error>;
}

/// Lists and reads log events.
#[async_trait]
pub(crate) trait Logs: Send + Sync {
    async fn list(&self, cloud: &Cloud, request: LiveQuestion, caller: &Caller) -> Result<Listed<LogRow>, Error>;
    async fn get(&self, cloud: &Cloud, request: LogRef, caller: &Caller) -> Result<LogEvent, Error>;
}

/// Lists and reads errors.
#[async_trait]
pub(crate) trait Errors: Send + Sync {
    async fn list(&self, cloud: &Cloud, request: LiveQuestion, caller: &Caller) -> Result<Listed<ErrorRow>, Error>;
    async fn get(&self, cloud: &Cloud, request: ErrorRef, caller: &Caller) -> Result<ErrorItem, Error>;
    async fn occurrences(
        &self,
        cloud: &Cloud,
        request: OccurrencesRequest,
        caller: &Caller,
    ) -> Result<Listed<OccurrencePick>, Error>;
}

/// Lists saved queries and runs queries.
#[async_trait]
pub(crate) trait Queries: Send + Sync {
    /// Those that are saved at the vendor.
    async fn saved(&self, cloud: &Cloud, caller: &Caller) -> Result<SavedQueries, Error>;

    /// Runs a query; `own` is the one that its id names, if it is saved in this journal.
    async fn run(
        &self,
        cloud: &Cloud,
        request: &QueryRun,
        own: Option<SavedQuery>,
        caller: &Caller,
    ) -> Result<Answered, Error>;
}

/// The verdict on a filter.
pub(crate) fn verdict(outcome: Result<(), String>, forms: &[(&str, &str)]) -> FilterVerdict {
    let example =
        |&(example, meaning): &(&str, &str)| FilterExample { example: example.to_owned(), meaning: meaning.to_owned() };
    FilterVerdict {
        ok: outcome.is_ok(),
        message: outcome.err().unwrap_or_default(),
        forms: forms.iter().map(example).collect(),
    }
}

/// A link, or that none can be built.
pub(crate) fn link_of(url: Option<String>, expires: Option<Nanos>, note: &str) -> LinkAnswer {
    let note = match &url {
        Some(_) => note.to_owned(),
        None => "no link can be built from the settings".to_owned(),
    };
    LinkAnswer { url, expires: expires.map(Nanos::rfc3339), note }
}

/// The answer for data of an emulator: the vendor's console does not show it.
pub(crate) fn no_console(endpoint: &Endpoint) -> LinkAnswer {
    let vendor = &endpoint.source.info().label;
    let note = format!("{} answers instead of {vendor}, whose console does not show its data", endpoint.url);
    LinkAnswer { url: None, expires: None, note }
}

#[cfg(test)]
mod tests {
    use tracebook_core::catalog::{List, Vendor};

    use super::*;

    #[test]
    fn every_vendor_answers_the_lists_of_its_sources_and_no_others() {
        for vendor in Vendor::ALL {
            let client = crate::cloud::vendor(vendor);
            let of_vendor = |list| Source::with_list(list).any(|source| source.info().vendor == Some(vendor));
            for (list, answered) in [
                (List::Traces, client.traces().is_some()),
                (List::Logs, client.logs().is_some()),
                (List::Errors, client.errors().is_some()),
                (List::Console, false),
                (List::Queries, client.queries().is_some()),
            ] {
                assert_eq!(answered, of_vendor(list), "{vendor:?} {list:?}");
            }
        }
    }
}
