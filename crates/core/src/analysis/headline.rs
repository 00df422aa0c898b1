//! What a reader of a trace wants to know first: where it failed, where the time went, whether a retry helped, and
//! whether its clocks agree.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::skew::Mark;
use super::timing::Timing;
use crate::assemble::Tree;
use crate::attributes;
use crate::text::{count, first_line, grouped, percent};
use crate::time::human_duration;
use crate::trace::{Span, Trace};

/// The longest name in a line.
const NAME: usize = 80;
/// The longest message in a line.
const MESSAGE: usize = 160;

/// The first failure of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The span that failed first: of those whose children did not fail, the one that ended first.
    pub span: usize,
    /// Its first error; empty if it has none.
    pub message: String,
}

/// The spans of a service with the same title that took most of the time.
#[derive(Clone, Debug, PartialEq)]
pub struct Spent {
    /// One of them, the one that took most.
    pub span: usize,
    /// How many there are on the critical path.
    pub spans: usize,
    /// Their own time on the critical path, in nanoseconds.
    pub nanos: u64,
    /// The share of the trace's time, from 0 to 1.
    pub share: f64,
}

/// A call that was tried more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retries {
    /// The attempts, in order of time.
    pub attempts: Vec<usize>,
    /// Whether the last one succeeded.
    pub recovered: bool,
}

/// The statements of a trace's head line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Headline {
    /// The first failure that no retry made up for.
    pub failure: Option<Failure>,
    /// Where the time went, if there is more than one span.
    pub spent: Option<Spent>,
    pub retries: Vec<Retries>,
    /// Spans whose times contradict those of their parents, by kind of contradiction: how many, and the most in
    /// nanoseconds.
    pub starts_before: (usize, u64),
    pub ends_after: (usize, u64),
    /// Whether every failure was made up for by a retry.
    pub recovered: bool,
}

impl Headline {
    /// Reads a trace. `marks` are those of [`skew::marks`](super::skew::marks).
    pub fn of(trace: &Trace, tree: &Tree, timing: &Timing, marks: &[Option<Mark>]) -> Self {
        let retries = retries(trace, tree);
        let excused = excused(tree, &retries);
        let failed: Vec<usize> = (0..trace.spans.len()).filter(|i| trace.spans[*i].failure().is_some()).collect();
        let failure = first_failure(trace, tree, failed.iter().copied().filter(|i| !excused.contains(i)));
        let mut headline = Self {
            recovered: failure.is_none() && !failed.is_empty(),
            failure,
            spent: spent(trace, timing),
            retries,
            ..Self::default()
        };
        for mark in marks.iter().copied().flatten() {
            let (n, most) = match mark {
                Mark::StartsBefore(_) => &mut headline.starts_before,
                Mark::EndsAfter(_) => &mut headline.ends_after,
            };
            *n += 1;
            *most = mark.nanos().max(*most);
        }
        headline
    }

    /// One line for each statement, the most important first.
    pub fn lines(&self, trace: &Trace) -> Vec<String> {
        let mut lines = Vec::new();
        lines.extend(self.failure_line(trace));
        lines.extend(self.spent_line(trace));
        lines.extend(self.retry_lines(trace));
        lines.extend(self.skew_line());
        lines
    }

    /// `Failed first in SELECT activities (backend-flask) at +12.4 ms: OperationalError: connection refused`
    pub fn failure_line(&self, trace: &Trace) -> Option<String> {
        let failure = self.failure.as_ref()?;
        let span = &trace.spans[failure.span];
        let at = human_duration(span.start.0.saturating_sub(trace.start().0));
        let status = span.http_status().map(|s| format!(" {s}")).unwrap_or_default();
        let message = first_line(&failure.message, MESSAGE);
        let message = match (message.is_empty(), span.http_status(), span.failure()) {
            (false, ..) => format!(": {message}"),
            (true, None, Some(code)) => format!(": {}", code.word()),
            (true, ..) => String::new(),
        };
        Some(format!("Failed first in {}{status} at +{at}{message}", named(span)))
    }

