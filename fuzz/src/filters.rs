//! The filter languages other than X-Ray's.

use tracebook_core::event_filter::{ErrorFilter, EventFilter};
use tracebook_core::evidence::Kind;
use tracebook_core::filter::{self, Filter};
use tracebook_core::filter_pattern::FilterPattern;
use tracebook_core::live_card::CardQuestion;
use tracebook_core::question::Source;
use tracebook_core::time::{Nanos, parse_duration};
use tracebook_sources::honeycomb::spec::Spec;

use crate::{NOW, parts};

/// A pattern, and the message that it is matched against.
pub fn pattern(input: &[u8]) {
    let [pattern, message] = parts(input);
    if let Ok(parsed) = FilterPattern::parse(&pattern) {
        for message in [message.as_str(), &pattern, "", r#"{"level":"ERROR","ms":12.5,"tags":[{"a":null}],"ok":true}"#]
        {
            assert!(parsed.matches(message) || !parsed.matches_everything());
        }
    }
}

/// A filter, and a message.
pub fn local(input: &[u8]) {
    let [text, message] = parts(input);
    if let Ok(parsed) = Filter::parse(&text) {
        for trace in crate::xray::TRACES.iter() {
            let whole = parsed.matches(trace);
            assert!(whole || !parsed.is_empty());
            // The list decides by the summary where it can, and must agree with the whole trace.
            if let Some(by_summary) = parsed.matches_summary(&trace.summary()) {
                assert_eq!(by_summary, whole, "{text:?} matches summary and trace alike");
            }
        }
    }
    if let Ok(parsed) = EventFilter::parse(&text) {
        parsed.matches("group", "stream", "ERROR", None, &message);
    }
    ErrorFilter::parse(&text).ok();
    filter::leading_part(&text, &["group", "stream"]).ok();
    parse_duration(&text);
    Nanos::parse_rfc3339(&text);
    for kind in Kind::ALL {
        let question =
            CardQuestion { kind, source: Source::Local, id: None, filter: text.clone(), since: Some(message.clone()) };
        question.filter_problem();
        assert!(CardQuestion::generated(&question.words()), "{:?}", question.words());
    }
}

pub fn honeycomb(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Ok(spec) = Spec::parse(&text) else { return };
    spec.words();
    spec.columns();
    let range = spec.range(NOW);
    spec.over(range).ok();
    assert!(Spec::parse(&spec.text()).is_ok(), "a specification that was read can be read again: {}", spec.text());
}
