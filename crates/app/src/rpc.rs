//! Every command once: its name, what it takes, what it answers.
//!
//! Both hosts hand a [`Request`] to [`Tracebook::rpc`](crate::Tracebook::rpc); the UI's types are generated from here into
//! `ui/src/bindings.ts` (`make bindings`; a test fails when the file is stale). To add a command: a
//! request struct with docs, a line in [`commands!`], and a method of that name on `Tracebook`: without
//! it nothing compiles.

use std::time::Instant;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use ts_rs::TS;

use tracebook_core::console::ConsoleRow;
use tracebook_core::entry::{Entry, EntryRow, Revision};
use tracebook_core::errors::{ErrorItem, ErrorRow};
use tracebook_core::evidence::{Body, Kind, Provenance};
use tracebook_core::ids::Id;
use tracebook_core::logs::{LogEvent, LogRow};
use tracebook_core::question::Source;
use tracebook_core::trace::{Trace, TraceSummary};
use tracebook_render::markdown::Markup;

use crate::ground::error::{Code, Error};

mod cloud;
mod live_card;
mod relay;

pub use cloud::*;
pub use live_card::*;
pub use relay::*;

/// A command: its request, the answer that it gives, and its name on the wire.
///
/// Implemented for each request by [`commands!`], so that callers in Rust need no JSON:
/// `tracebook.call(EntryGet { entry }, &caller)`.
pub trait Command: Into<Request> + Send {
    /// The name, as in `{"cmd": "entry_get", …}`.
    const NAME: &'static str;
    /// The answer.
    type Answer: Serialize + DeserializeOwned + Send;

    /// Carries the command out.
    ///
    /// # Errors
    /// The command's own; see [`Error`].
    fn run(
        self,
        tracebook: &crate::Tracebook,
        caller: &Caller,
    ) -> impl Future<Output = Result<Self::Answer, Error>> + Send;
}

