//! A command whose output is kept as a stream while the app runs, and one that is run for a capture.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use tracebook_core::clock::Clock as _;
use tracebook_core::console::{Console, ConsoleLine, bounded_line_text, left_out, trace_id_in};
use tracebook_core::telemetry::{ConsoleRecord, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_sources::console::Recogniser;
use tracebook_store::Telemetry;

use crate::error::{Code, Error};
use crate::heard;
use crate::system::SystemClock;

/// How long lines are gathered before they are written.
const PACE: Duration = Duration::from_millis(200);
/// The most lines that wait to be written; a command that prints faster waits for us.
const QUEUE: usize = 10_000;
/// The most bytes of a line that are read; the rest of it is skipped.
const LONGEST_LINE: usize = 64 * 1024;
/// The most lines that a captured command may print before the first ones go.
const MOST_LINES: usize = 10_000;
/// How long a command that was asked to end is waited for, and what one that has ended left running.
const GRACE: Duration = Duration::from_secs(2);

/// Runs the line `$1`, and beside it a watchman who ends the whole group when this process is gone: then the other end of
/// the pipe on standard input is closed without a word, whatever ended the process. The watchman is nobody's child, so that no
/// command waits for him, and he holds no output open.
#[cfg(unix)]
const GUARDED: &str = r#"exec 3<&0 </dev/null
({ trap '' HUP INT TERM; read -r word || { kill -TERM 0; sleep 1; kill -KILL 0; }; } <&3 3<&- >/dev/null 2>&1 &)
exec 3<&-
exec sh -c "$1""#;

/// What came out of a command.
struct Printed {
    time: Nanos,
    stderr: bool,
    text: String,
    /// More than [`LONGEST_LINE`] was there.
    cut: bool,
}

/// Keeps a command's output until it or the app ends. The command is a line for the shell, as the user typed it.
pub(crate) fn watch(
    line: String,
    telemetry: Telemetry,
    token: CancellationToken,
    tasks: &TaskTracker,
) -> Result<(), Error> {
    let (mut child, guard, mut lines) = start_guarded(&line)?;
    tasks.spawn(async move {
        note(&telemetry, &line, heard::RUNNING).await;
        let mut recogniser = Recogniser::default();
        let (mut ended, mut stopped) = (false, false);
        while !ended {
            let mut some = Vec::new();
            tokio::select! {
                () = token.cancelled() => (ended, stopped) = (true, true),
                n = lines.recv_many(&mut some, QUEUE) => ended = n == 0,
            }
            // A moment more: what is printed together is written together.
            if !ended {
                tokio::time::sleep(PACE).await;
                while some.len() < QUEUE
                    && let Ok(line) = lines.try_recv()
                {
                    some.push(line);
                }
            }
            keep(&telemetry, &line, some, &mut recogniser).await;
        }
        let mut last = Vec::new();
        let status = match stopped {
            true => None,
            // It may have closed its output and go on.
            false => tokio::select! {
                () = token.cancelled() => None,
                status = child.wait() => Some(status.ok().and_then(exit_code)),
            },
        };
        let said = match status {
            None => {
                stop(&mut child, &mut lines, |printed| last.push(printed)).await;
                "(the command was ended)".to_owned()
            }
            Some(code) => {
                // What it left running on purpose may go on.
                if let Some(mut guard) = guard {
                    let _ = guard.write_all(b"\n").await;
                }
                note(&telemetry, &line, code.and_then(|code| u16::try_from(code).ok()).unwrap_or(heard::ENDED)).await;
                match code {
                    Some(0) => "(the command has ended)".to_owned(),
                    Some(code) => format!("(the command has ended with exit code {code})"),
                    None => "(the command was ended)".to_owned(),
                }
            }
        };
        last.push(Printed { time: SystemClock.now(), stderr: true, text: said, cut: false });
        keep(&telemetry, &line, last, &mut recogniser).await;
    });
    Ok(())
}

/// The line under the shell. With what is returned beside it the command lives: see [`GUARDED`].
type Guarded = (Child, Option<ChildStdin>, mpsc::Receiver<Printed>);

#[cfg(unix)]
fn start_guarded(line: &str) -> Result<Guarded, Error> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(GUARDED).arg("sh").arg(line).stdin(Stdio::piped());
    let (mut child, lines) = start(shell, line)?;
    // Waiting for the child would close it.
    let guard = child.stdin.take();
    Ok((child, guard, lines))
}

