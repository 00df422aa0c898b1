//! The catalog: what can be requested from each source, and the labels of each kind of evidence.
//!
//! One row per source describes everything that differs between sources as data: labels, lists, kinds that can be
//! captured, intervals of live cards, filter languages, links to the vendor's console. Callers dispatch on the
//! `…From` enums, which have one variant per existing pair of source and subject, so no match needs a wildcard arm.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::evidence::Kind;
use crate::question::Source;

/// All sources and kinds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Catalog {
    /// In display order.
    pub vendors: Cow<'static, [VendorInfo]>,
    /// In display order.
    pub sources: Cow<'static, [SourceInfo]>,
    /// In display order.
    pub kinds: Cow<'static, [KindInfo]>,
    /// One for each filter form.
    pub filters: Cow<'static, [FilterInfo]>,
}

/// A cloud vendor with settings and credentials of its own; AWS stands for X-Ray and CloudWatch Logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    Aws,
    Rollbar,
    Honeycomb,
}

/// A vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct VendorInfo {
    pub vendor: Vendor,
    /// As a label: `AWS`.
    pub label: Cow<'static, str>,
}

/// A source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SourceInfo {
    pub source: Source,
    /// Its vendor; null for local telemetry.
    pub vendor: Option<Vendor>,
    /// As a label: `Local telemetry`.
    pub label: Cow<'static, str>,
    /// Within a sentence: `local telemetry`.
    pub name: Cow<'static, str>,
    /// The lists that it answers.
    pub lists: Cow<'static, [ListInfo]>,
    /// The kinds of evidence that can be captured from it; live cards can show each of them.
    pub captures: Cow<'static, [CaptureInfo]>,
    /// The kinds of evidence that a user may expect from it but that it does not provide.
    pub gaps: Cow<'static, [Gap]>,
    /// The kinds that can be linked to in its console.
    pub links: Cow<'static, [LinkInfo]>,
}

/// The labels of a kind of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct KindInfo {
    pub kind: Kind,
    /// As a label: `Service map`.
    pub label: Cow<'static, str>,
    /// Several, within a sentence: `service maps`.
    pub plural: Cow<'static, str>,
    /// What a live card without an id shows: `newest trace`.
    pub newest: Cow<'static, str>,
    /// What a live card with an id shows: `trace`.
    pub one: Cow<'static, str>,
}

/// A list of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "list", content = "from", rename_all = "lowercase")]
pub enum ListInfo {
    Traces(TracesFrom),
    Logs(LogsFrom),
    Errors(ErrorsFrom),
    Console(ConsoleFrom),
    Queries(QueriesFrom),
}

impl ListInfo {
    /// The kind of evidence that capturing a row of the list, or freezing a live card of it, creates.
    pub fn kind(self) -> Kind {
        match self {
            Self::Traces(_) => Kind::Trace,
            Self::Logs(_) => Kind::Logs,
            Self::Errors(_) => Kind::Error,
            Self::Console(_) => Kind::Console,
            Self::Queries(_) => Kind::Query,
        }
    }
}

/// The sources that list traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum TracesFrom {
    Local,
    Xray,
}

/// The sources that list log events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum LogsFrom {
    Local,
    Cloudwatch,
}

/// The sources that list errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum ErrorsFrom {
    Local,
    Rollbar,
}

/// The sources that list console lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum ConsoleFrom {
    Local,
}

/// The sources that list and run queries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum QueriesFrom {
    Cloudwatch,
    Honeycomb,
}

/// A kind of evidence that a source provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CaptureInfo {
    pub kind: Kind,
    pub from: CaptureFrom,
    /// How the filter is written.
    pub filter: FilterForm,
    /// The minimum interval between two requests of a live card, in seconds.
    pub shortest_seconds: u32,
    /// The default interval between two requests of a live card, in seconds.
    pub usual_seconds: u32,
}

/// How a kind is read from a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum CaptureFrom {
    LocalTrace,
    LocalLogs,
    LocalError,
    LocalConsole,
    LocalServiceMap,
    LocalGroups,
    LocalSamplingRules,
    LocalDossier,
    XrayTrace,
    XrayServiceMap,
    XrayGroups,
    XraySamplingRules,
    XrayDossier,
    CloudwatchLogs,
    CloudwatchQuery,
    RollbarError,
    HoneycombQuery,
}

