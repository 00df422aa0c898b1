//! The cloud sources. What differs between vendors is behind [`vendor::CloudVendor`], with one implementation each.
//!
//! Settings are read from `tracebook.toml` for each call, so that another process's change applies at once. Resolved
//! credentials, recent answers and the reachability of sources are kept in this run's memory only.

mod aws;
mod faults;
mod honeycomb;
mod logs;
mod queries;
mod rollbar;
pub(crate) mod secrets;
pub(crate) mod sources;
mod tails;
mod traces;
mod usage;
pub(crate) mod vendor;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use tracebook_core::errors::ErrorRow;
use tracebook_core::logs::LogRow;
use tracebook_core::question::Window;
use tracebook_core::trace::TraceSummary;
use tracebook_sources::cloud::{Fetch, Limits};
use tracebook_sources::honeycomb::client::Auth;
use tracebook_sources::xray::client::FetchedTrace;
use tracebook_store::Telemetry;

use crate::ground::cache::Cache;
use crate::ground::error::Error;
use crate::ground::question::window;
use crate::ground::runtime::{Call, Runtime};
use crate::ground::schema::{Caller, Identity, Listed, Reach, Vendor, WhoAmI};
use crate::ground::settings::Settings;
use crate::ports::Ports;

pub(crate) use aws::Aws;
pub(crate) use queries::Answered;
pub(crate) use secrets::{Secrets, Token};
use tails::Tails;
use usage::Count;
pub(crate) use vendor::CloudVendor;

/// The cloud sources, and what this run knows of them.
#[derive(Debug)]
pub(crate) struct Cloud {
    data_dir: PathBuf,
    store: Telemetry,
    ports: Arc<Ports>,
    runtime: Runtime,
    pub(crate) secrets: Secrets,
    pub(crate) count: Arc<Count>,
    /// Shared by all calls of this process.
    limits: Limits,
    reach: Mutex<HashMap<Vendor, Reach>>,
    aws: aws::Kept,
    traces: Cache<Listed<TraceSummary>>,
    whole: Cache<FetchedTrace>,
    logs: Cache<Listed<LogRow>>,
    errors: Cache<Listed<ErrorRow>>,
    auth: Cache<Auth>,
    tails: Tails,
}

impl Cloud {
    pub(crate) fn new(data_dir: &Path, store: &Telemetry, ports: &Arc<Ports>, runtime: &Runtime) -> Self {
        Self {
            data_dir: data_dir.to_owned(),
            store: store.clone(),
            ports: Arc::clone(ports),
            runtime: runtime.clone(),
            secrets: Secrets::default(),
            count: Arc::default(),
            limits: Limits::documented(),
            reach: Mutex::default(),
            aws: aws::Kept::default(),
            traces: Cache::new(50),
            whole: Cache::new(50),
            logs: Cache::new(20),
            errors: Cache::new(20),
            auth: Cache::new(4),
            tails: Tails::default(),
        }
    }

    pub(crate) fn settings(&self) -> Result<Settings, Error> {
        Settings::read(&self.data_dir)
    }

    /// A fetch for a call, within the vendor's quota; a user-defined endpoint has none.
    pub(crate) fn fetch(&self, call: &Call, own_endpoint: bool) -> Fetch {
        call.fetch(self.limits_for(own_endpoint), self.count.clone())
    }

    /// A fetch of a background task, without progress reports.
    pub(crate) fn fetch_until(&self, token: CancellationToken, own_endpoint: bool) -> Fetch {
        Fetch::new(token, self.limits_for(own_endpoint), self.count.clone(), Arc::new(|_| {}))
    }

    fn limits_for(&self, own_endpoint: bool) -> Limits {
        if own_endpoint { Limits::none() } else { self.limits.clone() }
    }

    /// Drops what other settings or credentials may answer differently.
    fn forget(&self) {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.traces.clear();
        self.whole.clear();
        self.logs.clear();
        self.errors.clear();
        self.auth.clear();
    }

    fn reach(&self, vendor: Vendor) -> Reach {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner).get(&vendor).cloned().unwrap_or_default()
    }

    /// A time window: a duration until now, or a range. The source's clock decides.
    fn window(&self, text: Option<&str>) -> Result<Window, Error> {
        window(text, self.runtime.now())
    }

    /// Writes the counts of calls since the last time.
    pub(crate) async fn flush_usage(&self) {
        self.count.flush(&self.store, self.runtime.now()).await;
    }

    pub(crate) async fn who_am_i(&self, request: WhoAmI, caller: &Caller) -> Result<Identity, Error> {
        vendor(request.vendor).identity(self, caller).await
    }
}

/// The implementation of a vendor.
pub(crate) fn vendor(vendor: Vendor) -> &'static dyn CloudVendor {
    match vendor {
        Vendor::Aws => &aws::AwsVendor,
        Vendor::Rollbar => &rollbar::RollbarVendor,
        Vendor::Honeycomb => &honeycomb::HoneycombVendor,
    }
}
