//! The clock and randomness of the system. No other module uses them directly.

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use tracebook_core::clock::Clock;
use tracebook_core::ids::Entropy;
use tracebook_core::time::{Nanos, Zone};

use crate::ground::error::Error;

/// The real time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the door that the rule points to")]
    fn now(&self) -> Nanos {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// The system's randomness.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn ten_bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        #[expect(
            clippy::expect_used,
            reason = "without randomness ids would repeat and evidence be overwritten: better to stop"
        )]
        getrandom::fill(&mut bytes).expect("the system gives randomness");
        bytes
    }
}

/// Bytes for a secret.
///
/// # Errors
/// If the system gives no randomness.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(Error::internal)?;
    Ok(bytes)
}

/// Reads a time as people write it: RFC 3339, or a time of this machine's zone such as `2026-11-23 15:20` or `15:20`.
///
/// # Errors
/// If it is none.
pub fn local_time(text: &str) -> Result<Nanos, Error> {
    local_zone().read(text, SystemClock.now()).ok_or_else(|| {
        Error::usage(
            format!("{text:?} is not a time"),
            "Write for example 15:20, \"2026-11-23 15:20\", 2026-11-23 or 2026-11-23T15:20:00Z",
        )
    })
}

/// The time and this machine's zone, for checks that need no journal.
pub(crate) fn now_here() -> (Nanos, Zone) {
    (SystemClock.now(), local_zone())
}

/// The zone of `TZ`, else of the system; UTC where neither is known.
fn local_zone() -> Zone {
    const DATABASE: &str = "/usr/share/zoneinfo";
    let file = |path: &std::path::Path| Zone::tzif(&std::fs::read(path).ok()?);
    let named = std::env::var("TZ").ok().filter(|name| !name.is_empty()).and_then(|name| {
        let name = name.trim_start_matches(':');
        // A name of the database, an absolute path, or a rule.
        file(&std::path::Path::new(DATABASE).join(name)).or_else(|| Zone::posix(name))
    });
    named.or_else(|| file(std::path::Path::new("/etc/localtime"))).unwrap_or_else(Zone::utc)
}

/// The beginning of a log line: time and process id, since several processes of one journal write to one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogStamp;

impl FormatTime for LogStamp {
    fn format_time(&self, w: &mut Writer<'_>) -> std::fmt::Result {
        write!(w, "{} {:>7}", SystemClock.now().rfc3339(), std::process::id())
    }
}
