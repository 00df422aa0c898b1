//! Whether a piece of evidence meets a rule.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::Week;
use super::need::{Count, EvidenceNeed, Feature, Measure, Need, Origin};
use crate::attributes;
use crate::catalog::Source;
use crate::console::{Console, ConsoleOrigin};
use crate::errors::Occurrence;
use crate::evidence::{Body, Evidence, Kind};
use crate::level::LogLevel;
use crate::logs::{LogEvent, LogOrigin};
use crate::trace::{Protocol, Span, SpanKind, Trace};

/// How near a piece of evidence is to meeting a rule; the order is that of nearness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Of another kind, or the rule is about text.
    #[default]
    No,
    /// Of the kind, from elsewhere.
    OtherOrigin,
    /// From there, and something else is missing.
    Lacking,
    /// It meets the rule.
    Yes,
}

impl Week {
    /// How the evidence fits each of [`Week::needs`], in that order. It depends on the evidence only, which does not
    /// change, so that the result can be kept.
    pub fn fits(&self, evidence: &Evidence) -> Vec<Fit> {
        // Made once, and only where a rule looks for text.
        let mut strings: Option<String> = None;
        self.needs()
            .map(|need| match need {
                Need::Evidence(need) => fit(need, evidence, &mut strings),
                Need::Text(_) => Fit::No,
            })
            .collect()
    }
}

fn fit(need: &EvidenceNeed, evidence: &Evidence, strings: &mut Option<String>) -> Fit {
    let offered = need.kinds.iter().filter_map(|kind| Part::of(&evidence.body, *kind));
    let nearest = offered.map(|part| {
        if !need.from.is_empty() && !need.from.iter().any(|origin| part.is_from(*origin, evidence)) {
            return Fit::OtherOrigin;
        }
        let has = need.with.iter().all(|feature| part.has(*feature)) && need.least.iter().all(|n| part.reaches(*n));
        if has { Fit::Yes } else { Fit::Lacking }
    });
    let nearest = nearest.max().unwrap_or_default();
    if nearest < Fit::Yes || need.contains.is_empty() {
        return nearest;
    }
    let strings = strings.get_or_insert_with(|| strings_of(&evidence.body));
    let found = need.contains.iter().all(|text| strings.contains(&text.to_lowercase()));
    if found { Fit::Yes } else { Fit::Lacking }
}