    /// `62 % of the time in SELECT activities (backend-flask): 412 ms`
    pub fn spent_line(&self, trace: &Trace) -> Option<String> {
        let spent = self.spent.as_ref()?;
        let times = if spent.spans > 1 { format!("{} × ", grouped(spent.spans)) } else { String::new() };
        Some(format!(
            "{} % of the time in {times}{}: {}",
            percent((spent.share * 100.0).round() / 100.0),
            named(&trace.spans[spent.span]),
            duration(spent.nanos),
        ))
    }

    /// `GET /pay (checkout) was retried: 503, 503, 503, then 200`
    pub fn retry_lines(&self, trace: &Trace) -> Vec<String> {
        const MOST: usize = 3;
        let mut lines: Vec<String> = self.retries.iter().take(MOST).map(|r| r.line(trace)).collect();
        if self.retries.len() > MOST {
            lines.push(format!("{} more were retried", count(self.retries.len() - MOST, "call")));
        }
        lines
    }

    /// `Clocks differ: 1 span starts up to 400 ms before its parent`
    pub fn skew_line(&self) -> Option<String> {
        let mut parts = Vec::new();
        for ((n, most), one, many) in [
            (self.starts_before, "starts up to {} before its parent", "start up to {} before their parents"),
            (self.ends_after, "ends up to {} after its parent", "end up to {} after their parents"),
        ] {
            if n > 0 {
                let does = if n == 1 { one } else { many };
                parts.push(format!("{} {}", count(n, "span"), does.replace("{}", &duration(most))));
            }
        }
        let sign = if self.starts_before.0 > 0 { "Clocks differ" } else { "Clocks differ, or the parent did not wait" };
        (!parts.is_empty()).then(|| format!("{sign}: {}", parts.join(", ")))
    }
}

impl Retries {
    fn line(&self, trace: &Trace) -> String {
        let word = |i: usize| {
            let span = &trace.spans[i];
            match (span.http_status(), span.failure()) {
                (Some(status), _) => status.to_string(),
                (None, Some(code)) => code.word().to_owned(),
                (None, None) => "ok".to_owned(),
            }
        };
        let (last, failed) = match self.attempts.split_last() {
            Some((last, failed)) if self.recovered => (Some(*last), failed),
            _ => (None, self.attempts.as_slice()),
        };
        let words: Vec<String> = failed.iter().map(|i| word(*i)).collect();
        let same = words.windows(2).all(|w| w[0] == w[1]);
        let words = match words.first() {
            Some(one) if same && words.len() > 1 => format!("{} × {one}", words.len()),
            _ if words.len() > 6 => format!("{} failures", words.len()),
            _ => words.join(", "),
        };
        let name = self.attempts.first().map(|i| named(&trace.spans[*i])).unwrap_or_default();
        match last {
            Some(last) => format!("{name} was retried: {words}, then {}", word(last)),
            None => format!("{name} was tried {}, each failed: {words}", count(self.attempts.len(), "time")),
        }
    }
}

/// A length that may exceed that of `i64`.
fn duration(nanos: u64) -> String {
    human_duration(i64::try_from(nanos).unwrap_or(i64::MAX))
}

/// `GET /api (backend-flask)`
fn named(span: &Span) -> String {
    let title = first_line(&span.title(), NAME);
    if span.service.is_empty() || span.service == span.title() {
        return title;
    }
    format!("{title} ({})", first_line(&span.service, NAME))
}

/// The earliest to end of the failed spans without a failed child.
fn first_failure(trace: &Trace, tree: &Tree, failed: impl Iterator<Item = usize>) -> Option<Failure> {
    let failed: Vec<usize> = failed.collect();
    let above: HashSet<usize> = failed.iter().filter_map(|i| tree.parents[*i]).collect();
    let ends = |i: &usize| {
        let span = &trace.spans[*i];
        (span.end.unwrap_or(span.start), span.start, *i)
    };
    let span = failed.into_iter().filter(|i| !above.contains(i)).min_by_key(ends)?;
    let message = trace.failures(&trace.spans[span]).into_iter().next().unwrap_or_default();
    Some(Failure { span, message })
}