#[cfg(not(unix))]
fn start_guarded(line: &str) -> Result<Guarded, Error> {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(line).stdin(Stdio::null());
    let (child, lines) = start(shell, line)?;
    Ok((child, None, lines))
}

/// As shells count: who was ended by a signal has 128 and its number.
fn exit_code(status: std::process::ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Some(128 + signal);
    }
    status.code()
}

/// Writes down how a watched command stands: the doctor looks at it from another process.
async fn note(telemetry: &Telemetry, line: &str, status: u16) {
    let _ = telemetry.count_requests(&[heard::watched(line, status)]).await;
}

async fn keep(telemetry: &Telemetry, stream: &str, lines: Vec<Printed>, recogniser: &mut Recogniser) {
    let mut spans: Vec<SpanRecord> = Vec::new();
    let records: Vec<ConsoleRecord> = lines
        .into_iter()
        .map(|printed| {
            let (line, _) = clean(printed);
            spans.extend(recogniser.push(&line));
            ConsoleRecord {
                stream: stream.to_owned(),
                timestamp: line.time.unwrap_or_default(),
                stderr: line.stderr,
                trace_id: trace_id_in(&line.text),
                text: line.text,
            }
        })
        .collect();
    let now = SystemClock.now();
    // A full disk: the command goes on, and so do we; `status` says that telemetry cannot be written.
    let _ = telemetry.commit_console(&records, now).await;
    let _ = telemetry.commit(&spans, now).await;
}

/// One line without what only a terminal can do, and whether its end was left out.
fn clean(printed: Printed) -> (ConsoleLine, bool) {
    let (text, cut) = bounded_line_text(&printed.text);
    (ConsoleLine { text, stderr: printed.stderr, time: Some(printed.time) }, cut || printed.cut)
}

/// Runs a command to its end and returns what it printed, in the order of arrival. `cancelled` ends it before; what was printed
/// until then is kept and it is said. What the command leaves running is not waited for.
///
/// # Errors
/// Where the command cannot be started.
pub async fn run(command: &[String], cancelled: CancellationToken) -> Result<Console, Error> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Error::usage(
            "no command was given",
            "Write it behind --, for example: capture console -- docker compose logs",
        ));
    };
    let shown = command.join(" ");
    let mut process = Command::new(program);
    process.args(arguments).stdin(Stdio::null());
    let (mut child, mut printed) = start(process, &shown)?;
    let mut console = Console { source: shown, ..Console::default() };
    let mut long = 0_usize;
    let mut take = |printed: Printed, console: &mut Console| {
        let (line, cut_off) = clean(printed);
        long += usize::from(cut_off);
        console.lines.push(line);
        if console.lines.len() >= MOST_LINES * 2 {
            cut(console);
        }
    };
    let mut exited: Option<(Option<i32>, tokio::time::Instant)> = None;
    let (mut was_cancelled, mut goes_on) = (false, false);
    loop {
        let patience = exited.map(|(_, since)| since + GRACE);
        let next = tokio::select! {
            () = cancelled.cancelled() => {
                was_cancelled = exited.is_none();
                None
            }
            status = child.wait(), if exited.is_none() => {
                exited = Some((status.ok().and_then(|status| status.code()), tokio::time::Instant::now()));
                continue;
            }
            () = tokio::time::sleep_until(patience.unwrap_or_else(tokio::time::Instant::now)), if patience.is_some() => {
                goes_on = true;
                None
            }
            next = printed.recv() => next,
        };
        let Some(line) = next else { break };
        take(line, &mut console);
    }
    if was_cancelled {
        stop(&mut child, &mut printed, |line| take(line, &mut console)).await;
        console.notes.push("the command was ended before it was done".to_owned());
    } else {
        console.exit_code = match exited {
            Some((code, _)) => code,
            // It closed its output and goes on.
            None => tokio::select! {
                () = cancelled.cancelled() => {
                    stop(&mut child, &mut printed, |_| ()).await;
                    console.notes.push("the command was ended before it was done".to_owned());
                    None
                }
                status = child.wait() => status.ok().and_then(|status| status.code()),
            },
        };
    }
    if goes_on {
        console.notes.push("what the command left running may print more; that is not in it".to_owned());
    }
    console.notes.extend(left_out(long));
    cut(&mut console);
    Ok(console)
}

