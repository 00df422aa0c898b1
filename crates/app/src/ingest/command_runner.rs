//! Commands whose output is kept as a stream while the app runs (`--watch`), and commands that are run for a capture.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use tracebook_core::clock::Clock;
use tracebook_core::console::{Arriving, ConsoleLine, ConsoleOrigin, Output, decode_line, line_text};
use tracebook_core::credentials;
use tracebook_core::telemetry::SpanRecord;
use tracebook_core::time::Nanos;
use tracebook_sources::console::Recogniser;
use tracebook_store::Telemetry;

use crate::ground::error::{Code, Error};
use crate::ground::runtime::Runtime;
use crate::ingest::request_log;
use crate::ingest::stored_screen::StoredScreen;

/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(200);
/// The most lines that wait to be written; a command that prints faster is blocked.
const QUEUE: usize = 10_000;
/// The most bytes of a line that are read; the rest of it is skipped.
const MAX_LINE_BYTES: usize = 64 * 1024;
/// How long a command may take to end after it was asked to, and how long output of its background jobs is awaited.
const GRACE: Duration = Duration::from_secs(2);

/// Runs the line `$1` and beside it a supervisor, which ends the whole process group when this process is gone: then
/// the other end of the pipe on its standard input is closed without a line having been written. The supervisor is
/// started from a subshell, so that no command waits for it, and it holds no output open.
#[cfg(unix)]
const SUPERVISED: &str = r#"exec 3<&0 </dev/null
({ trap '' HUP INT TERM; read -r word || { kill -TERM 0; sleep 1; kill -KILL 0; }; } <&3 3<&- >/dev/null 2>&1 &)
exec 3<&-
exec sh -c "$1""#;

/// What came out of a command.
struct Printed {
    time: Nanos,
    stderr: bool,
    text: String,
    /// About its encoding, if that is not UTF-8.
    note: Option<String>,
    /// More than [`MAX_LINE_BYTES`] was there.
    cut: bool,
    /// Whether the line ends here; else it goes on with a carriage return.
    ends: bool,
}

/// Keeps a command's output until the command or the app ends. The command is a line for the shell, as the user typed
/// it.
pub(crate) fn watch(line: String, telemetry: Telemetry, redact: bool, runtime: &Runtime) -> Result<(), Error> {
    let (mut child, supervisor, mut lines) = start_supervised(&line, runtime.clock())?;
    let token = runtime.stopping();
    let line = match redact {
        true => credentials::remove_from_text(&line, &mut credentials::Removed::default()).into_owned(),
        false => line,
    };
    let mut stream = Stream {
        screen: StoredScreen::new(&line, telemetry.clone(), redact),
        line,
        store: telemetry,
        redact,
        clock: runtime.clock(),
        recogniser: Recogniser::default(),
    };
    runtime.spawn(async move {
        stream.note(request_log::RUNNING).await;
        let (mut ended, mut stopped) = (false, false);
        while !ended {
            let mut some = Vec::new();
            tokio::select! {
                () = token.cancelled() => (ended, stopped) = (true, true),
                n = lines.recv_many(&mut some, QUEUE) => ended = n == 0,
            }
            // What is printed together is written together.
            if !ended {
                tokio::time::sleep(GATHER).await;
                while some.len() < QUEUE
                    && let Ok(line) = lines.try_recv()
                {
                    some.push(line);
                }
            }
            stream.write(some, false).await;
        }
        let mut last: Vec<Printed> = Vec::new();
        let status = match stopped {
            true => None,
            // It may have closed its output and still run.
            false => tokio::select! {
                () = token.cancelled() => None,
                status = child.wait() => Some(status.ok().and_then(exit_code)),
            },
        };
        let message = match status {
            None => {
                stop(&mut child, &mut lines, |printed| last.push(printed)).await;
                "(the command was ended)".to_owned()
            }
            Some(code) => {
                // Background jobs of the command may go on.
                if let Some(mut supervisor) = supervisor
                    && let Err(error) = supervisor.write_all(b"\n").await
                {
                    tracing::warn!(%error, "the supervisor of a watched command could not be dismissed");
                }
                stream.note(code.and_then(|code| u16::try_from(code).ok()).unwrap_or(request_log::ENDED)).await;
                match code {
                    Some(0) => "(the command has ended)".to_owned(),
                    Some(code) => format!("(the command has ended with exit code {code})"),
                    None => "(the command was ended)".to_owned(),
                }
            }
        };
        last.push(Printed {
            time: stream.clock.now(),
            stderr: true,
            text: message,
            note: None,
            cut: false,
            ends: true,
        });
        stream.write(last, true).await;
    });
    Ok(())
}

