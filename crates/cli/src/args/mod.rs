//! The command line's contract as types. Names, arguments and exit codes are only ever added.

mod evidence;
mod journal;
mod serve;
mod sources;
mod sync;
mod values;

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};

pub(crate) use evidence::{Capture, Evidence, List, Live};
pub(crate) use journal::{Attachment, Course, Entry, Export, ExportFormat, Mask, Signing, Verify};
pub(crate) use serve::Serve;
pub(crate) use sources::{Doctor, Relay, Source, VendorSettings};
pub(crate) use sync::{Sync, SyncCommand};

/// The heading of options that every command has.
const GLOBAL: &str = "Global options";

/// A journal for observability evidence: traces, logs and errors captured as data instead of screenshots
#[derive(Debug, Parser)]
#[command(name = "tracebook", version, about, arg_required_else_help = true)]
pub(crate) struct Args {
    /// The journal's directory [default: the platform's data directory, or TRACEBOOK_DATA]
    #[arg(long, global = true, value_name = "DIR", help_heading = GLOBAL)]
    pub(crate) data: Option<PathBuf>,
    /// Print exactly one JSON value on standard output
    #[arg(long, global = true, overrides_with = "json", help_heading = GLOBAL)]
    pub(crate) json: bool,
    /// Do not print progress and notes
    #[arg(long, global = true, overrides_with = "quiet", help_heading = GLOBAL)]
    pub(crate) quiet: bool,
    /// Write diagnostics to standard error: -v info, -vv debug, -vvv trace (or set TRACEBOOK_LOG)
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = GLOBAL)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Receive telemetry, and optionally serve the UI, until Ctrl-C
    Serve(Serve),
    /// Run through the whole workflow against a built-in demo service
    Demo {
        /// Export to this folder
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Create, list, read, change and delete entries
    #[command(subcommand)]
    Entry(Entry),
    /// Manage pictures and files of entries
    #[command(subcommand)]
    Attachment(Attachment),
    /// Import Markdown files, or an exported journal with its evidence: a folder, a bundle or a page
    Import {
        /// Files, folders, bundles and exported pages; - reads one text from standard input
        #[arg(required = true)]
        paths: Vec<String>,
    },
    /// Show the course, or check a course file
    #[command(subcommand)]
    Course(Course),
    /// List which homework is met, by which evidence, and what is missing
    Homework {
        /// Id or slug of an entry [default: all entries of a week]
        entry: Option<String>,
    },
    /// List the slots of an entry that still need evidence
    Slots {
        /// Id or slug of the entry
        entry: String,
    },
    /// List traces, logs, errors or console lines, newest first
    Live(Live),
    /// Capture something as evidence
    Capture(Capture),
    /// List, show, compare and delete evidence
    #[command(subcommand)]
    Evidence(Evidence),
    /// Search entries and evidence
    Search {
        /// The words to find; the last may be the beginning of one
        #[arg(required = true)]
        words: Vec<String>,
        /// Maximum number of results
        #[arg(long)]
        limit: Option<u32>,
    },
    /// List problems that would affect an export
    Check {
        /// Id or slug of an entry [default: all entries]
        entry: Option<String>,
    },
    /// List, preview and control what exports mask
    #[command(subcommand)]
    Mask(Mask),
    /// Show, make and remove the key that exports are signed with
    #[command(subcommand)]
    Signing(Signing),
    /// Write entries as Markdown with their evidence
    Export(Export),
    /// Check that exported evidence is what was captured
    Verify(Verify),
    /// Copy the whole journal into one file, also while it is in use
    Backup {
        /// The file to write
        file: PathBuf,
    },
    /// Replace the journal by a backup
    Restore {
        /// The backup to read
        file: PathBuf,
    },
    /// Publish the journal to a branch of your git repository, and take over what others changed there
    Sync(Sync),
    /// Find out why no telemetry arrives or a source does not answer
    Doctor(Doctor),
    /// Configure and check cloud sources
    #[command(subcommand)]
    Source(Source),
    /// Forward received telemetry to the real services
    #[command(subcommand)]
    Relay(Relay),
    /// Print the settings that make a service send to this app
    Env {
        /// flask, node, compose or shell
        #[arg(long = "for", value_name = "TARGET")]
        target: Option<String>,
    },
}

