//! Parts of questions to any source: time windows, ids, limits, and what a source does not have.

use tracebook_core::evidence::Kind;
use tracebook_core::ids::{IdError, TraceId};
use tracebook_core::question::Source;
use tracebook_core::time::{Nanos, parse_duration};

use crate::ground::error::{Code, Error};

/// The number of rows of a list unless the caller names one.
pub(crate) const LIMIT: u32 = 100;

/// The start of a time window such as `15m` that ends at `at`; `None` where no window is given.
pub(crate) fn window_start(text: Option<&str>, at: Nanos) -> Result<Option<Nanos>, Error> {
    let Some(text) = text.filter(|t| !t.trim().is_empty()) else { return Ok(None) };
    let back = parse_duration(text)
        .ok_or_else(|| Error::usage(format!("{text:?} is not a duration"), "Write for example 15m, 2h or 7d"))?;
    Ok(Some(Nanos(at.0.saturating_sub(back))))
}

/// Parses a trace id in either form.
pub(crate) fn trace_id(text: &str) -> Result<TraceId, Error> {
    text.parse().map_err(|e: IdError| Error::usage(e.to_string(), "`live traces` lists the ids"))
}

/// The error for a source that has nothing of a kind.
pub(crate) fn unsupported(source: Source, kind: Kind) -> Error {
    if let Some(gap) = source.gap(kind) {
        return Error::new(Code::Unsupported, &*gap.reason, &*gap.hint);
    }
    let message = format!("{} has no {}", source.info().name, kind.info().plural);
    Error::new(Code::Usage, message, format!("It has {}", source.has()))
}
