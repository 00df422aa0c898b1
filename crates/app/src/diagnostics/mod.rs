//! Diagnostics: what this program reports about its own work, on standard error and in the journal's log file.
//!
//! The crates describe their work with `tracing`; a host calls [`start`] once to choose who listens. A level that
//! nobody listens to costs one comparison at its call site.
//!
//! Events carry no headers, bodies, tokens or filters. As a second safeguard, every line passes through
//! [`redact::line`] before it leaves the process.

mod log_file;
pub(crate) mod redact;

use std::io::{self, Write};
use std::path::Path;

use tracebook_core::text::marked;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::ground::error::Error;
use crate::ground::settings::Settings;
use crate::system::LogStamp;

pub(crate) use log_file::LogFile;

/// The environment variable that sets what is written to standard error, in `EnvFilter` syntax.
pub const VARIABLE: &str = "TRACEBOOK_LOG";
/// What the targets of our crates begin with.
const OURS: &str = "tracebook";

/// Sends this process's events to standard error and to the journal's log file from now on. Without a data directory
/// there is no file. A second call changes nothing.
///
/// `verbosity` is how often `-v` was given: 1 shows info, 2 debug, 3 trace. It takes precedence over `TRACEBOOK_LOG`;
/// with neither, standard error stays silent. The file's level is `[log] level` in `tracebook.toml`.
///
/// # Errors
/// [`Code::Usage`](crate::Code::Usage) where `TRACEBOOK_LOG` cannot be read as a filter.
pub fn start(data_dir: Option<&Path>, verbosity: u8) -> Result<(), Error> {
    let stderr = StderrFilter::new(verbosity, std::env::var(VARIABLE).ok().as_deref())?;
    // A settings file that cannot be read is reported by what needs it; the log keeps its default until then.
    let level = |dir: &Path| Settings::read(dir).unwrap_or_default().log.level.filter();
    let file = data_dir.map(|dir| (LogFile::new(dir), level(dir))).filter(|(_, level)| *level != LevelFilter::OFF);
    if stderr.is_off() && file.is_none() {
        return Ok(());
    }
    if tracing::subscriber::set_global_default(subscriber(stderr, file)).is_ok() {
        log_panics();
    }
    Ok(())
}

/// Logs that a host has started. On another thread, because the first line compiles the credential patterns, for which
/// nothing else should wait.
pub fn announce(host: &'static str) {
    std::thread::spawn(move || tracing::info!(host, version = env!("CARGO_PKG_VERSION"), "started"));
}

/// What is written to standard error.
enum StderrFilter {
    Off,
    Verbosity(Targets),
    Variable(Box<EnvFilter>),
}

impl StderrFilter {
    fn new(verbosity: u8, variable: Option<&str>) -> Result<Self, Error> {
        let (others, ours) = match verbosity {
            0 => {
                let Some(text) = variable.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(Self::Off) };
                return EnvFilter::try_new(text).map(|filter| Self::Variable(Box::new(filter))).map_err(|e| {
                    Error::usage(
                        format!("{VARIABLE} is not a filter: {e}"),
                        format!("Write for example {VARIABLE}=info, or {VARIABLE}=tracebook_sources=debug,warn"),
                    )
                });
            }
            1 => (LevelFilter::WARN, LevelFilter::INFO),
            2 => (LevelFilter::INFO, LevelFilter::DEBUG),
            _ => (LevelFilter::DEBUG, LevelFilter::TRACE),
        };
        Ok(Self::Verbosity(Targets::new().with_default(others).with_target(OURS, ours)))
    }

    fn is_off(&self) -> bool {
        matches!(self, Self::Off)
    }
}

fn subscriber(
    stderr: StderrFilter,
    file: Option<(LogFile, LevelFilter)>,
) -> impl tracing::Subscriber + Send + Sync + 'static {
    let stderr = match stderr {
        StderrFilter::Off => None,
        StderrFilter::Verbosity(filter) => Some(lines(Stderr).with_filter(filter).boxed()),
        StderrFilter::Variable(filter) => Some(lines(Stderr).with_filter(*filter).boxed()),
    };
    let file = file.map(|(file, level)| {
        // Other crates' warnings may explain a failure of ours; their details do not.
        let others = level.min(LevelFilter::WARN);
        lines(file).with_filter(Targets::new().with_default(others).with_target(OURS, level))
    });
    Registry::default().with(file).with(stderr)
}