impl Command {
    /// What of the command is accepted and not built yet, as the user wrote it.
    pub(crate) fn not_built(&self) -> Option<&'static str> {
        match self {
            Self::Verify(_)
            | Self::Export(_)
            | Self::Attachment(_)
            | Self::Course(_)
            | Self::Homework { .. }
            | Self::Search { .. }
            | Self::Serve(_)
            | Self::Live(_)
            | Self::Capture(_)
            | Self::Demo { .. }
            | Self::Entry(_)
            | Self::Import { .. }
            | Self::Slots { .. }
            | Self::Check { .. }
            | Self::Mask(_)
            | Self::Signing(_)
            | Self::Backup { .. }
            | Self::Restore { .. }
            | Self::Sync(_)
            | Self::Doctor(_)
            | Self::Evidence(_)
            | Self::Source(_)
            | Self::Relay(_)
            | Self::Env { .. } => None,
        }
    }

    /// Whether it reads or writes a journal at all.
    pub(crate) fn uses_journal(&self) -> bool {
        !matches!(self, Self::Verify(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Args {
        let words = std::iter::once("tracebook").chain(line.split_whitespace());
        Args::try_parse_from(words).unwrap_or_else(|e| panic!("{line}: {e}"))
    }

    /// The contract, one line a form. What is not built names itself.
    #[test]
    fn every_form_of_the_contract_is_accepted() {
        for (line, not_built) in [
            ("serve --http 127.0.0.1:0 --grpc 127.0.0.1:0 --xray 127.0.0.1:0 --ui 127.0.0.1:0 --watch ls", None),
            (
                "serve --ui --no-receivers --containers --allow-host a --allow-host b --allow-origin http://localhost:1",
                None,
            ),
            ("demo --out x", None),
            ("entry new --week 2 --title T --body -", None),
            ("entry list", None),
            ("entry show week-2", None),
            ("entry set week-2 --body f --base 3", None),
            ("entry history week-2", None),
            ("entry history week-2 --diff 3", None),
            ("entry delete week-2", None),
            ("entry restore week-2", None),
            ("attachment list", None),
            ("attachment list week-2", None),
            ("attachment list --deleted", None),
            ("attachment add f.png --into week-2 --alt T", None),
            ("attachment add f.png --into week-2", None),
            ("attachment show a --out f.png", None),
            ("attachment delete a --purge", None),
            ("attachment restore a", None),
            ("import a b -", None),
            ("slots week-2", None),
            ("live traces --source local --since 15m --filter a --limit 3", None),
            ("live logs --source cloudwatch", None),
            ("live errors --source rollbar", None),
            ("live console --from 2026-01-01T00:00:00Z", None),
            ("live traces --to 2026-01-01", None),
            ("capture trace --latest --filter a --since 1h --into week-2 --slot 1 --caption T --size compact", None),
            ("capture logs --source cloudwatch", None),
            ("capture error 17 --source rollbar", None),
            ("capture service-map", None),
            ("capture groups", None),
            ("capture sampling-rules --source xray", None),
            ("capture query q --source honeycomb", None),
            ("capture dossier", None),
            ("capture console --file -", None),
            ("capture console -- ls -l", None),
            ("capture trace --from 2026-01-01T00:00:00Z", None),
            ("capture trace --from 9:00 --to 10:00", None),
            ("evidence list week-2", None),
            ("evidence list --deleted", None),
            ("evidence show E --raw", None),
            ("evidence show E --svg", None),
            ("evidence show E --svg --size line --width 360", None),
            ("evidence diff E E", None),
            ("evidence delete E --purge", None),
            ("evidence restore E", None),
            ("search a b", None),
            ("search a --limit 3", None),
            ("check", None),
            ("check week-2", None),
            ("mask list", None),
            ("mask rules", None),
            ("mask preview", None),
            ("mask preview week-2 week-3", None),
            ("mask allow 10.0.0.9 --entry week-2", None),
            ("mask disallow 10.0.0.9", None),
            ("mask prove E --file f.svg", None),
            ("export week-2 --to d --format github --allow-leaks --force", None),
            ("export --all --to d --format html", None),
            ("export --all --to d.zip --format bundle --raw --allow-leaks", None),
            ("export --all --to d --sign", None),
            ("export --all --sign k --to d", None),
            ("export week-2 --to d --sign=SHA256:a", None),
            ("signing show", None),
            ("signing show agent", None),
            ("signing create --replace", None),
            ("signing forget", None),
            ("verify a --allowed-signers f", None),
            ("verify --class d --allowed-signers f", None),
            ("verify a b.svg", None),
            ("verify a --expect 3", None),
            ("verify a --redraw d", None),
            ("verify --class d --course c --csv f --html f", None),
            ("source list", None),
            ("source who aws", None),
            ("source set --aws-region eu-west-1", None),
            ("source token rollbar --forget", None),
            ("relay status", None),
            ("relay set otlp --on --endpoint http://a --key honeycomb --header h", None),
            ("relay token rollbar", None),
            ("relay retry xray", None),
            ("relay forget logs", None),
            ("backup f", None),
            ("restore f", None),
            ("sync", None),
            ("sync --remote origin --branch main", None),
            ("sync --repo d --remote origin --branch main --folder docs/me --dry-run", None),
            ("sync status", None),
            ("sync forget", None),
            ("doctor xray", None),
            ("doctor --source honeycomb", None),
            ("doctor --report f", None),
            ("doctor --repair", None),
            ("env --for flask", None),
        ] {
            assert_eq!(parsed(line).command.not_built(), not_built, "{line}");
            let args = parsed(&format!("--data d --json --quiet -vv {line}"));
            assert!(args.data.is_some() && args.json && args.quiet && args.verbose == 2, "{line}");
        }
    }

    #[test]
    fn what_is_not_in_the_contract_is_refused() {
        for line in [
            "capture screenshot",
            "live spans",
            "live traces --source datadog",
            "doctor --source datadog",
            "doctor smtp",
            "export --all",
            "export --all --to d --format bundle --raw",
            "verify",
            "verify --csv f a",
            "attachment add f.png",
            "source who github",
            "relay retry smtp",
            "sync d",
            "sync --repo d status",
        ] {
            let words = std::iter::once("tracebook").chain(line.split_whitespace());
            assert!(Args::try_parse_from(words).is_err(), "{line}");
        }
    }

    #[test]
    fn the_definition_holds_together() {
        <Args as clap::CommandFactory>::command().debug_assert();
    }
}
