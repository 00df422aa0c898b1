// Generated from crates/app/src/api and ground/schema by `make bindings`. Do not edit.

/** Every command: what it takes and what it answers. */
export interface Commands {
  /** Status of the app: receivers, journal, problems. */
  status: [StatusRequest, Status]
  /** The sources and kinds of evidence that this version knows, and what each source answers. */
  catalog: [CatalogRequest, Catalog]
  /** The course's weeks. */
  weeks: [WeeksRequest, Array<WeekRow>]
  /** The journal's course, or that of a file, with what is wrong with it. */
  course: [CourseGet, CourseView]
  /** Which homework of an entry is met, by which evidence, and what is missing. */
  homework: [HomeworkRequest, Array<EntryHomework>]
  /** All entries, by week. */
  entry_list: [EntryListRequest, Array<EntryRow>]
  /** The file that each entry is exported to, by which entries link to each other. */
  entry_files: [EntryFilesRequest, Array<EntryFile>]
  /** One entry with its text. */
  entry_get: [EntryGet, Entry]
  /** A new entry, from the week's template unless a body is given. */
  entry_new: [EntryNew, Entry]
  /** Sends what a demo service sends to this journal's receivers, and makes an entry with slots for it. */
  demo_fill: [DemoFill, Entry]
  /** Writes the working text of an entry. An outdated base does not overwrite. */
  entry_write: [EntryWrite, Written]
  /** Writes changes of the working text; answers null, without writing, where they were made on another text. */
  entry_edit: [EntryEdit, Written | null]
  /** Changes an entry's title or week. */
  entry_rename: [EntryRename, EntryRow]
  /** Keeps a revision of the working text, unless the last one is equal. */
  entry_cut: [EntryCut, Array<Revision>]
  /** The revisions of an entry, newest first. */
  entry_history: [EntryHistory, Array<Revision>]
  /** The text of one revision. */
  entry_revision: [EntryRevision, string]
  /** What changed in an entry since a revision. */
  entry_difference: [EntryDifference, TextDifference]
  /** Moves an entry to the bin. */
  entry_delete: [EntryDelete, EntryRow]
  /** Restores an entry from the bin. */
  entry_restore: [EntryRestore, EntryRow]
  /** The references and slots of a text, with UTF-16 offsets. */
  markup: [MarkupRequest, Markup]
  /** The references and slots of an entry's working text; null if that is another revision. */
  entry_markup: [EntryMarkup, Markup | null]
  /** An entry's working text as HTML to read. Pictures have their addresses in the text, `evidence:` too. */
  entry_html: [EntryHtml, string]
  /** Where a reference goes in a text that is being edited. */
  reference_place: [ReferencePlace, Placing]
  /** Marks a line as not a slot. */
  slot_dismiss: [SlotDismiss, Markup]
  /** Traces, newest first. */
  live_traces: [LiveTraces, Listed<TraceSummary>]
  /** One trace with its spans. */
  trace_get: [TraceGet, Trace]
  /** Log events, newest first unless requested otherwise. */
  live_logs: [LiveLogs, Listed<LogRow>]
  /** One log event with its attributes. */
  log_get: [LogRef, LogEvent]
  /** Error items, the latest first. */
  live_errors: [LiveErrors, Listed<ErrorRow>]
  /** One error item with its latest occurrence. */
  error_get: [ErrorRef, ErrorItem]
  /** Output of watched commands, newest first. */
  live_console: [LiveConsole, Listed<ConsoleRow>]
  /** The settings and state of the cloud sources. */
  sources: [SourcesRequest, Sources]
  /** Changes the settings of cloud sources. */
  source_set: [SourceSet, Sources]
  /** Stores a token in the keychain, or in this run's memory where there is none. */
  secret_set: [SecretSet, Sources]
  /** The identity that a source authenticates. */
  who_am_i: [WhoAmI, Identity]
  /** CloudWatch's log groups. */
  log_groups: [LogGroupsRequest, Listed<LogGroupRow>]
  /** A log group's streams, the most recently written first. */
  log_streams: [LogStreamsRequest, Listed<LogStreamRow>]
  /** Starts a tail of a CloudWatch log group. */
  tail_start: [TailStart, TailRef]
  /** The events that a tail received. */
  tail_read: [TailRead, TailState]
  /** Stops a tail. */
  tail_stop: [TailStop, boolean]
  /** Whether a filter is valid, and what can be written. */
  filter_check: [FilterCheck, FilterVerdict]
  /** An item's occurrences, newest first. */
  occurrences: [OccurrencesRequest, Listed<OccurrencePick>]
  /** Saved queries and boards. */
  queries: [QueriesRequest, Listed<SavedQuery>]
  /** Saves a query in the journal. */
  query_save: [QuerySave, SavedQuery]
  /** Deletes a query that was saved here. */
  query_forget: [QueryForget, boolean]
  /** Runs a query at its source. */
  query_run: [QueryRun, QueryAnswer]
  /** A link to something in a vendor's console. */
  console_link: [LinkRequest, LinkAnswer]
  /** The state of the relay to the real services. */
  relay_status: [RelayRequest, RelayState]
  /** Changes a destination of the relay. */
  relay_set: [RelaySet, RelayState]
  /** Checks step by step whether telemetry arrives, and why not. */
  doctor: [DoctorRequest, Array<Check>]
  /** Writes a report to attach to a bug, without credentials. */
  doctor_report: [DoctorReport, DoctorReported]
  /** Freezes evidence; with `into`, also puts its reference into that entry. */
  capture: [Capture, Captured]
  /** The evidence of one entry, or all. */
  evidence_list: [EvidenceList, Array<EvidenceRow>]
  /** One evidence with its data. */
  evidence_get: [EvidenceGet, EvidenceView]
  /** Moves evidence to the bin, or purges it for good. */
  evidence_delete: [EvidenceDelete, EvidenceRow]
  /** Restores evidence from the bin. */
  evidence_restore: [EvidenceRestore, EvidenceRow]
  /** The attachments of one entry, or all. */
  attachment_list: [AttachmentList, Array<AttachmentRow>]
  /** Adds a picture to an entry, without its metadata. */
  attachment_add: [AttachmentAdd, AttachmentAdded]
  /** Moves an attachment to the bin, or purges it for good. */
  attachment_delete: [AttachmentDelete, AttachmentRow]
  /** Restores an attachment from the bin. */
  attachment_restore: [AttachmentRestore, AttachmentRow]
  /** Entries and evidence that contain words. */
  search: [Search, Array<Found>]
  /** A new live card: a stored question that is queried again while it is visible. */
  live_card_new: [LiveCardNew, LiveCardView]
  /** One stored live card. */
  live_card_get: [LiveCardRef, LiveCardView]
  /** Changes a live card's question, pace or title, or pauses it. */
  live_card_set: [LiveCardSet, LiveCardView]
  /** Reads a live card; queries its source if that is due. */
  live_card_look: [LiveCardLook, LiveLook]
  /** Freezes a live card's answer; with `into`, also replaces its references in that entry. */
  live_card_freeze: [LiveCardFreeze, Captured]
  /** What readers of an export would stumble over: leaks, open slots, missing pictures, empty sections. */
  check: [EntryCheck, EntryChecked]
  /** Writes entries as markdown with their evidence. */
  export: [Export, Exported]
  /** The credentials in the texts that an export would write, which refuses them unless they are allowed. */
  export_leaks: [ExportLeaks, Array<Leak>]
  /** The placeholders of exports with the values that they stand for, and the exceptions. */
  mask_list: [MaskList, MaskTable]
  /** The rules by which exports mask. */
  mask_rules: [MaskRules, Array<MaskRule>]
  /** What an export of entries would mask. */
  mask_preview: [MaskPreview, MaskPreviewed]
  /** Leaves a value as it is in exports, or masks it again. */
  mask_allow: [MaskAllow, MaskTable]
  /** Shows that masked evidence differs from this journal's only by placeholders. */
  mask_prove: [MaskProve, MaskProof]
  /** The key that an export signs with, without its private part. */
  signing_show: [SigningShow, SigningKey]
  /** Makes a key in the keychain that signs exports. */
  signing_create: [SigningCreate, SigningKey]
  /** Removes the signing key from the keychain; false if there was none. */
  signing_forget: [SigningForget, boolean]
  /** Imports markdown files, or an exported journal with its evidence. */
  import: [Import, Imported]
  /** Publishes the journal to a branch of a git repository, and takes over what others changed there. */
  sync: [SyncRun, Synced]
  /** Where the journal is published by git, and what the next sync would publish. */
  sync_status: [SyncStatusRequest, SyncStatus]
  /** Forgets where the journal is published by git; false if it was nowhere. */
  sync_forget: [SyncForget, boolean]
  /** The settings that point a service at this app. */
  env: [EnvRequest, EnvText]
  /** Cancels a long command by the id that its caller gave it. */
  cancel: [Cancel, boolean]
}

/**
 * A picture to add to an entry. What it contains beside the picture (Exif with the place, XMP, texts) is removed.
 */
export type AttachmentAdd = { 
/**
 * Id or slug.
 */
entry: string, 
/**
 * The name of the file that it comes from; empty if it has none.
 */
name: string, 
/**
 * Its bytes in base64.
 */
data: string, 
/**
 * The alternative text; proposed from the name if null.
 */
alt?: string, 
/**
 * Also write its reference to the end of the entry's text; otherwise that is left to the caller, whose editor has
 * the text.
 */
append?: boolean, };

/**
 * A picture that was added.
 */
export type AttachmentAdded = { 
/**
 * A markdown reference to it.
 */
reference: string, 
/**
 * The alternative text in the reference; may be empty.
 */
alt: string, 
/**
 * What was removed from it: `Exif`, `XMP`, …
 */
removed: Array<string>, 
/**
 * Warnings for the user.
 */
warnings: Array<string>, id: Id, 
/**
 * The name of its file.
 */
name: string, 
/**
 * Its length.
 */
bytes: number, 
/**
 * Of its content, in hex digits.
 */
sha256: string, 
/**
 * Slugs of the entries that it was added to, without those in the bin.
 */
entries: Array<string>, 
/**
 * Its media type, judged by its content.
 */
media: string, 
/**
 * In pixels, as it is shown; left out where the file does not say.
 */
width?: number, 
/**
 * In pixels, as it is shown.
 */
height?: number, 
/**
 * RFC 3339 UTC.
 */
created_at: string, 
/**
 * Where entries show it.
 */
places: Array<AttachmentPlace>, 
/**
 * Whether it is in the bin.
 */
deleted?: boolean, 
/**
 * Whether its content was erased for good.
 */
purged?: boolean, };

/**
 * An attachment to delete.
 */
export type AttachmentDelete = { id: Id, 
/**
 * Erase its content for good.
 */
purge?: boolean, };

/**
 * Which attachments to list.
 */
export type AttachmentList = { 
/**
 * Id or slug; null for all.
 */
entry?: string, 
/**
 * Those in the bin instead of the others; ignored with `entry`.
 */
deleted?: boolean, };

/**
 * Where an entry shows an attachment. Both paths are relative to the folder of an export, with `/`.
 */
export type AttachmentPlace = { entry: Id, 
/**
 * What the text names: `journal/assets/week2/login.png` for `assets/week2/login.png`.
 */
link: string, 
/**
 * The file in an export; it differs where the text does not name the folder.
 */
path: string, };

/**
 * The attachment to take out of the bin.
 */
export type AttachmentRestore = { id: Id, };

/**
 * An attachment in a list.
 */
export type AttachmentRow = { id: Id, 
/**
 * The name of its file.
 */
name: string, 
/**
 * Its length.
 */
bytes: number, 
/**
 * Of its content, in hex digits.
 */
sha256: string, 
/**
 * Slugs of the entries that it was added to, without those in the bin.
 */
entries: Array<string>, 
/**
 * Its media type, judged by its content.
 */
media: string, 
/**
 * In pixels, as it is shown; left out where the file does not say.
 */
width?: number, 
/**
 * In pixels, as it is shown.
 */
height?: number, 
/**
 * RFC 3339 UTC.
 */
created_at: string, 
/**
 * Where entries show it.
 */
places: Array<AttachmentPlace>, 
/**
 * Whether it is in the bin.
 */
deleted?: boolean, 
/**
 * Whether its content was erased for good.
 */
purged?: boolean, };