/// A kind that a source does not provide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Gap {
    pub kind: Kind,
    /// Why.
    pub reason: Cow<'static, str>,
    /// What can be done instead.
    pub hint: Cow<'static, str>,
}

/// A kind that can be linked to in the vendor's console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct LinkInfo {
    pub kind: Kind,
    pub from: LinkFrom,
}

/// How the URL is built, one variant per vendor and kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum LinkFrom {
    XrayTrace,
    XrayServiceMap,
    CloudwatchLogs,
    RollbarError,
    HoneycombTrace,
}

/// The language of a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum FilterForm {
    /// No filter: all, or one by its id.
    None,
    /// [`crate::filter::Filter`].
    Traces,
    /// [`crate::event_filter::EventFilter`].
    Events,
    /// [`crate::event_filter::ErrorFilter`].
    Errors,
    /// An X-Ray filter expression.
    XrayExpression,
    /// `group:NAME` and a CloudWatch Logs filter pattern.
    CloudwatchPattern,
    /// `group:NAME` and a CloudWatch Logs Insights query.
    InsightsQuery,
    /// The terms of Rollbar's item list.
    RollbarItems,
    /// `dataset:NAME` and a Honeycomb query specification, JSON.
    HoneycombQuery,
}

/// The help that a form shows beside a filter field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FilterInfo {
    pub form: FilterForm,
    /// An example for the empty field.
    pub placeholder: Cow<'static, str>,
    /// The syntax, in a sentence.
    pub help: Cow<'static, str>,
    /// Whether it has several lines.
    pub multiline: bool,
}

