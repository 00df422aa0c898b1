//! The catalog: what can be requested from each source, and the labels of each kind of evidence.
//!
//! One row per vendor and per source ([`rows`]) describes everything that differs between them as data: labels,
//! settings, tokens, lists, kinds that can be captured, intervals of live cards, filter languages, links to consoles.

mod rows;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::kinds::Kind;

pub use rows::{FilterForm, Source, Vendor};

use rows::{FILTERS, SOURCES, VENDORS};

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

/// A vendor: what its settings, its token and its checks are made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct VendorInfo {
    pub vendor: Vendor,
    /// As a label: `AWS`.
    pub label: Cow<'static, str>,
    /// As the heading of its settings: `AWS: X-Ray and CloudWatch Logs`.
    pub title: Cow<'static, str>,
    /// The `source` of its checks in the answer of `doctor`.
    pub checks: Cow<'static, str>,
    /// What the names of its environment variables begin with: `AWS_`.
    pub variables: Cow<'static, str>,
    /// The token for reading; null for AWS, whose credentials are those of its own tools.
    pub token: Option<TokenInfo>,
    /// The keys of its section in `tracebook.toml`.
    pub settings: Cow<'static, [SettingInfo]>,
    /// What a user should know, below its settings.
    pub note: Cow<'static, str>,
}

/// The token for a vendor's API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TokenInfo {
    /// The environment variable that is read where none is stored.
    pub variable: Cow<'static, str>,
    /// The error where there is none.
    pub missing: Cow<'static, str>,
    /// Where to get it.
    pub help: Cow<'static, str>,
}

/// A setting of a vendor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SettingInfo {
    /// In the vendor's section. `source_set` names it after the vendor: `aws_profile`; so does `--aws-profile`.
    pub key: Cow<'static, str>,
    pub label: Cow<'static, str>,
    /// In the help of the command line.
    pub help: Cow<'static, str>,
    /// Whether it is an address.
    pub url: bool,
    /// What applies where it is not set; may be empty.
    pub default: Cow<'static, str>,
    /// For the empty field; may be empty.
    pub example: Cow<'static, str>,
    /// The usual values, to choose from; empty for a free text.
    pub choices: Cow<'static, [Cow<'static, str>]>,
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
    pub lists: Cow<'static, [List]>,
    /// The kinds of evidence that can be captured from it; live cards can show each of them.
    pub captures: Cow<'static, [CaptureInfo]>,
    /// The kinds of evidence that a user may expect from it but that it does not provide.
    pub gaps: Cow<'static, [Gap]>,
    /// The kinds that can be linked to in its console.
    pub links: Cow<'static, [LinkInfo]>,
    /// What its lists show at first; null for everything of the last hour.
    pub start: Option<Start>,
    /// The form of its queries; null if it has none.
    pub queries: Option<QueryForm>,
}

/// The question that a list begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Start {
    pub filter: Cow<'static, str>,
    /// The time window before now: `7d`.
    pub since: Cow<'static, str>,
}

/// The labels of the form for queries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct QueryForm {
    /// The query language: `Logs Insights`.
    pub name: Cow<'static, str>,
    /// The heading of the saved ones.
    pub saved: Cow<'static, str>,
    /// What a query reads: `Log groups`.
    pub scope: Cow<'static, str>,
    /// The same for the empty field.
    pub hint: Cow<'static, str>,
    /// An example for the empty query.
    pub example: Cow<'static, str>,
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
#[serde(rename_all = "lowercase")]
pub enum List {
    Traces,
    Logs,
    Errors,
    Console,
    Queries,
}

impl List {
    /// The kind of evidence that capturing a row of the list, or freezing a live card of it, creates.
    pub fn kind(self) -> Kind {
        match self {
            Self::Traces => Kind::Trace,
            Self::Logs => Kind::Logs,
            Self::Errors => Kind::Error,
            Self::Console => Kind::Console,
            Self::Queries => Kind::Query,
        }
    }
}

/// A kind of evidence that a source provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct CaptureInfo {
    pub kind: Kind,
    /// How the filter is written.
    pub filter: FilterForm,
    /// The minimum interval between two requests of a live card, in seconds.
    pub shortest_seconds: u32,
    /// The default interval between two requests of a live card, in seconds.
    pub usual_seconds: u32,
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
    /// Whether the id is that of a local trace, which the vendor has received too.
    pub of_local: bool,
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

/// The whole catalog.
pub fn catalog() -> Catalog {
    Catalog {
        vendors: Cow::Borrowed(&VENDORS),
        sources: Cow::Borrowed(&SOURCES),
        kinds: Cow::Borrowed(&KINDS),
        filters: Cow::Borrowed(FILTERS),
    }
}

impl Vendor {
    /// The vendors whose APIs take a token.
    pub fn with_token() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|vendor| vendor.info().token.is_some())
    }

    /// What applies for a setting where nothing is set; empty where there is no such setting.
    pub fn default_of(self, key: &str) -> &'static str {
        self.info().settings.iter().find(|setting| setting.key == key).map_or("", |setting| &setting.default)
    }
}

impl Source {
    /// How a kind is captured from it; `None` if it does not provide the kind.
    pub fn capture(self, kind: Kind) -> Option<&'static CaptureInfo> {
        self.info().captures.iter().find(|capture| capture.kind == kind)
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

    /// Whether it answers a list.
    pub fn lists(self, list: List) -> bool {
        self.info().lists.contains(&list)
    }

    /// The sources that answer a list.
    pub fn with_list(list: List) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |source| source.lists(list))
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
        for row in FILTERS {
            assert_eq!(row.form.info(), row);
        }
        for vendor in Vendor::ALL {
            assert_eq!(serde_json::to_value(vendor).expect("a word"), vendor.id());
            assert!(SOURCES.iter().any(|row| row.vendor == Some(vendor)), "{vendor:?} has a source");
        }
        for row in &SOURCES {
            assert_eq!(row.queries.is_some(), row.lists.contains(&List::Queries), "{:?}", row.source);
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
        assert!(written.contains(r#""lists":["logs","queries"]"#), "{written}");
        assert_eq!(Source::Cloudwatch.has(), "log events and queries");
        assert_eq!(Source::Rollbar.has(), "errors");
    }
}
