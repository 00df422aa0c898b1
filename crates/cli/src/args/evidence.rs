use clap::{Args, Subcommand, ValueEnum};

use tracebook_app::{Error, local_time};
use tracebook_core::evidence::Kind;
use tracebook_core::question::Source;

use super::values::{kinds, sources};

/// A list of `live`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum List {
    Traces,
    Logs,
    Errors,
    Console,
}

/// A time range.
#[derive(Debug, Args)]
pub(crate) struct Range {
    /// Only what arrived in this time until now, for example 15m, 2h or 7d
    #[arg(long, value_name = "DURATION", conflicts_with_all = ["from", "to"])]
    since: Option<String>,
    /// Only what happened at or after this: 15:20, "2026-11-23 15:20", 2026-11-23 or RFC 3339
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only what happened before this
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
}

impl Range {
    /// In the form that commands take: a duration, or both ends in RFC 3339.
    pub(crate) fn window(self) -> Result<Option<String>, Error> {
        let end =
            |text: Option<String>| text.map_or(Ok(String::new()), |text| local_time(&text).map(|t| t.rfc3339_nanos()));
        match (self.from, self.to) {
            (None, None) => Ok(self.since),
            (from, to) => Ok(Some(format!("{}/{}", end(from)?, end(to)?))),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Live {
    /// What to list
    #[arg(value_enum)]
    pub(crate) what: List,
    /// Where to read it
    #[arg(long, default_value = "local", value_parser = sources())]
    pub(crate) source: Source,
    #[command(flatten)]
    pub(crate) range: Range,
    /// Words, service:x, status:error, duration>100ms, name:x, key=value
    #[arg(long, default_value = "")]
    pub(crate) filter: String,
    /// Maximum number of rows
    #[arg(long)]
    pub(crate) limit: Option<u32>,
    /// List the oldest first (log events of cloudwatch)
    #[arg(long)]
    pub(crate) oldest_first: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Capture {
    /// The kind of evidence
    #[arg(value_parser = kinds())]
    pub(crate) kind: Kind,
    /// The id of what is captured; for a live card, live:ID captures a fresh answer
    pub(crate) id: Option<String>,
    /// Where to read it
    #[arg(long, default_value = "local", value_parser = sources())]
    pub(crate) source: Source,
    /// Capture the latest complete trace
    #[arg(long)]
    pub(crate) latest: bool,
    /// Consider only what matches this filter
    #[arg(long, default_value = "")]
    pub(crate) filter: String,
    #[command(flatten)]
    pub(crate) range: Range,
    /// Insert the evidence into this entry
    #[arg(long, value_name = "REF")]
    pub(crate) into: Option<String>,
    /// Fill this slot: its number, or part of its text
    #[arg(long)]
    pub(crate) slot: Option<String>,
    /// The caption
    #[arg(long)]
    pub(crate) caption: Option<String>,
    /// How much of the card the entry shows [default: full]
    #[arg(long, value_parser = ["full", "compact", "line"])]
    pub(crate) size: Option<String>,
    /// Console output: read it from a file; - reads standard input
    #[arg(long)]
    pub(crate) file: Option<String>,
    /// Console output: run this command
    #[arg(last = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    /// List evidence
    List {
        /// Id or slug of an entry [default: all evidence]
        entry: Option<String>,
        /// List the evidence in the bin instead
        #[arg(long, conflicts_with = "entry")]
        deleted: bool,
    },
    /// Show evidence with its data
    Show {
        /// The evidence's id
        evidence: String,
        /// Print the data as received
        #[arg(long, conflicts_with = "svg")]
        raw: bool,
        /// Print the card as SVG
        #[arg(long)]
        svg: bool,
        /// How much of the card
        #[arg(long, requires = "svg", default_value = "full", value_parser = ["full", "compact", "line"])]
        size: String,
        /// The width that the card is laid out for, in CSS pixels
        #[arg(long, requires = "svg", default_value_t = 880, value_parser = clap::value_parser!(u32).range(320..=1200))]
        width: u32,
    },
    /// Show the difference between two pieces of evidence
    Diff {
        /// The id of one
        left: String,
        /// The id of the other
        right: String,
    },
    /// Move evidence to the bin
    Delete {
        /// The evidence's id
        evidence: String,
        /// Erase its data permanently
        #[arg(long)]
        purge: bool,
    },
    /// Restore evidence from the bin
    Restore {
        /// The evidence's id
        evidence: String,
    },
}