const fn text(text: &'static str) -> Cow<'static, str> {
    Cow::Borrowed(text)
}

const fn capture(kind: Kind, from: CaptureFrom, filter: FilterForm, shortest: u32, usual: u32) -> CaptureInfo {
    CaptureInfo { kind, from, filter, shortest_seconds: shortest, usual_seconds: usual }
}

const fn link(kind: Kind, from: LinkFrom) -> LinkInfo {
    LinkInfo { kind, from }
}

static VENDORS: [VendorInfo; 3] = [
    VendorInfo { vendor: Vendor::Aws, label: text("AWS") },
    VendorInfo { vendor: Vendor::Rollbar, label: text("Rollbar") },
    VendorInfo { vendor: Vendor::Honeycomb, label: text("Honeycomb") },
];

// Live cards must leave most of a source's quota to the user's own requests. What is billed per run or limited per
// minute is requested less often still: each Insights query scans the logs again, and Honeycomb's Query Data API allows
// ten requests per minute. A local service map aggregates thousands of traces.
static SOURCES: [SourceInfo; 5] = [
    SourceInfo {
        source: Source::Local,
        vendor: None,
        label: text("Local telemetry"),
        name: text("local telemetry"),
        lists: Cow::Borrowed(&[
            ListInfo::Traces(TracesFrom::Local),
            ListInfo::Logs(LogsFrom::Local),
            ListInfo::Errors(ErrorsFrom::Local),
            ListInfo::Console(ConsoleFrom::Local),
        ]),
        captures: Cow::Borrowed(&[
            capture(Kind::Trace, CaptureFrom::LocalTrace, FilterForm::Traces, 1, 2),
            capture(Kind::Logs, CaptureFrom::LocalLogs, FilterForm::Events, 1, 2),
            capture(Kind::Error, CaptureFrom::LocalError, FilterForm::Errors, 1, 2),
            capture(Kind::Console, CaptureFrom::LocalConsole, FilterForm::Events, 1, 2),
            capture(Kind::ServiceMap, CaptureFrom::LocalServiceMap, FilterForm::Traces, 5, 5),
            capture(Kind::Groups, CaptureFrom::LocalGroups, FilterForm::None, 1, 2),
            capture(Kind::SamplingRules, CaptureFrom::LocalSamplingRules, FilterForm::None, 1, 2),
            capture(Kind::Dossier, CaptureFrom::LocalDossier, FilterForm::Traces, 1, 2),
        ]),
        gaps: Cow::Borrowed(&[]),
        links: Cow::Borrowed(&[]),
    },
    SourceInfo {
        source: Source::Xray,
        vendor: Some(Vendor::Aws),
        label: text("AWS X-Ray"),
        name: text("AWS X-Ray"),
        lists: Cow::Borrowed(&[ListInfo::Traces(TracesFrom::Xray)]),
        captures: Cow::Borrowed(&[
            capture(Kind::Trace, CaptureFrom::XrayTrace, FilterForm::XrayExpression, 10, 30),
            capture(Kind::ServiceMap, CaptureFrom::XrayServiceMap, FilterForm::XrayExpression, 10, 30),
            capture(Kind::Groups, CaptureFrom::XrayGroups, FilterForm::None, 10, 30),
            capture(Kind::SamplingRules, CaptureFrom::XraySamplingRules, FilterForm::None, 10, 30),
            capture(Kind::Dossier, CaptureFrom::XrayDossier, FilterForm::XrayExpression, 10, 30),
        ]),
        gaps: Cow::Borrowed(&[]),
        links: Cow::Borrowed(&[
            link(Kind::Trace, LinkFrom::XrayTrace),
            link(Kind::ServiceMap, LinkFrom::XrayServiceMap),
        ]),
    },
    SourceInfo {
        source: Source::Cloudwatch,
        vendor: Some(Vendor::Aws),
        label: text("AWS CloudWatch Logs"),
        name: text("AWS CloudWatch Logs"),
        lists: Cow::Borrowed(&[ListInfo::Logs(LogsFrom::Cloudwatch), ListInfo::Queries(QueriesFrom::Cloudwatch)]),
        captures: Cow::Borrowed(&[
            capture(Kind::Logs, CaptureFrom::CloudwatchLogs, FilterForm::CloudwatchPattern, 10, 30),
            capture(Kind::Query, CaptureFrom::CloudwatchQuery, FilterForm::InsightsQuery, 60, 300),
        ]),
        gaps: Cow::Borrowed(&[]),
        links: Cow::Borrowed(&[link(Kind::Logs, LinkFrom::CloudwatchLogs)]),
    },
    SourceInfo {
        source: Source::Rollbar,
        vendor: Some(Vendor::Rollbar),
        label: text("Rollbar"),
        name: text("Rollbar"),
        lists: Cow::Borrowed(&[ListInfo::Errors(ErrorsFrom::Rollbar)]),
        captures: Cow::Borrowed(&[capture(Kind::Error, CaptureFrom::RollbarError, FilterForm::RollbarItems, 10, 60)]),
        gaps: Cow::Borrowed(&[]),
        links: Cow::Borrowed(&[link(Kind::Error, LinkFrom::RollbarError)]),
    },
    SourceInfo {
        source: Source::Honeycomb,
        vendor: Some(Vendor::Honeycomb),
        label: text("Honeycomb"),
        name: text("Honeycomb"),
        lists: Cow::Borrowed(&[ListInfo::Queries(QueriesFrom::Honeycomb)]),
        captures: Cow::Borrowed(&[capture(
            Kind::Query,
            CaptureFrom::HoneycombQuery,
            FilterForm::HoneycombQuery,
            60,
            300,
        )]),
        gaps: Cow::Borrowed(&[Gap {
            kind: Kind::Trace,
            reason: text("Honeycomb's API gives aggregates and no spans, so a trace cannot be fetched from it"),
            hint: text(
                "Send the service's spans here as well (the relay hands them on to Honeycomb), capture the trace from \
                 local telemetry, and the card links to it in Honeycomb; or capture a Honeycomb query",
            ),
        }]),
        links: Cow::Borrowed(&[link(Kind::Trace, LinkFrom::HoneycombTrace)]),
    },
];

const fn kind(
    kind: Kind,
    label: &'static str,
    plural: &'static str,
    newest: &'static str,
    one: &'static str,
) -> KindInfo {
    KindInfo { kind, label: text(label), plural: text(plural), newest: text(newest), one: text(one) }
}

static KINDS: [KindInfo; 9] = [
    kind(Kind::Trace, "Trace", "traces", "newest trace", "trace"),
    kind(Kind::Logs, "Log events", "log events", "log events", "log event"),
    kind(Kind::Error, "Error", "errors", "newest error", "error"),
    kind(Kind::Console, "Console output", "console lines", "console lines", "console lines"),
    kind(Kind::ServiceMap, "Service map", "service maps", "service map", "service map"),
    kind(Kind::Groups, "Groups", "groups", "X-Ray groups", "X-Ray groups"),
    kind(Kind::SamplingRules, "Sampling rules", "sampling rules", "X-Ray sampling rules", "X-Ray sampling rules"),
    kind(Kind::Query, "Query", "queries", "query", "query"),
    kind(Kind::Dossier, "Dossier", "dossiers", "dossier of the newest request", "dossier"),
];

const fn filter(form: FilterForm, placeholder: &'static str, help: &'static str) -> FilterInfo {
    FilterInfo { form, placeholder: text(placeholder), help: text(help), multiline: false }
}

static FILTERS: [FilterInfo; 9] = [
    filter(FilterForm::None, "", "It takes no filter."),
    filter(
        FilterForm::Traces,
        "service:backend-flask status:error duration>100ms",
        "Words, service:NAME, status:WORD, duration>LENGTH, or any attribute: http.route=/api/home.",
    ),
    filter(
        FilterForm::Events,
        "group:cruddur ERROR -healthcheck",
        "Words, \"words that stand together\", ?one ?of, -without, { $.field = value }; group:NAME comes first.",
    ),
    filter(FilterForm::Errors, "level:error TypeError", "Words, level:LEVEL, environment:NAME."),
    filter(
        FilterForm::XrayExpression,
        "service(\"backend-flask\") { fault }",
        "An X-Ray filter expression: fault, responsetime > 5, annotation.KEY = \"value\", service(\"NAME\").",
    ),
    filter(
        FilterForm::CloudwatchPattern,
        "group:cruddur ERROR -healthcheck",
        "group:NAME, then a CloudWatch Logs filter pattern.",
    ),
    FilterInfo {
        form: FilterForm::InsightsQuery,
        placeholder: text("group:cruddur fields @timestamp, @message | limit 20"),
        help: text("group:NAME, then a CloudWatch Logs Insights query."),
        multiline: true,
    },
    filter(FilterForm::RollbarItems, "level:error environment:production", "Words, level:, environment:, status:."),
    FilterInfo {
        form: FilterForm::HoneycombQuery,
        placeholder: text("dataset:backend-flask {\"calculations\": [{\"op\": \"COUNT\"}]}"),
        help: text("dataset:NAME, then a Honeycomb query specification, JSON."),
        multiline: true,
    },
];

/// The whole catalog.
pub fn catalog() -> Catalog {
    Catalog {
        vendors: Cow::Borrowed(&VENDORS),
        sources: Cow::Borrowed(&SOURCES),
        kinds: Cow::Borrowed(&KINDS),
        filters: Cow::Borrowed(&FILTERS),
    }
}

impl Source {
    /// Every source, in display order.
    pub const ALL: [Self; 5] = [Self::Local, Self::Xray, Self::Cloudwatch, Self::Rollbar, Self::Honeycomb];

    /// Its row.
    pub fn info(self) -> &'static SourceInfo {
        &SOURCES[self as usize]
    }

    /// The word in JSON, in the command line and in the store.
    pub fn id(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Xray => "xray",
            Self::Cloudwatch => "cloudwatch",
            Self::Rollbar => "rollbar",
            Self::Honeycomb => "honeycomb",
        }
    }

    /// How a kind is captured from it; `None` if it does not provide the kind.
    pub fn capture(self, kind: Kind) -> Option<&'static CaptureInfo> {
        self.info().captures.iter().find(|capture| capture.kind == kind)
    }

    /// How to build its console's URL for a kind; `None` if the console has none.
    pub fn link(self, kind: Kind) -> Option<LinkFrom> {
        self.info().links.iter().find(|link| link.kind == kind).map(|link| link.from)
    }

    /// The minimum and the default interval between two requests of a live card, in seconds. For a kind that it does
    /// not provide, the longest of its intervals.
    pub fn intervals(self, kind: Kind) -> (u32, u32) {
        let captures = &self.info().captures;
        let slowest = || captures.iter().max_by_key(|capture| capture.shortest_seconds);
        self.capture(kind).or_else(slowest).map_or((60, 60), |c| (c.shortest_seconds, c.usual_seconds))
    }

    /// Why it does not provide a kind, and what to do instead.
    pub fn gap(self, kind: Kind) -> Option<&'static Gap> {
        self.info().gaps.iter().find(|gap| gap.kind == kind)
    }

    /// The kinds that can be captured from it, as text: `log events and queries`.
    pub fn has(self) -> String {
        let words: Vec<&str> = self.info().captures.iter().map(|capture| &*capture.kind.info().plural).collect();
        match words.split_last() {
            Some((last, rest @ [_, ..])) => format!("{} and {last}", rest.join(", ")),
            _ => words.concat(),
        }
    }

    /// How its traces are listed; `None` if they are not.
    pub fn traces(self) -> Option<TracesFrom> {
        self.info().lists.iter().find_map(|list| if let ListInfo::Traces(from) = list { Some(*from) } else { None })
    }

    /// How its log events are listed; `None` if they are not.
    pub fn logs(self) -> Option<LogsFrom> {
        self.info().lists.iter().find_map(|list| if let ListInfo::Logs(from) = list { Some(*from) } else { None })
    }

    /// How its errors are listed; `None` if they are not.
    pub fn errors(self) -> Option<ErrorsFrom> {
        self.info().lists.iter().find_map(|list| if let ListInfo::Errors(from) = list { Some(*from) } else { None })
    }

    /// How its console lines are listed; `None` if they are not.
    pub fn console(self) -> Option<ConsoleFrom> {
        self.info().lists.iter().find_map(|list| if let ListInfo::Console(from) = list { Some(*from) } else { None })
    }

    /// How its queries are listed and run; `None` if they are not.
    pub fn queries(self) -> Option<QueriesFrom> {
        self.info().lists.iter().find_map(|list| if let ListInfo::Queries(from) = list { Some(*from) } else { None })
    }
}

