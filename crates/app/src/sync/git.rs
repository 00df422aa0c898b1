//! The user's own git, as a program: its configuration, helpers, hooks, signing and agents apply.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use crate::ground::error::{Code, Error};
use crate::ground::runtime::Call;

/// The longest that one command may take, with its hooks and its network.
const LIMIT: Duration = Duration::from_secs(600);
/// How long a command may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(3);
/// The most bytes that are kept of what a command prints; the rest is read and dropped.
const MOST_OUTPUT: usize = 16 * 1024 * 1024;
/// What would send git to another repository than the one that was named. A hook of git sets them.
const LOCAL: [&str; 16] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_CONFIG",
    "GIT_GRAFT_FILE",
    "GIT_REPLACE_REF_BASE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
];
/// The timeout for the rest of the output of a command that has ended: a process that it left behind may keep the pipe
/// open.
const REST: Duration = Duration::from_secs(2);

/// What does not depend on the user's configuration.
const SETTINGS: [&str; 5] = [
    "advice.detachedHead=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "core.sparseCheckout=false",
    "core.fsmonitor=false",
];

/// How git is run.
pub(super) struct Git<'a> {
    /// Where.
    pub(super) dir: PathBuf,
    /// Whether it may ask on the terminal.
    pub(super) prompt: bool,
    /// What cancels it; nothing for what has to be done in any case.
    pub(super) call: Option<&'a Call>,
    /// The folder of the hooks, where the configuration names one relative to a working tree. They are those that the
    /// user has, not those of a commit that was fetched.
    pub(super) hooks: Option<PathBuf>,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) ok: bool,
    pub(super) out: Vec<u8>,
    pub(super) err: String,
}

impl Ran {
    /// The first line of the output.
    pub(super) fn line(&self) -> String {
        String::from_utf8_lossy(&self.out).lines().next().unwrap_or_default().trim_end().to_owned()
    }
}

impl Git<'_> {
    /// The same in another folder.
    pub(super) fn at(&self, dir: &Path) -> Self {
        Self { dir: dir.to_owned(), prompt: self.prompt, call: self.call, hooks: self.hooks.clone() }
    }

    /// Runs a command of git and waits for its end.
    ///
    /// # Errors
    /// If git is not there, takes too long, or the call was cancelled; not if the command fails.
    pub(super) async fn run(&self, args: &[&str]) -> Result<Ran, Error> {
        self.run_with(args, &[], None).await
    }

    /// As [`Git::run`], with more variables of the environment and something to read.
    pub(super) async fn run_with(
        &self,
        args: &[&str],
        env: &[(&str, &str)],
        input: Option<Vec<u8>>,
    ) -> Result<Ran, Error> {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.dir);
        for setting in SETTINGS {
            command.arg("-c").arg(setting);
        }
        if let Some(hooks) = &self.hooks {
            let mut setting = OsString::from("core.hooksPath=");
            setting.push(hooks);
            command.arg("-c").arg(setting);
        }
        command.args(args.iter().map(OsStr::new).map(OsString::from));
        LOCAL.iter().for_each(|name| {
            command.env_remove(name);
        });
        // Messages are compared, and those of git in other languages say something else.
        command.env("LANGUAGE", "en").env("GIT_OPTIONAL_LOCKS", "0");
        command.envs(env.iter().copied());
        if !self.prompt {
            command.env("GIT_TERMINAL_PROMPT", "0");
            // Its hooks and helpers end with it.
            #[cfg(unix)]
            command.process_group(0);
        }
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound if self.dir.is_dir() => Error::new(
                Code::Unsupported,
                "git was not found",
                "Install git (git-scm.com), and see that it is in the PATH of this program",
            ),
            std::io::ErrorKind::NotFound => Error::usage(
                format!("there is no folder {}", self.dir.display()),
                "Name the folder of a git repository",
            ),
            _ => Error::new(
                Code::Unsupported,
                format!("git cannot be run: {e}"),
                "See that git works on the command line",
            ),
        })?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async move {
            if let (Some(mut stdin), Some(input)) = (stdin, input) {
                // A command that ends early reads no more of it.
                stdin.write_all(&input).await.ok();
            }
        };
        let all = async {
            let (out, err) = (Kept::default(), Kept::default());
            let status = {
                let reading = async {
                    tokio::join!(read(stdout, &out), read(stderr, &err));
                };
                tokio::pin!(reading);
                let ended = async {
                    let (mut open, mut status) = (true, None);
                    while status.is_none() {
                        tokio::select! {
                            () = &mut reading, if open => open = false,
                            done = child.wait() => status = Some(done),
                        }
                    }
                    if open {
                        tokio::time::timeout(REST, &mut reading).await.ok();
                    }
                    status
                };
                let ((), status) = tokio::join!(feed, ended);
                status.unwrap_or_else(|| Err(std::io::ErrorKind::Other.into()))
            };
            (take(out), take(err), status)
        };
        let what = args.first().copied().unwrap_or_default().to_owned();
        let ended = tokio::select! {
            ended = all => Ok(ended),
            () = tokio::time::sleep(LIMIT) => Err(Error::new(
                Code::Unreachable,
                format!("git {what} did not end within {} minutes", LIMIT.as_secs() / 60),
                "See whether the same command works in the repository, and what it waits for",
            )),
            () = cancelled(self.call) => Err(Error::new(Code::Cancelled, "cancelled", "What was done before stays")),
        };
        match ended {
            Ok((out, err, status)) => {
                let ok = status.map_err(Error::internal)?.success();
                Ok(Ran { ok, out, err: String::from_utf8_lossy(&err).into_owned() })
            }
            Err(error) => {
                end(child, self.prompt).await;
                Err(error)
            }
        }
    }
}

async fn cancelled(call: Option<&Call>) {
    match call {
        Some(call) => call.cancelled().await,
        None => std::future::pending().await,
    }
}

/// What was read so far.
type Kept = std::sync::Mutex<Vec<u8>>;

fn take(kept: Kept) -> Vec<u8> {
    kept.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn read(stream: Option<impl AsyncRead + Unpin>, kept: &Kept) {
    let Some(mut stream) = stream else { return };
    let mut buffer = vec![0; 64 * 1024];
    // What cannot be read is as good as the end.
    while let Ok(n @ 1..) = stream.read(&mut buffer).await {
        let mut kept = kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let room = MOST_OUTPUT.saturating_sub(kept.len()).min(n);
        kept.extend_from_slice(&buffer[..room]);
    }
}

/// Asks a command to end, so that it removes its locks, and then ends it.
async fn end(mut child: Child, in_our_group: bool) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process, kill_process_group};
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended meanwhile.
            match in_our_group {
                true => kill_process(pid, Signal::TERM).ok(),
                false => kill_process_group(pid, Signal::TERM).ok(),
            };
        }
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        // The process is gone if this fails.
        child.kill().await.ok();
    }
}
