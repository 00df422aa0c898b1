//! Requests, answers and events: the types that hosts, the UI and the command line share with the app.
//!
//! The commands that take and give them are declared in `api`; the UI's types are generated from both into
//! `ui/src/bindings.ts`.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use tracebook_core::console::{ConsoleOrigin, StyledSpan};
use tracebook_core::doubts::Doubt;
use tracebook_core::entry::EntryRow;
use tracebook_core::evidence::{Body, Kind, Provenance};
use tracebook_core::ids::Id;
pub use tracebook_core::merge::TextChange;
use tracebook_core::question::Source;
use tracebook_render::markdown::{Placing, ProblemKind, Target, placing};

mod attachment;
mod cloud;
mod course;
mod live_card;
mod masks;
mod relay;
mod search;
mod signing;
mod sync;

pub use attachment::*;
pub use cloud::*;
pub use course::*;
pub use live_card::*;
pub use masks::*;
pub use relay::*;
pub use search::*;
pub use signing::*;
pub use sync::*;

/// The caller of a command: a window ignores events of its own writes, and its calls can be cancelled.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The window or process.
    pub client: String,
    /// The id of this call, for `cancel` and progress; may be empty.
    pub call: String,
}

/// The subject of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// An entry: its text, title, slots or place in the bin.
    Entry,
    /// Evidence.
    Evidence,
    /// A picture of an entry.
    Attachment,
    /// A live card: its question or its answer.
    LiveCard,
    /// Spans and segments.
    Traces,
    /// Log events.
    Logs,
    /// Occurrences of errors.
    Errors,
    /// Output of watched commands.
    Console,
    /// The relay's settings or counters.
    Relay,
    /// The cloud sources' settings.
    Sources,
    /// A tail of a log group.
    Tail,
    /// Counters of the receivers.
    Status,
    /// Everything: the listener missed events and must reload.
    All,
}

impl Topic {
    /// The topic for a name in a database of this or a newer version; [`Topic::All`] if unknown.
    pub(crate) fn of(word: &str) -> Self {
        serde_json::from_value(word.into()).unwrap_or(Self::All)
    }
}

/// What is published to every host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Something changed.
    Changed {
        /// What kind of thing.
        topic: Topic,
        /// Which one; empty for telemetry, which is published at most five times a second.
        id: String,
        /// The client that wrote it; empty if a receiver or another process did.
        by: String,
    },
    /// The window is about to close: unsaved text is saved now.
    Closing {},
    /// The user wants to close the window. It has to answer at once; else it is closed without being asked.
    AskClosing {
        /// A service is still sending: the user is asked first whether to keep receiving.
        receiving: bool,
    },
    /// The progress of a long command.
    Progress {
        /// The caller's id of the call.
        call: String,
        /// Steps done.
        done: u32,
        /// Steps in all; 0 if unknown.
        of: u32,
        /// The current step, as text.
        what: String,
    },
}

/// No arguments.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct StatusRequest {}

/// No arguments.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct DemoFill {}

/// A receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Receiver {
    /// `http`, `grpc`, `xray`.
    pub name: String,
    /// `127.0.0.1:4318`; null if it does not listen.
    pub address: Option<String>,
    /// Why it does not listen, and what to do; empty if it does.
    pub problem: String,
    /// Whether another process listens for this journal.
    pub elsewhere: bool,
}

/// Status of the app: receivers, journal, problems.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct Status {
    pub version: String,
    /// The journal's directory.
    pub data_dir: String,
    pub receivers: Vec<Receiver>,
    /// What needs the user's attention, each with what to do.
    pub problems: Vec<String>,
    /// Spans received since start.
    pub spans_received: u32,
    /// Log events received since start.
    pub logs_received: u32,
    /// Occurrences of errors received since start.
    pub errors_received: u32,
    /// Space that telemetry takes.
    pub telemetry: TelemetryUse,
    /// What is forwarded to the real services.
    pub relay: RelaySum,
    /// Requests and datagrams refused since start.
    pub rejected: u32,
    /// The reason for the last one; empty if there was none.
    pub last_rejected: String,
}

/// Space that telemetry takes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct TelemetryUse {
    /// Bytes in use.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Bytes allowed; beyond that the oldest are removed.
    #[ts(type = "number")]
    pub limit_bytes: u64,
    /// Days after which telemetry is removed.
    pub limit_days: u32,
    /// Spans, log events, errors and console lines removed for that since start.
    #[ts(type = "number")]
    pub dropped: u64,
}

