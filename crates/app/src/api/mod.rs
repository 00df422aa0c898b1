//! Every command once: its name, what it takes, what it answers, and the module that handles it.
//!
//! Hosts hand a [`Request`] to [`rpc`], callers in Rust a typed request to [`call`]. To add a command: a request
//! struct in `ground/schema`, a line in [`commands!`], a method on a module, and `make bindings`, which generates the
//! UI's types into `ui/src/bindings.ts` (a test fails when the file is stale).

mod bindings;

use std::time::Instant;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use ts_rs::TS;

use tracebook_core::catalog::Catalog;
use tracebook_core::console::ConsoleRow;
use tracebook_core::entry::{Entry, EntryRow, Revision};
use tracebook_core::errors::{ErrorItem, ErrorRow};
use tracebook_core::logs::{LogEvent, LogRow};
use tracebook_core::trace::{Trace, TraceSummary};
use tracebook_render::markdown::{Markup, Placing};

use crate::env;
use crate::ground::error::{Code, Error};
use crate::tracebook::Tracebook;

pub use crate::ground::schema::*;
pub use bindings::typescript;

/// A command: its request, its answer, and its name.
///
/// Implemented for each request by [`commands!`], so that callers in Rust need no JSON:
/// `api::call(&tracebook, EntryGet { entry }, &caller)`.
pub trait Command: Into<Request> + Send {
    /// The name, as in `{"cmd": "entry_get", …}`.
    const NAME: &'static str;
    /// The answer.
    type Answer: Serialize + DeserializeOwned + Send;

    /// Runs the command.
    ///
    /// # Errors
    /// Depends on the command; see [`Error`].
    fn run(self, app: &Tracebook, caller: &Caller) -> impl Future<Output = Result<Self::Answer, Error>> + Send;
}

/// Runs a command and returns its answer.
///
/// # Errors
/// Depends on the command; see [`Error`].
pub async fn call<C: Command>(app: &Tracebook, command: C, caller: &Caller) -> Result<C::Answer, Error> {
    command.run(app, caller).await
}

