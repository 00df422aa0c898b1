// Generated from crates/app/src/rpc.rs by `make bindings`. Do not edit.

/** Every command: what it takes and what it answers. */
export interface Commands {
  /** What runs, where, and what is wrong. */
  status: [StatusRequest, Status]
  /** The course's weeks. */
  weeks: [WeeksRequest, Array<WeekRow>]
  /** Every entry, by week. */
  entry_list: [EntryListRequest, Array<EntryRow>]
  /** One entry with its text. */
  entry_get: [EntryGet, Entry]
  /** A new entry, from the week's template unless a body is given. */
  entry_new: [EntryNew, Entry]
  /** Writes an entry's working text; an older base never overwrites. */
  entry_write: [EntryWrite, Written]
  /** Changes an entry's title or week. */
  entry_rename: [EntryRename, EntryRow]
  /** Cuts a revision of the working text, unless the last one is the same. */
  entry_cut: [EntryCut, Array<Revision>]
  /** The texts that can be read back, newest first. */
  entry_history: [EntryHistory, Array<Revision>]
  /** The text of one revision. */
  entry_revision: [EntryRevision, string]
  /** Puts an entry into the bin. */
  entry_delete: [EntryDelete, EntryRow]
  /** Takes an entry out of the bin. */
  entry_restore: [EntryRestore, EntryRow]
  /** The references and slots of a text, with UTF-16 offsets. */
  markup: [MarkupRequest, Markup]
  /** Says that a line the finder took for a slot is none. */
  slot_dismiss: [SlotDismiss, Markup]
  /** Traces, newest first. */
  live_traces: [LiveTraces, Listed<TraceSummary>]
  /** One trace, whole. */
  trace_get: [TraceGet, Trace]
  /** Log events, newest first unless asked otherwise. */
  live_logs: [LiveLogs, Listed<LogRow>]
  /** One log event, whole. */
  log_get: [LogRef, LogEvent]
  /** Error items, the one that happened last first. */
  live_errors: [LiveErrors, Listed<ErrorRow>]
  /** One error item with its latest occurrence. */
  error_get: [ErrorRef, ErrorItem]
  /** What watched commands printed, newest first. */
  live_console: [LiveConsole, Listed<ConsoleRow>]
  /** The cloud sources, as they are set. */
  sources: [SourcesRequest, Sources]
  /** Sets where cloud sources are and by which profile they are asked. */
  source_set: [SourceSet, Sources]
  /** Puts a token into the keychain, or into this run's memory where there is none. */
  secret_set: [SecretSet, Sources]
  /** Asks a source who we are. */
  who_am_i: [WhoAmI, Identity]
  /** CloudWatch's log groups. */
  log_groups: [LogGroupsRequest, Listed<LogGroupRow>]
  /** A log group's streams, the one that was written last first. */
  log_streams: [LogStreamsRequest, Listed<LogStreamRow>]
  /** Follows a CloudWatch log group. */
  tail_start: [TailStart, TailRef]
  /** What a tail has seen. */
  tail_read: [TailRead, TailState]
  /** Ends a tail. */
  tail_stop: [TailStop, boolean]
  /** Whether a filter can be asked, and what else can be. */
  filter_check: [FilterCheck, FilterVerdict]
  /** An item's occurrences, newest first. */
  occurrences: [OccurrencesRequest, Listed<OccurrencePick>]
  /** Saved queries and boards. */
  queries: [QueriesRequest, Listed<SavedQuery>]
  /** Saves a query here. */
  query_save: [QuerySave, SavedQuery]
  /** Forgets a query that was saved here. */
  query_forget: [QueryForget, boolean]
  /** Runs a query at its source. */
  query_run: [QueryRun, QueryAnswer]
  /** Where a vendor's console shows something. */
  console_link: [LinkRequest, LinkAnswer]
  /** What is sent on to the real services, what waits, and why. */
  relay_status: [RelayRequest, RelayState]
  /** Turns sending on on or off, and says where it goes. */
  relay_set: [RelaySet, RelayState]
  /** Step by step: does anything arrive, and why not. */
  doctor: [DoctorRequest, Array<Check>]
  /** Writes a report to attach to a bug, without credentials. */
  doctor_report: [DoctorReport, DoctorReported]
  /** Freezes; with `into` the reference is also put into that entry. */
  capture: [Capture, Captured]
  /** Evidence of one entry, or all. */
  evidence_list: [EvidenceList, Array<EvidenceRow>]
  /** One evidence with its data. */
  evidence_get: [EvidenceGet, EvidenceView]
  /** Puts evidence into the bin, or purges it for good. */
  evidence_delete: [EvidenceDelete, EvidenceRow]
  /** Takes evidence out of the bin. */
  evidence_restore: [EvidenceRestore, EvidenceRow]
  /** A new live card: a question that is asked anew while it is shown. */
  live_card_new: [LiveCardNew, LiveCardView]
  /** One live card as it is stored. */
  live_card_get: [LiveCardRef, LiveCardView]
  /** Changes a live card's question, pace or title, or whether it asks. */
  live_card_set: [LiveCardSet, LiveCardView]
  /** Looks at a live card, which asks its source where that is due. */
  live_card_look: [LiveCardLook, LiveLook]
  /** Turns a live card's answer into evidence; with `into` its references in that entry too. */
  live_card_freeze: [LiveCardFreeze, Captured]
  /** Writes entries as markdown with their evidence. */
  export: [Export, Exported]
  /** Reads markdown files, or an exported journal with its evidence. */
  import: [Import, Imported]
  /** The settings that point a service at this app. */
  env: [EnvRequest, EnvText]
  /** Ends a long command by the id its caller gave it. */
  cancel: [Cancel, boolean]
}

/**
 * A key and its value.
 */
export type Attribute = { 
/**
 * The attribute's name, as sent.
 */
key: string, 
/**
 * Its value.
 */
value: unknown, };

/**
 * A profile of AWS's shared config.
 */
export type AwsProfile = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its region; null where it names none.
 */
region: string | null, 
/**
 * Where its credentials come from: `static keys`, `SSO`, `assumes a role`, `a process`, `web identity`, `nothing`.
 */
kind: string, };

/**
 * AWS, as it is set.
 */
export type AwsState = { 
/**
 * The profile that is used; null: the default chain (environment, then the profile `default`).
 */
profile: string | null, 
/**
 * The region that is set here; null: the profile's or the environment's.
 */
region: string | null, 
/**
 * The region that will be asked; null where nobody names one.
 */
effective_region: string | null, 
/**
 * An endpoint that is asked instead of AWS; set here only, never taken from the environment.
 */
endpoint: string | null, 
/**
 * The profiles of the shared config.
 */
profiles: Array<AwsProfile>, 
/**
 * The regions to pick from.
 */
regions: Array<string>, 
/**
 * How it went the last time.
 */
reach: Reach, };

/**
 * What was frozen. One variant a [`Kind`]; written as `"kind": …, "body": …`.
 */