fn cut(console: &mut Console) {
    let over = console.lines.len().saturating_sub(MOST_LINES);
    console.lines.drain(..over);
    console.more = console.more.saturating_add(u32::try_from(over).unwrap_or(u32::MAX));
}

fn start(mut command: Command, shown: &str) -> Result<(Child, mpsc::Receiver<Printed>), Error> {
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
    let (tell, lines) = mpsc::channel(QUEUE);
    if let Some(out) = child.stdout.take() {
        tokio::spawn(read(out, false, tell.clone()));
    }
    if let Some(err) = child.stderr.take() {
        tokio::spawn(read(err, true, tell));
    }
    Ok((child, lines))
}

/// Reads lines as they come, whatever bytes they hold.
async fn read(from: impl AsyncRead + Unpin, stderr: bool, tell: mpsc::Sender<Printed>) {
    let mut from = BufReader::new(from);
    let mut line: Vec<u8> = Vec::new();
    let mut long = false;
    loop {
        let (used, done) = match from.fill_buf().await {
            Err(_) => return,
            Ok([]) => {
                if !line.is_empty() {
                    let _ = tell.send(printed(&line, stderr, long)).await;
                }
                return;
            }
            Ok(bytes) => {
                let (part, used, done) = match bytes.iter().position(|b| *b == b'\n') {
                    Some(at) => (&bytes[..at], at + 1, true),
                    None => (bytes, bytes.len(), false),
                };
                let room = LONGEST_LINE.saturating_sub(line.len());
                long |= part.len() > room;
                line.extend_from_slice(&part[..part.len().min(room)]);
                (used, done)
            }
        };
        from.consume(used);
        if done {
            if tell.send(printed(&line, stderr, long)).await.is_err() {
                return;
            }
            line.clear();
            long = false;
        }
    }
}

fn printed(line: &[u8], stderr: bool, long: bool) -> Printed {
    Printed { time: SystemClock.now(), stderr, text: String::from_utf8_lossy(line).into_owned(), cut: long }
}

/// Ends a command with all that it started, and takes what it still prints.
async fn stop(child: &mut Child, lines: &mut mpsc::Receiver<Printed>, mut take: impl FnMut(Printed)) {
    // Nobody has waited for it, so its id, which is its group's too, is nobody else's yet.
    let group = child.id();
    signal(group, "-TERM").await;
    // Whoever of the group still lives holds the output open. The shell alone may be gone at once.
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
        let _ = child.kill().await;
    }
}

/// Tells a whole process group; `docker compose logs -f` ends politely at once.
#[cfg(unix)]
async fn signal(group: Option<u32>, what: &str) {
    if let Some(id) = group {
        let _ = Command::new("kill").arg(what).arg("--").arg(format!("-{id}")).stderr(Stdio::null()).status().await;
    }
}

#[cfg(not(unix))]
async fn signal(_group: Option<u32>, _what: &str) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::time::Instant;

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
    async fn what_a_captured_command_leaves_running_is_not_waited_for() {
        let before = Instant::now();
        let console = run(&shell("echo started; sleep 9.7531 & exit 4"), CancellationToken::new()).await.expect("runs");
        assert!(before.elapsed() < Duration::from_secs(6), "{:?}", before.elapsed());
        assert_eq!((console.exit_code, console.lines.len()), (Some(4), 1));
        assert_eq!(console.notes, ["what the command left running may print more; that is not in it"]);
    }

    #[tokio::test]
    async fn a_line_that_is_cut_is_said() {
        let long = "head -c 200000 /dev/zero | tr '\\0' a; echo; echo short";
        let console = run(&shell(long), CancellationToken::new()).await.expect("runs");
        assert_eq!(console.lines.len(), 2);
        assert_eq!(console.notes, ["1 line was longer than 16 KiB; its end is left out"]);
        assert_eq!(console.exit_code, Some(0));
    }

    #[tokio::test]
    async fn ending_a_command_ends_what_it_started_even_behind_a_shell_that_has_gone() {
        for line in ["sleep 97.5312 & echo hi", "trap '' TERM; sleep 97.5312; sleep 97.5312"] {
            let mut command = Command::new("sh");
            command.arg("-c").arg(line).stdin(Stdio::null());
            let (mut child, mut lines) = start(command, line).expect("starts");
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