/// Where a watched command's output goes.
struct Stream {
    line: String,
    store: Telemetry,
    /// `[telemetry] redact`
    redact: bool,
    clock: Arc<dyn Clock>,
    recogniser: Recogniser,
    screen: StoredScreen,
}

impl Stream {
    /// Writes the command's status, which the doctor reads from another process.
    async fn note(&self, status: u16) {
        // Arguments and variables before it may hold a password.
        let program = self.line.split_whitespace().find(|word| !word.contains('=')).unwrap_or_default();
        match status {
            request_log::RUNNING => tracing::info!(program, "a watched command runs"),
            request_log::ENDED => tracing::info!(program, "a watched command was ended"),
            code => tracing::info!(program, code, "a watched command has ended"),
        }
        let row = request_log::watched(&self.line, status, self.clock.now());
        if let Err(error) = self.store.count_requests(&[row]).await {
            tracing::warn!(%error, status, "the status of a watched command could not be written");
        }
    }

    /// Stores lines, and the spans in them. `ended` says that no more will come.
    async fn write(&mut self, lines: Vec<Printed>, ended: bool) {
        let mut spans: Vec<SpanRecord> = Vec::new();
        for printed in lines {
            // A display that is written over is no span.
            if printed.ends {
                spans.extend(self.recogniser.push(&clean(&printed)));
            }
            self.screen.write(&printed.text, printed.stderr, printed.time, printed.ends);
        }
        if ended {
            spans.extend(self.recogniser.finish());
        }
        let now = self.clock.now();
        if self.redact {
            credentials::redact_spans(&mut spans);
        }
        // A full disk does not end the command.
        self.screen.store(now).await;
        if let Err(error) = self.store.commit(&spans, now).await {
            tracing::warn!(%error, spans = spans.len(), "spans printed by a watched command were lost");
        }
    }
}

/// The shell that runs the line, the pipe whose end stops it ([`SUPERVISED`]), and what it prints.
type Supervised = (Child, Option<ChildStdin>, mpsc::Receiver<Printed>);

#[cfg(unix)]
fn start_supervised(line: &str, clock: Arc<dyn Clock>) -> Result<Supervised, Error> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(SUPERVISED).arg("sh").arg(line).stdin(Stdio::piped());
    let (mut child, lines) = start(shell, line, clock)?;
    // Waiting for the child would close it.
    let supervisor = child.stdin.take();
    Ok((child, supervisor, lines))
}

#[cfg(not(unix))]
fn start_supervised(line: &str, clock: Arc<dyn Clock>) -> Result<Supervised, Error> {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(line).stdin(Stdio::null());
    let (child, lines) = start(shell, line, clock)?;
    Ok((child, None, lines))
}

/// The exit code as shells report it: 128 and the number of the signal that ended the process.
fn exit_code(status: std::process::ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Some(128 + signal);
    }
    status.code()
}

/// One line without control sequences.
fn clean(printed: &Printed) -> ConsoleLine {
    ConsoleLine { text: line_text(&printed.text), stderr: printed.stderr, time: Some(printed.time) }
}