export type Body = { "kind": "trace", "body": Trace } | { "kind": "logs", "body": Logs } | { "kind": "error", "body": ErrorItem } | { "kind": "console", "body": Console } | { "kind": "service-map", "body": ServiceMap } | { "kind": "groups", "body": XrayGroups } | { "kind": "sampling-rules", "body": SamplingRules } | { "kind": "query", "body": QueryResult } | { "kind": "dossier", "body": Dossier };

/**
 * A long command to end.
 */
export type Cancel = { 
/**
 * The id its caller gave it.
 */
call: string, };

/**
 * What to freeze, and where to put it.
 */
export type Capture = { 
/**
 * The kind.
 */
kind: Kind, 
/**
 * Which one; null with `latest`. A live card's, `live:01J…`, is asked anew, and its references in `into` become the evidence's.
 */
id?: string, 
/**
 * Who is asked.
 */
source?: Source, 
/**
 * The newest whose root has arrived.
 */
latest?: boolean, 
/**
 * Among those that match.
 */
filter?: string, 
/**
 * Among those of the last so much.
 */
since?: string, 
/**
 * Console: the text that was pasted or piped.
 */
text?: ConsoleText, 
/**
 * The entry to put the reference into; null leaves that to the caller, who has the text open.
 */
into?: string, 
/**
 * The slot to fill: its number, or part of its text; null appends.
 */
slot?: string, 
/**
 * The caption; made from the data if null.
 */
caption?: string, };

/**
 * What was frozen.
 */
export type Captured = { 
/**
 * The reference, ready to be put into a text.
 */
reference: string, 
/**
 * What the reader must know.
 */
warnings: Array<string>, 
/**
 * Its id.
 */
id: Id, 
/**
 * Its kind.
 */
kind: Kind, 
/**
 * What it is called.
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
 * Slugs of the entries that show it; none means "not placed".
 */
entries: Array<string>, };

/**
 * What a live card asks, in words that mean the same at every asking: the range is relative.
 */
export type CardQuestion = { 
/**
 * The kind of evidence that the answer can become.
 */
kind: Kind, 
/**
 * Who is asked.
 */
source?: Source, 
/**
 * A certain one; null for what matches the filter: of traces, errors and dossiers the newest, of log events and console
 * lines all, of a service map the traces it is made over.
 */
id?: string, 
/**
 * The filter's or query's text, in the source's own language; empty asks for everything.
 */
filter?: string, 
/**
 * Only what happened in the last so much: `15m`; null for all.
 */
since?: string, };

/**
 * One step of the doctor's.
 */
export type Check = { 
/**
 * `otlp`, `xray`, `cloudwatch`, `rollbar`, `console`, `journal`; of the cloud `aws`, `rollbar-cloud`, `honeycomb`.
 */
source: string, 
/**
 * What was looked at.
 */
check: string, 
/**
 * Whether it is as it should be.
 */
ok: boolean, 
/**
 * What was found.
 */
detail: string, 
/**
 * What to do, to the line to add; empty where nothing is to be done.
 */
fix: string, };

/**
 * The classes of failure.
 */
export type Code = "not_found" | "usage" | "unreachable" | "credentials" | "throttled" | "unsupported" | "refused" | "not_built" | "cancelled" | "storage" | "internal";

/**
 * One line of a stack. Rollbar's order: oldest first, the most recent call last.
 */
export type CodeFrame = { 
/**
 * The file.
 */
filename: string, 
/**
 * The line in it, from 1.
 */
lineno?: number, 
/**
 * The column in that line, as the SDK counts: JavaScript's from 1.
 */
colno?: number, 
/**
 * The function.
 */
method?: string, 
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
 * The function's arguments in their order; `*rest` and `**named` are those that gather the others.
 */
args?: Array<Attribute>, 
/**
 * Local variables that are no arguments.
 */
locals?: Array<Attribute>, };

/**
 * Console output as evidence.
 */
export type Console = { 
/**
 * Where it came from, in words: the command line, a file's name without its folder, `standard input`.
 */
source: string, 
/**
 * How the command ended; null for what no command said, and while it runs.
 */
exit_code?: number, 
/**
 * The lines, in order.
 */
lines: Array<ConsoleLine>, 
/**
 * How many more lines there were before the first of these.
 */
more?: number, 
/**
 * What the reader must know: cut lines, a command that was ended, spans that were recognised.
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
 * A line in a list.
 */
export type ConsoleRow = { 
/**
 * Its place in the telemetry.
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
 * Whether it came on standard error.
 */
stderr: boolean, };

/**
 * Console output as text.
 */
export type ConsoleText = { 
/**
 * Where it came from: a file's name, `pasted text`, `standard input`.
 */
source: string, 
/**
 * The text, ANSI colours and all.
 */
text: string, };

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
 * What to look at.
 */
export type DoctorRequest = { 
/**
 * A local end: `otlp`, `xray`, `cloudwatch`, `rollbar`, `console`; null for all of them and every cloud source that is set.
 */
source?: string, 
/**
 * A cloud source instead.
 */
from?: Source, };

/**
 * All that is known of one request.
 */
export type Dossier = { 
/**
 * The request's trace id.
 */
trace_id: TraceId, 
/**
 * Its spans.
 */
trace: Trace, 
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
 * What the reader must know: what was looked for and not found, what was left out.
 */
notes?: Array<string>, };

/**
 * What the sender said it left out of a span.
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
 * An entry with its text.
 */
export type Entry = { 
/**
 * Its markdown, byte for byte.
 */
body: string, 
/**
 * The working text's revision; a write names the one it was made on.
 */
revision: number, 
/**
 * Its id.
 */
id: Id, 
/**
 * Its unique short name, `week-2`.
 */
slug: string, 
/**
 * `"0"` … `"11"`, `"X"`, or null.
 */
week: string | null, 
/**
 * Its title.
 */
title: string, 
/**
 * When its text last changed.
 */
updated_at: string, };

/**
 * When to cut.
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
 * Which entries.
 */
export type EntryListRequest = { 
/**
 * Those in the bin instead.
 */
deleted?: boolean, };

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
 * The new title; null leaves it.
 */
title: string | null, 
/**
 * The new week; null leaves it, an empty text takes it away.
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
 * One text of an entry.
 */
export type EntryRevision = { 
/**
 * Id or slug.
 */
entry: string, 
/**
 * The revision.
 */
revision: number, };

/**
 * An entry in a list. Times are RFC 3339 UTC.
 */
export type EntryRow = { 
/**
 * Its id.
 */
id: Id, 
/**
 * Its unique short name, `week-2`.
 */
slug: string, 
/**
 * `"0"` … `"11"`, `"X"`, or null.
 */
week: string | null, 
/**
 * Its title.
 */
title: string, 
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
 * The revision that the writer had before it; null writes over whatever is there, after cutting a revision of it.
 */
base: number | null, 
/**
 * The whole text.
 */
body: string, 
/**
 * Cut a revision of it for this reason (`set`, `close`, …); null for autosave.
 */
cut?: string, };

/**
 * For what.
 */
export type EnvRequest = { 
/**
 * `flask`, `node`, `compose`, `shell`; `shell` if null.
 */
for?: string, };

/**
 * Settings as text.
 */
export type EnvText = { 
/**
 * Ready to paste.
 */
text: string, };

/**
 * The written form: `{"code", "message", "hint"}`.
 */
export type ErrorBody = { 
/**
 * Which class.
 */
code: Code, 
/**
 * What happened.
 */
message: string, 
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
 * How many times it happened, as far as telemetry holds them.
 */
occurrences: number, 
/**
 * The first of them.
 */
first: Nanos, 
/**
 * The last.
 */
last: Nanos, 
/**
 * `development`, …
 */
environment: string, 
/**
 * How many different persons it happened to; 0 where no occurrence names one.
 */
people?: number, 
/**
 * The occurrence that is shown whole: the latest, or the one asked for.
 */
occurrence: Occurrence, 
/**
 * The others, newest first, at most 50.
 */
others?: Array<OccurrenceRow>, };

/**
 * An error item, or one of its occurrences.
 */
export type ErrorRef = { 
/**
 * An item's id as `live_errors` gives it, or an occurrence's uuid or id.
 */
id: string, 
/**
 * Who is asked.
 */
source?: Source, };

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
 * How many times it happened.
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
 * Whom it happened to last; null if it does not say.
 */
person: string | null, };