/// No arguments.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct WeeksRequest {}

/// A week of the course.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct WeekRow {
    /// `"0"` … `"99"`, `"X"`.
    pub week: String,
    /// `Week 2 — Distributed Tracing`.
    pub title: String,
}

/// Which entries to list.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct EntryListRequest {
    /// Entries in the bin instead of the others.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub deleted: bool,
}

/// No arguments.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct EntryFilesRequest {}

/// The file that an entry is exported to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EntryFile {
    pub entry: Id,
    /// Its name, beside the files of the other entries: `week2.md`.
    pub file: String,
}

/// The entry to read.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryGet {
    /// Id or slug.
    pub entry: String,
}

/// The entry whose texts are listed.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryHistory {
    /// Id or slug.
    pub entry: String,
}

/// The entry to put into the bin.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryDelete {
    /// Id or slug.
    pub entry: String,
}

/// The entry to take out of the bin.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryRestore {
    /// Id or slug.
    pub entry: String,
}

/// A new entry.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct EntryNew {
    /// `"0"` … `"11"`, `"X"`, or null.
    pub week: Option<String>,
    /// The week's title if null.
    pub title: Option<String>,
    /// The week's template if null.
    pub body: Option<String>,
}

/// A text and the revision it was made on.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryWrite {
    /// Id or slug.
    pub entry: String,
    /// The revision that the text was edited from; null overwrites the working text, after keeping a revision of it.
    pub base: Option<i64>,
    /// The whole text.
    pub body: String,
    /// Keep a revision for this reason (`set`, `close`, …); null for autosave.
    #[serde(default)]
    #[ts(optional)]
    pub cut: Option<String>,
}

/// Changes of an entry's text since a revision.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryEdit {
    /// Id or slug.
    pub entry: String,
    /// The revision that the changes were made on.
    #[ts(type = "number")]
    pub base: i64,
    /// In order, without overlaps.
    pub changes: Vec<TextChange>,
    /// FNV-1a with 32 bits of the changed text, over its UTF-16 code units.
    pub check: u32,
}

/// The entry whose stored text is scanned for references and slots.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryMarkup {
    /// Id or slug.
    pub entry: String,
    /// The revision that is expected to be stored.
    #[ts(type = "number")]
    pub revision: i64,
}

/// The entry whose stored text is rendered to be read.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryHtml {
    /// Id or slug.
    pub entry: String,
}

/// The outcome of a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Written {
    /// The revision of the working text.
    pub revision: i64,
    /// False where the base was older: the working text is unchanged, and this text is kept as revision `kept`.
    pub accepted: bool,
    /// The revision that holds a text that was not accepted.
    pub kept: Option<i64>,
    /// What happened, for the user; empty if the text was accepted.
    pub message: String,
    /// The changes of others that the text was merged with, as changes of the text that was sent; left out where there
    /// were none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub merged: Vec<TextChange>,
}

/// A new title or week.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryRename {
    /// Id or slug.
    pub entry: String,
    /// Null keeps the title.
    pub title: Option<String>,
    /// Null keeps the week, an empty text removes it.
    pub week: Option<String>,
}

/// Keeps a revision of the working text.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryCut {
    /// Id or slug.
    pub entry: String,
    /// `pause`, `close`, …
    pub reason: String,
}

/// One revision of an entry.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryRevision {
    /// Id or slug.
    pub entry: String,
    pub revision: i64,
}

/// What changed since a revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct TextDifference {
    /// The revision that is compared.
    pub from: i64,
    /// The revision of the working text.
    pub to: i64,
    /// As `diff -u` writes it, without file names; empty if nothing changed.
    pub diff: String,
}

/// A revision to compare with the working text.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryDifference {
    /// Id or slug.
    pub entry: String,
    pub revision: i64,
}

/// No arguments.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct CatalogRequest {}

/// A text to scan for references and slots.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MarkupRequest {
    /// Id or slug of the entry whose dismissed slots are left out; null keeps all.
    #[serde(default)]
    #[ts(optional)]
    pub entry: Option<String>,
    pub body: String,
}