/// Runs a command to its end and returns what it printed, in the order of arrival. `cancelled` ends it earlier; what
/// was printed until then is kept, with a note. Background jobs of the command are not waited for.
///
/// # Errors
/// Where the command cannot be started.
pub(crate) async fn run(
    command: &[String],
    cancelled: CancellationToken,
    clock: Arc<dyn Clock>,
) -> Result<Output, Error> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::usage(
            "no command was given",
            "Write it behind --, for example: capture console -- docker compose logs",
        ));
    };
    let shown = command.join(" ");
    let mut process = Command::new(program);
    process.args(arguments).stdin(Stdio::null());
    let (mut child, mut printed) = start(process, &shown, clock)?;
    let mut arriving = Arriving::default();
    let mut encoding: Option<String> = None;
    let mut take = |printed: Printed, arriving: &mut Arriving| {
        if encoding.is_none() {
            encoding = printed.note.map(|note| format!("a line of it is not UTF-8: {note}"));
        }
        match printed.ends {
            true => arriving.line(&printed.text, printed.stderr, Some(printed.time), printed.cut),
            false => arriving.part(&printed.text, printed.stderr, Some(printed.time)),
        }
    };
    let (mut exit_code, mut notes) = (None, Vec::new());
    let mut exited: Option<(Option<i32>, tokio::time::Instant)> = None;
    let (mut was_cancelled, mut goes_on) = (false, false);
    loop {
        let deadline = exited.map(|(_, since)| since + GRACE);
        let next = tokio::select! {
            () = cancelled.cancelled() => {
                was_cancelled = exited.is_none();
                None
            }
            status = child.wait(), if exited.is_none() => {
                exited = Some((status.ok().and_then(|status| status.code()), tokio::time::Instant::now()));
                continue;
            }
            () = tokio::time::sleep_until(deadline.unwrap_or_else(tokio::time::Instant::now)), if deadline.is_some() => {
                goes_on = true;
                None
            }
            next = printed.recv() => next,
        };
        let Some(line) = next else { break };
        take(line, &mut arriving);
    }
    if was_cancelled {
        stop(&mut child, &mut printed, |line| take(line, &mut arriving)).await;
        notes.push("the command was ended before it was done".to_owned());
    } else {
        exit_code = match exited {
            Some((code, _)) => code,
            // It closed its output and goes on.
            None => tokio::select! {
                () = cancelled.cancelled() => {
                    stop(&mut child, &mut printed, |_| ()).await;
                    notes.push("the command was ended before it was done".to_owned());
                    None
                }
                status = child.wait() => status.ok().and_then(|status| status.code()),
            },
        };
    }
    if goes_on {
        notes.push("what the command left running may print more; that is not in it".to_owned());
    }
    let Output { mut console, printed } = arriving.finish(shown);
    (console.exit_code, console.origin) = (exit_code, Some(ConsoleOrigin::Command));
    notes.extend(encoding);
    notes.append(&mut console.notes);
    console.notes = notes;
    Ok(Output { console, printed })
}

fn start(mut command: Command, shown: &str, clock: Arc<dyn Clock>) -> Result<(Child, mpsc::Receiver<Printed>), Error> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    // A group of its own, so that what the shell started ends with it.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(|e| {
        Error::new(
            Code::Unreachable,
            format!("{shown:?} cannot be started: {e}"),
            "Is the program installed, and its name right?",
        )
    })?;
    let (sender, lines) = mpsc::channel(QUEUE);
    if let Some(out) = child.stdout.take() {
        tokio::spawn(read(out, false, sender.clone(), Arc::clone(&clock)));
    }
    if let Some(err) = child.stderr.take() {
        tokio::spawn(read(err, true, sender, clock));
    }
    Ok((child, lines))
}

/// Reads lines as they come, whatever bytes they hold.
async fn read(from: impl AsyncRead + Unpin, stderr: bool, sender: mpsc::Sender<Printed>, clock: Arc<dyn Clock>) {
    let printed = |line: &[u8], cut, ends| {
        let decoded = decode_line(line);
        let note = decoded.note();
        Printed { time: clock.now(), stderr, text: decoded.text.into_owned(), note, cut, ends }
    };
    let mut from = BufReader::new(from);
    let mut line: Vec<u8> = Vec::new();
    let mut long = false;
    loop {
        let (used, done) = match from.fill_buf().await {
            Err(_) => return,
            Ok([]) => {
                if !line.is_empty() {
                    // Whoever dropped the receiver wants no more lines.
                    drop(sender.send(printed(&line, long, true)).await);
                }
                return;
            }
            Ok(bytes) => {
                let (part, used, done) = match bytes.iter().position(|b| *b == b'\n') {
                    Some(at) => (&bytes[..at], at + 1, true),
                    None => (bytes, bytes.len(), false),
                };
                // A progress bar is one line that grows for as long as the command runs.
                if line.len() + part.len() > MAX_LINE_BYTES
                    && let Some(at) = line.iter().rposition(|b| *b == b'\r').filter(|at| *at > 0)
                {
                    let rest = line.split_off(at);
                    if sender.send(printed(&line, false, false)).await.is_err() {
                        return;
                    }
                    (line, long) = (rest, false);
                }
                let room = MAX_LINE_BYTES.saturating_sub(line.len());
                long |= part.len() > room;
                line.extend_from_slice(&part[..part.len().min(room)]);
                (used, done)
            }
        };
        from.consume(used);
        if done {
            if sender.send(printed(&line, long, true)).await.is_err() {
                return;
            }
            line.clear();
            long = false;
        }
    }
}