fn spent(trace: &Trace, timing: &Timing) -> Option<Spent> {
    if trace.spans.len() < 2 || timing.total == 0 {
        return None;
    }
    let mut groups: BTreeMap<(&str, String), (u64, usize, usize)> = BTreeMap::new();
    for (i, span) in trace.spans.iter().enumerate() {
        let nanos = timing.critical_nanos[i];
        if nanos > 0 {
            let (sum, spans, most) = groups.entry((&span.service, span.title())).or_insert((0, 0, i));
            *sum = sum.saturating_add(nanos);
            *spans += 1;
            if timing.critical_nanos[*most] < nanos {
                *most = i;
            }
        }
    }
    // Of equals, the one that comes first.
    let (nanos, spans, span) = groups.into_values().max_by_key(|(sum, _, i)| (*sum, std::cmp::Reverse(*i)))?;
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let share = nanos as f64 / timing.total as f64;
    Some(Spent { span, spans, nanos, share })
}

/// Calls that were tried again: siblings of one service that do the same, one after the other, of which all but the
/// last failed. Without a success at the end, they count only if they are exactly equal and few, since a loop over
/// different items looks alike.
fn retries(trace: &Trace, tree: &Tree) -> Vec<Retries> {
    const MOST_FAILED: usize = 10;
    let mut found = Vec::new();
    for siblings in tree.children.iter().chain([&tree.tops]) {
        if siblings.len() < 2 || !siblings.iter().any(|i| trace.spans[*i].failure().is_some()) {
            continue;
        }
        let mut series: HashMap<(&str, &str, Option<String>), Vec<usize>> = HashMap::new();
        let mut order: Vec<usize> = siblings.clone();
        order.sort_by_key(|i| (trace.spans[*i].start, *i));
        for i in order {
            let span = &trace.spans[i];
            let detail = attributes::detail(span).map(|d| d.text);
            let open = series.entry((&span.service, &span.name, detail)).or_default();
            // One that runs beside the last attempt is no retry of it.
            let parallel = open.last().is_some_and(|last| trace.spans[*last].end.is_none_or(|end| end > span.start));
            if parallel {
                open.clear();
            }
            if span.failure().is_some() {
                open.push(i);
            } else if !open.is_empty() && span.end.is_some() {
                let mut attempts = std::mem::take(open);
                attempts.push(i);
                found.push(Retries { attempts, recovered: true });
            }
        }
        let failed = series.into_values().filter(|open| (2..=MOST_FAILED).contains(&open.len()));
        found.extend(failed.map(|attempts| Retries { attempts, recovered: false }));
    }
    found.sort_by_key(|r| (!r.recovered, r.attempts.first().copied()));
    found
}

