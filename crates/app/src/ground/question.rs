//! Parts of questions to any source: time windows, ids, limits, and what a source does not have.

use tracebook_core::evidence::Kind;
use tracebook_core::ids::{IdError, TraceId};
use tracebook_core::question::{Source, Window};
use tracebook_core::time::{Nanos, parse_duration};

use crate::ground::error::{Code, Error};

/// The number of rows of a list unless the caller names one.
pub(crate) const LIMIT: u32 = 100;

/// A time window: `15m` that ends at `at`, or a range `FROM/TO` of RFC 3339 times, either of which may be missing.
/// Everything where none is given.
pub(crate) fn window(text: Option<&str>, at: Nanos) -> Result<Window, Error> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(Window::default()) };
    let Some((from, to)) = text.split_once('/') else {
        let back = parse_duration(text)
            .ok_or_else(|| Error::usage(format!("{text:?} is not a duration"), "Write for example 15m, 2h or 7d"))?;
        return Ok(Window::since(Nanos(at.0.saturating_sub(back))));
    };
    let time = |text: &str| match text.trim() {
        "" => Ok(None),
        text => Nanos::parse_rfc3339(text)
            .map(Some)
            .ok_or_else(|| Error::usage(format!("{text:?} is not a time"), "Write for example 2026-11-23T15:20:00Z")),
    };
    let (from, to) = (time(from)?, time(to)?);
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(Error::usage(format!("the range ends at {to}, before it begins"), "Name the earlier time first"));
    }
    Ok(Window { arrived: None, from, to })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_duration_or_a_range() {
        let at = Nanos::parse_rfc3339("2026-11-23T15:20:00Z").expect("a time");
        let of = |text: &str| window(Some(text), at).expect("a window");
        assert_eq!(window(None, at).expect("everything"), Window::default());
        assert_eq!(of(" "), Window::default());
        assert_eq!(of("15m").arrived, Nanos::parse_rfc3339("2026-11-23T15:05:00Z"));
        let (from, to) = ("2026-11-23T10:00:00Z", "2026-11-23T11:00:00+00:00");
        let times = |w: Window| (w.arrived, w.from, w.to);
        let time = Nanos::parse_rfc3339;
        assert_eq!(times(of(&format!("{from}/{to}"))), (None, time(from), time(to)));
        assert_eq!(times(of(&format!("{from}/"))), (None, time(from), None));
        assert_eq!(times(of(&format!("/{to}"))), (None, None, time(to)));
        assert_eq!(times(of("/")), (None, None, None));
        for wrong in [format!("{to}/{from}"), format!("{from}/{from}"), "soon/".to_owned(), "soon".to_owned()] {
            assert_eq!(window(Some(&wrong), at).expect_err("refused").code, Code::Usage, "{wrong}");
        }
    }
}