/// Ends a command with all that it started, and takes what it still prints.
async fn stop(child: &mut Child, lines: &mut mpsc::Receiver<Printed>, mut take: impl FnMut(Printed)) {
    // The child was not waited for yet, so its id, which is also its group's, cannot have been reused.
    let group = child.id();
    signal(group, "-TERM").await;
    // A process of the group that still runs holds the output open. The shell alone may be gone at once.
    let closed = async {
        while let Some(line) = lines.recv().await {
            take(line);
        }
    };
    if tokio::time::timeout(GRACE, closed).await.is_err() {
        signal(group, "-KILL").await;
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        signal(group, "-KILL").await;
        if let Err(error) = child.kill().await {
            tracing::warn!(%error, "a command could not be killed");
        }
    }
}

/// Signals a whole process group; `docker compose logs -f` then ends at once.
#[cfg(unix)]
async fn signal(group: Option<u32>, what: &str) {
    if let Some(id) = group {
        let mut kill = Command::new("kill");
        kill.arg(what).arg("--").arg(format!("-{id}")).stderr(Stdio::null());
        if let Err(error) = kill.status().await {
            tracing::warn!(%error, "`kill` could not be run");
        }
    }
}

#[cfg(not(unix))]
async fn signal(_group: Option<u32>, _what: &str) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::time::Instant;

    use crate::testing::ManualClock;

    fn clock() -> Arc<dyn Clock> {
        Arc::new(ManualClock::at("2026-11-25T10:00:00Z"))
    }

    fn shell(line: &str) -> Vec<String> {
        ["sh", "-c", line].map(str::to_owned).to_vec()
    }

    /// Whether any process was started with exactly this argument.
    fn runs(argument: &str) -> bool {
        let processes = std::fs::read_dir("/proc").expect("proc").flatten();
        processes.into_iter().any(|process| {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            line.split(|b| *b == 0).any(|word| word == argument.as_bytes())
        })
    }

    #[tokio::test]
    async fn background_jobs_of_a_captured_command_are_not_waited_for() {
        let before = Instant::now();
        let command = shell("echo started; sleep 9.7531 & exit 4");
        let console = run(&command, CancellationToken::new(), clock()).await.expect("runs").console;
        assert!(before.elapsed() < Duration::from_secs(6), "{:?}", before.elapsed());
        assert_eq!((console.exit_code, console.lines.len()), (Some(4), 1));
        assert_eq!(console.notes, ["what the command left running may print more; that is not in it"]);
    }

    #[tokio::test]
    async fn a_truncated_line_is_reported() {
        let long = "head -c 200000 /dev/zero | tr '\\0' a; echo; echo short";
        let console = run(&shell(long), CancellationToken::new(), clock()).await.expect("runs").console;
        assert_eq!(console.lines.len(), 2);
        assert_eq!(console.notes, ["1 line was longer than 16 KiB; its end is left out"]);
        assert_eq!(console.exit_code, Some(0));
    }

    #[tokio::test]
    async fn another_encoding_is_noted() {
        let output = run(&shell("printf 'ma\\361ana\\nna\\303\\257ve\\n'"), CancellationToken::new(), clock())
            .await
            .expect("runs");
        let texts: Vec<&str> = output.console.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["mañana", "naïve"]);
        assert!(output.console.notes[0].contains("Windows-1252"), "{:?}", output.console.notes);
    }

    #[tokio::test]
    async fn a_progress_bar_of_any_length_shows_its_end() {
        let bar = "i=0; while [ $i -lt 9000 ]; do printf '\\rfetching %s of 9000' $i; i=$((i+1)); done; printf '\\rdone\\033[K\\nnext\\n'";
        let output = run(&shell(bar), CancellationToken::new(), clock()).await.expect("runs");
        let texts: Vec<&str> = output.console.lines.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["done", "next"]);
        assert_eq!(output.console.notes, Vec::<String>::new());
        let bytes: usize = output.printed.lines().map(|line| line.text.len()).sum();
        assert!(bytes > 150_000, "{bytes}");
    }

    #[tokio::test]
    async fn stopping_a_command_stops_its_children_even_after_their_shell_exited() {
        for line in ["sleep 97.5312 & echo hi", "trap '' TERM; sleep 97.5312; sleep 97.5312"] {
            let mut command = Command::new("sh");
            command.arg("-c").arg(line).stdin(Stdio::null());
            let (mut child, mut lines) = start(command, line, clock()).expect("starts");
            for _ in 0..100 {
                if runs("97.5312") {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(runs("97.5312"), "{line}");
            stop(&mut child, &mut lines, |_| ()).await;
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert!(!runs("97.5312"), "{line}");
        }
    }
}