/**
 * One exception of a chain; the outermost comes first, its cause after it.
 */
export type ErrorTrace = { 
/**
 * Its class.
 */
class: string, 
/**
 * Its message.
 */
message: string, 
/**
 * Its frames, oldest first.
 */
frames: Array<CodeFrame>, };

/**
 * What is told to every host while it runs.
 */
export type Event = { "event": "changed", 
/**
 * What kind of thing.
 */
topic: Topic, 
/**
 * Which one; empty for telemetry, which is told at most five times a second.
 */
id: string, 
/**
 * The client that wrote it; empty if a receiver or another process did.
 */
by: string, } | { "event": "closing", } | { "event": "ask_closing", 
/**
 * A service still sends: whether to go on receiving is asked first.
 */
receiving: boolean, } | { "event": "progress", 
/**
 * The caller's id of the call.
 */
call: string, 
/**
 * Done so far.
 */
done: number, 
/**
 * Of how many, 0 if unknown.
 */
of: number, 
/**
 * In words.
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
 * For good: body, raw and index are erased.
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
 * Which evidence.
 */
export type EvidenceList = { 
/**
 * Id or slug; null for all.
 */
entry?: string, };

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
id: Id, 
/**
 * Its kind.
 */
kind: Kind, 
/**
 * What it is called.
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
 * Slugs of the entries that show it; none means "not placed".
 */
entries: Array<string>, };

/**
 * Evidence with its data.
 */
export type EvidenceView = { 
/**
 * The row.
 */
row: EvidenceRow, 
/**
 * A reference to it, ready to be put into a text.
 */
reference: string, 
/**
 * Where it came from.
 */
provenance: Provenance, 
/**
 * Kind and data.
 */
data: Body, };

/**
 * An exception, from an OTLP `exception` event or an X-Ray cause.
 */
export type Exception = { 
/**
 * X-Ray's id of it, by which other segments of the trace refer to it.
 */
id?: string, 
/**
 * Its class.
 */
type?: string, 
/**
 * Its message.
 */
message?: string, 
/**
 * X-Ray: it came from a downstream service.
 */
remote?: boolean, 
/**
 * X-Ray: the frames, innermost first.
 */
stack?: Array<Frame>, 
/**
 * X-Ray: how many frames were left out.
 */
truncated?: number, 
/**
 * X-Ray: how many exceptions were skipped between this one and its cause.
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
 * The folder that gets `journal/`.
 */
to: string, 
/**
 * Also over files that are not ours.
 */
force?: boolean, };

/**
 * What an export did. Paths are relative to the folder.
 */
export type Exported = { 
/**
 * Files written.
 */
written: Array<string>, 
/**
 * How many were as they should be already.
 */
unchanged: number, 
/**
 * Files that are not as we left them, and were therefore not overwritten.
 */
refused: Array<string>, 
/**
 * What the reader will miss.
 */
warnings: Array<string>, };

/**
 * Whether a filter can be asked.
 */
export type FilterCheck = { 
/**
 * Whom.
 */
source?: Source, 
/**
 * The filter.
 */
filter: string, };

/**
 * One thing that a filter language can say.
 */
export type FilterForm = { 
/**
 * `service() { fault }`
 */
example: string, 
/**
 * What it finds.
 */
meaning: string, };

/**
 * What is wrong with a filter.
 */
export type FilterVerdict = { 
/**
 * Whether it can be asked.
 */
ok: boolean, 
/**
 * What is wrong, and where; empty where nothing is.
 */
message: string, 
/**
 * What can be written: example and meaning.
 */
forms: Array<FilterForm>, };

/**
 * One line of a stack, in the sender's order.
 */
export type Frame = { 
/**
 * The file.
 */
path?: string, 
/**
 * The line in it, if known.
 */
line?: number, 
/**
 * The function.
 */
label?: string, };

/**
 * Evidence that was frozen from a live card.
 */
export type FrozenAnswer = { 
/**
 * The evidence.
 */
id: Id, 
/**
 * What it is called.
 */
title: string, 
/**
 * When, RFC 3339.
 */
captured_at: string, };

/**
 * The id of an entry or of an evidence: a ULID, so ids sort by the time they were made.
 */
export type Id = string;

/**
 * Who we are to a source.
 */
export type Identity = { 
/**
 * AWS: the account, all but its last four digits masked. Rollbar: the project. Honeycomb: the team.
 */
account: string, 
/**
 * AWS: the role or user. Honeycomb: the environment. Empty where there is none.
 */
name: string, 
/**
 * AWS: the region that is asked. Empty where there is none.
 */
region: string, 
/**
 * What these credentials allow, or do not, in words.
 */
notes: Array<string>, };

/**
 * What to import.
 */
export type Import = { 
/**
 * Files and folders.
 */
paths?: Array<string>, 
/**
 * A text given directly (a dropped file, standard input) as name and bytes in base64-free UTF-8.
 */
texts?: Array<NamedText>, };

/**
 * What an import brought.
 */
export type Imported = { 
/**
 * Entries made, changed or recognised.
 */
entries: Array<EntryRow>, 
/**
 * Evidence brought or recognised.
 */
evidence: Array<EvidenceRow>, 
/**
 * Pictures taken in.
 */
attachments: Array<string>, 
/**
 * What is missing or was left alone.
 */
warnings: Array<string>, };

/**
 * By what a piece was found to belong to the request.
 */
export type Join = "trace-id" | "header" | "time";

/**
 * An error of the request.
 */
export type JoinedError = { 
/**
 * How it was found.
 */
by: Join, 
/**
 * The occurrence.
 */
occurrence: Occurrence, };

/**
 * A console line of the request.
 */