macro_rules! commands {
    ($( $(#[doc = $doc:literal])* $name:ident ( $request:ident ) -> $answer:ty ; )*) => {
        /// A command with its arguments: `{"cmd": "entry_get", "args": {…}}`.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(tag = "cmd", content = "args", rename_all = "snake_case")]
        #[expect(non_camel_case_types, reason = "variants carry the commands' names, so that a command is found by one grep")]
        pub enum Request { $( $(#[doc = $doc])* $name($request), )* }

        impl Request {
            /// Every command's name.
            pub const NAMES: &[&str] = &[$($request::NAME),*];
        }

        $(
            impl From<$request> for Request {
                fn from(request: $request) -> Self {
                    Self::$name(request)
                }
            }

            impl Command for $request {
                const NAME: &'static str = stringify!($name);
                type Answer = $answer;

                async fn run(self, tracebook: &crate::Tracebook, caller: &Caller) -> Result<$answer, Error> {
                    // Boxed: together the commands' futures would be deeper than the compiler follows.
                    let begun = Instant::now();
                    let answer = Box::pin(tracebook.$name(self, caller)).await;
                    log_command(Self::NAME, begun, answer.as_ref().err());
                    answer
                }
            }
        )*

        impl crate::Tracebook {
            /// Carries a command out and returns its answer.
            ///
            /// # Errors
            /// The command's own; see [`Error`].
            pub async fn call<C: Command>(&self, command: C, caller: &Caller) -> Result<C::Answer, Error> {
                command.run(self, caller).await
            }

            /// Carries a command out and returns its answer as JSON text: written once, and read only by who wants to.
            ///
            /// # Errors
            /// The command's own; see [`Error`].
            pub async fn rpc(&self, request: Request, caller: &Caller) -> Result<Box<RawValue>, Error> {
                match request {
                    $( Request::$name(args) => {
                        let answer = args.run(self, caller).await?;
                        to_raw_value(&answer).map_err(Error::internal)
                    } )*
                }
            }
        }

        /// Reads an answer as the type of the named command, and writes it again: a check of answers recorded earlier.
        ///
        /// # Errors
        /// If there is no such command, or the answer has another type.
        pub fn rewrite_answer(name: &str, answer: serde_json::Value) -> Result<serde_json::Value, serde_json::Error> {
            match name {
                $( stringify!($name) => {
                    serde_json::from_value::<$answer>(answer).and_then(serde_json::to_value)
                } )*
                _ => Err(serde::de::Error::custom("there is no such command")),
            }
        }

        fn visit_commands(visitor: &mut impl ts_rs::TypeVisitor) {
            $( visitor.visit::<$request>(); visitor.visit::<$answer>(); )*
        }

        fn command_lines(config: &ts_rs::Config) -> Vec<String> {
            vec![$( {
                let doc = concat!($($doc),*).trim();
                format!("  /** {doc} */\n  {}: [{}, {}]", stringify!($name), <$request as TS>::name(config), <$answer as TS>::name(config))
            } ),*]
        }
    };
}

commands! {
    /// What runs, where, and what is wrong.
    status(StatusRequest) -> Status;
    /// The course's weeks.
    weeks(WeeksRequest) -> Vec<WeekRow>;
    /// Every entry, by week.
    entry_list(EntryListRequest) -> Vec<EntryRow>;
    /// One entry with its text.
    entry_get(EntryGet) -> Entry;
    /// A new entry, from the week's template unless a body is given.
    entry_new(EntryNew) -> Entry;
    /// Writes an entry's working text; an older base never overwrites.
    entry_write(EntryWrite) -> Written;
    /// Changes an entry's title or week.
    entry_rename(EntryRename) -> EntryRow;
    /// Cuts a revision of the working text, unless the last one is the same.
    entry_cut(EntryCut) -> Vec<Revision>;
    /// The texts that can be read back, newest first.
    entry_history(EntryHistory) -> Vec<Revision>;
    /// The text of one revision.
    entry_revision(EntryRevision) -> String;
    /// Puts an entry into the bin.
    entry_delete(EntryDelete) -> EntryRow;
    /// Takes an entry out of the bin.
    entry_restore(EntryRestore) -> EntryRow;
    /// The references and slots of a text, with UTF-16 offsets.
    markup(MarkupRequest) -> Markup;
    /// Says that a line the finder took for a slot is none.
    slot_dismiss(SlotDismiss) -> Markup;
    /// Traces, newest first.
    live_traces(LiveTraces) -> Listed<TraceSummary>;
    /// One trace, whole.
    trace_get(TraceGet) -> Trace;
    /// Log events, newest first unless asked otherwise.
    live_logs(LiveLogs) -> Listed<LogRow>;
    /// One log event, whole.
    log_get(LogRef) -> LogEvent;
    /// Error items, the one that happened last first.
    live_errors(LiveErrors) -> Listed<ErrorRow>;
    /// One error item with its latest occurrence.
    error_get(ErrorRef) -> ErrorItem;
    /// What watched commands printed, newest first.
    live_console(LiveConsole) -> Listed<ConsoleRow>;
    /// The cloud sources, as they are set.
    sources(SourcesRequest) -> Sources;
    /// Sets where cloud sources are and by which profile they are asked.
    source_set(SourceSet) -> Sources;
    /// Puts a token into the keychain, or into this run's memory where there is none.
    secret_set(SecretSet) -> Sources;
    /// Asks a source who we are.
    who_am_i(WhoAmI) -> Identity;
    /// CloudWatch's log groups.
    log_groups(LogGroupsRequest) -> Listed<LogGroupRow>;
    /// A log group's streams, the one that was written last first.
    log_streams(LogStreamsRequest) -> Listed<LogStreamRow>;
    /// Follows a CloudWatch log group.
    tail_start(TailStart) -> TailRef;
    /// What a tail has seen.
    tail_read(TailRead) -> TailState;
    /// Ends a tail.
    tail_stop(TailStop) -> bool;
    /// Whether a filter can be asked, and what else can be.
    filter_check(FilterCheck) -> FilterVerdict;
    /// An item's occurrences, newest first.
    occurrences(OccurrencesRequest) -> Listed<OccurrencePick>;
    /// Saved queries and boards.
    queries(QueriesRequest) -> Listed<SavedQuery>;
    /// Saves a query here.
    query_save(QuerySave) -> SavedQuery;
    /// Forgets a query that was saved here.
    query_forget(QueryForget) -> bool;
    /// Runs a query at its source.
    query_run(QueryRun) -> QueryAnswer;
    /// Where a vendor's console shows something.
    console_link(LinkRequest) -> LinkAnswer;
    /// What is sent on to the real services, what waits, and why.
    relay_status(RelayRequest) -> RelayState;
    /// Turns sending on on or off, and says where it goes.
    relay_set(RelaySet) -> RelayState;
    /// Step by step: does anything arrive, and why not.
    doctor(DoctorRequest) -> Vec<Check>;
    /// Writes a report to attach to a bug, without credentials.
    doctor_report(DoctorReport) -> DoctorReported;
    /// Freezes; with `into` the reference is also put into that entry.
    capture(Capture) -> Captured;
    /// Evidence of one entry, or all.
    evidence_list(EvidenceList) -> Vec<EvidenceRow>;
    /// One evidence with its data.
    evidence_get(EvidenceGet) -> EvidenceView;
    /// Puts evidence into the bin, or purges it for good.
    evidence_delete(EvidenceDelete) -> EvidenceRow;
    /// Takes evidence out of the bin.
    evidence_restore(EvidenceRestore) -> EvidenceRow;
    /// A new live card: a question that is asked anew while it is shown.
    live_card_new(LiveCardNew) -> LiveCardView;
    /// One live card as it is stored.
    live_card_get(LiveCardRef) -> LiveCardView;
    /// Changes a live card's question, pace or title, or whether it asks.
    live_card_set(LiveCardSet) -> LiveCardView;
    /// Looks at a live card, which asks its source where that is due.
    live_card_look(LiveCardLook) -> LiveLook;
    /// Turns a live card's answer into evidence; with `into` its references in that entry too.
    live_card_freeze(LiveCardFreeze) -> Captured;
    /// Writes entries as markdown with their evidence.
    export(Export) -> Exported;
    /// Reads markdown files, or an exported journal with its evidence.
    import(Import) -> Imported;
    /// The settings that point a service at this app.
    env(EnvRequest) -> EnvText;
    /// Ends a long command by the id its caller gave it.
    cancel(Cancel) -> bool;
}

/// Logs how a command ended. Only failures that are not about what the user asked for are logged with their message, since
/// others may quote it.
fn log_command(command: &str, begun: Instant, error: Option<&Error>) {
    let duration_ms = begun.elapsed().as_millis();
    match error {
        None => tracing::debug!(command, duration_ms, "command"),
        Some(Error { code: code @ (Code::Storage | Code::Internal), message, .. }) => {
            tracing::error!(command, duration_ms, ?code, message, "command failed");
        }
        Some(Error { code, .. }) => tracing::debug!(command, duration_ms, ?code, "command failed"),
    }
}

/// Who calls, so that a window can ignore the echo of its own writes and a closed one cancels its own.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The window or process.
    pub client: String,
    /// The caller's id of this call, for `cancel` and progress; empty if it has none.
    pub call: String,
}

/// What a change is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// An entry: its text, title, slots or place in the bin.
    Entry,
    /// Evidence.
    Evidence,
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
    /// Anything: the listener missed events and has to read everything again.
    All,
}

impl Topic {
    /// The topic of a word that a database of this or a newer version holds; [`Topic::All`] for one that is not known.
    pub(crate) fn of(word: &str) -> Self {
        serde_json::from_value(word.into()).unwrap_or(Self::All)
    }
}

/// What is told to every host while it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Something changed.
    Changed {
        /// What kind of thing.
        topic: Topic,
        /// Which one; empty for telemetry, which is told at most five times a second.
        id: String,
        /// The client that wrote it; empty if a receiver or another process did.
        by: String,
    },
    /// The window is about to close: what is not written yet is written now.
    Closing {},
    /// Somebody wants to close the window: it answers at once, else it is closed without being asked.
    AskClosing {
        /// A service still sends: whether to go on receiving is asked first.
        receiving: bool,
    },
    /// How far a long command is.
    Progress {
        /// The caller's id of the call.
        call: String,
        /// Done so far.
        done: u32,
        /// Of how many, 0 if unknown.
        of: u32,
        /// In words.
        what: String,
    },
}

/// Takes nothing.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct StatusRequest {}

/// A receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Receiver {
    /// `http`, `grpc`, `xray`.
    pub name: String,
    /// `127.0.0.1:4318`, or null where it does not listen.
    pub address: Option<String>,
    /// Why it does not listen, and what to do; empty if it does.
    pub problem: String,
    /// Whether another process of this journal listens for us.
    pub elsewhere: bool,
}

/// What runs, where, and what is wrong.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct Status {
    /// The version of the app.
    pub version: String,
    /// The journal's directory.
    pub data_dir: String,
    /// The receivers.
    pub receivers: Vec<Receiver>,
    /// What needs the user's attention, each with what to do.
    pub problems: Vec<String>,
    /// Spans received since start.
    pub spans_received: u32,
    /// Log events received since start.
    pub logs_received: u32,
    /// Occurrences of errors received since start.
    pub errors_received: u32,
    /// What telemetry holds and may hold.
    pub telemetry: TelemetryUse,
    /// What is sent on to the real services.
    pub relay: RelaySum,
    /// Requests and datagrams refused since start.
    pub rejected: u32,
    /// Why the last one was refused; empty if none was.
    pub last_rejected: String,
}