/**
 * A key and its value.
 */
export type Attribute = { 
/**
 * The attribute's name, as sent.
 */
key: string, value: unknown, };

/**
 * A profile of AWS's shared config.
 */
export type AwsProfile = { name: string, 
/**
 * Null where it names none.
 */
region: string | null, 
/**
 * Where its credentials come from: `static keys`, `SSO`, `assumes a role`, `a process`, `web identity`, `nothing`.
 */
kind: string, };

/**
 * The settings and state of AWS.
 */
export type AwsState = { 
/**
 * Null: the default chain (environment, then the profile `default`).
 */
profile: string | null, 
/**
 * Null: the profile's or the environment's.
 */
region: string | null, 
/**
 * The region that is used; null where none is configured.
 */
effective_region: string | null, 
/**
 * An endpoint instead of AWS; never taken from the environment.
 */
endpoint: string | null, 
/**
 * From the shared config.
 */
profiles: Array<AwsProfile>, 
/**
 * Regions to choose from.
 */
regions: Array<string>, reach: Reach, };

/**
 * The frozen data, one variant per [`Kind`]; written as `"kind": …, "body": …`.
 */
export type Body = { "kind": "trace", "body": Trace } | { "kind": "logs", "body": Logs } | { "kind": "error", "body": ErrorItem } | { "kind": "console", "body": Console } | { "kind": "service-map", "body": ServiceMap } | { "kind": "groups", "body": XrayGroups } | { "kind": "sampling-rules", "body": SamplingRules } | { "kind": "query", "body": QueryResult } | { "kind": "dossier", "body": Dossier };

/**
 * A long command to cancel.
 */
export type Cancel = { 
/**
 * The id of the call.
 */
call: string, };

/**
 * What to freeze, and where to put the reference.
 */
export type Capture = { kind: Kind, 
/**
 * Which one; null with `latest`. For a live card, `live:01J…`, its question is asked again, and its references
 * in `into` become references to the evidence.
 */
id?: string, source?: Source, 
/**
 * The newest complete one.
 */
latest?: boolean, 
/**
 * Restricts `latest`, or selects rows.
 */
filter?: string, 
/**
 * Time window, such as `15m`, or a range `FROM/TO`.
 */
since?: string, 
/**
 * Console: the pasted or piped text.
 */
text?: ConsoleText, 
/**
 * The entry that gets the reference; null leaves that to the caller, whose editor has the text.
 */
into?: string, 
/**
 * The slot to fill: its number, or part of its text; null appends.
 */
slot?: string, 
/**
 * Made from the data if null.
 */
caption?: string, 
/**
 * How much of the card the text shows: `compact` or `line`; null: all of it.
 */
size?: string, };

/**
 * A kind of evidence that a source provides.
 */
export type CaptureInfo = { kind: Kind, 
/**
 * How the filter is written.
 */
filter: FilterForm, 
/**
 * The minimum interval between two requests of a live card, in seconds.
 */
shortest_seconds: number, 
/**
 * The default interval between two requests of a live card, in seconds.
 */
usual_seconds: number, };

/**
 * What was frozen.
 */
export type Captured = { 
/**
 * A markdown reference to it.
 */
reference: string, 
/**
 * Warnings for the user.
 */
warnings: Array<string>, 
/**
 * Its id.
 */
id: Id, kind: Kind, 
/**
 * Its title.
 */
title: string, 
/**
 * `sha256:…` of its canonical JSON.
 */
digest: string, 
/**
 * RFC 3339 UTC.
 */
captured_at: string, 
/**
 * Slugs of the entries that show it; empty for evidence that is not placed.
 */
entries: Array<string>, 
/**
 * When it was imported, RFC 3339 UTC; left out for what this journal captured.
 */
imported_at?: string, 
/**
 * What contradicted it when it was imported; left out where nothing did.
 */
doubts?: Array<Doubt>, };

/**
 * The query of a live card. Its time range is relative to the time of each request.
 */
export type CardQuestion = { 
/**
 * The kind of evidence that the answer can become.
 */
kind: Kind, source?: Source, 
/**
 * The id of one item. Null for what matches the filter: the newest trace, error or dossier; all log events or
 * console lines; all traces of a service map.
 */
id?: string, 
/**
 * The filter or query in the source's own language; empty matches everything.
 */
filter?: string, 
/**
 * The time window before now: `15m`; or from a time on: `2026-11-23T15:20:00Z/`; null for no limit.
 */
since?: string, };

/**
 * All sources and kinds.
 */
export type Catalog = { 
/**
 * In display order.
 */
vendors: Array<VendorInfo>, 
/**
 * In display order.
 */
sources: Array<SourceInfo>, 
/**
 * In display order.
 */
kinds: Array<KindInfo>, 
/**
 * One for each filter form.
 */
filters: Array<FilterInfo>, };

/**
 * No arguments.
 */
export type CatalogRequest = Record<symbol, never>;

/**
 * One check of the doctor.
 */
export type Check = { 
/**
 * `otlp`, `xray`, `cloudwatch`, `rollbar`, `console`, `journal`; of the cloud `aws`, `rollbar-cloud`, `honeycomb`.
 */
source: string, 
/**
 * What was checked.
 */
check: string, 
/**
 * Whether the check passed.
 */
ok: boolean, 
/**
 * What was found.
 */
detail: string, 
/**
 * What to do, down to the line to add; empty where nothing has to be done.
 */
fix: string, };

/**
 * The classes of failure, each with the exit code of the command line.
 */
export type Code = "not_found" | "usage" | "unreachable" | "credentials" | "passphrase" | "throttled" | "unsupported" | "refused" | "not_built" | "cancelled" | "storage" | "internal";

/**
 * One line of a stack. Rollbar's order: oldest first, the most recent call last.
 */
export type CodeFrame = { filename: string, 
/**
 * The line in it, from 1.
 */
lineno?: number, 
/**
 * The column in that line, as the SDK counts: JavaScript's from 1.
 */
colno?: number, method?: string, 
/**
 * The line's code.
 */
code?: string, 
/**
 * The lines of code before that line, in their order.
 */
pre?: Array<string>, 
/**
 * The lines of code after it.
 */
post?: Array<string>, 
/**
 * The function's arguments in order; `*rest` and `**named` are the variadic ones.
 */
args?: Array<Attribute>, 
/**
 * Local variables other than arguments.
 */
locals?: Array<Attribute>, };

/**
 * Console output as evidence.
 */
export type Console = { 
/**
 * Where it came from: the command line, a file's name without its folder, `standard input`.
 */
source: string, 
/**
 * How it came here; null in evidence of versions that did not tell.
 */
origin?: ConsoleOrigin, 
/**
 * How the command ended; null while it runs, and for output that is not from a command.
 */
exit_code?: number, 
/**
 * The lines, in order.
 */
lines: Array<ConsoleLine>, 
/**
 * The number of earlier lines that were left out.
 */
more?: number, 
/**
 * Notes for the reader: cut lines, a command that was ended, spans that were recognised.
 */
notes?: Array<string>, };

/**
 * One line.
 */
export type ConsoleLine = { 
/**
 * Its text without the line ending. ANSI colour sequences (SGR) are in it as sent; other escape sequences are not.
 */
text: string, 
/**
 * Whether it came on standard error.
 */
stderr?: boolean, 
/**
 * When it arrived, where that is known.
 */
time?: Nanos, };

/**
 * How console output came here.
 */
export type ConsoleOrigin = "pasted" | "file" | "input" | "command" | "watched" | "receiver";

/**
 * A line in a list.
 */
export type ConsoleRow = { 
/**
 * Its sequence number in the telemetry.
 */
id: string, 
/**
 * When it arrived, RFC 3339.
 */
timestamp: string, 
/**
 * Which stream: the watched command.
 */
stream: string, 
/**
 * Its text, ANSI colour sequences kept.
 */
text: string, 
/**
 * The text as styled pieces.
 */
spans: Array<StyledSpan>, 
/**
 * Whether it came on standard error.
 */
stderr: boolean, };

/**
 * Console output as text.
 */
export type ConsoleText = { 
/**
 * A file's name, `pasted text`, `standard input`.
 */
source: string, 
/**
 * With ANSI escape sequences.
 */
text: string, 
/**
 * How it came here; null: `source` tells.
 */
origin?: ConsoleOrigin, 
/**
 * A note on the encoding of its bytes, if that was not UTF-8.
 */
encoding?: string, };

/**
 * Evidence that counts for homework.
 */
export type CountedEvidence = { id: Id, title: string, 
/**
 * Where the entry shows it, from 1.
 */
line: number, };

/**
 * Which course to show.
 */
export type CourseGet = { 
/**
 * A course file; the journal's course if null.
 */
file?: string, };

/**
 * A homework or a challenge.
 */
export type CourseHomework = { title: string, 
/**
 * Whether it is optional.
 */
challenge: boolean, 
/**
 * What it is met by, all of it: `1 trace from X-Ray with a subsegment`.
 */
needs: Array<string>, };

/**
 * Something in a course file that cannot be used.
 */
export type CourseProblem = { 
/**
 * From 1.
 */
line: number, 
/**
 * What is wrong.
 */
message: string, 
/**
 * What to write.
 */
hint: string, };

/**
 * A course.
 */
export type CourseView = { title: string, 
/**
 * The file it is read from; null for the one that is compiled in.
 */
file: string | null, 
/**
 * The weeks of the file; of a file that cannot be used, none.
 */
weeks: Array<CourseWeek>, 
/**
 * Why the file cannot be used, by line.
 */
problems: Array<CourseProblem>, 
/**
 * The file's text.
 */
toml: string, };

/**
 * A week of a course.
 */
export type CourseWeek = { 
/**
 * `"0"` … `"99"`, `"X"`.
 */
week: string, 
/**
 * `Week 2 — Distributed Tracing`.
 */
title: string, 
/**
 * Homework, then challenges.
 */
homework: Array<CourseHomework>, };

/**
 * No arguments.
 */
export type DemoFill = Record<symbol, never>;

/**
 * Where a report goes, and what is checked for it.
 */
export type DoctorReport = { 
/**
 * The file to write; an existing file is overwritten only if it is an earlier report.
 */
path: string, 
/**
 * As in [`DoctorRequest`].
 */
source?: string, 
/**
 * As in [`DoctorRequest`].
 */
from?: Source, };

/**
 * A report that was written.
 */
export type DoctorReported = { 
/**
 * The checks that are in it.
 */
checks: Array<Check>, 
/**
 * The file's absolute path.
 */
report: string, };

/**
 * What to examine.
 */
export type DoctorRequest = { 
/**
 * A local source: `otlp`, `xray`, `cloudwatch`, `rollbar`, `console`, `journal`; null for all of them and every
 * cloud source that is configured.
 */
source?: string, 
/**
 * A cloud source instead of local ones.
 */
from?: Source, };

/**
 * Everything known about one request.
 */
export type Dossier = { 
/**
 * The request's trace id.
 */
trace_id: TraceId, trace: Trace, 
/**
 * Its log events, oldest first.
 */
logs: Array<JoinedLog>, 
/**
 * Its errors, oldest first.
 */
errors: Array<JoinedError>, 
/**
 * Its console lines, oldest first.
 */
console: Array<JoinedLine>, 
/**
 * Notes for the reader: what was not found, what was left out.
 */
notes?: Array<string>, };

/**
 * Something in evidence that contradicts something else.
 */
export type Doubt = { 
/**
 * What was compared.
 */
rule: Rule, 
/**
 * For the reader: `the picture shows other data`.
 */
why: string, };

/**
 * The numbers of items that the sender left out of a span.
 */
export type Dropped = { 
/**
 * Attributes.
 */
attributes?: number, 
/**
 * Events.
 */
events?: number, 
/**
 * Links.
 */
links?: number, };

/**
 * A system that answered a capture.
 */
export type Endpoint = { 
/**
 * The source whose protocol it speaks.
 */
source: Source, 
/**
 * Scheme, host and port (left out if it is the scheme's default): `https://xray.us-east-1.amazonaws.com`. Empty
 * for local telemetry.
 */
url?: string, 
/**
 * The [`fingerprint`] of the account, project or team, if it is known.
 */
account?: string, 
/**
 * The cloud region, if the source has any.
 */
region?: string, 
/**
 * Whether it was recognised as an emulator, by its host or its account. See [`Endpoint::is_emulator`].
 */
emulator?: boolean, };

