//! The running app's clock, ids, events, tasks and calls, as one value that modules share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use tracebook_core::clock::Clock;
use tracebook_core::ids::{Entropy, Id};
use tracebook_core::time::Nanos;
use tracebook_sources::cloud::{Fetch, Limits, Meter, Progress};

use crate::ground::error::{Code, Error};
use crate::ground::schema::{Caller, Event};

/// Listeners slower than this many events lose the oldest; they are told to reload.
const EVENTS: usize = 1_024;

/// What modules need from the running app. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Runtime {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    events: broadcast::Sender<Event>,
    token: CancellationToken,
    tasks: TaskTracker,
    calls: Arc<Mutex<HashMap<String, CancellationToken>>>,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").finish_non_exhaustive()
    }
}

impl Runtime {
    pub(crate) fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let (events, _) = broadcast::channel(EVENTS);
        Self {
            clock,
            entropy,
            events,
            token: CancellationToken::new(),
            tasks: TaskTracker::new(),
            calls: Arc::default(),
        }
    }

    pub(crate) fn now(&self) -> Nanos {
        self.clock.now()
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    pub(crate) fn new_id(&self) -> Id {
        Id::new(self.now(), self.entropy())
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    pub(crate) fn publish(&self, event: Event) {
        // An event without a listener is not an error.
        drop(self.events.send(event));
    }

    /// Cancelled when the app is asked to stop.
    pub(crate) fn stopping(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Spawns a task that [`Runtime::stop`] waits for; it has to end when [`Runtime::stopping`] is cancelled.
    pub(crate) fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) {
        drop(self.tasks.spawn(task));
    }

    /// Spawns a task that is dropped when the app is asked to stop.
    pub(crate) fn spawn_cancellable(&self, task: impl Future<Output = ()> + Send + 'static) {
        let token = self.token.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = token.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Cancels everything and waits for the tasks.
    pub(crate) async fn stop(&self) {
        self.token.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Begins a call that ends by [`Runtime::cancel`], with the app, or when the value is dropped.
    pub(crate) fn begin(&self, caller: &Caller) -> Call {
        let token = self.token.child_token();
        if !caller.call.is_empty() {
            self.calls.lock().unwrap_or_else(PoisonError::into_inner).insert(caller.call.clone(), token.clone());
        }
        Call { runtime: self.clone(), id: caller.call.clone(), token }
    }

    /// Cancels a call by the id its caller gave it; false where there is none.
    pub(crate) fn cancel(&self, call: &str) -> bool {
        let token = self.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(call);
        token.inspect(CancellationToken::cancel).is_some()
    }
}

/// A long call that can be cancelled and reports its progress.
#[derive(Debug)]
pub(crate) struct Call {
    runtime: Runtime,
    id: String,
    token: CancellationToken,
}

impl Call {
    /// Reports progress.
    ///
    /// # Errors
    /// [`Code::Cancelled`] once the caller has cancelled the call.
    pub(crate) fn progress(&self, done: usize, of: usize, what: impl Into<String>) -> Result<(), Error> {
        if self.token.is_cancelled() {
            return Err(Error::new(Code::Cancelled, "cancelled", "What was done before stays"));
        }
        if !self.id.is_empty() {
            let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let (call, what) = (self.id.clone(), what.into());
            self.runtime.publish(Event::Progress { call, done: small(done), of: small(of), what });
        }
        Ok(())
    }

    /// Returns when the caller has cancelled the call.
    pub(crate) async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// A fetch from a cloud source that ends with this call and reports its progress.
    pub(crate) fn fetch(&self, limits: Limits, meter: Arc<dyn Meter>) -> Fetch {
        let (runtime, call) = (self.runtime.clone(), self.id.clone());
        let report = move |progress: Progress| {
            if !call.is_empty() {
                let Progress { rows: done, of, what, .. } = progress;
                runtime.publish(Event::Progress { call: call.clone(), done, of, what });
            }
        };
        Fetch::new(self.token.clone(), limits, meter, Arc::new(report))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.id.is_empty() {
            self.runtime.calls.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        }
    }
}