/// What telemetry holds and may hold.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct TelemetryUse {
    /// Bytes that it takes now.
    #[ts(type = "number")]
    pub bytes: u64,
    /// Bytes that it may take; then the oldest go.
    #[ts(type = "number")]
    pub limit_bytes: u64,
    /// After how many days telemetry goes.
    pub limit_days: u32,
    /// How many spans, log events, errors and console lines have gone for that since start.
    #[ts(type = "number")]
    pub dropped: u64,
}

/// Takes nothing.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct WeeksRequest {}

/// A week of the course.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct WeekRow {
    /// `"0"` … `"11"`, `"X"`.
    pub week: String,
    /// `Week 2 — Distributed Tracing`.
    pub title: String,
}

/// Which entries.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, TS)]
pub struct EntryListRequest {
    /// Those in the bin instead.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub deleted: bool,
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
    /// The revision that the writer had before it; null writes over whatever is there, after cutting a revision of it.
    pub base: Option<i64>,
    /// The whole text.
    pub body: String,
    /// Cut a revision of it for this reason (`set`, `close`, …); null for autosave.
    #[serde(default)]
    #[ts(optional)]
    pub cut: Option<String>,
}

/// What became of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Written {
    /// The working text's revision now.
    pub revision: i64,
    /// False where the base was older: the working text is as it was, and this text is kept as `kept`.
    pub accepted: bool,
    /// The revision under which a text that was not accepted can be read back.
    pub kept: Option<i64>,
    /// What happened, for people; empty if nothing special did.
    pub message: String,
}