export type JoinedLine = { 
/**
 * How it was found.
 */
by: Join, 
/**
 * The watched command it came from.
 */
stream: string, 
/**
 * The line.
 */
line: ConsoleLine, };

/**
 * A log event of the request.
 */
export type JoinedLog = { 
/**
 * How it was found.
 */
by: Join, 
/**
 * The event.
 */
event: LogEvent, };

/**
 * What kinds of evidence there are.
 */
export type Kind = "trace" | "logs" | "error" | "console" | "service-map" | "groups" | "sampling-rules" | "query" | "dossier";

/**
 * How bad it is.
 */
export type Level = "debug" | "info" | "warning" | "error" | "critical";

/**
 * A pointer to a span of this or another trace.
 */
export type Link = { 
/**
 * The trace that is pointed at.
 */
trace_id: TraceId, 
/**
 * The span that is pointed at.
 */
span_id: SpanId, 
/**
 * W3C trace state.
 */
trace_state?: string, 
/**
 * Its attributes.
 */
attributes?: Array<Attribute>, 
/**
 * How many attributes the sender dropped.
 */
dropped_attributes?: number, 
/**
 * W3C flags as sent.
 */
flags?: number, };

/**
 * A link, and how long it leads somewhere.
 */
export type LinkAnswer = { 
/**
 * The address; null where it cannot be made, and `note` says why.
 */
url: string | null, 
/**
 * When the vendor deletes what it leads to, RFC 3339; null where not known.
 */
expires: string | null, 
/**
 * What is to be known.
 */
note: string, };

/**
 * Where a vendor's console shows something.
 */
export type LinkRequest = { 
/**
 * Whose console.
 */
source: Source, 
/**
 * `trace`, `logs`, `error`, `service-map`.
 */
kind: string, 
/**
 * Its id; for logs the group.
 */
id: string, };

/**
 * Rows of a list, and what is to be said of them.
 */
export type Listed<R> = { 
/**
 * The rows.
 */
rows: Array<R>, 
/**
 * What the reader must know: what was left out, sampled, not looked at.
 */
notes: Array<string>, 
/**
 * Asks for the rows behind these, given back as `page`; null where there are none.
 */
next: string | null, 
/**
 * When the source answered, RFC 3339; null for local telemetry, which is always now.
 */
asked_at: string | null, };

/**
 * Turns a live card's answer into evidence.
 */
export type LiveCardFreeze = { 
/**
 * The card.
 */
id: Id, 
/**
 * The answer that is shown, by its `asked_at`; null asks anew.
 */
asked_at?: string, 
/**
 * The entry whose references to the card become references to the evidence; null leaves that to the caller, who has the text
 * open.
 */
into?: string, 
/**
 * The slot to fill instead: its number, or part of its text.
 */
slot?: string, 
/**
 * The caption; the live reference's own if null, and made from the data where that has none.
 */
caption?: string, 
/**
 * The live reference's alternative text; kept unless it is the card's title.
 */
alt?: string, 
/**
 * The live reference's size.
 */
size?: string, };

/**
 * Looks at a live card, which asks its source where the last asking is long enough ago.
 */
export type LiveCardLook = { 
/**
 * Its id.
 */
id: Id, 
/**
 * Ask as soon as the source bears it, also before its own time has come and where it is paused.
 */
now?: boolean, };

/**
 * A new live card. It is stored and not yet asked; the text gets its reference.
 */