/// The failed attempts before a success, and everything below them.
fn excused(tree: &Tree, retries: &[Retries]) -> HashSet<usize> {
    let failed = retries.iter().filter(|r| r.recovered).filter_map(|r| r.attempts.split_last()).flat_map(|(_, f)| f);
    let mut stack: Vec<usize> = failed.copied().collect();
    let mut all = HashSet::new();
    while let Some(i) = stack.pop() {
        if all.insert(i) {
            stack.extend(&tree.children[i]);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assemble::{LooseSpan, assemble};
    use crate::ids::{SpanId, TraceId};
    use crate::time::Nanos;
    use crate::trace::{Exception, Protocol, StatusCode};
    use crate::value::Attribute;

    fn span(id: u8, parent: u8, name: &str, from: i64, to: i64) -> Span {
        let ms = |n: i64| Nanos(n * 1_000_000);
        let mut span = Span::new(SpanId([id; 8]), name, Protocol::Otlp, ms(from));
        span.parent = (parent > 0).then_some(SpanId([parent; 8]));
        span.end = Some(ms(to));
        span.service = "shop".into();
        span
    }

    fn failed(mut span: Span, status: i64, message: &str) -> Span {
        span.status.code = StatusCode::Error;
        if status > 0 {
            span.attributes.push(Attribute::new("http.response.status_code", status));
        }
        if !message.is_empty() {
            span.exceptions = vec![Exception { message: message.into(), ..Exception::default() }];
        }
        span
    }

    fn ok(mut span: Span, status: i64) -> Span {
        span.attributes.push(Attribute::new("http.response.status_code", status));
        span
    }

    fn read(spans: Vec<Span>) -> (Headline, Vec<String>) {
        let loose = spans.into_iter().map(LooseSpan::from);
        let trace = assemble(TraceId([1; 16]), loose);
        let tree = Tree::of(&trace);
        let marks = crate::analysis::skew::marks(&trace, &tree);
        let headline = Headline::of(&trace, &tree, &Timing::of(&trace, &tree), &marks);
        let lines = headline.lines(&trace);
        (headline, lines)
    }

    #[test]
    fn the_first_failure_is_the_one_that_others_follow_from() {
        let (_, lines) = read(vec![
            failed(span(1, 0, "GET /", 0, 100), 500, ""),
            failed(span(2, 1, "load", 10, 90), 0, "wrapped"),
            failed(span(3, 2, "SELECT", 20, 80), 0, "connection refused"),
            failed(span(4, 1, "log", 91, 95), 0, "later"),
        ]);
        assert_eq!(
            lines,
            ["Failed first in SELECT (shop) at +20 ms: connection refused", "60 % of the time in SELECT (shop): 60 ms"]
        );
    }

    #[test]
    fn a_retry_that_helped_is_no_failure() {
        let (headline, lines) = read(vec![
            ok(span(1, 0, "GET /", 0, 100), 200),
            failed(span(2, 1, "POST /pay", 10, 20), 503, "busy"),
            failed(span(3, 1, "POST /pay", 30, 40), 503, "busy"),
            failed(span(4, 1, "POST /pay", 50, 60), 503, "busy"),
            ok(span(5, 1, "POST /pay", 70, 80), 200),
        ]);
        assert!(headline.recovered && headline.failure.is_none());
        assert_eq!(lines.last().map(String::as_str), Some("POST /pay (shop) was retried: 3 × 503, then 200"));
    }

    #[test]
    fn retries_that_did_not_help_are_counted() {
        let (headline, lines) = read(vec![
            failed(span(1, 0, "GET /", 0, 100), 500, ""),
            failed(span(2, 1, "POST /pay", 10, 20), 503, "busy"),
            failed(span(3, 1, "POST /pay", 30, 40), 504, "late"),
        ]);
        assert!(!headline.recovered);
        assert_eq!(lines[0], "Failed first in POST /pay (shop) 503 at +10 ms: busy");
        assert_eq!(lines[2], "POST /pay (shop) was tried 2 times, each failed: 503, 504");
    }

    #[test]
    fn parallel_calls_and_different_ones_are_no_retries() {
        let mut first = failed(span(2, 1, "GET", 10, 60), 503, "");
        first.attributes.push(Attribute::new("url.full", "http://a/1"));
        let mut second = ok(span(3, 1, "GET", 70, 80), 200);
        second.attributes.push(Attribute::new("url.full", "http://a/2"));
        let (headline, _) = read(vec![span(1, 0, "GET /", 0, 100), first, second]);
        assert!(headline.retries.is_empty() && headline.failure.is_some());
        let (headline, _) = read(vec![
            span(1, 0, "GET /", 0, 100),
            failed(span(2, 1, "POST /pay", 10, 60), 503, ""),
            ok(span(3, 1, "POST /pay", 20, 80), 200),
        ]);
        assert!(headline.retries.is_empty());
    }

    #[test]
    fn time_is_summed_over_equal_spans() {
        let spans = std::iter::once(span(1, 0, "GET /", 0, 100));
        let queries =
            (0..8u8).map(|i| span(i + 2, 1, "SELECT activities", 10 + i64::from(i) * 10, 19 + i64::from(i) * 10));
        let (_, lines) = read(spans.chain(queries).collect());
        assert_eq!(lines, ["72 % of the time in 8 × SELECT activities (shop): 72 ms"]);
    }

    #[test]
    fn skew_is_reported() {
        let (_, lines) = read(vec![span(1, 0, "GET /", 400, 580), span(2, 1, "GET", 0, 150)]);
        assert_eq!(
            lines.last().map(String::as_str),
            Some("Clocks differ: 1 span starts up to 400 ms before its parent")
        );
        let (_, lines) = read(vec![span(1, 0, "GET /", 0, 100), span(2, 1, "GET", 50, 150)]);
        assert!(lines.last().is_some_and(|l| l.contains("1 span ends up to 50 ms after its parent")), "{lines:?}");
    }

    #[test]
    fn one_span_has_no_share() {
        assert!(read(vec![span(1, 0, "GET /", 0, 100)]).1.is_empty());
        assert!(read(vec![]).1.is_empty());
    }
}