/// A new title or week.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryRename {
    /// Id or slug.
    pub entry: String,
    /// The new title; null leaves it.
    pub title: Option<String>,
    /// The new week; null leaves it, an empty text takes it away.
    pub week: Option<String>,
}

/// When to cut.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryCut {
    /// Id or slug.
    pub entry: String,
    /// `pause`, `close`, …
    pub reason: String,
}

/// One text of an entry.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EntryRevision {
    /// Id or slug.
    pub entry: String,
    /// The revision.
    pub revision: i64,
}

/// A text to look through.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct MarkupRequest {
    /// Id or slug of the entry whose dismissed slots are left out; null for none.
    #[serde(default)]
    #[ts(optional)]
    pub entry: Option<String>,
    /// The text.
    pub body: String,
}

/// A line that is no slot.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct SlotDismiss {
    /// Id or slug.
    pub entry: String,
    /// The slot's text, as the finder gave it.
    pub text: String,
    /// The text of the entry, to answer with what is left.
    pub body: String,
}

/// Which traces.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LiveTraces {
    /// Who is asked.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
    /// Local: words, `service:x`, `status:error`, `duration>100ms`, `name:…`, `key=value`. X-Ray: a filter expression.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub filter: String,
    /// Only traces that began in the last so much: `15m`; null for all.
    #[serde(default)]
    #[ts(optional)]
    pub since: Option<String>,
    /// At most so many; 100 if null.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
    /// Behind the rows of an answer: its `next`.
    #[serde(default)]
    #[ts(optional)]
    pub page: Option<String>,
    /// Ask the source anew, also where it answered the same a moment ago.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub fresh: bool,
}

