//! The kinds of evidence and their data.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ts_rs::TS;

use crate::console::Console;
use crate::content::Content;
use crate::dossier::Dossier;
use crate::errors::ErrorItem;
use crate::logs::Logs;
use crate::query::QueryResult;
use crate::service_map::ServiceMap;
use crate::trace::Trace;
use crate::xray::{Groups, SamplingRules};

macro_rules! kinds {
    ($( $(#[doc = $doc:literal])* $word:literal $name:ident($content:ty), )*) => {
        /// The kinds of evidence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
        #[serde(rename_all = "kebab-case")]
        pub enum Kind { $( $(#[doc = $doc])* $name, )* }

        impl Kind {
            /// Every kind, in the order of the command line's contract.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$name),*];

            /// The word in the command line, in JSON and in slots.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }

        /// The frozen data, one variant per [`Kind`]; written as `"kind": …, "body": …`.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS)]
        #[serde(tag = "kind", content = "body", rename_all = "kebab-case")]
        pub enum Body { $( $(#[doc = $doc])* $name($content), )* }

        impl Body {
            /// Reads the data of a kind.
            ///
            /// # Errors
            /// Where it is not the JSON form of that kind.
            pub(crate) fn read(kind: Kind, data: &RawValue) -> Result<Self, serde_json::Error> {
                match kind { $(Kind::$name => serde_json::from_str(data.get()).map(Self::$name),)* }
            }

            pub fn kind(&self) -> Kind {
                match self { $(Self::$name(_) => Kind::$name,)* }
            }

            /// Its implementation of [`Content`].
            pub fn content(&self) -> &dyn Content {
                match self { $(Self::$name(content) => content,)* }
            }
        }
    };
}

kinds! {
    /// A complete trace.
    "trace" Trace(Trace),
    /// Log events.
    "logs" Logs(Logs),
    /// An error item with one full occurrence.
    "error" Error(Box<ErrorItem>),
    /// Console output.
    "console" Console(Console),
    /// A service map.
    "service-map" ServiceMap(ServiceMap),
    /// X-Ray groups.
    "groups" Groups(Groups),
    /// X-Ray sampling rules.
    "sampling-rules" SamplingRules(SamplingRules),
    /// A query with its result.
    "query" Query(Box<QueryResult>),
    /// All evidence of one request.
    "dossier" Dossier(Box<Dossier>),
}

impl std::str::FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|k| k.word() == text).ok_or_else(|| {
            let words: Vec<_> = Self::ALL.iter().map(|k| k.word()).collect();
            format!("{text:?} is no kind of evidence; the kinds are {}", words.join(", "))
        })
    }
}