/**
 * An entry with its text.
 */
export type Entry = { 
/**
 * Its Markdown, byte for byte.
 */
body: string, 
/**
 * The revision of the working text; a write states the one it is based on.
 */
revision: number, id: Id, 
/**
 * Its unique short name, `week-2`.
 */
slug: string, 
/**
 * `"0"` … `"99"`, `"X"`, or null.
 */
week: string | null, title: string, 
/**
 * When its text last changed.
 */
updated_at: string, };

/**
 * What to check before an export.
 */
export type EntryCheck = { 
/**
 * An id or slug; all entries if missing.
 */
entry?: string | null, };

/**
 * The problems that readers of an export would stumble over.
 */
export type EntryChecked = { 
/**
 * Whether there are none.
 */
ok: boolean, 
/**
 * By entry and line; what concerns a whole entry comes first.
 */
problems: Array<Problem>, 
/**
 * How many values in the texts of the entries an export would mask, by rule. Not a problem. Evidence is not
 * counted.
 */
masks?: Array<MaskCount>, };

/**
 * Keeps a revision of the working text.
 */
export type EntryCut = { 
/**
 * Id or slug.
 */
entry: string, 
/**
 * `pause`, `close`, …
 */
reason: string, };

/**
 * The entry to put into the bin.
 */
export type EntryDelete = { 
/**
 * Id or slug.
 */
entry: string, };

/**
 * A revision to compare with the working text.
 */
export type EntryDifference = { 
/**
 * Id or slug.
 */
entry: string, revision: number, };

/**
 * Changes of an entry's text since a revision.
 */
export type EntryEdit = { 
/**
 * Id or slug.
 */
entry: string, 
/**
 * The revision that the changes were made on.
 */
base: number, 
/**
 * In order, without overlaps.
 */
changes: Array<TextChange>, 
/**
 * FNV-1a with 32 bits of the changed text, over its UTF-16 code units.
 */
check: number, };

/**
 * The file that an entry is exported to.
 */
export type EntryFile = { entry: Id, 
/**
 * Its name, beside the files of the other entries: `week2.md`.
 */
file: string, };

/**
 * No arguments.
 */
export type EntryFilesRequest = Record<symbol, never>;

/**
 * The entry to read.
 */
export type EntryGet = { 
/**
 * Id or slug.
 */
entry: string, };

/**
 * The entry whose texts are listed.
 */
export type EntryHistory = { 
/**
 * Id or slug.
 */
entry: string, };

/**
 * How far an entry is.
 */
export type EntryHomework = { 
/**
 * The entry's id.
 */
entry: Id, slug: string, title: string, 
/**
 * The week that the course has for it; null if none.
 */
week: string | null, 
/**
 * Places for evidence that are still empty.
 */
slots_open: number, 
/**
 * References to evidence, and live cards.
 */
slots_filled: number, 
/**
 * Homework, then challenges.
 */
homework: Array<HomeworkState>, 
/**
 * The evidence that it is met by.
 */
evidence: Array<CountedEvidence>, };

/**
 * The entry whose stored text is rendered to be read.
 */
export type EntryHtml = { 
/**
 * Id or slug.
 */
entry: string, };

/**
 * Which entries to list.
 */
export type EntryListRequest = { 
/**
 * Entries in the bin instead of the others.
 */
deleted?: boolean, };

/**
 * The entry whose stored text is scanned for references and slots.
 */
export type EntryMarkup = { 
/**
 * Id or slug.
 */
entry: string, 
/**
 * The revision that is expected to be stored.
 */
revision: number, };

/**
 * A new entry.
 */
export type EntryNew = { 
/**
 * `"0"` … `"11"`, `"X"`, or null.
 */
week: string | null, 
/**
 * The week's title if null.
 */
title: string | null, 
/**
 * The week's template if null.
 */
body: string | null, };

/**
 * A new title or week.
 */
export type EntryRename = { 
/**
 * Id or slug.
 */
entry: string, 
/**
 * Null keeps the title.
 */
title: string | null, 
/**
 * Null keeps the week, an empty text removes it.
 */
week: string | null, };

/**
 * The entry to take out of the bin.
 */
export type EntryRestore = { 
/**
 * Id or slug.
 */
entry: string, };

/**
 * One revision of an entry.
 */
export type EntryRevision = { 
/**
 * Id or slug.
 */
entry: string, revision: number, };

/**
 * An entry in a list. Times are RFC 3339 UTC.
 */
export type EntryRow = { id: Id, 
/**
 * Its unique short name, `week-2`.
 */
slug: string, 
/**
 * `"0"` … `"99"`, `"X"`, or null.
 */
week: string | null, title: string, 
/**
 * When its text last changed.
 */
updated_at: string, };

/**
 * A text and the revision it was made on.
 */
export type EntryWrite = { 
/**
 * Id or slug.
 */
entry: string, 
/**
 * The revision that the text was edited from; null overwrites the working text, after keeping a revision of it.
 */
base: number | null, 
/**
 * The whole text.
 */
body: string, 
/**
 * Keep a revision for this reason (`set`, `close`, …); null for autosave.
 */
cut?: string, };

/**
 * Which settings.
 */
export type EnvRequest = { 
/**
 * `flask`, `node`, `compose`, `shell`; `shell` if null.
 */
for?: string, };

/**
 * Settings as text to paste.
 */
export type EnvText = { text: string, };

/**
 * The JSON form: `{"code", "message", "hint"}`.
 */
export type ErrorBody = { code: Code, message: string, 
/**
 * What to do; may be empty.
 */
hint: string, };

/**
 * An item: occurrences of one error, as evidence.
 */
export type ErrorItem = { 
/**
 * Its id: a hash of its fingerprint.
 */
item: string, 
/**
 * The latest occurrence's title.
 */
title: string, 
/**
 * The worst level of any occurrence.
 */
level: Level, 
/**
 * The number of occurrences that telemetry holds.
 */
occurrences: number, 
/**
 * The first occurrence.
 */
first: Nanos, 
/**
 * The last occurrence.
 */
last: Nanos, 
/**
 * `development`, …
 */
environment: string, 
/**
 * The number of different people affected; 0 if no occurrence names one.
 */
people?: number, 
/**
 * The occurrence that is shown in full: the latest, or the requested one.
 */
occurrence: Occurrence, 
/**
 * The others, newest first, at most 50.
 */
others?: Array<OccurrenceRow>, 
/**
 * In what the occurrence and the listed others differ, from [`crate::variation`]. Evidence of earlier versions
 * has none.
 */
varies?: Array<Varied>, };

/**
 * An error item, or one of its occurrences.
 */
export type ErrorRef = { 
/**
 * An item's id as in `live_errors`, or an occurrence's uuid or id.
 */
id: string, source?: Source, };

/**
 * An item in a list.
 */
export type ErrorRow = { 
/**
 * Its id: what `capture error ID` takes.
 */
id: string, 
/**
 * The latest occurrence's title.
 */
title: string, 
/**
 * `error`, `critical`, …
 */
level: string, 
/**
 * The number of occurrences.
 */
occurrences: number, 
/**
 * The last time, RFC 3339.
 */
last: string, 
/**
 * `development`, …
 */
environment: string, 
/**
 * The person affected by the latest occurrence; null if unknown.
 */
person: string | null, 
/**
 * How far the sender's clock is ahead of this machine's, or behind if negative, in milliseconds; only where that
 * is more than usual.
 */
skew_ms?: number, };

/**
 * One exception of a chain; the outermost comes first, its cause after it.
 */
export type ErrorTrace = { class: string, message: string, 
/**
 * Its frames, oldest first.
 */
frames: Array<CodeFrame>, };

/**
 * What is published to every host.
 */
export type Event = { "event": "changed", 
/**
 * What kind of thing.
 */
topic: Topic, 
/**
 * Which one; empty for telemetry, which is published at most five times a second.
 */
id: string, 
/**
 * The client that wrote it; empty if a receiver or another process did.
 */
by: string, } | { "event": "closing", } | { "event": "ask_closing", 
/**
 * A service is still sending: the user is asked first whether to keep receiving.
 */
receiving: boolean, } | { "event": "progress", 
/**
 * The caller's id of the call.
 */
call: string, 
/**
 * Steps done.
 */
done: number, 
/**
 * Steps in all; 0 if unknown.
 */
of: number, 
/**
 * The current step, as text.
 */
what: string, };

/**
 * Evidence to delete.
 */
export type EvidenceDelete = { 
/**
 * Its id.
 */
id: Id, 
/**
 * Erase body, raw data and index for good.
 */
purge?: boolean, };

/**
 * The evidence to read.
 */
export type EvidenceGet = { 
/**
 * The evidence's id.
 */
id: Id, };

/**
 * Which evidence to list.
 */
export type EvidenceList = { 
/**
 * Id or slug; null for all.
 */
entry?: string, 
/**
 * That in the bin instead of the rest; ignored with `entry`.
 */
deleted?: boolean, };

/**
 * The evidence to take out of the bin.
 */
export type EvidenceRestore = { 
/**
 * The evidence's id.
 */
id: Id, };

/**
 * Evidence in a list.
 */
export type EvidenceRow = { 
/**
 * Its id.
 */
id: Id, kind: Kind, 
/**
 * Its title.
 */
title: string, 
/**
 * `sha256:…` of its canonical JSON.
 */
digest: string, 
/**
 * RFC 3339 UTC.
 */
captured_at: string, 
/**
 * Slugs of the entries that show it; empty for evidence that is not placed.
 */
entries: Array<string>, 
/**
 * When it was imported, RFC 3339 UTC; left out for what this journal captured.
 */
imported_at?: string, 
/**
 * What contradicted it when it was imported; left out where nothing did.
 */
doubts?: Array<Doubt>, };

/**
 * Evidence with its data.
 */
export type EvidenceView = { row: EvidenceRow, 
/**
 * A markdown reference to it.
 */
reference: string, 
/**
 * Where it came from.
 */
provenance: Provenance, 
/**
 * Kind and data.
 */
data: Body, 
/**
 * The texts of the data's console lines as styled pieces, in their order; left out where there are none.
 */
console?: Array<Array<StyledSpan>>, };

/**
 * An exception, from an OTLP `exception` event or an X-Ray cause.
 */
export type Exception = { 
/**
 * X-Ray's id, by which other segments of the trace refer to it.
 */
id?: string, type?: string, message?: string, 
/**
 * X-Ray: it came from a downstream service.
 */
remote?: boolean, 
/**
 * X-Ray: the frames, innermost first.
 */
stack?: Array<Frame>, 
/**
 * X-Ray: the number of frames left out.
 */
truncated?: number, 
/**
 * X-Ray: the number of exceptions skipped between this one and its cause.
 */
skipped?: number, 
/**
 * X-Ray: the id of the exception that caused this one.
 */
cause?: string, 
/**
 * OTLP: the stack as one text.
 */
stacktrace?: string, };

/**
 * What to export, and where.
 */
export type Export = { 
/**
 * Ids or slugs; empty for all.
 */
entries: Array<string>, 
/**
 * The folder that gets `journal/`; of a bundle or a page the folder, or the file (`*.zip`, `*.html`).
 */
to: string, 
/**
 * Overwrite files that Tracebook did not write.
 */
force?: boolean, 
/**
 * Export everything as it stands: texts with credentials in them, and nothing masked.
 */
allow_leaks?: boolean, 
/**
 * Replace cards that an earlier version drew by today's drawings.
 */
redraw?: boolean, 
/**
 * Marks of single credentials (see [`Leak`]) that may be exported.
 */
allow?: Array<string>, format?: ExportFormat, 
/**
 * With the evidence's raw data, which is not masked; requires `allow_leaks`, and a bundle or a page.
 */
raw?: boolean, 
/**
 * Sign the manifest: with a key file, `agent`, `keychain`, a fingerprint (`SHA256:…`), or, if empty, the
 * configured key. Null signs if a key is configured, `none` does not.
 */
sign?: string, 
/**
 * The passphrase of the key file.
 */
passphrase?: Passphrase, };

/**
 * What an export is written as.
 */
export type ExportFormat = "github" | "html" | "bundle";

/**
 * The entries whose texts are searched for credentials, as an export does.
 */
export type ExportLeaks = { 
/**
 * Ids or slugs; empty for all.
 */
entries: Array<string>, };