/// Which log events, errors or console lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct LiveQuestion {
    /// Who is asked.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
    /// Logs and console: `group:x`, `stream:x`, `service:x`, `level:x`, `status:error`, `trace:ID`, and behind them a CloudWatch filter
    /// pattern. Errors: words, `level:x`, `environment:x`, `person:x`; of Rollbar also `status:active`.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub filter: String,
    /// Only those of the last so much: `15m`; null for all.
    #[serde(default)]
    #[ts(optional)]
    pub since: Option<String>,
    /// At most so many; 100 if null.
    #[serde(default)]
    #[ts(optional)]
    pub limit: Option<u32>,
    /// CloudWatch: the oldest first.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub oldest_first: bool,
    /// Behind the rows of an answer: its `next`.
    #[serde(default)]
    #[ts(optional)]
    pub page: Option<String>,
    /// Ask the source anew, also where it answered the same a moment ago.
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
    /// As `live_logs` gives it.
    pub id: String,
    /// Who is asked.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
}

/// An error item, or one of its occurrences.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ErrorRef {
    /// An item's id as `live_errors` gives it, or an occurrence's uuid or id.
    pub id: String,
    /// Who is asked.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
}

/// What to look at.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct DoctorRequest {
    /// A local end: `otlp`, `xray`, `cloudwatch`, `rollbar`, `console`; null for all of them and every cloud source that is set.
    #[serde(default)]
    #[ts(optional)]
    pub source: Option<String>,
    /// A cloud source instead.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub from: Source,
}

impl DoctorRequest {
    /// What [`DoctorRequest::source`] can be: a receiver, or the journal.
    pub const SOURCES: [&str; 6] = ["otlp", "xray", "cloudwatch", "rollbar", "console", "journal"];
}

/// One step of the doctor's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Check {
    /// `otlp`, `xray`, `cloudwatch`, `rollbar`, `console`, `journal`; of the cloud `aws`, `rollbar-cloud`, `honeycomb`.
    pub source: String,
    /// What was looked at.
    pub check: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do, to the line to add; empty where nothing is to be done.
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
    /// Who is asked.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
}

/// What to freeze, and where to put it.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Capture {
    /// The kind.
    pub kind: Kind,
    /// Which one; null with `latest`. A live card's, `live:01J…`, is asked anew, and its references in `into` become the evidence's.
    #[serde(default)]
    #[ts(optional)]
    pub id: Option<String>,
    /// Who is asked.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub source: Source,
    /// The newest whose root has arrived.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub latest: bool,
    /// Among those that match.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub filter: String,
    /// Among those of the last so much.
    #[serde(default)]
    #[ts(optional)]
    pub since: Option<String>,
    /// Console: the text that was pasted or piped.
    #[serde(default)]
    #[ts(optional)]
    pub text: Option<ConsoleText>,
    /// The entry to put the reference into; null leaves that to the caller, who has the text open.
    #[serde(default)]
    #[ts(optional)]
    pub into: Option<String>,
    /// The slot to fill: its number, or part of its text; null appends.
    #[serde(default)]
    #[ts(optional)]
    pub slot: Option<String>,
    /// The caption; made from the data if null.
    #[serde(default)]
    #[ts(optional)]
    pub caption: Option<String>,
}

/// Console output as text.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct ConsoleText {
    /// Where it came from: a file's name, `pasted text`, `standard input`.
    pub source: String,
    /// The text, ANSI colours and all.
    pub text: String,
}

/// What was frozen.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Captured {
    /// The evidence.
    #[serde(flatten)]
    #[ts(flatten)]
    pub evidence: EvidenceRow,
    /// The reference, ready to be put into a text.
    pub reference: String,
    /// What the reader must know.
    pub warnings: Vec<String>,
}

/// Evidence in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct EvidenceRow {
    /// Its id.
    pub id: Id,
    /// Its kind.
    pub kind: Kind,
    /// What it is called.
    pub title: String,
    /// `sha256:…` of its canonical JSON.
    pub digest: String,
    /// RFC 3339 UTC.
    pub captured_at: String,
    /// Slugs of the entries that show it; none means "not placed".
    pub entries: Vec<String>,
}

