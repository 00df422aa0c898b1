//! The clock and randomness of the system. No other module uses them directly.

use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

use tracebook_core::clock::Clock;
use tracebook_core::ids::Entropy;
use tracebook_core::time::Nanos;

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

/// The beginning of a log line: time and process id, since several processes of one journal write to one file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogStamp;

impl FormatTime for LogStamp {
    fn format_time(&self, w: &mut Writer<'_>) -> std::fmt::Result {
        write!(w, "{} {:>7}", SystemClock.now().rfc3339(), std::process::id())
    }
}