impl Kind {
    /// Its row.
    pub fn info(self) -> &'static KindInfo {
        &KINDS[self as usize]
    }
}

impl FilterForm {
    /// Its row.
    pub fn info(self) -> &'static FilterInfo {
        &FILTERS[self as usize]
    }
}

impl From<QueriesFrom> for Source {
    fn from(from: QueriesFrom) -> Self {
        match from {
            QueriesFrom::Cloudwatch => Self::Cloudwatch,
            QueriesFrom::Honeycomb => Self::Honeycomb,
        }
    }
}

impl std::str::FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|source| source.id() == text).ok_or_else(|| {
            let ids = Self::ALL.map(Self::id).join(", ");
            format!("{text:?} is no source; the sources are {ids}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_the_order_of_their_enum() {
        for (row, source) in SOURCES.iter().zip(Source::ALL) {
            assert_eq!((row.source, source.info().source), (source, source));
            assert_eq!(serde_json::to_value(source).expect("a word"), source.id());
            assert_eq!(source.id().parse(), Ok(source));
        }
        for (row, kind) in KINDS.iter().zip(Kind::ALL) {
            assert_eq!((row.kind, kind.info().kind), (kind, kind));
        }
        for row in &FILTERS {
            assert_eq!(row.form.info(), row);
        }
        for row in &SOURCES {
            let listed = row.vendor.is_none_or(|vendor| VENDORS.iter().any(|v| v.vendor == vendor));
            assert!(listed, "{:?}", row.source);
        }
        assert!("loki".parse::<Source>().expect_err("unknown").contains("local, xray, cloudwatch"));
    }

    #[test]
    fn every_list_and_every_kind_can_be_captured() {
        for source in Source::ALL {
            for list in source.info().lists.iter() {
                assert!(source.capture(list.kind()).is_some(), "{source:?} {list:?}");
            }
            for capture in source.info().captures.iter() {
                assert!((1..=capture.usual_seconds).contains(&capture.shortest_seconds), "{capture:?}");
                assert!(source.gap(capture.kind).is_none(), "{capture:?}");
                let of_this = |row: &&CaptureInfo| row.from == capture.from;
                let all = Source::ALL.into_iter().flat_map(|source| source.info().captures.iter());
                assert_eq!(all.filter(of_this).count(), 1, "{capture:?}");
            }
        }
        for kind in Kind::ALL {
            assert!(Source::ALL.into_iter().any(|source| source.capture(kind).is_some()), "{kind:?}");
        }
    }

    #[test]
    fn the_answer_reads_back() {
        let written = serde_json::to_string(&catalog()).expect("plain data");
        assert_eq!(serde_json::from_str::<Catalog>(&written).expect("its own form"), catalog());
        assert!(written.contains(r#"{"list":"queries","from":"honeycomb"}"#), "{written}");
        assert_eq!(Source::Cloudwatch.has(), "log events and queries");
        assert_eq!(Source::Rollbar.has(), "errors");
    }
}