/// A reference to place in a text that is being edited.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ReferencePlace {
    pub body: String,
    pub reference: String,
    /// The slot that it fills; null to place it at the cursor.
    #[serde(default)]
    #[ts(optional)]
    pub slot: Option<TextRange>,
    /// The cursor, in UTF-16 code units.
    pub cursor: usize,
}

/// A part of a text, in UTF-16 code units.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
pub struct TextRange {
    pub start: usize,
    /// One past the last unit.
    pub end: usize,
}

impl ReferencePlace {
    pub(crate) fn placing(&self) -> Placing {
        let target = match self.slot {
            Some(slot) => Target::Slot(slot.start, slot.end),
            None => Target::Cursor(self.cursor),
        };
        placing(&self.body, &self.reference, target)
    }
}

/// A line that is not a slot.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct SlotDismiss {
    /// Id or slug.
    pub entry: String,
    /// The slot's text, as `markup` returned it.
    pub text: String,
    /// The text of the entry, which is scanned again for the answer.
    pub body: String,
}

/// Which traces to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LiveTraces {
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
    /// Local: words, `service:x`, `status:error`, `duration>100ms`, `name:…`, `key=value`. X-Ray: a filter expression.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub filter: String,
    /// Time window: `15m` until now, by arrival; or a range `FROM/TO` of RFC 3339 times, by the sender's clock, either
    /// of which may be missing. Null for all.
    #[serde(default)]
    #[ts(optional)]
    pub since: Option<String>,
    /// Maximum number of rows; 100 if null.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
    /// Continues a list: the `next` of its answer.
    #[serde(default)]
    #[ts(optional)]
    pub page: Option<String>,
    /// Ask the source again instead of using an answer of the last seconds.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub fresh: bool,
}

/// Which log events, errors or console lines to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LiveQuestion {
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
    /// Logs and console: `group:x`, `stream:x`, `service:x`, `level:x`, `status:error`, `trace:ID`, and behind them a
    /// CloudWatch filter pattern. Errors: words, `level:x`, `environment:x`, `person:x`; of Rollbar also
    /// `status:active`.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub filter: String,
    /// Time window, such as `15m`, or a range `FROM/TO`; null for all.
    #[serde(default)]
    #[ts(optional)]
    pub since: Option<String>,
    /// Maximum number of rows; 100 if null.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
    /// CloudWatch: oldest first.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub oldest_first: bool,
    /// Continues a list: the `next` of its answer.
    #[serde(default)]
    #[ts(optional)]
    pub page: Option<String>,
    /// Ask the source again instead of using an answer of the last seconds.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub fresh: bool,
}

/// Which log events.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LiveLogs(pub LiveQuestion);

/// Which error items.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LiveErrors(pub LiveQuestion);

/// Which console lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LiveConsole(pub LiveQuestion);

/// A log event by its id.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct LogRef {
    /// As in `live_logs`.
    pub id: String,
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
}

/// An error item, or one of its occurrences.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ErrorRef {
    /// An item's id as in `live_errors`, or an occurrence's uuid or id.
    pub id: String,
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
}

/// What to examine.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct DoctorRequest {
    /// A local source: `otlp`, `xray`, `cloudwatch`, `rollbar`, `console`, `journal`; null for all of them and every
    /// cloud source that is configured.
    #[serde(default)]
    #[ts(optional)]
    pub source: Option<String>,
    /// A cloud source instead of local ones.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub from: Source,
}

impl DoctorRequest {
    /// What [`DoctorRequest::source`] can be: a receiver, or the journal.
    pub const SOURCES: [&str; 6] = ["otlp", "xray", "cloudwatch", "rollbar", "console", "journal"];
}

/// One check of the doctor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Check {
    /// `otlp`, `xray`, `cloudwatch`, `rollbar`, `console`, `journal`; of the cloud `aws`, `rollbar-cloud`, `honeycomb`.
    pub source: String,
    /// What was checked.
    pub check: String,
    /// Whether the check passed.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do, down to the line to add; empty where nothing has to be done.
    pub fix: String,
}

/// Where a report goes, and what is checked for it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct DoctorReport {
    /// The file to write; an existing file is overwritten only if it is an earlier report.
    pub path: String,
    /// As in [`DoctorRequest`].
    #[serde(default)]
    #[ts(optional)]
    pub source: Option<String>,
    /// As in [`DoctorRequest`].
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub from: Source,
}

