//! The cloud sources: the same questions, asked of AWS, Rollbar and Honeycomb.
//!
//! Settings are read from `tracebook.toml` at each question, so that another process's change counts at once. Clients are
//! made anew with them; what is kept is in this run's memory only: credentials that were resolved, answers of a moment ago,
//! and since when a source cannot be reached.

mod cache;
mod faults;
mod secrets;
mod sources;
mod usage;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tracebook_sources::cloud::{Fetch, Limits};

use crate::Tracebook;
use crate::error::Error;
use crate::rpc::{
    Caller, FilterCheck, FilterVerdict, Identity, LinkAnswer, LinkRequest, Listed, LogGroupRow, LogGroupsRequest,
    LogStreamRow, LogStreamsRequest, OccurrencePick, OccurrencesRequest, QueriesRequest, QueryAnswer, QueryRun, Reach,
    SavedQuery, TailRef, TailStart, TailState, Vendor, WhoAmI,
};
use crate::settings::Settings;
use crate::tracebook::Call;

pub(crate) use secrets::{Secrets, Token};
use usage::Count;

/// What this run knows of the cloud.
#[derive(Debug)]
pub(crate) struct Cloud {
    data_dir: PathBuf,
    pub(crate) secrets: Secrets,
    pub(crate) count: Arc<Count>,
    /// One book for all calls of this process.
    limits: Limits,
    reach: Mutex<HashMap<Vendor, Reach>>,
}

impl Cloud {
    pub(crate) fn new(data_dir: &Path) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            secrets: Secrets::default(),
            count: Arc::default(),
            limits: Limits::documented(),
            reach: Mutex::default(),
        }
    }

    pub(crate) fn settings(&self) -> Result<Settings, Error> {
        Settings::read(&self.data_dir)
    }

    /// A fetch for a call, at the vendor's quota; an endpoint of the user's own has none.
    pub(crate) fn fetch(&self, call: &Call<'_>, own_endpoint: bool) -> Fetch {
        let limits = if own_endpoint { Limits::none() } else { self.limits.clone() };
        call.fetch(limits, self.count.clone())
    }

    /// Other settings or credentials see another world.
    fn forget(&self) {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn reach(&self, vendor: Vendor) -> Reach {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner).get(&vendor).cloned().unwrap_or_default()
    }
}

macro_rules! not_yet {
    ($($name:ident($request:ty) -> $answer:ty;)*) => {
        impl Tracebook {
            $(pub(crate) async fn $name(&self, _request: $request, _caller: &Caller) -> Result<$answer, Error> {
                Err(Error::not_built("this question to a cloud source"))
            })*
        }
    };
}

not_yet! {
    who_am_i(WhoAmI) -> Identity;
    log_groups(LogGroupsRequest) -> Listed<LogGroupRow>;
    log_streams(LogStreamsRequest) -> Listed<LogStreamRow>;
    tail_start(TailStart) -> TailRef;
    tail_read(TailRef) -> TailState;
    tail_stop(TailRef) -> bool;
    filter_check(FilterCheck) -> FilterVerdict;
    occurrences(OccurrencesRequest) -> Listed<OccurrencePick>;
    queries(QueriesRequest) -> Listed<SavedQuery>;
    query_save(SavedQuery) -> SavedQuery;
    query_forget(SavedQuery) -> bool;
    query_run(QueryRun) -> QueryAnswer;
    console_link(LinkRequest) -> LinkAnswer;
}