/**
 * The outcome of an export. Paths are relative to the folder.
 */
export type Exported = { written: Array<string>, 
/**
 * Files that were up to date.
 */
unchanged: number, 
/**
 * Files that were changed since Tracebook wrote them, and were not overwritten.
 */
refused: Array<string>, 
/**
 * Problems that affect the exported files.
 */
warnings: Array<string>, 
/**
 * How many values were replaced by placeholders in texts and evidence.
 */
masked?: number, 
/**
 * The fingerprint of the key that the manifest is signed with; left out if this export did not sign.
 */
signed_by?: string, };

/**
 * A filter to check.
 */
export type FilterCheck = { source?: Source, filter: string, };

/**
 * One form of a filter language.
 */
export type FilterExample = { 
/**
 * `service() { fault }`
 */
example: string, 
/**
 * What it matches.
 */
meaning: string, };

/**
 * The language of a filter.
 */
export type FilterForm = "none" | "traces" | "events" | "errors" | "xray-expression" | "cloudwatch-pattern" | "insights-query" | "rollbar-items" | "honeycomb-query";

/**
 * The help that a form shows beside a filter field.
 */
export type FilterInfo = { form: FilterForm, 
/**
 * An example for the empty field.
 */
placeholder: string, 
/**
 * The syntax, in a sentence.
 */
help: string, 
/**
 * Whether it has several lines.
 */
multiline: boolean, };

/**
 * Whether a filter is valid, and what can be written.
 */
export type FilterVerdict = { ok: boolean, 
/**
 * What is wrong, and where; empty for a valid filter.
 */
message: string, 
/**
 * Examples of the language.
 */
forms: Array<FilterExample>, };

/**
 * An entry or a piece of evidence that was found. Entries come first, by relevance; then evidence, from the newest on.
 */
export type Found = { type: FoundType, id: Id, title: string, 
/**
 * The text around the match, on one line; empty where only the title matches.
 */
snippet: string, 
/**
 * Slugs: of the entry itself, or of the entries that show the evidence.
 */
entries: Array<string>, 
/**
 * Where the match begins in the entry's text, in UTF-16 code units.
 */
start?: number, 
/**
 * One past the last unit of the match.
 */
end?: number, 
/**
 * The line of the match, from 1.
 */
line?: number, };

/**
 * What was found.
 */
export type FoundType = "entry" | "evidence";

/**
 * One line of a stack, in the sender's order.
 */
export type Frame = { path?: string, 
/**
 * The line in it, if known.
 */
line?: number, label?: string, };

/**
 * Evidence that was frozen from a live card.
 */
export type FrozenAnswer = { 
/**
 * The evidence.
 */
id: Id, 
/**
 * Its title.
 */
title: string, 
/**
 * RFC 3339.
 */
captured_at: string, };

/**
 * A kind that a source does not provide.
 */
export type Gap = { kind: Kind, 
/**
 * Why.
 */
reason: string, 
/**
 * What can be done instead.
 */
hint: string, };

/**
 * Whose homework to list.
 */
export type HomeworkRequest = { 
/**
 * Id or slug of an entry; every entry of a week if null.
 */
entry?: string, };

/**
 * The state of one homework or challenge.
 */
export type HomeworkState = { 
/**
 * Its heading in the entry.
 */
title: string, 
/**
 * Whether it is optional.
 */
challenge: boolean, 
/**
 * Whether all of its needs are met. One without needs is met as soon as its section has text.
 */
met: boolean, needs: Array<NeedState>, };

/**
 * The id of an entry or a piece of evidence: a ULID, so ids sort by creation time.
 */
export type Id = string;

/**
 * The identity that a source authenticates.
 */
export type Identity = { 
/**
 * AWS: the account, all but its last four digits masked. Rollbar: the project. Honeycomb: the team.
 */
account: string, 
/**
 * AWS: the role or user. Honeycomb: the environment. May be empty.
 */
name: string, 
/**
 * AWS: the region that is used. Empty for others.
 */
region: string, 
/**
 * What these credentials allow or deny.
 */
notes: Array<string>, 
/**
 * Scheme, host and port of what answered.
 */
endpoint?: string, 
/**
 * The account, project or team as evidence records it: six hex digits, equal for equal accounts.
 */
fingerprint?: string, 
/**
 * Whether that is an emulator, or another host that is not the vendor's own.
 */
emulator?: boolean, };

/**
 * What to import.
 */
export type Import = { 
/**
 * Files and folders.
 */
paths?: Array<string>, 
/**
 * Texts given directly (a dropped file, standard input).
 */
texts?: Array<NamedText>, };

/**
 * The outcome of an import.
 */
export type Imported = { 
/**
 * Entries created, changed or recognised.
 */
entries: Array<EntryRow>, 
/**
 * Evidence added or recognised.
 */
evidence: Array<EvidenceRow>, 
/**
 * Pictures of the entries, added or recognised.
 */
attachments: Array<AttachmentRow>, 
/**
 * What is missing or was not changed.
 */
warnings: Array<string>, };

/**
 * How an item was matched to the request.
 */
export type Join = "trace-id" | "header" | "time";

/**
 * An error of the request.
 */
export type JoinedError = { 
/**
 * How it was matched.
 */
by: Join, occurrence: Occurrence, };

/**
 * A console line of the request.
 */
export type JoinedLine = { 
/**
 * How it was matched.
 */
by: Join, 
/**
 * The watched command it came from.
 */
stream: string, line: ConsoleLine, };

/**
 * A log event of the request.
 */
export type JoinedLog = { 
/**
 * How it was matched.
 */
by: Join, event: LogEvent, };

/**
 * The kinds of evidence.
 */
export type Kind = "trace" | "logs" | "error" | "console" | "service-map" | "groups" | "sampling-rules" | "query" | "dossier";

/**
 * The labels of a kind of evidence.
 */
export type KindInfo = { kind: Kind, 
/**
 * As a label: `Service map`.
 */
label: string, 
/**
 * Several, within a sentence: `service maps`.
 */
plural: string, 
/**
 * What a live card without an id shows: `newest trace`.
 */
newest: string, 
/**
 * What a live card with an id shows: `trace`.
 */
one: string, };

/**
 * Something in the text of an entry that looks like a credential.
 */
export type Leak = { 
/**
 * Names exactly this credential in this entry, to allow its export.
 */
mark: string, 
/**
 * The entry.
 */
entry: Id, 
/**
 * The file that it would be written to, relative to the folder.
 */
file: string, 
/**
 * Its line in the entry; `None` if it is in the title.
 */
line: number | null, 
/**
 * `GitHub personal token`
 */
kind: string, 
/**
 * The beginning of the line, with `…` instead of the credential.
 */
shown: string, };

/**
 * The severity.
 */
export type Level = "debug" | "info" | "warning" | "error" | "critical";

/**
 * A link to a span of this or another trace.
 */
export type Link = { 
/**
 * The linked trace.
 */
trace_id: TraceId, 
/**
 * The linked span.
 */
span_id: SpanId, 
/**
 * W3C trace state.
 */
trace_state?: string, attributes?: Array<Attribute>, 
/**
 * The number of attributes that the sender dropped.
 */
dropped_attributes?: number, 
/**
 * W3C flags as sent.
 */
flags?: number, };

/**
 * A link with its expiry.
 */
export type LinkAnswer = { 
/**
 * Null where it cannot be built; `note` says why.
 */
url: string | null, 
/**
 * When the vendor deletes the target, RFC 3339; null where unknown.
 */
expires: string | null, note: string, };

/**
 * A kind that can be linked to in the vendor's console.
 */
export type LinkInfo = { kind: Kind, 
/**
 * Whether the id is that of a local trace, which the vendor has received too.
 */
of_local: boolean, };

/**
 * What to find in a vendor's console.
 */
export type LinkRequest = { source: Source, 
/**
 * `trace`, `logs`, `error`, `service-map`.
 */
kind: string, 
/**
 * For logs the group.
 */
id: string, };

/**
 * A list of a source.
 */
export type List = "traces" | "logs" | "errors" | "console" | "queries";

/**
 * Rows of a list with notes about them.
 */
export type Listed<R> = { rows: Array<R>, 
/**
 * What was left out, sampled, or not examined.
 */
notes: Array<string>, 
/**
 * Continues the list when given back as `page`; null at its end.
 */
next: string | null, 
/**
 * When the source answered, RFC 3339; null for local telemetry.
 */
asked_at: string | null, };

/**
 * Freezes a live card's answer.
 */
export type LiveCardFreeze = { id: Id, 
/**
 * The answer on display, by its `asked_at`; null queries again.
 */
asked_at?: string, 
/**
 * The entry whose references to the card become references to the evidence; null leaves that to the caller, whose
 * editor has the text.
 */
into?: string, 
/**
 * The slot to fill instead: its number, or part of its text.
 */
slot?: string, 
/**
 * If null, that of the live reference, or one made from the data.
 */
caption?: string, 
/**
 * The alternative text of the live reference; kept unless it is the card's title.
 */
alt?: string, 
/**
 * The size of the live reference.
 */
size?: string, };

/**
 * Reads a live card; queries its source if that is due.
 */
export type LiveCardLook = { 
/**
 * Its id.
 */
id: Id, 
/**
 * Query as soon as the source allows, even before the interval has passed or while paused.
 */
now?: boolean, };

/**
 * A new live card. It is stored, not yet asked.
 */
export type LiveCardNew = { question: CardQuestion, 
/**
 * Seconds between two queries; the source's default if null.
 */
pace_seconds?: number, 
/**
 * Made from the question if null.
 */
title?: string, };

/**
 * A live card by its id.
 */
export type LiveCardRef = { 
/**
 * Its id.
 */
id: Id, };

/**
 * Changes a live card; null keeps a value.
 */
export type LiveCardSet = { 
/**
 * Its id.
 */
id: Id, question?: CardQuestion, 
/**
 * Seconds between two queries.
 */
pace_seconds?: number, 
/**
 * Empty: made from the question.
 */
title?: string, 
/**
 * Whether it is no longer queried by itself.
 */
paused?: boolean, };

/**
 * A stored live card.
 */
export type LiveCardView = { 
/**
 * Whether its title was generated from the question, and follows it.
 */
title_generated: boolean, 
/**
 * A markdown reference to it.
 */
reference: string, 
/**
 * The shortest interval between two queries of its source, in seconds.
 */
fastest_seconds: number, 
/**
 * The evidence frozen from it last, which exports show.
 */
frozen: FrozenAnswer | null, 
/**
 * Warnings for the user.
 */
warnings: Array<string>, id: Id, title: string, question: CardQuestion, 
/**
 * Seconds between two refreshes while it is visible.
 */
pace_seconds: number, 
/**
 * Whether it refreshes only on request.
 */
paused?: boolean, };

/**
 * Which console lines.
 */
export type LiveConsole = LiveQuestion;

/**
 * Which error items.
 */
export type LiveErrors = LiveQuestion;

/**
 * Which log events.
 */
export type LiveLogs = LiveQuestion;

/**
 * The state of a live card.
 */
export type LiveLook = { 
/**
 * Its title.
 */
title: string, 
/**
 * Whether the title was generated from the question, and follows it.
 */
title_generated: boolean, 
/**
 * As text.
 */
question: string, 
/**
 * The title of the answer; null before the first.
 */
answer: string | null, 
/**
 * When the source answered, RFC 3339; names the answer for its picture and for `live_card_freeze`.
 */
asked_at: string | null, 
/**
 * The age of the answer in milliseconds.
 */
age_ms: number | null, 
/**
 * Why the last query failed; null where it succeeded. The earlier answer stays.
 */
problem: ErrorBody | null, 
/**
 * Whether a query is running; `Event::Changed` with [`Topic::LiveCard`](super::Topic::LiveCard) tells when it
 * has answered.
 */
asking: boolean, 
/**
 * Whether it is queried only on request.
 */
paused: boolean, 
/**
 * Seconds between two queries.
 */
pace_seconds: number, 
/**
 * Milliseconds until the next query is due; null while paused.
 */
next_ms: number | null, 
/**
 * The path of the answer's picture at the host, to which `&size=compact` or `&size=line` and `&width=640` may be
 * added; null without an answer.
 */
picture: string | null, 
/**
 * Warnings about the answer.
 */
warnings: Array<string>, };