/// A report that was written.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct DoctorReported {
    /// The checks that are in it.
    pub checks: Vec<Check>,
    /// The file's absolute path.
    pub report: String,
}

/// A trace by id.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct TraceGet {
    /// 32 hex digits, or X-Ray's form.
    pub trace_id: String,
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
}

/// What to freeze, and where to put the reference.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Capture {
    pub kind: Kind,
    /// Which one; null with `latest`. For a live card, `live:01J…`, its question is asked again, and its references
    /// in `into` become references to the evidence.
    #[serde(default)]
    #[ts(optional)]
    pub id: Option<String>,
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
    /// The newest complete one.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub latest: bool,
    /// Restricts `latest`, or selects rows.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub filter: String,
    /// Time window, such as `15m`, or a range `FROM/TO`.
    #[serde(default)]
    #[ts(optional)]
    pub since: Option<String>,
    /// Console: the pasted or piped text.
    #[serde(default)]
    #[ts(optional)]
    pub text: Option<ConsoleText>,
    /// The entry that gets the reference; null leaves that to the caller, whose editor has the text.
    #[serde(default)]
    #[ts(optional)]
    pub into: Option<String>,
    /// The slot to fill: its number, or part of its text; null appends.
    #[serde(default)]
    #[ts(optional)]
    pub slot: Option<String>,
    /// Made from the data if null.
    #[serde(default)]
    #[ts(optional)]
    pub caption: Option<String>,
    /// How much of the card the text shows: `compact` or `line`; null: all of it.
    #[serde(default)]
    #[ts(optional)]
    pub size: Option<String>,
}

impl Capture {
    /// Of local telemetry, without an id or a filter.
    pub(crate) fn of(kind: Kind) -> Self {
        Self {
            kind,
            id: None,
            source: Source::default(),
            latest: false,
            filter: String::new(),
            since: None,
            text: None,
            into: None,
            slot: None,
            caption: None,
            size: None,
        }
    }
}

/// Console output as text.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ConsoleText {
    /// A file's name, `pasted text`, `standard input`.
    pub source: String,
    /// With ANSI escape sequences.
    pub text: String,
    /// How it came here; null: `source` tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub origin: Option<ConsoleOrigin>,
    /// A note on the encoding of its bytes, if that was not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub encoding: Option<String>,
}

/// What was frozen.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Captured {
    #[serde(flatten)]
    #[ts(flatten)]
    pub evidence: EvidenceRow,
    /// A markdown reference to it.
    pub reference: String,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

/// Evidence in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EvidenceRow {
    /// Its id.
    pub id: Id,
    pub kind: Kind,
    /// Its title.
    pub title: String,
    /// `sha256:…` of its canonical JSON.
    pub digest: String,
    /// RFC 3339 UTC.
    pub captured_at: String,
    /// Slugs of the entries that show it; empty for evidence that is not placed.
    pub entries: Vec<String>,
    /// When it was imported, RFC 3339 UTC; left out for what this journal captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub imported_at: Option<String>,
    /// What contradicted it when it was imported; left out where nothing did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub doubts: Vec<Doubt>,
}

/// Which evidence to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct EvidenceList {
    /// Id or slug; null for all.
    #[serde(default)]
    #[ts(optional)]
    pub entry: Option<String>,
    /// That in the bin instead of the rest; ignored with `entry`.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub deleted: bool,
}

/// The evidence to read.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EvidenceGet {
    /// The evidence's id.
    pub id: Id,
}

/// The evidence to take out of the bin.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EvidenceRestore {
    /// The evidence's id.
    pub id: Id,
}

/// Evidence with its data.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EvidenceView {
    pub row: EvidenceRow,
    /// A markdown reference to it.
    pub reference: String,
    /// Where it came from.
    pub provenance: Provenance,
    /// Kind and data.
    pub data: Body,
    /// The texts of the data's console lines as styled pieces, in their order; left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub console: Vec<Vec<StyledSpan>>,
}

/// Evidence to delete.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EvidenceDelete {
    /// Its id.
    pub id: Id,
    /// Erase body, raw data and index for good.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub purge: bool,
}

/// What to check before an export.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct EntryCheck {
    /// An id or slug; all entries if missing.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub entry: Option<String>,
}