/// The part of evidence that is of a kind.
enum Part<'a> {
    Trace(&'a Trace),
    Logs(Vec<&'a LogEvent>),
    Errors(Vec<&'a Occurrence>, u32),
    Console(Option<&'a Console>, usize),
    Whole(&'a Body),
}

impl<'a> Part<'a> {
    fn of(body: &'a Body, kind: Kind) -> Option<Self> {
        match (kind, body) {
            (Kind::Trace, Body::Trace(trace)) => Some(Self::Trace(trace)),
            (Kind::Trace, Body::Dossier(dossier)) => Some(Self::Trace(&dossier.trace)),
            (Kind::Logs, Body::Logs(logs)) => Some(Self::Logs(logs.events.iter().collect())),
            (Kind::Logs, Body::Dossier(dossier)) if !dossier.logs.is_empty() => {
                Some(Self::Logs(dossier.logs.iter().map(|joined| &joined.event).collect()))
            }
            (Kind::Error, Body::Error(item)) => Some(Self::Errors(vec![&item.occurrence], item.occurrences)),
            (Kind::Error, Body::Dossier(dossier)) if !dossier.errors.is_empty() => {
                let occurrences: Vec<_> = dossier.errors.iter().map(|joined| &joined.occurrence).collect();
                let n = u32::try_from(occurrences.len()).unwrap_or(u32::MAX);
                Some(Self::Errors(occurrences, n))
            }
            (Kind::Console, Body::Console(console)) => Some(Self::Console(Some(console), console.lines.len())),
            (Kind::Console, Body::Dossier(dossier)) if !dossier.console.is_empty() => {
                Some(Self::Console(None, dossier.console.len()))
            }
            (kind, body) => (body.kind() == kind).then_some(Self::Whole(body)),
        }
    }

    fn is_from(&self, origin: Origin, evidence: &Evidence) -> bool {
        let source = evidence.provenance.question.source;
        let protocol = |wanted| match self {
            Self::Trace(trace) => trace.spans.iter().any(|span| span.protocol == wanted),
            _ => false,
        };
        let log = |wanted| match self {
            Self::Logs(events) => events.iter().any(|event| event.origin == wanted),
            _ => false,
        };
        let console = |wanted: fn(ConsoleOrigin) -> bool| match self {
            Self::Console(Some(console), _) => console.origin.is_some_and(wanted),
            _ => false,
        };
        match origin {
            Origin::Otlp => protocol(Protocol::Otlp) || log(LogOrigin::Otlp),
            Origin::Xray => {
                protocol(Protocol::Xray)
                    || source == Source::Xray
                    || matches!(self, Self::Whole(Body::Groups(_) | Body::SamplingRules(_)))
            }
            Origin::Cloudwatch => log(LogOrigin::Cloudwatch) || source == Source::Cloudwatch,
            // The only protocol of errors.
            Origin::Rollbar => matches!(self, Self::Errors(..)) || source == Source::Rollbar,
            Origin::Honeycomb => protocol(Protocol::Otlp) || source == Source::Honeycomb,
            Origin::Local => source == Source::Local,
            Origin::Cloud => source != Source::Local && !evidence.provenance.is_emulated(),
            Origin::Command => console(|o| matches!(o, ConsoleOrigin::Command | ConsoleOrigin::Watched)),
            Origin::Pasted => {
                console(|o| matches!(o, ConsoleOrigin::Pasted | ConsoleOrigin::File | ConsoleOrigin::Input))
            }
        }
    }

    fn has(&self, feature: Feature) -> bool {
        match self {
            Self::Trace(trace) => trace.spans.iter().any(|span| span_has(trace, span, feature)),
            Self::Logs(events) => events.iter().any(|event| match feature {
                Feature::TraceId => event.trace_id.is_some(),
                Feature::Failure => event.log_level().is_some_and(LogLevel::is_error),
                _ => false,
            }),
            Self::Errors(occurrences, _) => occurrences.iter().any(|occurrence| match feature {
                Feature::Person => occurrence.person.is_some(),
                Feature::Request => !occurrence.request.is_empty(),
                Feature::Stack => occurrence.traces.iter().any(|trace| !trace.frames.is_empty()),
                Feature::Custom => !occurrence.custom.is_empty(),
                _ => false,
            }),
            Self::Console(console, _) => {
                feature == Feature::Success && console.is_some_and(|console| console.exit_code == Some(0))
            }
            Self::Whole(Body::Groups(groups)) => {
                feature == Feature::Custom && groups.groups.iter().any(|group| group.name != DEFAULT)
            }
            Self::Whole(Body::SamplingRules(rules)) => {
                feature == Feature::Custom && rules.rules.iter().any(|rule| rule.name != DEFAULT)
            }
            Self::Whole(Body::Query(result)) => feature == Feature::Rows && !result.rows.is_empty(),
            Self::Whole(_) => false,
        }
    }

    fn reaches(&self, count: Count) -> bool {
        let n = match (self, count.measure) {
            (Self::Trace(trace), Measure::Spans) => trace.spans.len(),
            (Self::Trace(trace), Measure::Services) => {
                trace.spans.iter().map(|span| &span.service).collect::<BTreeSet<_>>().len()
            }
            (Self::Logs(events), Measure::Events) => events.len(),
            (Self::Errors(_, occurrences), Measure::Occurrences) => return *occurrences >= count.least,
            (Self::Console(_, lines), Measure::Lines) => *lines,
            _ => 0,
        };
        u32::try_from(n).unwrap_or(u32::MAX) >= count.least
    }
}

/// The name of the group and of the sampling rule that every account has.
const DEFAULT: &str = "Default";

/// The names of the scopes of instrumentation libraries begin with these.
const INSTRUMENTATION: [&str; 6] = [
    "opentelemetry.instrumentation",
    "@opentelemetry/instrumentation",
    "io.opentelemetry.",
    "go.opentelemetry.io/contrib/",
    "OpenTelemetry.Instrumentation",
    "OpenTelemetry::Instrumentation",
];

fn span_has(trace: &Trace, span: &Span, feature: Feature) -> bool {
    match feature {
        Feature::Subsegment => span.kind == SpanKind::Subsegment,
        Feature::Annotation => !span.annotations.is_empty(),
        Feature::Metadata => !span.metadata.is_empty(),
        Feature::Attribute => attributes::own(span.attributes.iter()).next().is_some(),
        Feature::CustomSpan => {
            let scope = trace.scopes.get(span.scope).map_or("", |scope| scope.name.as_str());
            span.protocol != Protocol::Xray
                && matches!(span.kind, SpanKind::Internal | SpanKind::Unspecified)
                && !INSTRUMENTATION.iter().any(|library| scope.starts_with(library))
        }
        Feature::Browser => trace.resources.get(span.resource).is_some_and(|resource| {
            resource.attributes.iter().any(|attribute| {
                attribute.key.starts_with("browser.")
                    || (attribute.key == "telemetry.sdk.language" && attribute.value.as_str() == Some("webjs"))
            })
        }),
        Feature::Sql => span.attributes.iter().any(|attribute| {
            matches!(attribute.key.as_str(), "db.statement" | "db.query.text")
                || (attribute.key.starts_with("sql.") && span.protocol == Protocol::Xray)
        }),
        Feature::Exception => !span.exceptions.is_empty(),
        Feature::Failure => span.failure().is_some(),
        Feature::TraceId
        | Feature::Person
        | Feature::Request
        | Feature::Stack
        | Feature::Custom
        | Feature::Success
        | Feature::Rows => false,
    }
}

/// All texts in the data, in lower case, one a line.
fn strings_of(body: &Body) -> String {
    let mut out = String::new();
    if let Ok(json) = serde_json::to_value(body) {
        collect(&json, &mut out);
    }
    out.to_lowercase()
}

fn collect(json: &Json, out: &mut String) {
    match json {
        Json::String(text) => {
            out.push_str(text);
            out.push('\n');
        }
        Json::Array(items) => items.iter().for_each(|item| collect(item, out)),
        Json::Object(fields) => fields.values().for_each(|value| collect(value, out)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