/**
 * Which log events, errors or console lines to list.
 */
export type LiveQuestion = { source?: Source, 
/**
 * Logs and console: `group:x`, `stream:x`, `service:x`, `level:x`, `status:error`, `trace:ID`, and behind them a
 * CloudWatch filter pattern. Errors: words, `level:x`, `environment:x`, `person:x`; of Rollbar also
 * `status:active`.
 */
filter?: string, 
/**
 * Time window, such as `15m`, or a range `FROM/TO`; null for all.
 */
since?: string, 
/**
 * Maximum number of rows; 100 if null.
 */
limit?: number, 
/**
 * CloudWatch: oldest first.
 */
oldest_first?: boolean, 
/**
 * Continues a list: the `next` of its answer.
 */
page?: string, 
/**
 * Ask the source again instead of using an answer of the last seconds.
 */
fresh?: boolean, };

/**
 * Which traces to list.
 */
export type LiveTraces = { source?: Source, 
/**
 * Local: words, `service:x`, `status:error`, `duration>100ms`, `name:…`, `key=value`. X-Ray: a filter expression.
 */
filter?: string, 
/**
 * Time window: `15m` until now, by arrival; or a range `FROM/TO` of RFC 3339 times, by the sender's clock, either
 * of which may be missing. Null for all.
 */
since?: string, 
/**
 * Maximum number of rows; 100 if null.
 */
limit?: number, 
/**
 * Continues a list: the `next` of its answer.
 */
page?: string, 
/**
 * Ask the source again instead of using an answer of the last seconds.
 */
fresh?: boolean, };

/**
 * One log event.
 */
export type LogEvent = { 
/**
 * When it happened according to the sender, else when it arrived.
 */
timestamp: Nanos, 
/**
 * CloudWatch's log group; an OTLP record's service.
 */
group: string, 
/**
 * CloudWatch's log stream; an OTLP record's scope (the logger's name).
 */
stream: string, 
/**
 * Its text; an OTLP body that is not a string in its written form.
 */
message: string, 
/**
 * The trace it belongs to, where the record or its text says so.
 */
trace_id?: TraceId, 
/**
 * The span it belongs to.
 */
span_id?: SpanId, 
/**
 * `ERROR`, `WARN`, … as sent; empty if missing.
 */
severity?: string, 
/**
 * OTLP's number of the severity, which does not depend on the sender's language: 9 is INFO, 17 ERROR; 0 if
 * missing.
 */
severity_number?: number, 
/**
 * OTLP attributes, with the resource's under `resource.`.
 */
attributes?: Array<Attribute>, 
/**
 * The number of attributes that the sender dropped.
 */
dropped_attributes?: number, 
/**
 * OTLP: when the event was observed, if that is not its time.
 */
observed?: Nanos, 
/**
 * OTLP: W3C flags as sent.
 */
flags?: number, 
/**
 * OTLP: the logger. Its name is also in `stream`.
 */
scope?: Scope, 
/**
 * OTLP: what is known of the sender besides its attributes.
 */
resource?: Resource, 
/**
 * Which protocol it came by.
 */
origin: LogOrigin, };

/**
 * A log group.
 */
export type LogGroupRow = { name: string, 
/**
 * Days after which events are removed; null for never or unknown.
 */
retention_days: number | null, 
/**
 * Null where unknown.
 */
stored_bytes: number | null, };

/**
 * Which log groups to list.
 */
export type LogGroupsRequest = { 
/**
 * Part of their name; empty for all.
 */
search?: string, };

/**
 * Which protocol a log event came by.
 */
export type LogOrigin = "otlp" | "cloudwatch";

/**
 * A log event by its id.
 */
export type LogRef = { 
/**
 * As in `live_logs`.
 */
id: string, source?: Source, };

/**
 * A log event in a list.
 */
export type LogRow = { 
/**
 * Its sequence number in the telemetry, the ID of `capture logs ID`.
 */
id: string, 
/**
 * When, RFC 3339.
 */
timestamp: string, 
/**
 * CloudWatch's log group; an OTLP record's service.
 */
group: string, 
/**
 * CloudWatch's log stream; an OTLP record's scope.
 */
stream: string, message: string, 
/**
 * The trace it belongs to, if it says so.
 */
trace_id: TraceId | null, 
/**
 * As sent; empty if missing.
 */
severity: string, 
/**
 * How far the sender's clock is ahead of this machine's, or behind if negative, in milliseconds; only where that
 * is more than usual.
 */
skew_ms?: number, };

/**
 * A log stream.
 */
export type LogStreamRow = { name: string, 
/**
 * RFC 3339; null where unknown.
 */
last_event: string | null, };

/**
 * Which log streams to list.
 */
export type LogStreamsRequest = { group: string, 
/**
 * Name prefix; empty for all.
 */
search?: string, };

/**
 * Log events as evidence: those that matched a query.
 */
export type Logs = { 
/**
 * The events, oldest first.
 */
events: Array<LogEvent>, 
/**
 * The number of older matching events that were left out.
 */
more?: number, 
/**
 * Notes for the reader.
 */
notes?: Array<string>, };

/**
 * A call from one node to another.
 */
export type MapEdge = { 
/**
 * The caller's number.
 */
from: number, 
/**
 * The callee's number.
 */
to: number, 
/**
 * The requests between the two nodes.
 */
traffic: Traffic, };

/**
 * A node.
 */
export type MapNode = { 
/**
 * Its number in this map, from 0; edges refer to it.
 */
id: number, name: string, kind: NodeKind, 
/**
 * The requests that it handled.
 */
traffic: Traffic, };

/**
 * References and slots of one text.
 */
export type Markup = { 
/**
 * References to evidence, in the order of the text.
 */
references: Array<Reference>, 
/**
 * References to live cards, in the order of the text.
 */
live: Array<Reference>, 
/**
 * In the order of the text.
 */
slots: Array<Slot>, };

/**
 * A text to scan for references and slots.
 */
export type MarkupRequest = { 
/**
 * Id or slug of the entry whose dismissed slots are left out; null keeps all.
 */
entry?: string, body: string, };

/**
 * Leaves a value as it is in exports, or masks it again.
 */
export type MaskAllow = { value: string, 
/**
 * Id or slug of the entry in whose text alone it stays; everywhere if null.
 */
entry?: string, 
/**
 * False to mask it again.
 */
allowed: boolean, };

/**
 * How often a rule finds something.
 */
export type MaskCount = { rule: string, count: number, };

/**
 * A value that is exported as it is.
 */
export type MaskException = { value: string, 
/**
 * The slug of the entry in whose text it stays; null for all texts and evidence.
 */
entry: string | null, 
/**
 * Whether it is in `tracebook.toml`, where only the user removes it.
 */
configured: boolean, };

/**
 * All placeholders and exceptions of the journal.
 */
export type MaskList = Record<symbol, never>;

/**
 * A line before and after it is masked.
 */
export type MaskPlace = { 
/**
 * The entry's slug.
 */
entry: string, 
/**
 * From 1; null for the title.
 */
line: number | null, before: string, after: string, };

/**
 * What an export of entries would mask. Nothing is stored.
 */
export type MaskPreview = { 
/**
 * Ids or slugs; empty for all.
 */
entries: Array<string>, };

/**
 * What an export would mask.
 */
export type MaskPreviewed = { 
/**
 * How many values would be replaced.
 */
total: number, 
/**
 * By rule, the most frequent first.
 */
rules: Array<MaskCount>, 
/**
 * Each value once, the most frequent first.
 */
values: Array<MaskValue>, 
/**
 * The places in the texts of entries, in their order; at most 1,000.
 */
places: Array<MaskPlace>, 
/**
 * Values that would stay.
 */
exceptions: Array<MaskException>, };

/**
 * Whoever gets the salt and the original can compute the commitment, and compare the data.
 */
export type MaskProof = { evidence: Id, 
/**
 * Whether the masked form differs from the original only by placeholders of this journal.
 */
ok: boolean, 
/**
 * Of the original.
 */
digest: string, 
/**
 * Of the masked form; null if nothing in it is masked.
 */
masked_digest: string | null, 
/**
 * In hex digits.
 */
salt: string, 
/**
 * `sha256:` of salt, colon and digest of the original; `original` in the masked form.
 */
commitment: string, };

/**
 * What shows that masked evidence was made from this journal's evidence.
 */
export type MaskProve = { evidence: Id, 
/**
 * An exported picture to compare; null for what an export writes now.
 */
file?: string, };

/**
 * One placeholder.
 */
export type MaskRow = { 
/**
 * `<ACCOUNT_ID_1>`
 */
placeholder: string, 
/**
 * What it stands for; null if another journal gave it, or a text contains it without standing for anything.
 */
value: string | null, 
/**
 * The public name of the other journal that gave it, if known.
 */
origin: string | null, };

/**
 * A rule.
 */
export type MaskRule = { name: string, 
/**
 * The kinds of its placeholders: `ACCOUNT_ID`.
 */
placeholders: Array<string>, 
/**
 * Where the form that it finds is documented.
 */
from: string, 
/**
 * Whether it is the user's own, from `tracebook.toml`.
 */
own: boolean, };

/**
 * The rules by which exports mask.
 */
export type MaskRules = Record<symbol, never>;

/**
 * The placeholders of the journal, which no export contains the values of.
 */
export type MaskTable = { 
/**
 * By kind and number.
 */
masks: Array<MaskRow>, exceptions: Array<MaskException>, };

/**
 * A value that would be masked.
 */
export type MaskValue = { rule: string, value: string, placeholder: string, count: number, 
/**
 * The slugs of the entries that have it, in their text or evidence.
 */
entries: Array<string>, };

/**
 * A text with the name of its file.
 */
export type NamedText = { 
/**
 * `week2.md`
 */
name: string, text: string, };

/**
 * Nanoseconds since the Unix epoch, UTC: 1677 to 2262.
 *
 * A decimal string in JSON, since numbers in JavaScript and RFC 8785 are exact only up to 2^53.
 */
export type Nanos = string;

/**
 * The state of one need.
 */
export type NeedState = { 
/**
 * The rule: `1 trace from X-Ray with a subsegment`.
 */
text: string, met: boolean, 
/**
 * How many there are, at most `least`.
 */
have: number, 
/**
 * How many are needed.
 */
least: number, 
/**
 * The evidence that meets it.
 */
by: Array<Id>, 
/**
 * Why it is not met; empty if it is.
 */
why: string, };

/**
 * The kind of a node.
 */
export type NodeKind = "client" | "service" | "remote" | "database" | "aws" | "messaging";

/**
 * One occurrence of an error.
 */
export type Occurrence = { 
/**
 * `data.uuid`, or one derived from the payload.
 */
uuid: string, 
/**
 * The item it is grouped into: a hash of its fingerprint.
 */
item: string, 
/**
 * `TypeError: the view function did not return a valid response`, or the message.
 */
title: string, level: Level, 
/**
 * The time, in whole seconds as in Rollbar.
 */
timestamp: Nanos, 
/**
 * `development`, …
 */
environment: string, 
/**
 * The route or function.
 */
context?: string, 
/**
 * The exceptions, outermost first; empty for a message.
 */
traces?: Array<ErrorTrace>, 
/**
 * A message's text; empty for an exception.
 */
message?: string, 
/**
 * The affected person.
 */
person?: Person, 
/**
 * The request, flattened: `method`, `url`, `headers.User-Agent`, …
 */
request?: Array<Attribute>, 
/**
 * Custom data, flattened.
 */
custom?: Array<Attribute>, 
/**
 * Everything else that was sent, flattened: server, notifier, language, …
 */
other?: Array<Attribute>, 
/**
 * What was truncated, as text for display.
 */
notes?: Array<string>, };

/**
 * An occurrence in a list.
 */
export type OccurrencePick = { 
/**
 * As `error_get` and `capture error` take it.
 */
id: string, 
/**
 * RFC 3339.
 */
timestamp: string, 
/**
 * Empty where the occurrence names none.
 */
person: string, title: string, };

/**
 * One of an item's other occurrences.
 */
export type OccurrenceRow = { 
/**
 * Its `data.uuid`.
 */
uuid: string, timestamp: Nanos, 
/**
 * The affected person: username, else e-mail, else id; empty if unknown.
 */
person?: string, };

/**
 * The item whose occurrences are listed.
 */
