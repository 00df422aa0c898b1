//! The journal as commands use it: the same typed requests as the window's.

use std::path::PathBuf;
use std::sync::Arc;

use tracebook_app::api::{self, Caller, Cancel, Command};
use tracebook_app::{Code, Config, Error, Tracebook};

use crate::signals;

/// An open journal, without receivers.
pub(crate) struct Client {
    pub(crate) tracebook: Arc<Tracebook>,
}

/// A command line makes one call at a time.
const CALL: &str = "cli";

impl Client {
    pub(crate) async fn open(data_dir: PathBuf) -> Result<Self, Error> {
        let config = Config { data_dir, receivers: None, watch: Vec::new() };
        Ok(Self { tracebook: Tracebook::start(config).await? })
    }

    pub(crate) async fn close(self) {
        self.tracebook.shutdown().await;
    }

    /// Carries a command out. Ctrl-C cancels the call rather than the program, so that what was done before is kept; a
    /// second Ctrl-C does not wait for a call that cannot be cancelled.
    pub(crate) async fn call<C: Command>(&self, command: C) -> Result<C::Answer, Error> {
        let caller = self.caller();
        let mut answer = std::pin::pin!(api::call(&self.tracebook, command, &caller));
        tokio::select! {
            answer = &mut answer => return answer,
            () = signals::interrupted() => {}
        }
        api::call(&self.tracebook, Cancel { call: CALL.to_owned() }, &caller).await?;
        tokio::select! {
            answer = answer => answer,
            () = signals::interrupted() => Err(Error::new(Code::Cancelled, "interrupted", "")),
        }
    }

    pub(crate) fn caller(&self) -> Caller {
        Caller { client: format!("cli-{}", std::process::id()), call: CALL.to_owned() }
    }
}
