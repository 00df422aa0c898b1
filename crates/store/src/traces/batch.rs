//! The traces of a batch, summarised before they are written.

use std::collections::{BTreeMap, HashMap, HashSet};

use tracebook_core::ids::TraceId;
use tracebook_core::telemetry::{Encoding, SpanRecord};
use tracebook_core::time::Nanos;

use super::rows::protocol_bit;
use super::{MAX_NAME, MAX_SERVICES, TRACE_BYTES, span_bytes};

/// The spans of one trace in a batch.
pub(super) struct Incoming<'a> {
    pub(super) id: TraceId,
    pub(super) spans: Vec<&'a SpanRecord>,
    pub(super) bytes: i64,
}

impl<'a> Incoming<'a> {
    /// The title of the first span without a parent, else of the first span.
    pub(super) fn title(&self) -> &'a str {
        let first = self.spans.iter().min_by_key(|s| (s.parent_id.is_some(), s.start, s.span_id));
        first.map(|s| clip(&s.title)).unwrap_or_default()
    }

    /// The services as JSON: the root's first, then by their first span, no more than a list can show.
    pub(super) fn services(&self) -> String {
        let mut first: BTreeMap<&str, (bool, Nanos)> = BTreeMap::new();
        for span in self.spans.iter().filter(|s| !s.service.is_empty()) {
            let (not_root, start) = (span.parent_id.is_some(), span.start);
            let known = first.entry(&span.service).or_insert((not_root, start));
            *known = (known.0.min(not_root), known.1.min(start));
        }
        let mut names: Vec<(&str, (bool, Nanos))> = first.into_iter().collect();
        names.sort_by_key(|(_, first)| *first);
        let names: Vec<&str> = names.into_iter().take(MAX_SERVICES).map(|(name, _)| clip(name)).collect();
        // Strings always have a JSON form.
        serde_json::to_string(&names).unwrap_or_else(|_| "[]".to_owned())
    }

    pub(super) fn protocols(&self) -> i64 {
        self.spans.iter().map(|s| protocol_bit(s.encoding.protocol())).fold(0, |all, bit| all | bit)
    }

    /// Whether all spans of the batch are kept: none is in it twice, or printed as well as sent.
    pub(super) fn all_different(&self) -> bool {
        let mut seen = HashSet::new();
        self.spans.len() == 1
            || (self.spans.iter().all(|span| seen.insert((span.span_id, span.twin))) && !self.is_printed())
    }

    /// Whether some of the spans were printed rather than sent.
    pub(super) fn is_printed(&self) -> bool {
        self.spans.iter().any(|span| span.encoding == Encoding::ConsoleJson)
    }
}

/// The first [`MAX_NAME`] characters of a name.
fn clip(name: &str) -> &str {
    if name.len() <= MAX_NAME {
        return name;
    }
    name.char_indices().nth(MAX_NAME).map_or(name, |(end, _)| &name[..end])
}

/// The batch's traces, in the order of their first spans.
pub(super) fn by_trace(batch: &[SpanRecord]) -> Vec<Incoming<'_>> {
    let mut at: HashMap<TraceId, usize> = HashMap::with_capacity(batch.len());
    let mut traces: Vec<Incoming<'_>> = Vec::new();
    for span in batch {
        let index = *at.entry(span.trace_id).or_insert(traces.len());
        if index == traces.len() {
            traces.push(Incoming { id: span.trace_id, spans: Vec::with_capacity(1), bytes: TRACE_BYTES });
        }
        traces[index].spans.push(span);
        traces[index].bytes += span_bytes(span);
    }
    traces
}