export type OccurrencesRequest = { source?: Source, id: string, 
/**
 * Continues a list: the `next` of its answer.
 */
page?: string, };

/**
 * The passphrase of a key file. `Debug` omits it, and no answer contains it.
 */
export type Passphrase = string;

/**
 * The affected person.
 */
export type Person = { 
/**
 * Required by Rollbar.
 */
id: string, 
/**
 * Sent only if the SDK is configured to.
 */
username?: string, 
/**
 * Sent only if the SDK is configured to.
 */
email?: string, };

/**
 * A place in a text. `start` and `end` are UTF-16 code units, as JavaScript counts; the byte
 * range is for Rust.
 */
export type Place = { 
/**
 * First UTF-16 unit.
 */
start: number, 
/**
 * One past the last UTF-16 unit.
 */
end: number, 
/**
 * The line it begins on, from 1.
 */
line: number, };

/**
 * A change that puts a reference into a text. Offsets are UTF-16 code units.
 */
export type Placing = { 
/**
 * First unit that is replaced.
 */
start: number, 
/**
 * One past the last unit that is replaced.
 */
end: number, 
/**
 * The replacement.
 */
insert: string, 
/**
 * The cursor in the new text: not on the line of a reference that stands alone, so that its card is shown.
 */
cursor: number, };

/**
 * A problem of an entry.
 */
export type Problem = { 
/**
 * The entry's slug.
 */
entry: string, 
/**
 * From 1; null for what concerns the whole entry.
 */
line: number | null, kind: ProblemKind, 
/**
 * What is wrong, and what would help if it is not obvious.
 */
message: string, };

/**
 * The kind of a problem.
 */
export type ProblemKind = "leak" | "slot" | "evidence" | "picture" | "link" | "anchor" | "empty-section" | "todo" | "alt-text" | "expires" | "homework" | "old-evidence";

/**
 * The protocol by which a span was received.
 */
export type Protocol = "otlp" | "xray" | "console";

/**
 * The provenance of evidence.
 */
export type Provenance = { 
/**
 * The question, with its source.
 */
question: Question, 
/**
 * The receiver or endpoint it came from, as text: `OTLP/HTTP`, `X-Ray daemon protocol`.
 */
via?: Array<string>, 
/**
 * The systems that answered, in the order in which they were asked. Empty where only local telemetry was read, and
 * in evidence of versions that did not record them.
 */
endpoints?: Array<Endpoint>, 
/**
 * The cloud region, if any.
 */
region?: string, 
/**
 * The first and last time in the data.
 */
range: [Nanos, Nanos], 
/**
 * When it was frozen.
 */
captured_at: Nanos, 
/**
 * How far the last time in the data was after `captured_at`, if the clock of a sender was minutes ahead.
 */
ahead?: Nanos, 
/**
 * The version that froze it: `tracebook 0.1.0`.
 */
tool: string, 
/**
 * Link to it in the vendor's console.
 */
console_link?: string, 
/**
 * When the vendor will delete it.
 */
expires?: Nanos, 
/**
 * How far the clock of a sender was ahead of the arrival of its data (or behind, if negative), where that is more
 * than usual; of several, the furthest.
 */
clock_skew?: Nanos, 
/**
 * The number of spans that came without an end time, see [`crate::open`].
 */
without_end?: number, 
/**
 * The number of credential-shaped values removed before the digest was computed.
 */
credentials_removed?: number, 
/**
 * The evidence that this one is a re-capture of.
 */
supersedes?: Id, };

/**
 * The source whose saved queries are listed.
 */
export type QueriesRequest = { 
/**
 * `cloudwatch` or `honeycomb`.
 */
source: Source, };

/**
 * The result of a query.
 */
export type QueryAnswer = { 
/**
 * Passed to `capture query`, freezes exactly this answer, as long as this run lasts.
 */
id: string, result: QueryResult, 
/**
 * Link to the vendor's page.
 */
link: string | null, };

/**
 * The saved query to forget.
 */
export type QueryForget = SavedQuery;

/**
 * The labels of the form for queries.
 */
export type QueryForm = { 
/**
 * The query language: `Logs Insights`.
 */
name: string, 
/**
 * The heading of the saved ones.
 */
saved: string, 
/**
 * What a query reads: `Log groups`.
 */
scope: string, 
/**
 * The same for the empty field.
 */
hint: string, 
/**
 * An example for the empty query.
 */
example: string, };

/**
 * The language of a query.
 */
export type QueryLanguage = "insights" | "honeycomb";

/**
 * A query with its result, as evidence.
 */
export type QueryResult = { 
/**
 * Its language.
 */
language: QueryLanguage, 
/**
 * The name under which it is saved; empty if it is not.
 */
name?: string, 
/**
 * The text of the query.
 */
query: string, 
/**
 * The queried log groups or datasets.
 */
groups?: Array<string>, 
/**
 * The start of the time range.
 */
start: Nanos, 
/**
 * The end of the time range.
 */
end: Nanos, 
/**
 * The names of the columns, in the order of the result.
 */
columns: Array<string>, 
/**
 * The rows, with one cell per column; missing fields are empty.
 */
rows: Array<Array<string>>, 
/**
 * The number of rows that were left out.
 */
more?: number, 
/**
 * The source's statistics: `recordsMatched`, `bytesScanned`, …
 */
statistics?: Array<Attribute>, 
/**
 * Notes for the reader.
 */
notes?: Array<string>, };

/**
 * A query to run. Its call can be cancelled and reports progress.
 */
export type QueryRun = { 
/**
 * `cloudwatch` or `honeycomb`.
 */
source: Source, 
/**
 * May be empty with `id`.
 */
query?: string, 
/**
 * The id of a saved query.
 */
id?: string, 
/**
 * Log groups or datasets; those of the saved query if empty.
 */
groups?: Array<string>, 
/**
 * Time window, such as `1h`, or a range `FROM/TO`.
 */
since?: string, 
/**
 * Maximum number of rows.
 */
limit?: number, };

/**
 * The query to save.
 */
export type QuerySave = SavedQuery;

/**
 * A query: source, time range, filter and limit.
 */
export type Question = { source: Source, 
/**
 * The filter in the source's own language; empty matches everything.
 */
filter: string, 
/**
 * Only items that began at or after this time.
 */
since?: Nanos, 
/**
 * Only items that began before this time.
 */
until?: Nanos, 
/**
 * Maximum number of items.
 */
limit: number, };

/**
 * How the last call to a source went.
 */
export type Reach = { 
/**
 * Since when it cannot be reached, RFC 3339; null where it can, or was not called yet.
 */
unreachable_since: string | null, 
/**
 * The last failure; null where the last call succeeded.
 */
problem: ErrorBody | null, };

/**
 * A receiver.
 */
export type Receiver = { 
/**
 * `http`, `grpc`, `xray`.
 */
name: string, 
/**
 * `127.0.0.1:4318`; null if it does not listen.
 */
address: string | null, 
/**
 * Why it does not listen, and what to do; empty if it does.
 */
problem: string, 
/**
 * Whether another process listens for this journal.
 */
elsewhere: boolean, };

/**
 * A reference: `![alt](evidence:01J…?size=compact "caption")`, or `![alt](live:01J…)` to a live card.
 */
export type Reference = { 
/**
 * The evidence, or the live card.
 */
id: Id, 
/**
 * The place of the whole image.
 */
place: Place, 
/**
 * Its alternative text, as plain text.
 */
alt: string, 
/**
 * Its caption, as plain text; empty if none.
 */
caption: string, 
/**
 * `size` of the query: `compact` or `line`, or empty for the full card.
 */
size: string, 
/**
 * Whether it stands alone in its paragraph, and so becomes a block.
 */
alone: boolean, 
/**
 * Whether its alternative text was generated from a live card's question, and so gives way to the card's present
 * title.
 */
generated: boolean, };

/**
 * A reference to place in a text that is being edited.
 */
export type ReferencePlace = { body: string, reference: string, 
/**
 * The slot that it fills; null to place it at the cursor.
 */
slot?: TextRange, 
/**
 * The cursor, in UTF-16 code units.
 */
cursor: number, };

/**
 * No arguments.
 */
export type RelayRequest = Record<symbol, never>;

/**
 * A destination of the relay.
 */
export type RelayRow = { 
/**
 * `otlp`, `xray`, `logs`, `rollbar`.
 */
name: string, 
/**
 * `OpenTelemetry`, `X-Ray`, `CloudWatch Logs`, `Rollbar`.
 */
title: string, on: boolean, 
/**
 * One sentence: what is forwarded, where to, and with which credentials.
 */
what: string, 
/**
 * OTLP: the endpoint, also while it is off. Empty for others.
 */
endpoint: string, 
/**
 * Where the credential is: `keychain`, `environment`, `memory`, `none`, `profile` (AWS); empty where none is
 * needed.
 */
credential: string, 
/**
 * The environment variable that is read for it; empty where there is none.
 */
variable: string, 
/**
 * The counted unit: `segments`, `log events`.
 */
unit: string, 
/**
 * Items queued.
 */
waiting: number, 
/**
 * When the oldest of them arrived, RFC 3339; null where none is queued.
 */
oldest: string | null, 
/**
 * Items accepted since the journal was created.
 */
sent: number, 
/**
 * When the last batch was accepted, RFC 3339.
 */
last_sent: string | null, 
/**
 * Items rejected for good.
 */
refused: number, 
/**
 * Why the last one was rejected; empty if none was.
 */
refusal: string, 
/**
 * Items dropped: too old, too many, or discarded by the user.
 */
dropped: number, 
/**
 * Why the queue is not sent; empty where nothing is wrong.
 */
problem: string, 
/**
 * What to do; may be empty.
 */
hint: string, 
/**
 * Since when, RFC 3339.
 */
since: string | null, };

/**
 * Changes one destination; null keeps a value.
 */
export type RelaySet = { name: string, 
/**
 * Turning a destination off keeps its queue.
 */
on?: boolean, 
/**
 * OTLP: the endpoint; Honeycomb's if none was ever set.
 */
endpoint?: string, 
/**
 * OTLP: where the key is, `honeycomb` or `env:NAME`; empty for none.
 */
key?: string, 
/**
 * OTLP: the header that the key goes into; empty for `x-honeycomb-team`.
 */
header?: string, 
/**
 * Rollbar's post token, or Honeycomb's key, for the keychain or this run's memory; empty removes it. `Debug`
 * omits it, and no answer contains it.
 */
token?: string, 
/**
 * Discards the queue.
 */
forget?: boolean, 
/**
 * Retries at once.
 */
again?: boolean, };

/**
 * The state of the relay.
 */
export type RelayState = { 
/**
 * A row for each destination: `otlp`, `xray`, `logs`, `rollbar`.
 */
rows: Array<RelayRow>, 
/**
 * Bytes queued for all destinations.
 */
bytes: number, 
/**
 * Bytes that may be queued; beyond that the oldest are dropped.
 */
limit_bytes: number, 
/**
 * Hours after which what is queued is dropped.
 */
limit_hours: number, 
/**
 * Why nothing is sent although a destination is on; empty where it is.
 */
problem: string, };

/**
 * A one-line summary of all destinations.
 */
export type RelaySum = { 
/**
 * Titles of the destinations that are on.
 */
on: Array<string>, 
/**
 * Items queued for all destinations.
 */
waiting: number, 
/**
 * Why the first of them is not sent; empty where nothing is wrong.
 */
problem: string, };

/**
 * The sender of a span: the service and its process.
 */
export type Resource = { 
/**
 * Its attributes; `service.name` among them.
 */
attributes?: Array<Attribute>, 
/**
 * OTLP's schema URL, empty if none.
 */
schema_url?: string, 
/**
 * The number of attributes that the sender dropped.
 */
dropped_attributes?: number, };

/**
 * A stored version of a text.
 */
export type Revision = { 
/**
 * Its revision of the working text.
 */
revision: number, 
/**
 * When it was stored, RFC 3339.
 */
created_at: string, 
/**
 * Why: `pause`, `close`, `capture`, `import`, `set`, `restore`, or `conflict` for a text whose base was
 * older and which therefore did not become the working text.
 */
reason: string, 
/**
 * Bytes of UTF-8.
 */
bytes: number, };

/**
 * What is compared.
 */
export type Rule = "id" | "time" | "range" | "future" | "picture" | "text" | "digest" | "copy" | "other";

