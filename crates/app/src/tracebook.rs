//! The running app: what it owns, and in which order it starts and stops.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use tracebook_core::clock::Clock;
use tracebook_core::ids::Id;
use tracebook_core::time::Nanos;
use tracebook_sources::cloud::{Fetch, Limits, Meter, Progress};
use tracebook_sources::receive::Counters;
use tracebook_store::{Journal, StoreError, Telemetry};

use crate::cloud::Cloud;
use crate::config::Config;
use crate::error::{Code, Error};
use crate::live_cards::Answers;
use crate::receivers::Receivers;
use crate::relay::Relay;
use crate::rpc::{Caller, Cancel, Event};
use crate::settings::{Settings, TelemetryLimits};
use crate::system::{SystemClock, SystemEntropy};

/// The running app. Cheap to share behind an [`Arc`]; stop it with [`Tracebook::shutdown`].
#[derive(Debug)]
pub struct Tracebook {
    pub(crate) data_dir: PathBuf,
    pub(crate) journal: Journal,
    pub(crate) telemetry: Telemetry,
    pub(crate) receivers: Receivers,
    pub(crate) counters: Arc<Counters>,
    pub(crate) limits: TelemetryLimits,
    pub(crate) cloud: Arc<Cloud>,
    pub(crate) answers: Arc<Answers>,
    pub(crate) relay: Relay,
    events: broadcast::Sender<Event>,
    token: CancellationToken,
    tasks: TaskTracker,
    calls: Mutex<HashMap<String, CancellationToken>>,
    /// For what goes on when the caller has its answer.
    me: Weak<Self>,
}

/// Listeners slower than this many events lose the oldest; they are told to look anew.
const EVENTS: usize = 1_024;

impl Tracebook {
    /// Opens the journal, starts the receivers and the watch over both databases.
    ///
    /// # Errors
    /// With what to do: a data directory that cannot be written, a database of a newer version, a
    /// named port that is taken.
    pub async fn start(config: Config) -> Result<Arc<Self>, Error> {
        let data_dir = config.data_dir;
        make_private_dir(&data_dir)?;
        // Two processes that start at once must not migrate at once.
        let opening = lock_file(&data_dir.join("open.lock"))?;
        let waited = opening.try_clone().map_err(|e| cannot_write(&data_dir, &e))?;
        tokio::task::spawn_blocking(move || waited.lock())
            .await
            .map_err(Error::internal)?
            .map_err(|e| cannot_write(&data_dir, &e))?;
        let journal = Journal::open(&data_dir).await.map_err(|e| at(&data_dir, e))?;
        let settings = Settings::read(&data_dir)?;
        let limits = settings.telemetry;
        let relay = Relay::new(&data_dir, settings.relay);
        let cloud = Arc::new(Cloud::new(&data_dir));
        let telemetry = Telemetry::open_within(&data_dir, limits.bytes()).await.map_err(|e| at(&data_dir, e))?;
        drop(opening);

        let token = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (events, _) = broadcast::channel(EVENTS);
        let counters = Arc::new(Counters::default());
        // Only who receives lets go of what is old: a second process would only get in the way.
        if config.receivers.is_some() {
            crate::bounds::start(telemetry.clone(), limits, token.clone(), &tasks);
        }
        let receivers = match config.receivers {
            Some(wanted) => {
                let receivers = Receivers::start(wanted, &data_dir, &telemetry, &counters, &relay, &token, &tasks)
                    .await
                    .inspect_err(|_| token.cancel())?;
                relay.follow(token.clone(), &tasks);
                if receivers.held() {
                    relay.start(&cloud, receivers.addresses(), &telemetry, &token, &tasks);
                }
                receivers
            }
            None => Receivers::elsewhere(&data_dir),
        };
        if !config.watch.is_empty() {
            // How the commands of an earlier run ended says nothing of this one's.
            telemetry.forget_requests(crate::heard::WATCH).await?;
        }
        for line in config.watch {
            crate::watch_command::watch(line, telemetry.clone(), token.clone(), &tasks)
                .inspect_err(|_| token.cancel())?;
        }
        let answers = Arc::<Answers>::default();
        crate::live_cards::sweep(&answers, &token, &tasks);
        let tracebook = Arc::new_cyclic(|me| Self {
            data_dir,
            journal,
            telemetry,
            receivers,
            counters,
            limits,
            cloud,
            answers,
            relay,
            events,
            token,
            tasks,
            calls: Mutex::default(),
            me: Weak::clone(me),
        });
        Ok(tracebook)
    }

