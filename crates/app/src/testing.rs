//! What tests of several modules share: clocks that are set by hand, and an app over a temporary folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use tracebook_core::clock::Clock;
use tracebook_core::ids::Entropy;
use tracebook_core::telemetry::ConsoleRecord;
use tracebook_core::time::Nanos;
use tracebook_store::Telemetry;

use crate::cloud::Cloud;
use crate::ground::config::{Config, ReceiverConfig};
use crate::ground::error::Error;
use crate::ground::runtime::Runtime;
use crate::ground::schema::{Caller, EntryNew, Export, Exported, Import, Imported};
use crate::ports::Ports;
use crate::system::{SystemClock, SystemEntropy};
use crate::tracebook::Tracebook;

/// A clock that stands still until it is advanced.
#[derive(Debug)]
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn at(rfc3339: &str) -> Self {
        Self(AtomicI64::new(Nanos::parse_rfc3339(rfc3339).expect("a time").0))
    }

    pub(crate) fn advance(&self, nanos: i64) {
        self.0.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Nanos {
        Nanos(self.0.load(Ordering::SeqCst))
    }
}

/// Randomness that can be predicted: 0, 1, 2, …
#[derive(Debug, Default)]
pub(crate) struct CountingEntropy(AtomicU32);

impl CountingEntropy {
    pub(crate) fn nth(n: u32) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[6..].copy_from_slice(&n.to_be_bytes());
        bytes
    }
}

impl Entropy for CountingEntropy {
    fn ten_bytes(&self) -> [u8; 10] {
        Self::nth(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// A runtime with the system's clock.
pub(crate) fn runtime() -> Runtime {
    Runtime::new(Arc::new(SystemClock), Arc::new(SystemEntropy))
}

/// A runtime whose time is set by hand.
pub(crate) fn runtime_at(clock: &Arc<ManualClock>) -> Runtime {
    Runtime::new(clock.clone(), Arc::new(SystemEntropy))
}

/// The cloud sources of a data directory, without receivers.
pub(crate) async fn cloud(data_dir: &Path, runtime: &Runtime) -> Cloud {
    let store = Telemetry::open(data_dir).await.expect("opens");
    Cloud::new(data_dir, &store, &Arc::new(Ports::elsewhere(data_dir)), runtime)
}

/// An app over a temporary folder, which goes with it.
pub(crate) struct Home {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) app: Arc<Tracebook>,
}

impl Home {
    /// Without receivers.
    pub(crate) async fn new() -> Self {
        Self::with_runtime(runtime()).await
    }

    /// Without receivers, its time set by hand.
    pub(crate) async fn at(clock: &Arc<ManualClock>) -> Self {
        Self::with_runtime(runtime_at(clock)).await
    }

    pub(crate) async fn with_runtime(runtime: Runtime) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let app = Tracebook::start_with(config(dir.path(), None), runtime).await.expect("starts");
        Self { dir, app }
    }

    /// Adds a line as if a watched command had printed it.
    pub(crate) async fn print(&self, text: &str) {
        let now = self.app.runtime.now();
        let record = ConsoleRecord {
            stream: "backend".to_owned(),
            timestamp: now,
            stderr: false,
            text: text.to_owned(),
            trace_id: None,
        };
        self.app.telemetry.store.commit_console(&[record], now).await.expect("commits");
    }

    /// A new entry; its slug.
    pub(crate) async fn entry(&self, title: &str, body: &str) -> String {
        let new = EntryNew { week: None, title: Some(title.to_owned()), body: Some(body.to_owned()) };
        self.app.journal.entry_new(new, &Caller::default()).await.expect("a new entry").row.slug
    }

    /// The folder that is exported to.
    pub(crate) fn out(&self) -> PathBuf {
        self.dir.path().join("repo")
    }

    pub(crate) async fn export(&self, force: bool) -> Result<Exported, Error> {
        let to = self.out().display().to_string();
        self.app.transfer.export(Export { to, force, ..Export::default() }, &Caller::default()).await
    }

    pub(crate) async fn import(&self, path: &Path) -> Result<Imported, Error> {
        let paths = vec![path.display().to_string()];
        self.app.transfer.import(Import { paths, texts: Vec::new() }, &Caller::default()).await
    }
}

/// The configuration of an app below a folder.
pub(crate) fn config(folder: &Path, receivers: Option<ReceiverConfig>) -> Config {
    Config { data_dir: folder.join("data"), receivers, watch: Vec::new() }
}