/**
 * A sampling rule, with the names and limits of the API.
 */
export type SamplingRule = { name: string, 
/**
 * `arn:aws:xray:…:sampling-rule/…`
 */
arn: string, 
/**
 * The matching rule with the lowest number applies; 1 to 9999, `Default` has 10000.
 */
priority: number, 
/**
 * The share of requests after the reservoir, 0 to 1.
 */
fixed_rate: number, 
/**
 * The reservoir: requests per second that are sampled before the rate applies.
 */
reservoir_size: number, 
/**
 * Services it matches, with `*` and `?`.
 */
service_name: string, 
/**
 * Service types it matches.
 */
service_type: string, 
/**
 * Hosts it matches.
 */
host: string, 
/**
 * HTTP methods it matches.
 */
http_method: string, 
/**
 * URL paths it matches.
 */
url_path: string, 
/**
 * SDKs ignore a rule whose resource is not `*`.
 */
resource_arn: string, 
/**
 * Segment attributes that must match; SDKs ignore a rule that has any.
 */
attributes?: { [key in string]: string }, 
/**
 * When it was created.
 */
created: Nanos, 
/**
 * When it was last changed.
 */
modified: Nanos, };

/**
 * Sampling rules as evidence.
 */
export type SamplingRules = { 
/**
 * By priority.
 */
rules: Array<SamplingRule>, 
/**
 * Notes for the reader: a rate below 1.
 */
notes?: Array<string>, };

/**
 * A query saved in this journal, at the vendor, or on a board.
 */
export type SavedQuery = { 
/**
 * Empty for a new one.
 */
id: string, 
/**
 * `cloudwatch` or `honeycomb`.
 */
source: Source, name: string, 
/**
 * In the source's language; empty where the source does not return it.
 */
query: string, 
/**
 * Log groups or datasets.
 */
groups: Array<string>, 
/**
 * Its origin: `saved here`, `CloudWatch`, `board Week 2`.
 */
from: string, 
/**
 * Whether it is saved in this journal.
 */
own?: boolean, 
/**
 * The vendor's page of it; null where there is none.
 */
link: string | null, };

/**
 * The library that created a span.
 */
export type Scope = { 
/**
 * The library's name.
 */
name?: string, version?: string, attributes?: Array<Attribute>, 
/**
 * OTLP's schema URL, empty if none.
 */
schema_url?: string, 
/**
 * The number of attributes that the sender dropped.
 */
dropped_attributes?: number, };

/**
 * What to search for.
 */
export type Search = { 
/**
 * Words of the text or the title, of which the last may be the beginning of one. Case and accents do not matter.
 */
words: string, 
/**
 * Maximum number of results; 30 if null, 200 at most.
 */
limit?: number, };

/**
 * A token for the keychain or this run's memory. `Debug` omits it, and no answer contains it.
 */
export type SecretSet = { vendor: Vendor, 
/**
 * Empty removes it.
 */
token: string, 
/**
 * Store it in memory only.
 */
memory_only?: boolean, };

/**
 * A service map, as evidence and as the answer to X-Ray's GetServiceGraph.
 */
export type ServiceMap = { 
/**
 * The nodes: clients first, then by distance from them.
 */
nodes: Array<MapNode>, edges: Array<MapEdge>, 
/**
 * The number of traces it was computed from.
 */
traces: number, 
/**
 * The start of the earliest trace.
 */
start: Nanos, 
/**
 * The end of the latest trace.
 */
end: Nanos, 
/**
 * Notes for the reader: traces left out, traces in progress.
 */
notes?: Array<string>, };

/**
 * A setting of a vendor.
 */
export type SettingInfo = { 
/**
 * In the vendor's section. `source_set` names it after the vendor: `aws_profile`; so does `--aws-profile`.
 */
key: string, label: string, 
/**
 * In the help of the command line.
 */
help: string, 
/**
 * Whether it is an address.
 */
url: boolean, 
/**
 * What applies where it is not set; may be empty.
 */
default: string, 
/**
 * For the empty field; may be empty.
 */
example: string, 
/**
 * The usual values, to choose from; empty for a free text.
 */
choices: Array<string>, };

/**
 * A new key in the keychain.
 */
export type SigningCreate = { 
/**
 * Replace the key that is there.
 */
replace?: boolean, };

/**
 * Removes the key from the keychain.
 */
export type SigningForget = Record<symbol, never>;

/**
 * The public part of a key that signs.
 */
export type SigningKey = { 
/**
 * As a line of `authorized_keys`: `ssh-ed25519 AAAA… tracebook`.
 */
key: string, 
/**
 * `SHA256:…`
 */
fingerprint: string, 
/**
 * Where its private part is: `keychain`, `environment`, `agent`, `file`.
 */
place: string, };

/**
 * The key that an export signs with.
 */
export type SigningShow = { 
/**
 * As in [`super::Export`]; the configured key if null, else that of the keychain, else of the agent.
 */
sign?: string, passphrase?: Passphrase, };

/**
 * A place for evidence that is still empty.
 */
export type Slot = { 
/**
 * Its number in this text, from 1.
 */
n: number, 
/**
 * Its line, from 1.
 */
line: number, 
/**
 * Its text: the line's text, or the image's alternative text.
 */
text: string, 
/**
 * The kind of evidence it seems to need: `trace`, `logs`, `error`, `console`, `service-map`, `query`, `unknown`.
 */
wants: string, 
/**
 * What capture replaces.
 */
place: Place, };

/**
 * A line that is not a slot.
 */
export type SlotDismiss = { 
/**
 * Id or slug.
 */
entry: string, 
/**
 * The slot's text, as `markup` returned it.
 */
text: string, 
/**
 * The text of the entry, which is scanned again for the answer.
 */
body: string, };

/**
 * A system that evidence is read from.
 */
export type Source = "local" | "xray" | "cloudwatch" | "rollbar" | "honeycomb";

/**
 * A source.
 */
export type SourceInfo = { source: Source, 
/**
 * Its vendor; null for local telemetry.
 */
vendor: Vendor | null, 
/**
 * As a label: `Local telemetry`.
 */
label: string, 
/**
 * Within a sentence: `local telemetry`.
 */
name: string, 
/**
 * The lists that it answers.
 */
lists: Array<List>, 
/**
 * The kinds of evidence that can be captured from it; live cards can show each of them.
 */
captures: Array<CaptureInfo>, 
/**
 * The kinds of evidence that a user may expect from it but that it does not provide.
 */
gaps: Array<Gap>, 
/**
 * The kinds that can be linked to in its console.
 */
links: Array<LinkInfo>, 
/**
 * What its lists show at first; null for everything of the last hour.
 */
start: Start | null, 
/**
 * The form of its queries; null if it has none.
 */
queries: QueryForm | null, };

/**
 * Settings to change, each by vendor and key as the catalog names them: `aws_profile`, `honeycomb_endpoint`. Null
 * keeps a value, an empty text removes it.
 */
export type SourceSet = { [key in string]: string | null };

/**
 * The settings and state of the cloud sources.
 */
export type Sources = { aws: AwsState, 
/**
 * The vendors with a token. In JSON each is also beside `aws`, under its own name.
 */
vendors: { [key in Vendor]?: TokenState }, usage: Usage, };

/**
 * No arguments.
 */
export type SourcesRequest = Record<symbol, never>;

/**
 * One span, segment or subsegment.
 */
export type Span = { id: SpanId, 
/**
 * Its parent's id, as sent; the parent may be missing.
 */
parent?: SpanId, 
/**
 * Its name, as sent.
 */
name: string, 
/**
 * The service it belongs to.
 */
service: string, kind: SpanKind, 
/**
 * The protocol by which it was received.
 */
protocol: Protocol, 
/**
 * When it began.
 */
start: Nanos, 
/**
 * When it ended; `None` while it is in progress.
 */
end?: Nanos, 
/**
 * Its result.
 */
status: SpanStatus, 
/**
 * OTLP attributes, or X-Ray's `http`, `aws`, `sql`, `service`, … by dotted path.
 */
attributes?: Array<Attribute>, 
/**
 * X-Ray annotations.
 */
annotations?: Array<Attribute>, 
/**
 * X-Ray metadata: one attribute per namespace.
 */
metadata?: Array<Attribute>, events?: Array<SpanEvent>, links?: Array<Link>, exceptions?: Array<Exception>, 
/**
 * X-Ray: the cause is the exception with this id, recorded in another subsegment.
 */
cause_ref?: string, 
/**
 * W3C trace state.
 */
trace_state?: string, 
/**
 * W3C flags as sent. Not every SDK sets the sampled bit, so it must not be relied on.
 */
flags?: number, 
/**
 * What the sender left out.
 */
dropped?: Dropped, 
/**
 * Index into [`Trace::resources`].
 */
resource: number, 
/**
 * Index into [`Trace::scopes`].
 */
scope: number, };

/**
 * A timestamped event within a span.
 */
export type SpanEvent = { time: Nanos, name: string, attributes?: Array<Attribute>, 
/**
 * The number of attributes that the sender dropped.
 */
dropped_attributes?: number, };

/**
 * A span's, segment's or subsegment's id, 8 bytes.
 */
export type SpanId = string;

/**
 * The kind of a span: OTLP's five, and X-Ray's two.
 */
export type SpanKind = "unspecified" | "internal" | "server" | "client" | "producer" | "consumer" | "segment" | "subsegment";

/**
 * A span's status.
 */
export type SpanStatus = { 
/**
 * Its result.
 */
code: StatusCode, 
/**
 * The sender's message, empty if none.
 */
message?: string, };

/**
 * The question that a list begins with.
 */
export type Start = { filter: string, 
/**
 * The time window before now: `7d`.
 */
since: string, };

/**
 * Status of the app: receivers, journal, problems.
 */
export type Status = { version: string, 
/**
 * The journal's directory.
 */
data_dir: string, receivers: Array<Receiver>, 
/**
 * What needs the user's attention, each with what to do.
 */
problems: Array<string>, 
/**
 * Spans received since start.
 */
spans_received: number, 
/**
 * Log events received since start.
 */
logs_received: number, 
/**
 * Occurrences of errors received since start.
 */
errors_received: number, 
/**
 * Space that telemetry takes.
 */
telemetry: TelemetryUse, 
/**
 * What is forwarded to the real services.
 */
relay: RelaySum, 
/**
 * Requests and datagrams refused since start.
 */
rejected: number, 
/**
 * The reason for the last one; empty if there was none.
 */
last_rejected: string, };

/**
 * The result of a span. OTLP has the first three; X-Ray distinguishes client errors, faults and throttling.
 */
export type StatusCode = "unset" | "ok" | "throttle" | "error" | "fault";

/**
 * No arguments.
 */
export type StatusRequest = Record<symbol, never>;

/**
 * A piece of a console line for display: omitted attributes are off, a colour is one of the terminal's sixteen.
 */
export type StyledSpan = { 
/**
 * Without escape sequences; never empty.
 */
text: string, 
/**
 * 0 to 7, and 8 to 15 for the bright ones.
 */
fg?: number, 
/**
 * As `fg`, of the background.
 */
bg?: number, bold?: boolean, dim?: boolean, italic?: boolean, underline?: boolean, strike?: boolean, inverse?: boolean, };

/**
 * What was done to an entry.
 */
export type SyncChange = "added" | "edited" | "deleted" | "restored";

/**
 * An entry that both sides changed in different ways.
 */
export type SyncConflict = { id: Id, 
/**
 * Its slug.
 */
entry: string, title: string, kind: SyncConflictKind, 
/**
 * The revision that has the other text; null for a title, a week, a deletion and a dry run.
 */
revision: number | null, 
/**
 * What happened, and where the other version is.
 */
message: string, };

/**
 * What both sides changed.
 */
export type SyncConflictKind = "text" | "title" | "week" | "deleted";

/**
 * What went to the branch.
 */
export type SyncExported = { entries: Array<SyncedEntry>, 
/**
 * Paths below the folder.
 */
written: Array<string>, 
/**
 * Paths below the folder.
 */
removed: Array<string>, unchanged: number, };

/**
 * No arguments.
 */
export type SyncForget = Record<symbol, never>;

/**
 * What came from the branch.
 */
export type SyncImported = { entries: Array<SyncedEntry>, 
/**
 * Added.
 */
evidence: Array<EvidenceRow>, 
/**
 * Added or recognised.
 */
attachments: Array<AttachmentRow>, };