macro_rules! commands {
    (
        |$app:ident, $args:ident, $caller:ident|
        $( $(#[doc = $doc:literal])* $name:ident ( $request:ident ) -> $answer:ty = $handler:expr ; )*
    ) => {
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

                async fn run(self, app: &Tracebook, caller: &Caller) -> Result<$answer, Error> {
                    let ($app, $args, $caller) = (app, self, caller);
                    // Handlers use what they need of these.
                    let _ = ($app, &$args, $caller);
                    // Boxed, since the combined futures would be nested deeper than the compiler allows.
                    let begun = Instant::now();
                    let answer = Box::pin($handler).await;
                    log_command(Self::NAME, begun, answer.as_ref().err());
                    answer
                }
            }
        )*

        /// Carries a command out and returns its answer as JSON text, which is written once.
        ///
        /// # Errors
        /// Depends on the command; see [`Error`].
        pub async fn rpc(app: &Tracebook, request: Request, caller: &Caller) -> Result<Box<RawValue>, Error> {
            match request {
                $( Request::$name(args) => {
                    let answer = args.run(app, caller).await?;
                    to_raw_value(&answer).map_err(Error::internal)
                } )*
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

commands! { |app, args, caller|
    /// Status of the app: receivers, journal, problems.
    status(StatusRequest) -> Status = app.overview.status();
    /// The sources and kinds of evidence that this version knows, and what each source answers.
    catalog(CatalogRequest) -> Catalog = async { Ok(tracebook_core::catalog::catalog()) };
    /// The course's weeks.
    weeks(WeeksRequest) -> Vec<WeekRow> = async { Ok(app.courses.weeks()) };
    /// The journal's course, or that of a file, with what is wrong with it.
    course(CourseGet) -> CourseView = async move { app.courses.show(args) };
    /// Which homework of an entry is met, by which evidence, and what is missing.
    homework(HomeworkRequest) -> Vec<EntryHomework> = app.homework.list(args);
    /// All entries, by week.
    entry_list(EntryListRequest) -> Vec<EntryRow> = app.journal.entry_list(args);
    /// The file that each entry is exported to, by which entries link to each other.
    entry_files(EntryFilesRequest) -> Vec<EntryFile> = app.journal.entry_files();
    /// One entry with its text.
    entry_get(EntryGet) -> Entry = app.journal.entry_get(args);
    /// A new entry, from the week's template unless a body is given.
    entry_new(EntryNew) -> Entry = app.journal.entry_new(args, caller);
    /// Sends what a demo service sends to this journal's receivers, and makes an entry with slots for it.
    demo_fill(DemoFill) -> Entry = crate::demo::fill(app, caller);
    /// Writes the working text of an entry. An outdated base does not overwrite.
    entry_write(EntryWrite) -> Written = app.journal.entry_write(args, caller);
    /// Writes changes of the working text; answers null, without writing, where they were made on another text.
    entry_edit(EntryEdit) -> Option<Written> = app.journal.entry_edit(args, caller);
    /// Changes an entry's title or week.
    entry_rename(EntryRename) -> EntryRow = app.journal.entry_rename(args, caller);
    /// Keeps a revision of the working text, unless the last one is equal.
    entry_cut(EntryCut) -> Vec<Revision> = app.journal.entry_cut(args, caller);
    /// The revisions of an entry, newest first.
    entry_history(EntryHistory) -> Vec<Revision> = app.journal.entry_history(args);
    /// The text of one revision.
    entry_revision(EntryRevision) -> String = app.journal.entry_revision(args);
    /// What changed in an entry since a revision.
    entry_difference(EntryDifference) -> TextDifference = app.journal.entry_difference(args);
    /// Moves an entry to the bin.
    entry_delete(EntryDelete) -> EntryRow = app.journal.entry_delete(args, caller);
    /// Restores an entry from the bin.
    entry_restore(EntryRestore) -> EntryRow = app.journal.entry_restore(args, caller);
    /// The references and slots of a text, with UTF-16 offsets.
    markup(MarkupRequest) -> Markup = app.journal.markup(args);
    /// The references and slots of an entry's working text; null if that is another revision.
    entry_markup(EntryMarkup) -> Option<Markup> = app.journal.entry_markup(args);
    /// An entry's working text as HTML to read. Pictures have their addresses in the text, `evidence:` too.
    entry_html(EntryHtml) -> String = app.journal.entry_html(args);
    /// Where a reference goes in a text that is being edited.
    reference_place(ReferencePlace) -> Placing = async move { Ok(args.placing()) };
    /// Marks a line as not a slot.
    slot_dismiss(SlotDismiss) -> Markup = app.journal.slot_dismiss(args, caller);
    /// Traces, newest first.
    live_traces(LiveTraces) -> Listed<TraceSummary> = app.explore.live_traces(args, caller);
    /// One trace with its spans.
    trace_get(TraceGet) -> Trace = app.explore.trace_get(args, caller);
    /// Log events, newest first unless requested otherwise.
    live_logs(LiveLogs) -> Listed<LogRow> = app.explore.live_logs(args, caller);
    /// One log event with its attributes.
    log_get(LogRef) -> LogEvent = app.explore.log_get(args, caller);
    /// Error items, the latest first.
    live_errors(LiveErrors) -> Listed<ErrorRow> = app.explore.live_errors(args, caller);
    /// One error item with its latest occurrence.
    error_get(ErrorRef) -> ErrorItem = app.explore.error_get(args, caller);
    /// Output of watched commands, newest first.
    live_console(LiveConsole) -> Listed<ConsoleRow> = app.explore.live_console(args);
    /// The settings and state of the cloud sources.
    sources(SourcesRequest) -> Sources = app.cloud.sources();
    /// Changes the settings of cloud sources.
    source_set(SourceSet) -> Sources = app.cloud.source_set(args, caller);
    /// Stores a token in the keychain, or in this run's memory where there is none.
    secret_set(SecretSet) -> Sources = app.cloud.secret_set(args, caller);
    /// The identity that a source authenticates.
    who_am_i(WhoAmI) -> Identity = app.cloud.who_am_i(args, caller);
    /// CloudWatch's log groups.
    log_groups(LogGroupsRequest) -> Listed<LogGroupRow> = app.cloud.log_groups(args, caller);
    /// A log group's streams, the most recently written first.
    log_streams(LogStreamsRequest) -> Listed<LogStreamRow> = app.cloud.log_streams(args, caller);
    /// Starts a tail of a CloudWatch log group.
    tail_start(TailStart) -> TailRef = app.cloud.tail_start(args, caller);
    /// The events that a tail received.
    tail_read(TailRead) -> TailState = app.cloud.tail_read(args);
    /// Stops a tail.
    tail_stop(TailStop) -> bool = app.cloud.tail_stop(args);
    /// Whether a filter is valid, and what can be written.
    filter_check(FilterCheck) -> FilterVerdict = app.explore.filter_check(args);
    /// An item's occurrences, newest first.
    occurrences(OccurrencesRequest) -> Listed<OccurrencePick> = app.explore.occurrences(args, caller);
    /// Saved queries and boards.
    queries(QueriesRequest) -> Listed<SavedQuery> = app.explore.queries(args, caller);
    /// Saves a query in the journal.
    query_save(QuerySave) -> SavedQuery = app.explore.query_save(args);
    /// Deletes a query that was saved here.
    query_forget(QueryForget) -> bool = app.explore.query_forget(args);
    /// Runs a query at its source.
    query_run(QueryRun) -> QueryAnswer = app.explore.query_run(args, caller);
    /// A link to something in a vendor's console.
    console_link(LinkRequest) -> LinkAnswer = app.explore.console_link(args, caller);
    /// The state of the relay to the real services.
    relay_status(RelayRequest) -> RelayState = app.relay.status();
    /// Changes a destination of the relay.
    relay_set(RelaySet) -> RelayState = app.relay.set(args, caller);
    /// Checks step by step whether telemetry arrives, and why not.
    doctor(DoctorRequest) -> Vec<Check> = app.doctor.examine(args, caller);
    /// Writes a report to attach to a bug, without credentials.
    doctor_report(DoctorReport) -> DoctorReported = app.reporter.write(args, caller);
    /// Freezes evidence; with `into`, also puts its reference into that entry.
    capture(Capture) -> Captured = app.live_cards.capture(args, caller);
    /// The evidence of one entry, or all.
    evidence_list(EvidenceList) -> Vec<EvidenceRow> = app.evidence.list(args);
    /// One evidence with its data.
    evidence_get(EvidenceGet) -> EvidenceView = app.evidence.get(args);
    /// Moves evidence to the bin, or purges it for good.
    evidence_delete(EvidenceDelete) -> EvidenceRow = app.evidence.delete(args, caller);
    /// Restores evidence from the bin.
    evidence_restore(EvidenceRestore) -> EvidenceRow = app.evidence.restore(args, caller);
    /// The attachments of one entry, or all.
    attachment_list(AttachmentList) -> Vec<AttachmentRow> = app.attachments.list(args);
    /// Adds a picture to an entry, without its metadata.
    attachment_add(AttachmentAdd) -> AttachmentAdded = app.attachments.add(args, caller);
    /// Moves an attachment to the bin, or purges it for good.
    attachment_delete(AttachmentDelete) -> AttachmentRow = app.attachments.delete(args, caller);
    /// Restores an attachment from the bin.
    attachment_restore(AttachmentRestore) -> AttachmentRow = app.attachments.restore(args, caller);
    /// Entries and evidence that contain words.
    search(Search) -> Vec<Found> = app.search.search(args);
    /// A new live card: a stored question that is queried again while it is visible.
    live_card_new(LiveCardNew) -> LiveCardView = app.live_cards.create(args, caller);
    /// One stored live card.
    live_card_get(LiveCardRef) -> LiveCardView = app.live_cards.get(args);
    /// Changes a live card's question, pace or title, or pauses it.
    live_card_set(LiveCardSet) -> LiveCardView = app.live_cards.set(args, caller);
    /// Reads a live card; queries its source if that is due.
    live_card_look(LiveCardLook) -> LiveLook = app.live_cards.look(args);
    /// Freezes a live card's answer; with `into`, also replaces its references in that entry.
    live_card_freeze(LiveCardFreeze) -> Captured = app.live_cards.freeze(args, caller);
    /// What readers of an export would stumble over: leaks, open slots, missing pictures, empty sections.
    check(EntryCheck) -> EntryChecked = app.transfer.check(args, caller);
    /// Writes entries as markdown with their evidence.
    export(Export) -> Exported = app.transfer.export(args, caller);
    /// The credentials in the texts that an export would write, which refuses them unless they are allowed.
    export_leaks(ExportLeaks) -> Vec<Leak> = app.transfer.export_leaks(args);
    /// The placeholders of exports with the values that they stand for, and the exceptions.
    mask_list(MaskList) -> MaskTable = app.transfer.mask_list(args);
    /// The rules by which exports mask.
    mask_rules(MaskRules) -> Vec<MaskRule> = app.transfer.mask_rules(args);
    /// What an export of entries would mask.
    mask_preview(MaskPreview) -> MaskPreviewed = app.transfer.mask_preview(args, caller);
    /// Leaves a value as it is in exports, or masks it again.
    mask_allow(MaskAllow) -> MaskTable = app.transfer.mask_allow(args, caller);
    /// Shows that masked evidence differs from this journal's only by placeholders.
    mask_prove(MaskProve) -> MaskProof = app.transfer.mask_prove(args);
    /// The key that an export signs with, without its private part.
    signing_show(SigningShow) -> SigningKey = app.signing.show(args);
    /// Makes a key in the keychain that signs exports.
    signing_create(SigningCreate) -> SigningKey = app.signing.create(args);
    /// Removes the signing key from the keychain; false if there was none.
    signing_forget(SigningForget) -> bool = app.signing.forget(args);
    /// Imports markdown files, or an exported journal with its evidence.
    import(Import) -> Imported = app.transfer.import(args, caller);
    /// Publishes the journal to a branch of a git repository, and takes over what others changed there.
    sync(SyncRun) -> Synced = app.sync.sync(args, caller);
    /// Where the journal is published by git, and what the next sync would publish.
    sync_status(SyncStatusRequest) -> SyncStatus = app.sync.status();
    /// Forgets where the journal is published by git; false if it was nowhere.
    sync_forget(SyncForget) -> bool = app.sync.forget();
    /// The settings that point a service at this app.
    env(EnvRequest) -> EnvText = async { env::env(&app.ports, &args) };
    /// Cancels a long command by the id that its caller gave it.
    cancel(Cancel) -> bool = async { Ok(app.runtime.cancel(&args.call)) };
}

/// Logs how a command ended. Only failures of the app itself are logged with their message: others may quote what the
/// user asked for.
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