    /// Tells of changes from now on, by this process and by others.
    ///
    /// # Errors
    /// Where a database cannot be read.
    pub async fn watch(self: &Arc<Self>) -> Result<(), Error> {
        crate::watching::start(self, self.token.clone(), &self.tasks).await
    }

    /// Stops the receivers after what they hold is committed, and closes the databases.
    pub async fn shutdown(&self) {
        self.token.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.telemetry.close().await;
        self.journal.close().await;
    }

    /// What the relay says from now on, one line each, as the X-Ray daemon writes its log.
    pub fn relay_lines(&self) -> broadcast::Receiver<String> {
        self.relay.lines()
    }

    /// Ends when the app is asked to stop.
    pub fn stopping(&self) -> CancellationToken {
        self.token.clone()
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    pub(crate) fn tell(&self, event: Event) {
        // Nobody listening is no fault.
        let _ = self.events.send(event);
    }

    /// For tasks that tell of changes after the call that began them.
    pub(crate) fn event_sender(&self) -> broadcast::Sender<Event> {
        self.events.clone()
    }

    /// Runs a task that shutdown waits for.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Does something while the caller goes on, until it is done or the app is asked to stop.
    pub(crate) fn beside<F>(&self, work: impl FnOnce(Arc<Self>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let Some(me) = self.me.upgrade() else { return };
        let (token, work) = (self.token.clone(), work(me));
        self.tasks.spawn(async move {
            tokio::select! {
                () = token.cancelled() => {}
                () = work => {}
            }
        });
    }

    pub(crate) fn now(&self) -> Nanos {
        SystemClock.now()
    }

    pub(crate) fn new_id(&self) -> Id {
        Id::new(self.now(), &SystemEntropy)
    }

    /// A token that ends this call: by `cancel`, by the app's end, or when the guard is dropped.
    pub(crate) fn begin(&self, caller: &Caller) -> Call<'_> {
        let token = self.token.child_token();
        if !caller.call.is_empty() {
            self.calls.lock().unwrap_or_else(PoisonError::into_inner).insert(caller.call.clone(), token.clone());
        }
        Call { tracebook: self, id: caller.call.clone(), token }
    }

    pub(crate) async fn cancel(&self, request: Cancel, _caller: &Caller) -> Result<bool, Error> {
        let token = self.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&request.call);
        Ok(token.inspect(CancellationToken::cancel).is_some())
    }
}

/// A long call that can be cancelled and tells how far it is.
pub(crate) struct Call<'a> {
    tracebook: &'a Tracebook,
    id: String,
    token: CancellationToken,
}

impl Call<'_> {
    /// Says how far it is.
    ///
    /// # Errors
    /// [`Code::Cancelled`] where the caller has ended it meanwhile.
    pub(crate) fn progress(&self, done: usize, of: usize, what: impl Into<String>) -> Result<(), Error> {
        if self.token.is_cancelled() {
            return Err(Error::new(Code::Cancelled, "cancelled", "What was done before stays"));
        }
        if !self.id.is_empty() {
            let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            self.tracebook.tell(Event::Progress {
                call: self.id.clone(),
                done: small(done),
                of: small(of),
                what: what.into(),
            });
        }
        Ok(())
    }
}

impl Call<'_> {
    /// A fetch from a cloud source that ends with this call and tells how far it is.
    pub(crate) fn fetch(&self, limits: Limits, meter: Arc<dyn Meter>) -> Fetch {
        let (events, id) = (self.tracebook.events.clone(), self.id.clone());
        let tell = move |progress: Progress| {
            if !id.is_empty() {
                let Progress { rows: done, of, what, .. } = progress;
                // Nobody listening is no fault.
                let _ = events.send(Event::Progress { call: id.clone(), done, of, what });
            }
        };
        Fetch::new(self.token.clone(), limits, meter, Arc::new(tell))
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.id.is_empty() {
            self.tracebook.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        let code = match error {
            StoreError::Newer { .. } => Code::Refused,
            _ => Code::Storage,
        };
        Self::new(code, error.to_string(), error.hint())
    }
}

fn at(directory: &Path, error: StoreError) -> Error {
    let mut error = Error::from(error);
    if error.code == Code::Storage {
        error.message = format!("{}: {}", directory.display(), error.message);
    }
    error
}

pub(crate) fn cannot_write(path: &Path, error: &std::io::Error) -> Error {
    Error::from(StoreError::from(std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))))
}

/// The data directory is the user's alone: 0700.
fn make_private_dir(path: &Path) -> Result<(), Error> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(path).map_err(|e| cannot_write(path, &e))
}

/// Opens a lock file, made with 0600 where it is not there.
pub(crate) fn lock_file(path: &Path) -> Result<File, Error> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map_err(|e| cannot_write(path, &e))
}