/// Which evidence.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct EvidenceList {
    /// Id or slug; null for all.
    #[serde(default)]
    #[ts(optional)]
    pub entry: Option<String>,
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
    /// The row.
    pub row: EvidenceRow,
    /// A reference to it, ready to be put into a text.
    pub reference: String,
    /// Where it came from.
    pub provenance: Provenance,
    /// Kind and data.
    pub data: Body,
}

/// Evidence to delete.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EvidenceDelete {
    /// Its id.
    pub id: Id,
    /// For good: body, raw and index are erased.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub purge: bool,
}

/// What to export, and where.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct Export {
    /// Ids or slugs; empty for all.
    pub entries: Vec<String>,
    /// The folder that gets `journal/`.
    pub to: String,
    /// Also over files that are not ours.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub force: bool,
}

/// What an export did. Paths are relative to the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Exported {
    /// Files written.
    pub written: Vec<String>,
    /// How many were as they should be already.
    pub unchanged: u32,
    /// Files that are not as we left them, and were therefore not overwritten.
    pub refused: Vec<String>,
    /// What the reader will miss.
    pub warnings: Vec<String>,
}

/// What to import.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct Import {
    /// Files and folders.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub paths: Vec<String>,
    /// A text given directly (a dropped file, standard input) as name and bytes in base64-free UTF-8.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub texts: Vec<NamedText>,
}

/// A text with the name of its file.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct NamedText {
    /// `week2.md`
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What an import brought.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct Imported {
    /// Entries made, changed or recognised.
    pub entries: Vec<EntryRow>,
    /// Evidence brought or recognised.
    pub evidence: Vec<EvidenceRow>,
    /// Pictures taken in.
    pub attachments: Vec<String>,
    /// What is missing or was left alone.
    pub warnings: Vec<String>,
}

/// For what.
#[derive(Clone, Debug, Default, Serialize, Deserialize, TS)]
pub struct EnvRequest {
    /// `flask`, `node`, `compose`, `shell`; `shell` if null.
    #[serde(default, rename = "for")]
    #[ts(optional)]
    pub target: Option<String>,
}

/// Settings as text.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct EnvText {
    /// Ready to paste.
    pub text: String,
}

/// A long command to end.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Cancel {
    /// The id its caller gave it.
    pub call: String,
}

/// The TypeScript of everything above, for `ui/src/bindings.ts`.
pub fn typescript() -> String {
    struct Collect<'a> {
        config: &'a ts_rs::Config,
        seen: std::collections::BTreeMap<String, String>,
    }
    impl ts_rs::TypeVisitor for Collect<'_> {
        fn visit<T: TS + 'static + ?Sized>(&mut self) {
            // Only types with a file of their own are declared; the rest are primitives and wrappers.
            if T::output_path().is_some() {
                let name = T::ident(self.config);
                if self.seen.contains_key(&name) {
                    // The same generic type may be of another one this time.
                    return T::visit_generics(self);
                }
                let docs = T::docs().unwrap_or_default();
                self.seen.insert(name, format!("{docs}export {}", T::decl(self.config)));
            }
            T::visit_dependencies(self);
            T::visit_generics(self);
        }
    }
    let config = ts_rs::Config::new().with_large_int("number");
    let mut collect = Collect { config: &config, seen: std::collections::BTreeMap::new() };
    visit_commands(&mut collect);
    ts_rs::TypeVisitor::visit::<Event>(&mut collect);
    ts_rs::TypeVisitor::visit::<crate::ground::error::ErrorBody>(&mut collect);
    let mut text = String::from(
        "// Generated from crates/app/src/rpc.rs by `make bindings`. Do not edit.\n\n/** Every command: what it takes and what it answers. */\nexport interface Commands {\n",
    );
    text.push_str(&command_lines(&config).join("\n"));
    text.push_str("\n}\n");
    for declaration in collect.seen.values() {
        text.push('\n');
        text.push_str(declaration);
        text.push('\n');
    }
    text
}
