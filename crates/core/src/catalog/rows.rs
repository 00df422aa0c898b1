//! The rows of the catalog: every vendor, source and filter language.
//!
//! A new vendor is a row of [`Vendor`], one of [`Source`] for each source that it has, and a [`FilterForm`] if it has a
//! filter language of its own.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{
    CaptureInfo, FilterInfo, Gap, LinkInfo, List, QueryForm, SettingInfo, SourceInfo, Start, TokenInfo, VendorInfo,
};
use crate::event_filter::{ErrorFilter, EventFilter};
use crate::filter::Filter;
use crate::kinds::Kind;

/// Makes an enum, the words of its values in JSON, in the command line and in the store, and one row for each.
macro_rules! rows {
    ($(#[$meta:meta])* $enum:ident, $rows:ident: $row:ident { $field:ident },
     $( $(#[$doc:meta])* $word:literal $name:ident { $($key:ident: $value:expr),* $(,)? } )*) => {
        $(#[$meta])*
        #[serde(rename_all = "lowercase")]
        pub enum $enum { $( $(#[$doc])* $name, )* }

        impl $enum {
            /// Every value, in display order.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$name),*];

            /// The word in JSON, in the command line and in the store.
            pub fn id(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Its row.
            pub fn info(self) -> &'static $row {
                &$rows[self as usize]
            }
        }

        pub(super) static $rows: [$row; $enum::ALL.len()] = [
            $($row { $field: $enum::$name, $($key: $value),* }),*
        ];
    };
}

const fn text(text: &'static str) -> Cow<'static, str> {
    Cow::Borrowed(text)
}

const fn capture(kind: Kind, filter: FilterForm, shortest: u32, usual: u32) -> CaptureInfo {
    CaptureInfo { kind, filter, shortest_seconds: shortest, usual_seconds: usual }
}

const fn link(kind: Kind) -> LinkInfo {
    LinkInfo { kind, of_local: false }
}

/// An address that is read from the settings.
const fn endpoint(
    label: &'static str,
    help: &'static str,
    default: &'static str,
    choices: &'static [Cow<'static, str>],
) -> SettingInfo {
    SettingInfo {
        key: text("endpoint"),
        label: text(label),
        help: text(help),
        url: true,
        default: text(default),
        example: text("https://…"),
        choices: Cow::Borrowed(choices),
    }
}

/// A name that is read from the settings.
const fn name(key: &'static str, label: &'static str, help: &'static str) -> SettingInfo {
    SettingInfo {
        key: text(key),
        label: text(label),
        help: text(help),
        url: false,
        default: text(""),
        example: text(""),
        choices: Cow::Borrowed(&[]),
    }
}

static HONEYCOMB_ENDPOINTS: [Cow<'static, str>; 2] =
    [text("https://api.honeycomb.io"), text("https://api.eu1.honeycomb.io")];

rows! {
    /// A cloud vendor with settings and credentials of its own; AWS stands for X-Ray and CloudWatch Logs.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
    Vendor, VENDORS: VendorInfo { vendor },

    "aws" Aws {
        label: text("AWS"),
        title: text("AWS: X-Ray and CloudWatch Logs"),
        checks: text("aws"),
        variables: text("AWS_"),
        token: None,
        settings: Cow::Borrowed(&[
            name("profile", "Profile", "A profile of AWS's shared configuration"),
            name("region", "Region", "An AWS region"),
            endpoint("Endpoint, if not AWS", "An endpoint instead of AWS, for example an emulator", "", &[]),
        ]),
        note: text(
            "Credentials are read from your AWS configuration and never stored here. AWS_ENDPOINT_URL in the \
             environment is ignored, because it may point at Tracebook.",
        ),
    }

    "rollbar" Rollbar {
        label: text("Rollbar"),
        title: text("Rollbar"),
        checks: text("rollbar-cloud"),
        variables: text("ROLLBAR_"),
        token: Some(TokenInfo {
            variable: text("ROLLBAR_READ_TOKEN"),
            missing: text("there is no token for Rollbar"),
            help: text(
                "It is the project's token with the scope read (Project, Settings, Project Access Tokens), not the one \
                 that the service posts with",
            ),
        }),
        settings: Cow::Borrowed(&[
            endpoint("Endpoint", "An endpoint instead of Rollbar's", "https://api.rollbar.com/api/1", &[]),
            SettingInfo {
                key: text("web"),
                label: text("Rollbar project URL"),
                help: text("The Rollbar project URL, for links: https://app.rollbar.com/a/ACCOUNT/fix/item/PROJECT"),
                url: true,
                default: text(""),
                example: text("https://app.rollbar.com/a/ACCOUNT/fix/item/PROJECT"),
                choices: Cow::Borrowed(&[]),
            },
        ]),
        note: text(
            "A project access token with the read scope (Settings → Project Access Tokens), not the one that your \
             service posts with.",
        ),
    }

    "honeycomb" Honeycomb {
        label: text("Honeycomb"),
        title: text("Honeycomb"),
        checks: text("honeycomb"),
        variables: text("HONEYCOMB_"),
        token: Some(TokenInfo {
            variable: text("HONEYCOMB_API_KEY"),
            missing: text("there is no key for Honeycomb"),
            help: text("Make one under Environment settings, API Keys"),
        }),
        settings: Cow::Borrowed(&[endpoint(
            "Region",
            "An endpoint instead of Honeycomb's, for example https://api.eu1.honeycomb.io for Europe",
            "https://api.honeycomb.io",
            &HONEYCOMB_ENDPOINTS,
        )]),
        note: text(
            "Honeycomb’s API returns query results (on plans that include it) but no spans. Capture a trace from local \
             telemetry instead; its card can link to Honeycomb.",
        ),
    }
}

// Live cards must leave most of a source's quota to the user's own requests. What is billed per run or limited per
// minute is requested less often still: each Insights query scans the logs again, and Honeycomb's Query Data API allows
// ten requests per minute. A local service map aggregates thousands of traces.
rows! {
    /// A system that evidence is read from.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
    Source, SOURCES: SourceInfo { source },

    /// Telemetry received by this app.
    #[default]
    "local" Local {
        vendor: None,
        label: text("Local telemetry"),
        name: text("local telemetry"),
        lists: Cow::Borrowed(&[List::Traces, List::Logs, List::Errors, List::Console]),
        captures: Cow::Borrowed(&[
            capture(Kind::Trace, FilterForm::Traces, 1, 2),
            capture(Kind::Logs, FilterForm::Events, 1, 2),
            capture(Kind::Error, FilterForm::Errors, 1, 2),
            capture(Kind::Console, FilterForm::Events, 1, 2),
            capture(Kind::ServiceMap, FilterForm::Traces, 5, 5),
            capture(Kind::Groups, FilterForm::None, 1, 2),
            capture(Kind::SamplingRules, FilterForm::None, 1, 2),
            capture(Kind::Dossier, FilterForm::Traces, 1, 2),
        ]),
        gaps: Cow::Borrowed(&[]),
        links: Cow::Borrowed(&[]),
        start: None,
        queries: None,
    }

    /// AWS X-Ray.
    "xray" Xray {
        vendor: Some(Vendor::Aws),
        label: text("AWS X-Ray"),
        name: text("AWS X-Ray"),
        lists: Cow::Borrowed(&[List::Traces]),
        captures: Cow::Borrowed(&[
            capture(Kind::Trace, FilterForm::XrayExpression, 10, 30),
            capture(Kind::ServiceMap, FilterForm::XrayExpression, 10, 30),
            capture(Kind::Groups, FilterForm::None, 10, 30),
            capture(Kind::SamplingRules, FilterForm::None, 10, 30),
            capture(Kind::Dossier, FilterForm::XrayExpression, 10, 30),
        ]),
        gaps: Cow::Borrowed(&[]),
        links: Cow::Borrowed(&[link(Kind::Trace), link(Kind::ServiceMap)]),
        start: None,
        queries: None,
    }

    /// AWS CloudWatch Logs.
    "cloudwatch" Cloudwatch {
        vendor: Some(Vendor::Aws),
        label: text("AWS CloudWatch Logs"),
        name: text("AWS CloudWatch Logs"),
        lists: Cow::Borrowed(&[List::Logs, List::Queries]),
        captures: Cow::Borrowed(&[
            capture(Kind::Logs, FilterForm::CloudwatchPattern, 10, 30),
            capture(Kind::Query, FilterForm::InsightsQuery, 60, 300),
        ]),
        gaps: Cow::Borrowed(&[]),
        links: Cow::Borrowed(&[link(Kind::Logs)]),
        start: None,
        queries: Some(QueryForm {
            name: text("Logs Insights"),
            saved: text("Saved queries"),
            scope: text("Log groups"),
            hint: text("Log groups, comma-separated"),
            example: text("fields @timestamp, @message\n| sort @timestamp desc\n| limit 20"),
        }),
    }

    /// Rollbar.
    "rollbar" Rollbar {
        vendor: Some(Vendor::Rollbar),
        label: text("Rollbar"),
        name: text("Rollbar"),
        lists: Cow::Borrowed(&[List::Errors]),
        captures: Cow::Borrowed(&[capture(Kind::Error, FilterForm::RollbarItems, 10, 60)]),
        gaps: Cow::Borrowed(&[]),
        links: Cow::Borrowed(&[link(Kind::Error)]),
        start: Some(Start { filter: text("status:active"), since: text("7d") }),
        queries: None,
    }

    /// Honeycomb.
    "honeycomb" Honeycomb {
        vendor: Some(Vendor::Honeycomb),
        label: text("Honeycomb"),
        name: text("Honeycomb"),
        lists: Cow::Borrowed(&[List::Queries]),
        captures: Cow::Borrowed(&[capture(Kind::Query, FilterForm::HoneycombQuery, 60, 300)]),
        gaps: Cow::Borrowed(&[Gap {
            kind: Kind::Trace,
            reason: text("Honeycomb's API gives aggregates and no spans, so a trace cannot be fetched from it"),
            hint: text(
                "Send the service's spans here as well (the relay hands them on to Honeycomb), capture the trace from \
                 local telemetry, and the card links to it in Honeycomb; or capture a Honeycomb query",
            ),
        }]),
        links: Cow::Borrowed(&[LinkInfo { kind: Kind::Trace, of_local: true }]),
        start: None,
        queries: Some(QueryForm {
            name: text("Honeycomb"),
            saved: text("Saved queries and boards"),
            scope: text("Dataset"),
            hint: text("Dataset"),
            example: text("{\"calculations\": [{\"op\": \"COUNT\"}],\n \"breakdowns\": [\"http.route\"]}"),
        }),
    }
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

impl FilterForm {
    /// The error in a filter of local telemetry. Cloud sources check their own.
    pub fn problem(self, filter: &str) -> Option<String> {
        match self {
            Self::Traces => Filter::parse(filter).err().map(|e| e.to_string()),
            Self::Events => EventFilter::parse(filter).err().map(|e| e.to_string()),
            Self::Errors => ErrorFilter::parse(filter).err().map(|e| e.to_string()),
            Self::None
            | Self::XrayExpression
            | Self::CloudwatchPattern
            | Self::InsightsQuery
            | Self::RollbarItems
            | Self::HoneycombQuery => None,
        }
    }
}

const fn filter(form: FilterForm, placeholder: &'static str, help: &'static str) -> FilterInfo {
    FilterInfo { form, placeholder: text(placeholder), help: text(help), multiline: false }
}

pub(super) static FILTERS: &[FilterInfo] = &[
    filter(FilterForm::None, "", "It takes no filter."),
    filter(
        FilterForm::Traces,
        "service:backend-flask status:error duration>100ms",
        "Words, service:NAME, status:WORD, duration>LENGTH, or any attribute: http.route=/api/home.",
    ),
    filter(
        FilterForm::Events,
        "group:cruddur ERROR -healthcheck",
        "Words, \"words that stand together\", ?one ?of, -without, { $.field = value }; group:NAME, level:ERROR, severity:17, scope:NAME, attribute:KEY=VALUE come first.",
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