export type LiveCardNew = { 
/**
 * What it asks.
 */
question: CardQuestion, 
/**
 * Seconds between two askings; the source's usual if null.
 */
pace_seconds?: number, 
/**
 * Its title; made from the question if null.
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
 * What to change; what is null stays as it is.
 */
export type LiveCardSet = { 
/**
 * Its id.
 */
id: Id, 
/**
 * What it asks.
 */
question?: CardQuestion, 
/**
 * Seconds between two askings.
 */
pace_seconds?: number, 
/**
 * Its title; empty: made from the question.
 */
title?: string, 
/**
 * Whether it stops asking.
 */
paused?: boolean, };

/**
 * A live card as it is stored.
 */
export type LiveCardView = { 
/**
 * Whether its title was generated from the question, and follows it.
 */
title_generated: boolean, 
/**
 * A reference to it, ready to be put into a text.
 */
reference: string, 
/**
 * The shortest time between two askings that its source bears, in seconds.
 */
fastest_seconds: number, 
/**
 * The evidence that was frozen from it last, which an export shows.
 */
frozen: FrozenAnswer | null, 
/**
 * What the reader must know.
 */
warnings: Array<string>, 
/**
 * Its id.
 */
id: Id, 
/**
 * What it is called.
 */
title: string, 
/**
 * What it asks.
 */
question: CardQuestion, 
/**
 * How many seconds lie between two askings while it is shown.
 */
pace_seconds: number, 
/**
 * Whether it does not ask until the user says so.
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
 * What a live card shows.
 */
export type LiveLook = { 
/**
 * What it is called.
 */
title: string, 
/**
 * Whether the title was generated from the question, and follows it.
 */
title_generated: boolean, 
/**
 * The question in words.
 */
question: string, 
/**
 * What the answer is called; null where there is none yet.
 */
answer: string | null, 
/**
 * When the source gave the answer, RFC 3339; it names the answer, too, for its picture and for `live_card_freeze`.
 */
asked_at: string | null, 
/**
 * How old the answer is, in milliseconds.
 */
age_ms: number | null, 
/**
 * Why the last asking brought no answer; null where it did. The answer before it stays.
 */
problem: ErrorBody | null, 
/**
 * Whether the source is being asked at this moment; `Event::Changed` with [`Topic::LiveCard`](super::Topic::LiveCard) tells when it has answered.
 */
asking: boolean, 
/**
 * Whether it waits for the user before it asks again.
 */
paused: boolean, 
/**
 * The time between two askings, in seconds.
 */
pace_seconds: number, 
/**
 * After how many milliseconds a look asks again; null where it waits for the user.
 */
next_ms: number | null, 
/**
 * Where the answer's picture is: a path for the host's pictures, to which `?size=compact` may be added with `&`; null without an answer.
 */
picture: string | null, 
/**
 * What the reader must know of the answer.
 */
warnings: Array<string>, };

/**
 * Which log events, errors or console lines.
 */
export type LiveQuestion = { 
/**
 * Who is asked.
 */
source?: Source, 
/**
 * Logs and console: `group:x`, `stream:x`, `service:x`, `level:x`, `status:error`, `trace:ID`, and behind them a CloudWatch filter
 * pattern. Errors: words, `level:x`, `environment:x`, `person:x`; of Rollbar also `status:active`.
 */
filter?: string, 
/**
 * Only those of the last so much: `15m`; null for all.
 */
since?: string, 
/**
 * At most so many; 100 if null.
 */
limit?: number, 
/**
 * CloudWatch: the oldest first.
 */
oldest_first?: boolean, 
/**
 * Behind the rows of an answer: its `next`.
 */
page?: string, 
/**
 * Ask the source anew, also where it answered the same a moment ago.
 */
fresh?: boolean, };

/**
 * Which traces.
 */
export type LiveTraces = { 
/**
 * Who is asked.
 */
source?: Source, 
/**
 * Local: words, `service:x`, `status:error`, `duration>100ms`, `name:…`, `key=value`. X-Ray: a filter expression.
 */
filter?: string, 
/**
 * Only traces that began in the last so much: `15m`; null for all.
 */
since?: string, 
/**
 * At most so many; 100 if null.
 */
limit?: number, 
/**
 * Behind the rows of an answer: its `next`.
 */
page?: string, 
/**
 * Ask the source anew, also where it answered the same a moment ago.
 */
fresh?: boolean, };

/**
 * One log event.
 */
export type LogEvent = { 
/**
 * When it happened, as the sender says; the moment of arrival where it does not.
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
 * Its text; for an OTLP body that is no text, its written form.
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
 * `ERROR`, `WARN`, … as the sender wrote it; empty if it did not.
 */
severity?: string, 
/**
 * OTLP attributes, with the resource's under `resource.`.
 */
attributes?: Array<Attribute>, 
/**
 * Which protocol it came by.
 */
origin: LogOrigin, };

/**
 * A log group to pick.
 */
export type LogGroupRow = { 
/**
 * Its name.
 */
name: string, 
/**
 * After how many days its events go; null: never, or not said.
 */
retention_days: number | null, 
/**
 * Bytes that it holds; null where not said.
 */
stored_bytes: number | null, };

/**
 * Which log groups.
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
 * As `live_logs` gives it.
 */
id: string, 
/**
 * Who is asked.
 */
source?: Source, };

/**
 * A log event in a list.
 */
export type LogRow = { 
/**
 * Its place in the telemetry: what `capture logs ID` takes.
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
stream: string, 
/**
 * Its text.
 */
message: string, 
/**
 * The trace it belongs to, if it says so.
 */
trace_id: TraceId | null, 
/**
 * As the sender wrote it; empty if it did not.
 */
severity: string, };

/**
 * A log stream to pick.
 */
export type LogStreamRow = { 
/**
 * Its name.
 */
name: string, 
/**
 * Its last event, RFC 3339; null where not said.
 */
last_event: string | null, };

/**
 * Which log streams.
 */
export type LogStreamsRequest = { 
/**
 * Whose.
 */
group: string, 
/**
 * The beginning of their name; empty for all.
 */
search?: string, };

/**
 * Log events as evidence: what matched a question.
 */
export type Logs = { 
/**
 * The events, oldest first.
 */
events: Array<LogEvent>, 
/**
 * How many more matched and were left out: the oldest ones.
 */
more?: number, 
/**
 * What the reader must know.
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
 * The called one's number.
 */
to: number, 
/**
 * What went over it.
 */
traffic: Traffic, };

/**
 * A node.
 */
export type MapNode = { 
/**
 * Its number in this map, from 0; edges refer to it.
 */
id: number, 
/**
 * Its name.
 */
name: string, 
/**
 * What it is.
 */
kind: NodeKind, 
/**
 * What it handled.
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
 * A text to look through.
 */
export type MarkupRequest = { 
/**
 * Id or slug of the entry whose dismissed slots are left out; null for none.
 */
entry?: string, 
/**
 * The text.
 */
body: string, };

/**
 * A text with the name of its file.
 */
export type NamedText = { 
/**
 * `week2.md`
 */
name: string, 
/**
 * Its text.
 */
text: string, };

/**
 * Nanoseconds since the Unix epoch, UTC. Good from 1677 to 2262.
 *
 * In JSON a decimal string: JavaScript and RFC 8785 numbers end at 2^53.
 */
export type Nanos = string;

/**
 * What a node is.
 */
export type NodeKind = "client" | "service" | "remote" | "database" | "aws" | "messaging";

/**
 * One time that an error happened.
 */
export type Occurrence = { 
/**
 * `data.uuid`, or one made from the payload.
 */
uuid: string, 
/**
 * The item it is grouped into: a hash of its fingerprint.
 */
item: string, 
/**
 * `TypeError: the view function did not return a valid response`, or the message.
 */
title: string, 
/**
 * How bad.
 */
level: Level, 
/**
 * When, to the second as Rollbar has it.
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
 * Whom it happened to.
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
 * What had to be cut to keep it, in words.
 */
notes?: Array<string>, };

/**
 * An occurrence to pick.
 */
export type OccurrencePick = { 
/**
 * What `error_get` and `capture error` take.
 */
id: string, 
/**
 * When, RFC 3339.
 */
timestamp: string, 
/**
 * Whom it happened to; empty if it does not say.
 */
person: string, 
/**
 * Its title.
 */
title: string, };

/**
 * One of an item's other occurrences.
 */
export type OccurrenceRow = { 
/**
 * Its `data.uuid`.
 */
uuid: string, 
/**
 * When.
 */
timestamp: Nanos, 
/**
 * Whom it happened to: username, else e-mail, else id; empty if it does not say.
 */
person?: string, };

/**
 * Occurrences of an item.
 */
export type OccurrencesRequest = { 
/**
 * Whom.
 */
source?: Source, 
/**
 * The item.
 */
id: string, 
/**
 * Behind the rows of an answer: its `next`.
 */
page?: string, };

/**
 * Whom it happened to.
 */
export type Person = { 
/**
 * Required by Rollbar.
 */
id: string, 
/**
 * Sent only where the SDK is told to.
 */
username?: string, 
/**
 * Sent only where the SDK is told to.
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
 * Which protocol a span came by.
 */
export type Protocol = "otlp" | "xray" | "console";

/**
 * Where evidence came from.
 */
export type Provenance = { 
/**
 * The question that was asked; its source says who was asked.
 */
question: Question, 
/**
 * The receiver or endpoint it came by, in words: `OTLP/HTTP`, `X-Ray daemon protocol`.
 */
via?: Array<string>, 
/**
 * The cloud region, if any.
 */
region?: string, 
/**
 * First and last moment that the data speaks of.
 */
range: [Nanos, Nanos], 
/**
 * When it was frozen.
 */
captured_at: Nanos, 
/**
 * Which version froze it: `tracebook 0.1.0`.
 */
tool: string, 
/**
 * Where the vendor's console shows it.
 */
console_link?: string, 
/**
 * When the vendor deletes it.
 */
expires?: Nanos, 
/**
 * How many credential-shaped values were taken out before the digest.
 */
credentials_removed?: number, 
/**
 * The evidence that this one is a re-capture of.
 */
supersedes?: Id, };

/**
 * Whose saved queries.
 */
export type QueriesRequest = { 
/**
 * `cloudwatch` or `honeycomb`.
 */
source: Source, };

/**
 * A query's answer.
 */
export type QueryAnswer = { 
/**
 * What `capture query` takes to freeze exactly this answer, as long as this run lasts.
 */
id: string, 
/**
 * The answer.
 */
result: QueryResult, 
/**
 * Where the vendor's page shows it.
 */
link: string | null, };

/**
 * The saved query to forget.
 */
export type QueryForget = SavedQuery;

/**
 * Which language a query is written in.
 */
export type QueryLanguage = "insights" | "honeycomb";

/**
 * A query with its result, as evidence.
 */
export type QueryResult = { 
/**
 * Which language.
 */
language: QueryLanguage, 
/**
 * The name under which it is saved; empty if it is not.
 */
name?: string, 
/**
 * The query as it was asked.
 */
query: string, 
/**
 * Log groups or datasets that were asked.
 */
groups?: Array<string>, 
/**
 * The first moment that was asked for.
 */
start: Nanos, 
/**
 * The last.
 */
end: Nanos, 
/**
 * The columns' names, in the order of the answer.
 */
columns: Array<string>, 
/**
 * The rows, each with a cell a column; a field that a row does not have is empty.
 */
rows: Array<Array<string>>, 
/**
 * How many more rows the source had.
 */
more?: number, 
/**
 * What the source says of its work: `recordsMatched`, `bytesScanned`, …
 */
statistics?: Array<Attribute>, 
/**
 * What the reader must know.
 */
notes?: Array<string>, };

/**
 * A query to run. Its call can be cancelled, and tells how far it is.
 */
export type QueryRun = { 
/**
 * `cloudwatch` or `honeycomb`.
 */
source: Source, 
/**
 * Its text; with `id` it may be empty.
 */
query?: string, 
/**
 * A saved one.
 */
id?: string, 
/**
 * Log groups or datasets; those of the saved one if empty.
 */
groups?: Array<string>, 
/**
 * Over the last so much: `1h`.
 */
since?: string, 
/**
 * At most so many rows.
 */
limit?: number, };

/**
 * The query to save.
 */
export type QuerySave = SavedQuery;

/**
 * A question: which source, what range, which filter, how many.
 */
export type Question = { 
/**
 * Who is asked.
 */
source: Source, 
/**
 * The filter's text, in the source's own language; empty asks for everything.
 */
filter: string, 
/**
 * Only what began at or after this.
 */
since?: Nanos, 
/**
 * At most this many.
 */
limit: number, };

/**
 * How it went when a source was asked last.
 */
export type Reach = { 
/**
 * Since when it cannot be reached, RFC 3339; null where it can, or was not asked yet.
 */
unreachable_since: string | null, 
/**
 * What was wrong the last time; null where nothing was.
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
 * `127.0.0.1:4318`, or null where it does not listen.
 */
address: string | null, 
/**
 * Why it does not listen, and what to do; empty if it does.
 */
problem: string, 
/**
 * Whether another process of this journal listens for us.
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
 * Where the whole image stands.
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
 * `size` of the query: `compact`, or empty for the full card.
 */
size: string, 
/**
 * Whether it stands alone in its paragraph, and so becomes a block.
 */
alone: boolean, 
/**
 * Whether its alternative text was generated from a live card's question, and so gives way to the card's present title.
 */
generated: boolean, };

/**
 * Takes nothing.
 */
export type RelayRequest = Record<symbol, never>;

/**
 * One destination.
 */
export type RelayRow = { 
/**
 * `otlp`, `xray`, `logs`, `rollbar`.
 */
name: string, 
/**
 * `OpenTelemetry`, `X-Ray`, `CloudWatch Logs`, `Rollbar`.
 */
title: string, 
/**
 * Whether it is on.
 */
on: boolean, 
/**
 * What goes there when it is on, where to, and with whose credentials, in one sentence.
 */
what: string, 
/**
 * OTLP: the endpoint, also while it is off. Empty for others.
 */
endpoint: string, 
/**
 * Where the credential is: `keychain`, `environment`, `memory`, `none`; `profile` for AWS's; empty where none is needed.
 */
credential: string, 
/**
 * The environment variable that would be read for it; empty where there is none.
 */
variable: string, 
/**
 * What is counted: `segments`, `log events`.
 */
unit: string, 
/**
 * How many wait.
 */
waiting: number, 
/**
 * When the oldest of them came, RFC 3339; null where none waits.
 */
oldest: string | null, 
/**
 * How many were taken since the journal began.
 */
sent: number, 
/**
 * When the last batch was taken, RFC 3339.
 */
last_sent: string | null, 
/**
 * How many were refused, and will not be sent again.
 */
refused: number, 
/**
 * Why, the last time; empty if none was.
 */
refusal: string, 
/**
 * How many went unsent: too old, too many, or thrown away.
 */
dropped: number, 
/**
 * Why what waits waits; empty where nothing is wrong.
 */
problem: string, 
/**
 * What to do about it; may be empty.
 */
hint: string, 
/**
 * Since when, RFC 3339.
 */
since: string | null, };

/**
 * Changes one destination; what is null stays as it is.
 */
export type RelaySet = { 
/**
 * Which.
 */
name: string, 
/**
 * On or off. Turning it off keeps what waits.
 */
on?: boolean, 
/**
 * OTLP: the endpoint; Honeycomb's if none was ever set.
 */
endpoint?: string, 
/**
 * OTLP: where its key is, `honeycomb` or `env:NAME`; empty for none.
 */
key?: string, 
/**
 * OTLP: the header that the key goes into; empty for `x-honeycomb-team`.
 */
header?: string, 
/**
 * Rollbar's post token, or Honeycomb's key, for the keychain or this run's memory; empty takes it away. It does not print, and no answer gives
 * it back.
 */
token?: string, 
/**
 * Throws away what waits.
 */
forget?: boolean, 
/**
 * Does not wait any longer before the next try.
 */
again?: boolean, };

/**
 * What is sent on, what waits, and why.
 */
export type RelayState = { 
/**
 * One for each destination: `otlp`, `xray`, `logs`, `rollbar`.
 */
rows: Array<RelayRow>, 
/**
 * Bytes that wait, of all destinations together.
 */
bytes: number, 
/**
 * Bytes that may wait; then the oldest go unsent.
 */
limit_bytes: number, 
/**
 * After how many hours what waits goes unsent.
 */
limit_hours: number, 
/**
 * Why nobody sends although something is on; empty where somebody does.
 */
problem: string, };

/**
 * Of all destinations, for a place that has room for a line.
 */
export type RelaySum = { 
/**
 * The titles of those that are on.
 */
on: Array<string>, 
/**
 * How many items wait, of all of them.
 */
waiting: number, 
/**
 * Why the first of those that are on waits; empty where nothing is wrong.
 */
problem: string, };

/**
 * Who sent a span: the service and the process it ran in.
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
 * How many attributes the sender dropped.
 */
dropped_attributes?: number, };

/**
 * A text that can be read back.
 */
export type Revision = { 
/**
 * The revision of the working text that this is.
 */
revision: number, 
/**
 * When it was cut, RFC 3339.
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
 * A sampling rule, with the names and limits of the API.
 */
export type SamplingRule = { 
/**
 * Its name.
 */
name: string, 
/**
 * `arn:aws:xray:…:sampling-rule/…`
 */
arn: string, 
/**
 * The lowest number that matches decides; 1 to 9999, `Default` has 10000.
 */
priority: number, 
/**
 * The share of requests after the reservoir, 0 to 1.
 */
fixed_rate: number, 
/**
 * Requests a second that are sampled first.
 */
reservoir_size: number, 
/**
 * Which services, with `*` and `?`.
 */
service_name: string, 
/**
 * Which service types.
 */
service_type: string, 
/**
 * Which hosts.
 */
host: string, 
/**
 * Which methods.
 */
http_method: string, 
/**
 * Which paths.
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
 * What the reader must know: a rate below 1.
 */
notes?: Array<string>, };

/**
 * A saved query: the user's own here, the vendor's, or a board's.
 */
export type SavedQuery = { 
/**
 * Its id; empty for one that is to be saved.
 */
id: string, 
/**
 * `cloudwatch` or `honeycomb`.
 */
source: Source, 
/**
 * Its name.
 */
name: string, 
/**
 * Its text, in the source's language; empty where the source does not give it.
 */
query: string, 
/**
 * Log groups or datasets.
 */
groups: Array<string>, 
/**
 * Where it comes from: `saved here`, `CloudWatch`, `board Week 2`.
 */
from: string, 
/**
 * Where the vendor's page shows it; null where there is none.
 */
link: string | null, };

/**
 * Which library made a span.
 */
export type Scope = { 
/**
 * The library's name.
 */
name?: string, 
/**
 * Its version.
 */
version?: string, 
/**
 * Its attributes.
 */
attributes?: Array<Attribute>, 
/**
 * OTLP's schema URL, empty if none.
 */
schema_url?: string, 
/**
 * How many attributes the sender dropped.
 */
dropped_attributes?: number, };

/**
 * A token on its way to the keychain, or to this run's memory. It does not print, and no answer gives it back.
 */
export type SecretSet = { 
/**
 * Whose.
 */
vendor: Vendor, 
/**
 * The token; empty takes it away.
 */
token: string, 
/**
 * Keep it in this run's memory only.
 */
memory_only?: boolean, };

/**
 * A service map, as evidence and as the answer to X-Ray's GetServiceGraph.
 */
export type ServiceMap = { 
/**
 * The nodes, clients first, then by how far they are from them.
 */
nodes: Array<MapNode>, 
/**
 * The calls.
 */
edges: Array<MapEdge>, 
/**
 * Over how many traces it was made.
 */
traces: number, 
/**
 * When the first of them began.
 */
start: Nanos, 
/**
 * When the last of them ended.
 */
end: Nanos, 
/**
 * What the reader must know: traces left out, traces in progress.
 */
notes?: Array<string>, };

/**
 * A place that still wants evidence.
 */
export type Slot = { 
/**
 * Its number in this text, from 1.
 */
n: number, 
/**
 * The line it stands on, from 1.
 */
line: number, 
/**
 * What it says: the line's text, or the image's alternative text.
 */
text: string, 
/**
 * The kind of evidence it seems to want: `trace`, `logs`, `error`, `console`, `service-map`, `query`, `unknown`.
 */
wants: string, 
/**
 * What capture replaces.
 */
place: Place, };

/**
 * A line that is no slot.
 */
export type SlotDismiss = { 
/**
 * Id or slug.
 */
entry: string, 
/**
 * The slot's text, as the finder gave it.
 */
text: string, 
/**
 * The text of the entry, to answer with what is left.
 */
body: string, };

/**
 * A system that evidence is read from.
 */
export type Source = "local" | "xray" | "cloudwatch" | "rollbar" | "honeycomb";

/**
 * What to set; what is null stays as it is, an empty text takes it away.
 */
export type SourceSet = { 
/**
 * AWS's profile.
 */
aws_profile?: string, 
/**
 * AWS's region.
 */
aws_region?: string, 
/**
 * An endpoint instead of AWS.
 */
aws_endpoint?: string, 
/**
 * Rollbar's API.
 */
rollbar_endpoint?: string, 
/**
 * Rollbar's pages.
 */
rollbar_web?: string, 
/**
 * Honeycomb's API.
 */
honeycomb_endpoint?: string, };

/**
 * The cloud sources, as they are set.
 */
export type Sources = { 
/**
 * AWS.
 */
aws: AwsState, 
/**
 * Rollbar.
 */
rollbar: TokenState, 
/**
 * Honeycomb.
 */
honeycomb: TokenState, 
/**
 * What was asked of all of them.
 */
usage: Usage, };

/**
 * Takes nothing.
 */
export type SourcesRequest = Record<symbol, never>;

/**
 * One span, segment or subsegment.
 */
export type Span = { 
/**
 * Its id.
 */
id: SpanId, 
/**
 * Its parent's id, as sent; the parent may be in no trace at all.
 */
parent?: SpanId, 
/**
 * Its name, as sent.
 */
name: string, 
/**
 * The service it belongs to.
 */
service: string, 
/**
 * Its role.
 */
kind: SpanKind, 
/**
 * Which protocol it came by.
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
 * How it ended.
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
 * X-Ray metadata: one attribute a namespace.
 */
metadata?: Array<Attribute>, 
/**
 * Its events.
 */
events?: Array<SpanEvent>, 
/**
 * Its links.
 */
links?: Array<Link>, 
/**
 * Its exceptions.
 */
exceptions?: Array<Exception>, 
/**
 * X-Ray: the cause is the exception with this id, recorded in another subsegment.
 */
cause_ref?: string, 
/**
 * W3C trace state.
 */
trace_state?: string, 
/**
 * W3C flags as sent. The sampled bit is not set by every SDK: do not test it.
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
 * Something that happened at a moment of a span.
 */
export type SpanEvent = { 
/**
 * When.
 */
time: Nanos, 
/**
 * Its name.
 */
name: string, 
/**
 * Its attributes.
 */
attributes?: Array<Attribute>, 
/**
 * How many attributes the sender dropped.
 */
dropped_attributes?: number, };

/**
 * A span's, segment's or subsegment's id, 8 bytes.
 */
export type SpanId = string;

/**
 * The role of a span. OTLP's five, and X-Ray's two.
 */
export type SpanKind = "unspecified" | "internal" | "server" | "client" | "producer" | "consumer" | "segment" | "subsegment";

/**
 * A span's status.
 */
export type SpanStatus = { 
/**
 * How it ended.
 */
code: StatusCode, 
/**
 * The sender's message, empty if none.
 */
message?: string, };

/**
 * What runs, where, and what is wrong.
 */
export type Status = { 
/**
 * The version of the app.
 */
version: string, 
/**
 * The journal's directory.
 */
data_dir: string, 
/**
 * The receivers.
 */
receivers: Array<Receiver>, 
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
 * What telemetry holds and may hold.
 */
telemetry: TelemetryUse, 
/**
 * What is sent on to the real services.
 */
relay: RelaySum, 
/**
 * Requests and datagrams refused since start.
 */
rejected: number, 
/**
 * Why the last one was refused; empty if none was.
 */
last_rejected: string, };

/**
 * How a span ended. OTLP knows the first three; X-Ray tells client errors, faults and throttling apart.
 */
export type StatusCode = "unset" | "ok" | "throttle" | "error" | "fault";

/**
 * Takes nothing.
 */
export type StatusRequest = Record<symbol, never>;

/**
 * The tail to read.
 */
export type TailRead = { 
/**
 * As `tail_start` gave it.
 */
id: string, };

/**
 * A tail that runs.
 */
export type TailRef = { 
/**
 * Its id; `Event::Changed` with [`Topic::Tail`](super::Topic::Tail) names it when there are more rows.
 */
id: string, };

/**
 * Starts a tail.
 */
export type TailStart = { 
/**
 * As `live_logs` takes it; it must name a group.
 */
filter: string, };

/**
 * What a tail has seen.
 */
export type TailState = { 
/**
 * Newest first; the last thousand.
 */
rows: Array<LogRow>, 
/**
 * `live tail`, or `polling` where the endpoint has none.
 */
by: string, 
/**
 * Whether the source sent only some of the events: then it is not the whole truth.
 */
sampled: boolean, 
/**
 * Events so far.
 */
seen: number, 
/**
 * Why it ended; null while it runs.
 */
ended: ErrorBody | null, };

/**
 * The tail to end.
 */
export type TailStop = { 
/**
 * As `tail_start` gave it.
 */
id: string, };

/**
 * What telemetry holds and may hold.
 */
export type TelemetryUse = { 
/**
 * Bytes that it takes now.
 */
bytes: number, 
/**
 * Bytes that it may take; then the oldest go.
 */
limit_bytes: number, 
/**
 * After how many days telemetry goes.
 */
limit_days: number, 
/**
 * How many spans, log events, errors and console lines have gone for that since start.
 */
dropped: number, };

/**
 * A vendor with one token, as it is set.
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
 * Whether this system has a keychain that can be used.
 */
keychain: boolean, 
/**
 * Why it cannot, and what happens instead; empty where it can.
 */
keychain_problem: string, 
/**
 * The API that is asked.
 */
endpoint: string, 
/**
 * Rollbar: where its pages are, `https://app.rollbar.com/a/ACCOUNT/fix/item/PROJECT`; empty where not set.
 */
web: string, 
/**
 * How it went the last time.
 */
reach: Reach, };

/**
 * What a change is about.
 */
export type Topic = "entry" | "evidence" | "live-card" | "traces" | "logs" | "errors" | "console" | "relay" | "sources" | "tail" | "status" | "all";

/**
 * All spans that share a trace id. Spans are in the order of [`crate::assemble`]: a parent before its children, siblings
 * by start.
 */
export type Trace = { 
/**
 * Its id.
 */
trace_id: TraceId, 
/**
 * Who sent the spans.
 */
resources: Array<Resource>, 
/**
 * Which libraries made them.
 */
scopes: Array<Scope>, 
/**
 * The spans.
 */
spans: Array<Span>, 
/**
 * What the reader must know: still in progress, parents that never came, cycles, drops.
 */
notes?: Array<string>, };

/**
 * A trace by id.
 */
export type TraceGet = { 
/**
 * 32 hex digits, or X-Ray's form.
 */
trace_id: string, 
/**
 * Who is asked.
 */
source?: Source, };

/**
 * A trace's id, 16 bytes. X-Ray's `1-8hex-24hex` and W3C's 32 hex digits are one and the same id.
 *
 * Never derive a time from it: a W3C-born id has none in it.
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
 * Every service that took part, the root's first.
 */
services: Array<string>, 
/**
 * How many spans have arrived.
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
 * Which protocols its spans came by.
 */
protocols: Array<Protocol>, };

/**
 * What a node or an edge did in the range.
 */
export type Traffic = { 
/**
 * Requests that ended or are under way.
 */
requests: number, 
/**
 * Of those, how many failed on the caller's side: 4xx, OTLP's error without a 5xx. Throttled ones are not among
 * them.
 */
errors: number, 
/**
 * Of those, how many failed on the service's side: 5xx, an unhandled exception.
 */
faults: number, 
/**
 * Of those, how many were throttled: 429.
 */
throttles: number, 
/**
 * Half of them took no longer; a length in nanoseconds.
 */
p50: Nanos, 
/**
 * 95 of 100 took no longer; a length in nanoseconds.
 */
p95: Nanos, 
/**
 * The longest; a length in nanoseconds.
 */
max: Nanos, 
/**
 * All of them together; a length in nanoseconds.
 */
total: Nanos, };

/**
 * What was asked of the cloud this month, and what it would cost. Counted by this app: not the vendor's bill.
 */
export type Usage = { 
/**
 * `2026-11`.
 */
month: string, 
/**
 * By what.
 */
rows: Array<UsageRow>, 
/**
 * All of it in US dollars, without free tiers.
 */
dollars: number, 
/**
 * One sentence: `this month: 412 traces retrieved, < $0.01`.
 */
summary: string, 
/**
 * Of which day the prices are, and where they stand.
 */
prices: string, };

/**
 * One thing that is counted.
 */
export type UsageRow = { 
/**
 * `X-Ray traces retrieved`, `CloudWatch Logs FilterLogEvents calls`.
 */
what: string, 
/**
 * How many.
 */
n: number, 
/**
 * In US dollars, without free tiers; null where it costs nothing.
 */
dollars: number | null, };

/**
 * A cloud vendor with settings and credentials of its own; AWS stands for X-Ray and CloudWatch Logs.
 */
export type Vendor = "aws" | "rollbar" | "honeycomb";

/**
 * A week of the course.
 */
export type WeekRow = { 
/**
 * `"0"` … `"11"`, `"X"`.
 */
week: string, 
/**
 * `Week 2 — Distributed Tracing`.
 */
title: string, };

/**
 * Takes nothing.
 */
export type WeeksRequest = Record<symbol, never>;

/**
 * Whom to ask who we are.
 */
export type WhoAmI = { 
/**
 * Whom.
 */
vendor: Vendor, };

/**
 * What became of a text.
 */
export type Written = { 
/**
 * The working text's revision now.
 */
revision: number, 
/**
 * False where the base was older: the working text is as it was, and this text is kept as `kept`.
 */
accepted: boolean, 
/**
 * The revision under which a text that was not accepted can be read back.
 */
kept: number | null, 
/**
 * What happened, for people; empty if nothing special did.
 */
message: string, };

/**
 * A group: traces that a filter expression picks.
 */
export type XrayGroup = { 
/**
 * Its name.
 */
name: string, 
/**
 * `arn:aws:xray:…:group/…`
 */
arn: string, 
/**
 * Which traces; empty for all.
 */
filter_expression: string, 
/**
 * Whether insights are on.
 */
insights_enabled: boolean, 
/**
 * Whether insights notify.
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
 * What the reader must know.
 */
notes?: Array<string>, };