/// The problems that readers of an export would stumble over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EntryChecked {
    /// Whether there are none.
    pub ok: bool,
    /// By entry and line; what concerns a whole entry comes first.
    pub problems: Vec<Problem>,
    /// How many values in the texts of the entries an export would mask, by rule. Not a problem. Evidence is not
    /// counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub masks: Vec<MaskCount>,
}

/// A problem of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Problem {
    /// The entry's slug.
    pub entry: String,
    /// From 1; null for what concerns the whole entry.
    pub line: Option<usize>,
    pub kind: ProblemKind,
    /// What is wrong, and what would help if it is not obvious.
    pub message: String,
}

/// What to export, and where.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct Export {
    /// Ids or slugs; empty for all.
    pub entries: Vec<String>,
    /// The folder that gets `journal/`; of a bundle or a page the folder, or the file (`*.zip`, `*.html`).
    pub to: String,
    /// Overwrite files that Tracebook did not write.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub force: bool,
    /// Export everything as it stands: texts with credentials in them, and nothing masked.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub allow_leaks: bool,
    /// Replace cards that an earlier version drew by today's drawings.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub redraw: bool,
    /// Marks of single credentials (see [`Leak`]) that may be exported.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub allow: Vec<String>,
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub format: ExportFormat,
    /// With the evidence's raw data, which is not masked; requires `allow_leaks`, and a bundle or a page.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub raw: bool,
    /// Sign the manifest: with a key file, `agent`, `keychain`, a fingerprint (`SHA256:…`), or, if empty, the
    /// configured key. Null signs if a key is configured, `none` does not.
    #[serde(default)]
    #[ts(optional)]
    pub sign: Option<String>,
    /// The passphrase of the key file.
    #[serde(default)]
    #[ts(optional)]
    pub passphrase: Option<Passphrase>,
}

/// What an export is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// Files for a code host: Markdown and pictures.
    #[default]
    Github,
    /// One page, with the files in it.
    Html,
    /// The files in one zip.
    Bundle,
}

/// The entries whose texts are searched for credentials, as an export does.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct ExportLeaks {
    /// Ids or slugs; empty for all.
    pub entries: Vec<String>,
}

/// Something in the text of an entry that looks like a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Leak {
    /// Names exactly this credential in this entry, to allow its export.
    pub mark: String,
    /// The entry.
    pub entry: Id,
    /// The file that it would be written to, relative to the folder.
    pub file: String,
    /// Its line in the entry; `None` if it is in the title.
    pub line: Option<u32>,
    /// `GitHub personal token`
    pub kind: String,
    /// The beginning of the line, with `…` instead of the credential.
    pub shown: String,
}

/// The outcome of an export. Paths are relative to the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Exported {
    pub written: Vec<String>,
    /// Files that were up to date.
    pub unchanged: u32,
    /// Files that were changed since Tracebook wrote them, and were not overwritten.
    pub refused: Vec<String>,
    /// Problems that affect the exported files.
    pub warnings: Vec<String>,
    /// How many values were replaced by placeholders in texts and evidence.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub masked: u32,
    /// The fingerprint of the key that the manifest is signed with; left out if this export did not sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub signed_by: Option<String>,
}

/// What to import.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct Import {
    /// Files and folders.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub paths: Vec<String>,
    /// Texts given directly (a dropped file, standard input).
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub texts: Vec<NamedText>,
}

/// A text with the name of its file.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct NamedText {
    /// `week2.md`
    pub name: String,
    pub text: String,
}

/// The outcome of an import.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct Imported {
    /// Entries created, changed or recognised.
    pub entries: Vec<EntryRow>,
    /// Evidence added or recognised.
    pub evidence: Vec<EvidenceRow>,
    /// Pictures of the entries, added or recognised.
    pub attachments: Vec<AttachmentRow>,
    /// What is missing or was not changed.
    pub warnings: Vec<String>,
}

/// Which settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct EnvRequest {
    /// `flask`, `node`, `compose`, `shell`; `shell` if null.
    #[serde(default, rename = "for")]
    #[ts(optional)]
    pub target: Option<String>,
}

/// Settings as text to paste.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EnvText {
    pub text: String,
}

/// A long command to cancel.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Cancel {
    /// The id of the call.
    pub call: String,
}