/// Events as lines: time, process id, level, spans, target, message and fields.
fn lines<S, T>(target: T) -> impl Layer<S> + Send + Sync
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    T: Target,
{
    fmt::layer().with_ansi(false).with_timer(LogStamp).log_internal_errors(false).with_writer(Redacted(target))
}

/// Where finished lines go.
trait Target: Send + Sync + 'static {
    /// Writes one line, which ends in a line feed.
    fn write_line(&self, line: &str) -> io::Result<()>;
}

struct Stderr;

impl Target for Stderr {
    fn write_line(&self, line: &str) -> io::Result<()> {
        io::stderr().lock().write_all(line.as_bytes())
    }
}

impl Target for LogFile {
    fn write_line(&self, line: &str) -> io::Result<()> {
        self.append(line)
    }
}

/// Redacts every line before it is written.
struct Redacted<T>(T);

impl<'a, T: Target> MakeWriter<'a> for Redacted<T> {
    type Writer = LineWriter<'a, T>;

    fn make_writer(&'a self) -> Self::Writer {
        LineWriter(&self.0)
    }
}

struct LineWriter<'a, T>(&'a T);

impl<T: Target> Write for LineWriter<'_, T> {
    /// The layer hands over each event as one buffer, so that this is a whole line.
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(buffer);
        // A log is read in a terminal.
        let mut line = marked(&redact::line(text.trim_end_matches('\n')));
        line.push('\n');
        self.0.write_line(&line)?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A panic of any thread is an event too; the hook that was there runs after it.
fn log_panics() {
    let earlier = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let message = panic.payload_as_str().unwrap_or("(no message)");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(target: "tracebook::panic", place, "panic: {message}");
        earlier(panic);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a subscriber with the file at a level writes while something runs.
    fn logged(level: LevelFilter, run: impl FnOnce()) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let file = LogFile::new(folder.path());
        let subscriber = subscriber(StderrFilter::Off, Some((file.clone(), level)));
        tracing::subscriber::with_default(subscriber, run);
        file.tail(1_000)
    }

    #[test]
    fn an_event_is_one_line_with_time_process_level_and_target() {
        let text = logged(LevelFilter::INFO, || tracing::info!(entries = 2, "exported\nall of them"));
        let fields: Vec<&str> = text.split_whitespace().collect();
        assert!(fields[0].ends_with('Z') && fields[0].contains('T'), "{text}");
        assert_eq!(fields[1], std::process::id().to_string());
        assert_eq!(fields[2], "INFO");
        assert!(fields[3].starts_with("tracebook_app::diagnostics"), "{text}");
        assert!(text.ends_with("exported\\nall of them entries=2\n"), "{text}");
        assert_eq!(text.lines().count(), 1);
    }

    #[test]
    fn the_level_holds_for_our_crates_and_warnings_for_others() {
        let events = || {
            tracing::debug!("ours in detail");
            tracing::info!("ours");
            tracing::info!(target: "h2::proto", "theirs");
            tracing::warn!(target: "h2::proto", "their warning");
        };
        let text = logged(LevelFilter::INFO, events);
        assert!(text.contains("ours\n") && text.contains("their warning"), "{text}");
        assert!(!text.contains("ours in detail") && !text.contains("theirs"), "{text}");
        let text = logged(LevelFilter::ERROR, events);
        assert_eq!(text, "");
    }

    #[test]
    fn no_credential_is_written() {
        let text = logged(LevelFilter::INFO, || {
            let span = tracing::info_span!("call", api_key = "s3cret-in-a-span");
            let _entered = span.enter();
            tracing::info!(token = "s3cret-in-a-field", "asked with Authorization: Bearer abcdefgh12345678");
        });
        assert!(text.contains("asked with"), "{text}");
        assert!(!text.contains("s3cret") && !text.contains("abcdefgh12345678"), "{text}");
    }

    #[test]
    fn the_variable_is_read_unless_verbosity_is_given() {
        assert!(StderrFilter::new(0, None).is_ok_and(|f| f.is_off()));
        assert!(StderrFilter::new(0, Some(" ")).is_ok_and(|f| f.is_off()));
        assert!(matches!(StderrFilter::new(0, Some("tracebook_store=debug,warn")), Ok(StderrFilter::Variable(_))));
        assert!(matches!(StderrFilter::new(2, Some("off")), Ok(StderrFilter::Verbosity(_))));
        let Err(error) = StderrFilter::new(0, Some("tracebook=loud")) else { panic!("accepted") };
        assert!(error.message.contains(VARIABLE), "{}", error.message);
        assert_eq!(error.exit_code(), 2);
    }
}
