//! A command whose output is kept as a stream while the app runs, and one that is run for a capture.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use tracebook_core::clock::Clock as _;
use tracebook_core::console::{Console, ConsoleLine, line_text, trace_id_in};
use tracebook_core::telemetry::{ConsoleRecord, SpanRecord};
use tracebook_core::time::Nanos;
use tracebook_sources::console::Recogniser;
use tracebook_store::Telemetry;

use crate::error::{Code, Error};
use crate::system::SystemClock;

/// How long lines are gathered before they are written.
const PACE: Duration = Duration::from_millis(200);
/// The most lines that wait to be written; a command that prints faster waits for us.
const QUEUE: usize = 10_000;
/// The most bytes of a line that are read; the rest of it is skipped.
const LONGEST_LINE: usize = 64 * 1024;
/// The most lines that a captured command may print before the first ones go.
const MOST_LINES: usize = 10_000;
/// How long a command that was asked to end is waited for.
const GRACE: Duration = Duration::from_secs(2);

/// What came out of a command.
struct Printed {
    time: Nanos,
    stderr: bool,
    text: String,
}

/// Keeps a command's output until it or the app ends. The command is a line for the shell, as the user typed it.
pub(crate) fn watch(
    line: String,
    telemetry: Telemetry,
    token: CancellationToken,
    tasks: &TaskTracker,
) -> Result<(), Error> {
    let mut shell = Command::new(if cfg!(windows) { "cmd" } else { "sh" });
    shell.arg(if cfg!(windows) { "/C" } else { "-c" }).arg(&line);
    let (child, mut lines) = start(shell, &line)?;
    tasks.spawn(async move {
        let mut recogniser = Recogniser::default();
        let mut ended = false;
        while !ended {
            let mut some = Vec::new();
            tokio::select! {
                () = token.cancelled() => ended = true,
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
        let said = match end(child).await {
            Some(0) => "(the command has ended)".to_owned(),
            Some(code) => format!("(the command has ended with exit code {code})"),
            None => "(the command was ended)".to_owned(),
        };
        let last = Printed { time: SystemClock.now(), stderr: true, text: said };
        keep(&telemetry, &line, vec![last], &mut recogniser).await;
    });
    Ok(())
}

async fn keep(telemetry: &Telemetry, stream: &str, lines: Vec<Printed>, recogniser: &mut Recogniser) {
    let mut spans: Vec<SpanRecord> = Vec::new();
    let records: Vec<ConsoleRecord> = lines
        .into_iter()
        .map(|printed| {
            let line = clean(printed);
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

/// One line without what only a terminal can do.
fn clean(printed: Printed) -> ConsoleLine {
    let text = line_text(&printed.text);
    ConsoleLine { text, stderr: printed.stderr, time: Some(printed.time) }
}

/// Runs a command to its end and returns what it printed, in the order of arrival. `cancelled` ends it before; what was printed
/// until then is kept and it is said.
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
    process.args(arguments);
    let (child, mut printed) = start(process, &shown)?;
    let mut console = Console { source: shown, ..Console::default() };
    let mut was_cancelled = false;
    loop {
        let next = tokio::select! {
            () = cancelled.cancelled(), if !was_cancelled => {
                was_cancelled = true;
                None
            }
            next = printed.recv() => next,
        };
        let Some(line) = next else { break };
        console.lines.push(clean(line));
        if console.lines.len() >= MOST_LINES * 2 {
            cut(&mut console);
        }
    }
    cut(&mut console);
    console.exit_code = end(child).await;
    if was_cancelled {
        console.exit_code = None;
        console.notes.push("the command was ended before it was done".to_owned());
    }
    Ok(console)
}

fn cut(console: &mut Console) {
    let over = console.lines.len().saturating_sub(MOST_LINES);
    console.lines.drain(..over);
    console.more = console.more.saturating_add(u32::try_from(over).unwrap_or(u32::MAX));
}

fn start(mut command: Command, shown: &str) -> Result<(Child, mpsc::Receiver<Printed>), Error> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
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
    loop {
        let (used, done) = match from.fill_buf().await {
            Err(_) => return,
            Ok([]) => {
                if !line.is_empty() {
                    let _ = tell.send(printed(&line, stderr)).await;
                }
                return;
            }
            Ok(bytes) => {
                let (part, used, done) = match bytes.iter().position(|b| *b == b'\n') {
                    Some(at) => (&bytes[..at], at + 1, true),
                    None => (bytes, bytes.len(), false),
                };
                let room = LONGEST_LINE.saturating_sub(line.len());
                line.extend_from_slice(&part[..part.len().min(room)]);
                (used, done)
            }
        };
        from.consume(used);
        if done {
            if tell.send(printed(&line, stderr)).await.is_err() {
                return;
            }
            line.clear();
        }
    }
}

fn printed(line: &[u8], stderr: bool) -> Printed {
    Printed { time: SystemClock.now(), stderr, text: String::from_utf8_lossy(line).into_owned() }
}

/// Asks a command to end if it has not, and returns its exit code.
async fn end(mut child: Child) -> Option<i32> {
    if let Ok(Ok(status)) = tokio::time::timeout(Duration::from_millis(500), child.wait()).await {
        return status.code();
    }
    #[cfg(unix)]
    if let Some(id) = child.id() {
        // The whole group, politely: `docker compose logs -f` ends at once.
        let _ = Command::new("kill").arg("-TERM").arg("--").arg(format!("-{id}")).status().await;
    }
    match tokio::time::timeout(GRACE, child.wait()).await {
        Ok(Ok(status)) => status.code(),
        _ => {
            let _ = child.kill().await;
            None
        }
    }
}
