//! The rules that homework is met by.

use crate::evidence::Kind;

/// One thing that a homework needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Need {
    /// Evidence that the entry shows.
    Evidence(EvidenceNeed),
    /// Something that the student writes.
    Text(TextNeed),
}

/// A number of pieces of evidence that have everything that is listed.
#[derive(Clone, Debug, PartialEq)]
pub struct EvidenceNeed {
    /// Any of these; never empty. A dossier counts as each kind that it contains.
    pub kinds: Vec<Kind>,
    /// How many, at least; not 0.
    pub count: u32,
    /// Any of these; empty: from anywhere.
    pub from: Vec<Origin>,
    /// All of these.
    pub with: Vec<Feature>,
    /// All of these texts are in its data, in any case.
    pub contains: Vec<String>,
    /// How much of something it has, at least.
    pub least: Vec<Count>,
    /// The text of its slot in the template of an entry.
    pub slot: String,
}

/// `spans = 2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    pub measure: Measure,
    pub least: u32,
}

/// An amount of text below a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextNeed {
    pub measure: TextMeasure,
    /// At least this many; not 0.
    pub least: u32,
    /// The heading; `None` for the homework's own.
    pub section: Option<String>,
}

/// What is counted in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextMeasure {
    /// Words of prose.
    Words,
    /// Pictures that are no evidence.
    Pictures,
}

impl TextMeasure {
    /// `1 word`, `20 words`.
    pub(super) fn amount(self, n: usize) -> String {
        crate::text::count(
            n,
            match self {
                Self::Words => "word",
                Self::Pictures => "picture",
            },
        )
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $enum:ident { $( $(#[doc = $variant:literal])* $name:ident $word:literal $phrase:literal [$($kind:ident),*] )* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $enum { $( $(#[doc = $variant])* $name, )* }

        impl $enum {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The word in a course file.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// How sentences call it.
            pub(super) fn phrase(self) -> &'static str {
                match self { $(Self::$name => $phrase,)* }
            }

            /// The kinds of evidence that can have it.
            pub fn kinds(self) -> &'static [Kind] {
                match self { $(Self::$name => &[$(Kind::$kind),*],)* }
            }

            /// The reverse of [`Self::word`].
            pub fn of_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// Where evidence came from.
    Origin {
        /// OpenTelemetry's protocol, which is also what services send to Honeycomb.
        Otlp "otlp" "OTLP" [Trace, Logs]
        /// X-Ray's daemon protocol, or AWS X-Ray.
        Xray "xray" "X-Ray" [Trace, ServiceMap, Groups, SamplingRules]
        /// CloudWatch Logs' API, or AWS CloudWatch Logs.
        Cloudwatch "cloudwatch" "CloudWatch Logs" [Logs, Query]
        /// Rollbar's API, or Rollbar.
        Rollbar "rollbar" "Rollbar" [Error]
        /// Honeycomb; traces sent by OTLP count, since Honeycomb's API returns none.
        Honeycomb "honeycomb" "Honeycomb" [Trace, Query]
        /// What this machine received.
        Local "local" "local telemetry" [Trace, Logs, Error, Console, ServiceMap, Groups, SamplingRules]
        /// A vendor's own service, not an emulator.
        Cloud "cloud" "the vendor's service" [Trace, Logs, Error, ServiceMap, Groups, SamplingRules, Query]
        /// A command that Tracebook ran or watched.
        Command "command" "a command that Tracebook ran" [Console]
        /// Pasted text, a file, or standard input.
        Pasted "pasted" "pasted text" [Console]
    }
}

words! {
    /// Something that evidence can have.
    Feature {
        Subsegment "subsegment" "a subsegment" [Trace]
        Annotation "annotation" "an annotation" [Trace]
        Metadata "metadata" "metadata" [Trace]
        /// An attribute of the author's own.
        Attribute "attribute" "a custom attribute" [Trace]
        /// A span that no instrumentation library made.
        CustomSpan "custom-span" "a custom span" [Trace]
        /// A span of a web page.
        Browser "browser" "a span from the browser" [Trace]
        Sql "sql" "a database statement" [Trace]
        Exception "exception" "an exception" [Trace]
        /// A failed span, or a log event of level error.
        Failure "failure" "a failure" [Trace, Logs]
        TraceId "trace-id" "a trace id" [Logs]
        Person "person" "a person" [Error]
        Request "request" "a request" [Error]
        Stack "stack" "a stack trace" [Error]
        /// Custom data; a group or sampling rule other than the default.
        Custom "custom" "something of your own" [Error, Groups, SamplingRules]
        /// The command ended with exit code 0.
        Success "success" "exit code 0" [Console]
        /// A query result that is not empty.
        Rows "rows" "rows" [Query]
    }
}

words! {
    /// What is counted in evidence.
    Measure {
        Spans "spans" "span" [Trace]
        Services "services" "service" [Trace]
        Events "events" "log event" [Logs]
        Occurrences "occurrences" "occurrence" [Error]
        Lines "lines" "line" [Console]
    }
}

/// The singular and plural of a kind in sentences.
fn noun(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Trace => ("trace", "traces"),
        Kind::Logs => ("capture of log events", "captures of log events"),
        Kind::Error => ("error", "errors"),
        Kind::Console => ("console output", "console outputs"),
        Kind::ServiceMap => ("service map", "service maps"),
        Kind::Groups => ("capture of X-Ray groups", "captures of X-Ray groups"),
        Kind::SamplingRules => ("capture of sampling rules", "captures of sampling rules"),
        Kind::Query => ("query result", "query results"),
        Kind::Dossier => ("dossier", "dossiers"),
    }
}

impl EvidenceNeed {
    /// `2 traces`, `1 trace or dossier`.
    pub(super) fn nouns(&self, n: u32) -> String {
        let words: Vec<&str> =
            self.kinds.iter().map(|kind| if n == 1 { noun(*kind).0 } else { noun(*kind).1 }).collect();
        words.join(" or ")
    }

    /// ` from OTLP or X-Ray`, or nothing.
    pub(super) fn origin(&self) -> String {
        let words: Vec<&str> = self.from.iter().map(|origin| origin.phrase()).collect();
        if words.is_empty() { String::new() } else { format!(" from {}", words.join(" or ")) }
    }

    /// ` with a subsegment and at least 2 spans`, or nothing.
    pub(super) fn features(&self) -> String {
        let mut words: Vec<String> = self.with.iter().map(|feature| feature.phrase().to_owned()).collect();
        words.extend(self.least.iter().map(|count| {
            let n = usize::try_from(count.least).unwrap_or(usize::MAX);
            format!("at least {}", crate::text::count(n, count.measure.phrase()))
        }));
        words.extend(self.contains.iter().map(|text| format!("“{text}” in it")));
        if words.is_empty() { String::new() } else { format!(" with {}", words.join(" and ")) }
    }
}

impl Need {
    /// The rule as text: `1 trace from X-Ray with a subsegment`, `20 words`.
    pub fn text(&self) -> String {
        match self {
            Self::Evidence(need) => {
                format!("{} {}{}{}", need.count, need.nouns(need.count), need.origin(), need.features())
            }
            Self::Text(need) => {
                let amount = need.measure.amount(usize::try_from(need.least).unwrap_or(usize::MAX));
                match &need.section {
                    Some(section) => format!("{amount} below “{section}”"),
                    None => amount,
                }
            }
        }
    }

    /// How many it needs, at least.
    pub fn least(&self) -> u32 {
        match self {
            Self::Evidence(need) => need.count,
            Self::Text(need) => need.least,
        }
    }
}
