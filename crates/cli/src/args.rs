//! The command line's contract as types. Names, arguments and exit codes only grow.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;

use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand};

/// A journal whose screenshots are data.
#[derive(Debug, Parser)]
#[command(name = "tracebook", version, about, arg_required_else_help = true)]
pub(crate) struct Args {
    /// The journal's directory (default: the platform's data directory, or TRACEBOOK_DATA)
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Print exactly one JSON value on standard output
    #[arg(long, global = true, overrides_with = "json")]
    pub(crate) json: bool,
    /// Print only what was asked for
    #[arg(long, global = true, overrides_with = "quiet")]
    pub(crate) quiet: bool,
    /// Write diagnostics to standard error: -v info, -vv debug, -vvv trace (or set TRACEBOOK_LOG)
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Receive telemetry, and serve the UI, until Ctrl-C
    Serve(Serve),
    /// The main job, start to end, against a built-in demo service
    Demo {
        /// Where the export goes
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Entries: new, list, show, set, history, delete, restore
    #[command(subcommand)]
    Entry(Entry),
    /// Read markdown files, or an exported journal with its evidence
    Import {
        /// Files and folders; - reads one text from standard input
        #[arg(required = true)]
        paths: Vec<String>,
    },
    /// What an entry still wants evidence for
    Slots {
        /// An entry's id or slug
        entry: String,
    },
    /// What arrives: traces, logs, errors, console
    Live(Live),
    /// Freeze what just happened into the journal
    Capture(Capture),
    /// Evidence: list, show, diff, delete
    #[command(subcommand)]
    Evidence(Evidence),
    /// Find words in entries and evidence
    Search {
        /// What to look for
        #[arg(required = true)]
        words: Vec<String>,
    },
    /// What an export would trip over
    Check {
        /// An entry's id or slug; all if left out
        entry: Option<String>,
    },
    /// Write entries as markdown with their evidence
    Export(Export),
    /// Does an exported journal still say what was captured?
    Verify {
        /// A clone, a folder, markdown files or single SVGs
        #[arg(required = true)]
        paths: Vec<String>,
    },
    /// Export, commit, merge, push with your own git
    Sync {
        /// The remote
        #[arg(long)]
        remote: Option<String>,
        /// The branch
        #[arg(long)]
        branch: Option<String>,
    },
    /// Step by step: does anything arrive, and why not
    Doctor {
        /// A local end: otlp, xray, cloudwatch, rollbar or console; all if left out
        source: Option<String>,
        /// A cloud source instead: xray, cloudwatch, rollbar or honeycomb
        #[arg(long = "source", value_name = "SOURCE", value_parser = SOURCES, conflicts_with = "source")]
        from: Option<String>,
    },
    /// Cloud sources: list, set, token, who, queries
    #[command(subcommand)]
    Source(Source),
    /// Send on to the real services: status, set, token, retry, forget
    #[command(subcommand)]
    Relay(Relay),
    /// The settings that point a service at this app
    Env {
        /// flask, node, compose or shell
        #[arg(long = "for", value_name = "TARGET")]
        target: Option<String>,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Serve {
    /// Where OTLP over HTTP, CloudWatch Logs and Rollbar are received [default: 127.0.0.1:4318]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) http: Option<SocketAddr>,
    /// Where OTLP over gRPC is received [default: 127.0.0.1:4317]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) grpc: Option<SocketAddr>,
    /// Where the X-Ray daemon's protocol is received, UDP and TCP [default: 127.0.0.1:2000]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(crate) xray: Option<SocketAddr>,
    /// Serve the UI in a browser
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, value_parser = address)]
    pub(crate) ui: Option<Option<SocketAddr>>,
    /// Serve only the UI
    #[arg(long)]
    pub(crate) no_receivers: bool,
    /// Listen on the container bridge too, for services in containers
    #[arg(long)]
    pub(crate) containers: bool,
    /// Another host name under which a browser may ask for the UI (a cloud workspace's)
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,
    /// A web page's origin whose browser may send telemetry: http://localhost:3000
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    /// Keep what a command prints: "docker compose logs -f backend-flask"
    #[arg(long, value_name = "COMMAND")]
    pub(crate) watch: Vec<String>,
}

/// `host:port`; of a name, its IPv4 address, since that is what SDKs use (X-Ray's know no other).
fn address(text: &str) -> Result<SocketAddr, String> {
    let found: Vec<SocketAddr> =
        text.to_socket_addrs().map_err(|e| format!("write host:port, for example 127.0.0.1:0 ({e})"))?.collect();
    let first = found.iter().find(|a| a.is_ipv4()).or(found.first());
    first.copied().ok_or_else(|| format!("{text} has no address"))
}

#[derive(Debug, Subcommand)]
pub(crate) enum Entry {
    /// A new entry, from the course's template unless a body is given
    New {
        /// 0 to 11, or X
        #[arg(long)]
        week: Option<String>,
        /// Its title
        #[arg(long)]
        title: Option<String>,
        /// A markdown file; - is standard input
        #[arg(long, value_name = "FILE")]
        body: Option<String>,
    },
    /// Every entry
    List {
        /// Those in the bin instead
        #[arg(long)]
        deleted: bool,
    },
    /// One entry with its text
    Show {
        /// Id or slug
        entry: String,
        /// The text of this revision instead
        #[arg(long)]
        revision: Option<i64>,
    },
    /// Write an entry's text; an older base never overwrites
    Set {
        /// Id or slug
        entry: String,
        /// A markdown file; - is standard input
        #[arg(long, value_name = "FILE")]
        body: String,
        /// The revision that the text was made on
        #[arg(long, value_name = "REV")]
        base: Option<i64>,
    },
    /// The texts that can be read back
    History {
        /// Id or slug
        entry: String,
    },
    /// Put an entry into the bin
    Delete {
        /// Id or slug
        entry: String,
    },
    /// Take an entry out of the bin
    Restore {
        /// Id or slug
        entry: String,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Live {
    /// traces, logs, errors or console
    #[arg(value_parser = ["traces", "logs", "errors", "console"])]
    pub(crate) what: String,
    /// local, xray, cloudwatch, rollbar or honeycomb
    #[arg(long, default_value = "local", value_parser = SOURCES)]
    pub(crate) source: String,
    /// Only the last so much: 15m, 2h, 7d
    #[arg(long, value_name = "DURATION")]
    pub(crate) since: Option<String>,
    /// words, service:x, status:error, duration>100ms, name:x, key=value
    #[arg(long, default_value = "")]
    pub(crate) filter: String,
    /// At most so many
    #[arg(long)]
    pub(crate) limit: Option<u32>,
    /// The oldest first (log events of cloudwatch)
    #[arg(long)]
    pub(crate) oldest_first: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Source {
    /// What is set, where the tokens are, and what was asked this month
    List,
    /// Set where and as whom the cloud is asked; an empty text takes a setting away
    Set {
        /// A profile of AWS's shared config
        #[arg(long, value_name = "PROFILE")]
        aws_profile: Option<String>,
        /// A region of AWS
        #[arg(long, value_name = "REGION")]
        aws_region: Option<String>,
        /// Another endpoint than AWS's: an emulator
        #[arg(long, value_name = "URL")]
        aws_endpoint: Option<String>,
        /// Another endpoint than Rollbar's
        #[arg(long, value_name = "URL")]
        rollbar_endpoint: Option<String>,
        /// Where your project's pages are: https://app.rollbar.com/a/ACCOUNT/fix/item/PROJECT
        #[arg(long, value_name = "URL")]
        rollbar_web: Option<String>,
        /// Another endpoint than Honeycomb's: https://api.eu1.honeycomb.io for Europe
        #[arg(long, value_name = "URL")]
        honeycomb_endpoint: Option<String>,
    },
    /// Put a token, read from standard input, into the system's keychain
    Token {
        /// rollbar or honeycomb
        #[arg(value_parser = ["rollbar", "honeycomb"])]
        vendor: String,
        /// Take it out again
        #[arg(long)]
        forget: bool,
    },
    /// Who we are to a source
    Who {
        /// aws, rollbar or honeycomb
        #[arg(value_parser = ["aws", "rollbar", "honeycomb"])]
        vendor: String,
    },
    /// Saved queries and boards
    Queries {
        /// cloudwatch or honeycomb
        #[arg(value_parser = ["cloudwatch", "honeycomb"])]
        source: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Relay {
    /// What is sent on and where to, what waits, and why
    Status,
    /// Turn sending on on or off, and say where OTLP goes
    Set {
        /// otlp, xray, logs or rollbar
        #[arg(value_parser = RELAYS)]
        name: String,
        /// From now on, what comes in is sent on
        #[arg(long, conflicts_with = "off")]
        on: bool,
        /// Nothing is sent on; what waits is kept
        #[arg(long)]
        off: bool,
        /// OTLP: the endpoint, without /v1/traces
        #[arg(long, value_name = "URL")]
        endpoint: Option<String>,
        /// OTLP: where its key is, honeycomb or env:NAME; an empty text for none
        #[arg(long, value_name = "WHERE")]
        key: Option<String>,
        /// OTLP: the header that the key goes into [default: x-honeycomb-team]
        #[arg(long, value_name = "NAME")]
        header: Option<String>,
    },
    /// Put the token that it sends with, read from standard input, into the system's keychain
    Token {
        /// rollbar (scope post_server_item) or otlp (Honeycomb's key)
        #[arg(value_parser = ["rollbar", "otlp"])]
        name: String,
        /// Take it out again
        #[arg(long)]
        forget: bool,
    },
    /// Do not wait any longer before the next try
    Retry {
        /// otlp, xray, logs or rollbar
        #[arg(value_parser = RELAYS)]
        name: String,
    },
    /// Throw away what waits
    Forget {
        /// otlp, xray, logs or rollbar
        #[arg(value_parser = RELAYS)]
        name: String,
    },
}

const RELAYS: [&str; 4] = ["otlp", "xray", "logs", "rollbar"];

const SOURCES: [&str; 5] = ["local", "xray", "cloudwatch", "rollbar", "honeycomb"];

#[derive(Debug, ClapArgs)]
pub(crate) struct Capture {
    /// trace, logs, error, console, service-map, groups, sampling-rules, query or dossier
    pub(crate) kind: String,
    /// Which one; a live card's, live:01J…, is asked anew and what it answers is frozen
    pub(crate) id: Option<String>,
    /// local, xray, cloudwatch, rollbar or honeycomb
    #[arg(long, default_value = "local", value_parser = SOURCES)]
    pub(crate) source: String,
    /// The newest whose root has arrived
    #[arg(long)]
    pub(crate) latest: bool,
    /// Among those that match
    #[arg(long, default_value = "")]
    pub(crate) filter: String,
    /// Among those of the last so much
    #[arg(long, value_name = "DURATION")]
    pub(crate) since: Option<String>,
    /// The entry that shows it
    #[arg(long, value_name = "REF")]
    pub(crate) into: Option<String>,
    /// The slot it fills: its number, or part of its text
    #[arg(long)]
    pub(crate) slot: Option<String>,
    /// Its caption
    #[arg(long)]
    pub(crate) caption: Option<String>,
    /// Console: the text of a file; - is standard input
    #[arg(long)]
    pub(crate) file: Option<String>,
    /// Console: a command that is run
    #[arg(last = true)]
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Evidence {
    /// All evidence, or that of one entry
    List {
        /// An entry's id or slug
        entry: Option<String>,
    },
    /// One evidence with its data
    Show {
        /// Its id
        evidence: String,
        /// What was received instead
        #[arg(long, conflicts_with = "svg")]
        raw: bool,
        /// Its card instead
        #[arg(long)]
        svg: bool,
    },
    /// What differs between two
    Diff {
        /// An evidence's id
        left: String,
        /// Another's
        right: String,
    },
    /// Put evidence into the bin
    Delete {
        /// Its id
        evidence: String,
        /// Erase its data for good
        #[arg(long)]
        purge: bool,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Export {
    /// Entries' ids or slugs
    #[arg(required_unless_present = "all")]
    pub(crate) entries: Vec<String>,
    /// Every entry
    #[arg(long, conflicts_with = "entries")]
    pub(crate) all: bool,
    /// The folder that gets `journal/`
    #[arg(long, value_name = "DIR")]
    pub(crate) to: String,
    /// github, html or bundle
    #[arg(long, default_value = "github", value_parser = ["github", "html", "bundle"])]
    pub(crate) format: String,
    /// Write everything as it stands, unmasked
    #[arg(long)]
    pub(crate) allow_leaks: bool,
    /// Also over files that are not ours
    #[arg(long)]
    pub(crate) force: bool,
}