/**
 * Publishes the journal, and takes over what others changed. What is null is as the last time, or as the repository
 * says.
 */
export type SyncRun = { 
/**
 * A folder of the repository.
 */
repo?: string, 
/**
 * The name of a remote of it.
 */
remote?: string, branch?: string, 
/**
 * The folder that gets `journal/`, relative to the root of the repository; `.` is the root.
 */
folder?: string, 
/**
 * Only fetch, and tell what would be done.
 */
dry_run?: boolean, 
/**
 * Whether git may ask on the terminal.
 */
prompt?: boolean, 
/**
 * The passphrase of the key that signs exports.
 */
passphrase?: Passphrase, };

/**
 * Where the journal is published, without asking the remote.
 */
export type SyncStatus = { 
/**
 * Whether there is such a place; the other texts are empty if not.
 */
configured: boolean, repo: string, remote: string, branch: string, folder: string, 
/**
 * The commit that the journal agreed with last.
 */
commit: string | null, 
/**
 * RFC 3339 UTC.
 */
synced_at: string | null, 
/**
 * What the next sync publishes.
 */
changed: Array<SyncedEntry>, };

/**
 * No arguments.
 */
export type SyncStatusRequest = Record<symbol, never>;

/**
 * What became of a sync.
 */
export type Synced = { 
/**
 * The root of the repository.
 */
repo: string, remote: string, branch: string, 
/**
 * Relative to the root; empty for the root.
 */
folder: string, 
/**
 * The commit that the journal agrees with now; null for a dry run, and for a branch that does not exist.
 */
commit: string | null, 
/**
 * Whether a commit was made and pushed.
 */
pushed: boolean, dry_run: boolean, 
/**
 * What came from the branch.
 */
imported: SyncImported, 
/**
 * What went to it.
 */
exported: SyncExported, 
/**
 * The slugs of the entries that both sides changed.
 */
merged: Array<string>, 
/**
 * What both sides changed in different ways. Nothing is lost: the other version is kept as a revision.
 */
conflicts: Array<SyncConflict>, 
/**
 * The message of the commit; empty if there is none.
 */
message: string, warnings: Array<string>, };

/**
 * An entry that was changed.
 */
export type SyncedEntry = { id: Id, 
/**
 * Its slug.
 */
entry: string, title: string, change: SyncChange, };

/**
 * The tail to read.
 */
export type TailRead = { 
/**
 * As returned by `tail_start`.
 */
id: string, };

/**
 * A running tail.
 */
export type TailRef = { 
/**
 * `Event::Changed` with [`Topic::Tail`](super::Topic::Tail) names it when there are more rows.
 */
id: string, };

/**
 * Starts a tail.
 */
export type TailStart = { 
/**
 * As for `live_logs`; must contain a group.
 */
filter: string, };

/**
 * The events that a tail received.
 */
export type TailState = { 
/**
 * The last thousand, newest first.
 */
rows: Array<LogRow>, 
/**
 * `live tail`, or `polling` if the endpoint does not support it.
 */
by: string, 
/**
 * Whether the source sent only a sample of the events.
 */
sampled: boolean, 
/**
 * Events received so far.
 */
seen: number, 
/**
 * Why it ended; null while it runs.
 */
ended: ErrorBody | null, };

/**
 * The tail to stop.
 */
export type TailStop = { 
/**
 * As returned by `tail_start`.
 */
id: string, };

/**
 * Space that telemetry takes.
 */
export type TelemetryUse = { 
/**
 * Bytes in use.
 */
bytes: number, 
/**
 * Bytes allowed; beyond that the oldest are removed.
 */
limit_bytes: number, 
/**
 * Days after which telemetry is removed.
 */
limit_days: number, 
/**
 * Spans, log events, errors and console lines removed for that since start.
 */
dropped: number, };

/**
 * A change of a text. Offsets are UTF-16 code units, as JavaScript counts.
 */
export type TextChange = { 
/**
 * First unit that is replaced.
 */
start: number, 
/**
 * One past the last unit that is replaced.
 */
end: number, insert: string, };

/**
 * What changed since a revision.
 */
export type TextDifference = { 
/**
 * The revision that is compared.
 */
from: number, 
/**
 * The revision of the working text.
 */
to: number, 
/**
 * As `diff -u` writes it, without file names; empty if nothing changed.
 */
diff: string, };

/**
 * A part of a text, in UTF-16 code units.
 */
export type TextRange = { start: number, 
/**
 * One past the last unit.
 */
end: number, };

/**
 * The token for a vendor's API.
 */
export type TokenInfo = { 
/**
 * The environment variable that is read where none is stored.
 */
variable: string, 
/**
 * The error where there is none.
 */
missing: string, 
/**
 * Where to get it.
 */
help: string, };

/**
 * The settings and state of a vendor with one token.
 */
export type TokenState = { 
/**
 * Where the token is: `keychain`, `environment`, `memory`, or `none`.
 */
token: string, 
/**
 * The environment variable that is read: `ROLLBAR_READ_TOKEN`.
 */
variable: string, 
/**
 * Whether this system has a usable keychain.
 */
keychain: boolean, 
/**
 * Why there is none, and what happens instead; empty where there is one.
 */
keychain_problem: string, 
/**
 * The API that is used; also in `settings`.
 */
endpoint: string, 
/**
 * Rollbar: the base of its pages, `https://app.rollbar.com/a/ACCOUNT/fix/item/PROJECT`; also in `settings`.
 */
web: string, 
/**
 * What applies for each key that the catalog names; empty where nothing is set.
 */
settings: { [key in string]: string }, reach: Reach, };

/**
 * The subject of a change.
 */
export type Topic = "entry" | "evidence" | "attachment" | "live-card" | "traces" | "logs" | "errors" | "console" | "relay" | "sources" | "tail" | "status" | "all";

/**
 * All spans that share a trace id. Spans are in the order of [`crate::assemble`]: a parent before its children,
 * siblings by start.
 */
export type Trace = { trace_id: TraceId, 
/**
 * The senders of the spans.
 */
resources: Array<Resource>, 
/**
 * The libraries that created the spans.
 */
scopes: Array<Scope>, spans: Array<Span>, 
/**
 * Notes for the reader: in progress, missing parents, cycles, drops.
 */
notes?: Array<string>, };

/**
 * A trace by id.
 */
export type TraceGet = { 
/**
 * 32 hex digits, or X-Ray's form.
 */
trace_id: string, source?: Source, };

/**
 * A trace's id, 16 bytes. X-Ray's `1-8hex-24hex` and W3C's 32 hex digits are two forms of the same id.
 *
 * Never derive a time from it: W3C ids do not contain one.
 */
export type TraceId = string;

/**
 * A trace in a list.
 */
export type TraceSummary = { 
/**
 * Its id, 32 hex digits.
 */
trace_id: TraceId, 
/**
 * The root's title.
 */
name: string, 
/**
 * Every service in the trace, the root's first.
 */
services: Array<string>, 
/**
 * The number of spans received so far.
 */
spans: number, 
/**
 * Milliseconds from the first start to the last end.
 */
duration_ms: number, 
/**
 * The worst status of any span: `ok`, `error`, `fault`, `throttle`; `in_progress` while the root has not ended.
 */
status: string, 
/**
 * When it began, RFC 3339.
 */
start: string, 
/**
 * Whether any span has an error.
 */
has_error: boolean, 
/**
 * The protocols by which its spans were received.
 */
protocols: Array<Protocol>, 
/**
 * How far the sender's clock is ahead of this machine's, or behind if negative, in milliseconds; only where that
 * is more than usual.
 */
skew_ms?: number, 
/**
 * What is known about spans without an end, see [`crate::open`]: `1 span without an end time`.
 */
unfinished?: string, };

/**
 * The statistics of a node or an edge in the time range.
 */
export type Traffic = { 
/**
 * Number of requests, including those in progress.
 */
requests: number, 
/**
 * Requests that failed on the caller's side: 4xx, or OTLP's error without a 5xx. Throttled ones are not included.
 */
errors: number, 
/**
 * Requests that failed on the service's side: 5xx, or an unhandled exception.
 */
faults: number, 
/**
 * Throttled requests: 429.
 */
throttles: number, 
/**
 * Median duration in nanoseconds.
 */
p50: Nanos, 
/**
 * 95th percentile of the durations in nanoseconds.
 */
p95: Nanos, 
/**
 * The longest duration in nanoseconds.
 */
max: Nanos, 
/**
 * The sum of the durations in nanoseconds.
 */
total: Nanos, };

/**
 * Calls to cloud sources this month and their price. Counted by this app; not the vendor's bill.
 */
export type Usage = { 
/**
 * `2026-11`.
 */
month: string, rows: Array<UsageRow>, 
/**
 * The sum in US dollars, without free tiers.
 */
dollars: number, 
/**
 * One sentence: `this month: 412 traces retrieved, < $0.01`.
 */
summary: string, 
/**
 * Date and origin of the prices.
 */
prices: string, };

/**
 * One counter.
 */
export type UsageRow = { 
/**
 * `X-Ray traces retrieved`, `CloudWatch Logs FilterLogEvents calls`.
 */
what: string, n: number, 
/**
 * In US dollars, without free tiers; null for what is free.
 */
dollars: number | null, };

/**
 * A property in which the occurrences of an item differ.
 */
export type Varied = { 
/**
 * Its name for display: `Message`, `Person`, `Request`, …
 */
name: string, 
/**
 * The most frequent values first; of equally frequent ones, the newest first.
 */
values: Array<VariedValue>, 
/**
 * The number of other values.
 */
more?: number, };

/**
 * A value and the occurrences that have it.
 */
export type VariedValue = { 
/**
 * Empty: those occurrences do not state it.
 */
value?: string, occurrences: number, };

/**
 * A cloud vendor with settings and credentials of its own; AWS stands for X-Ray and CloudWatch Logs.
 */
export type Vendor = "aws" | "rollbar" | "honeycomb";

/**
 * A vendor: what its settings, its token and its checks are made from.
 */
export type VendorInfo = { vendor: Vendor, 
/**
 * As a label: `AWS`.
 */
label: string, 
/**
 * As the heading of its settings: `AWS: X-Ray and CloudWatch Logs`.
 */
title: string, 
/**
 * The `source` of its checks in the answer of `doctor`.
 */
checks: string, 
/**
 * What the names of its environment variables begin with: `AWS_`.
 */
variables: string, 
/**
 * The token for reading; null for AWS, whose credentials are those of its own tools.
 */
token: TokenInfo | null, 
/**
 * The keys of its section in `tracebook.toml`.
 */
settings: Array<SettingInfo>, 
/**
 * What a user should know, below its settings.
 */
note: string, };

/**
 * A week of the course.
 */
export type WeekRow = { 
/**
 * `"0"` … `"99"`, `"X"`.
 */
week: string, 
/**
 * `Week 2 — Distributed Tracing`.
 */
title: string, };

/**
 * No arguments.
 */
export type WeeksRequest = Record<symbol, never>;

/**
 * The vendor whose credentials are checked.
 */
export type WhoAmI = { vendor: Vendor, };

/**
 * The outcome of a write.
 */
export type Written = { 
/**
 * The revision of the working text.
 */
revision: number, 
/**
 * False where the base was older: the working text is unchanged, and this text is kept as revision `kept`.
 */
accepted: boolean, 
/**
 * The revision that holds a text that was not accepted.
 */
kept: number | null, 
/**
 * What happened, for the user; empty if the text was accepted.
 */
message: string, 
/**
 * The changes of others that the text was merged with, as changes of the text that was sent; left out where there
 * were none.
 */
merged?: Array<TextChange>, };

/**
 * A group: the traces that match a filter expression.
 */
export type XrayGroup = { name: string, 
/**
 * `arn:aws:xray:…:group/…`
 */
arn: string, 
/**
 * The filter expression; empty for all traces.
 */
filter_expression: string, 
/**
 * Whether insights are enabled.
 */
insights_enabled: boolean, 
/**
 * Whether insights send notifications.
 */
notifications_enabled: boolean, };

/**
 * Groups as evidence.
 */
export type XrayGroups = { 
/**
 * By name, `Default` first.
 */
groups: Array<XrayGroup>, 
/**
 * Notes for the reader.
 */
notes?: Array<string>, };
