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
  entry_get: [EntryRef, Entry]
  /** A new entry, from the week's template unless a body is given. */
  entry_new: [EntryNew, Entry]
  /** Writes an entry's working text; an older base never overwrites. */
  entry_write: [EntryWrite, Written]
  /** Changes an entry's title or week. */
  entry_rename: [EntryRename, EntryRow]
  /** Cuts a revision of the working text, unless the last one is the same. */
  entry_cut: [EntryCut, Array<Revision>]
  /** The texts that can be read back, newest first. */
  entry_history: [EntryRef, Array<Revision>]
  /** The text of one revision. */
  entry_revision: [EntryRevision, string]
  /** Puts an entry into the bin. */
  entry_delete: [EntryRef, EntryRow]
  /** Takes an entry out of the bin. */
  entry_restore: [EntryRef, EntryRow]
  /** The references and slots of a text, with UTF-16 offsets. */
  markup: [MarkupRequest, Markup]
  /** Says that a line the finder took for a slot is none. */
  slot_dismiss: [SlotDismiss, Markup]
  /** Local traces, newest first. */
  live_traces: [LiveTraces, Array<TraceSummary>]
  /** One local trace, whole. */
  trace_get: [TraceGet, Trace]
  /** Freezes; with `into` the reference is also put into that entry. */
  capture: [Capture, Captured]
  /** Evidence of one entry, or all. */
  evidence_list: [EvidenceList, Array<EvidenceRow>]
  /** One evidence with its data. */
  evidence_get: [EvidenceRef, EvidenceView]
  /** Puts evidence into the bin, or purges it for good. */
  evidence_delete: [EvidenceDelete, EvidenceRow]
  /** Takes evidence out of the bin. */
  evidence_restore: [EvidenceRef, EvidenceRow]
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
 * Which one; null with `latest`.
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
 * The classes of failure.
 */
export type Code = "not_found" | "usage" | "unreachable" | "refused" | "not_built" | "cancelled" | "storage" | "internal";

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
 * An entry by id or slug.
 */
export type EntryRef = { 
/**
 * Id or slug.
 */
entry: string, };

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
 * What is told to every host while it runs.
 */
export type Event = { "event": "changed", 
/**
 * `entry`, `evidence`, `traces`, `status`; `all` for a listener that missed some.
 */
what: string, 
/**
 * Which one; empty for telemetry, which is told at most five times a second.
 */
id: string, 
/**
 * The client that wrote it; empty if a receiver or another process did.
 */
by: string, } | { "event": "closing", } | { "event": "progress", 
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
 * Which evidence.
 */
export type EvidenceList = { 
/**
 * Id or slug; null for all.
 */
entry?: string, };

/**
 * Evidence by id.
 */
export type EvidenceRef = { 
/**
 * Its id.
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
 * The trace, where it is one.
 */
trace: Trace | null, };

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
 * The id of an entry or of an evidence: a ULID, so ids sort by the time they were made.
 */
export type Id = string;

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
 * What kinds of evidence there are.
 */
export type Kind = "trace" | "logs" | "error" | "console" | "service-map" | "groups" | "sampling-rules" | "query" | "dossier";

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
 * Which traces.
 */
export type LiveTraces = { 
/**
 * Who is asked.
 */
source?: Source, 
/**
 * The local filter language: words, `service:x`, `status:error`, `duration>100ms`, `name:…`, `key=value`.
 */
filter?: string, 
/**
 * Only traces that began in the last so much: `15m`; null for all.
 */
since?: string, 
/**
 * At most so many; 100 if null.
 */
limit?: number, };

/**
 * References and slots of one text.
 */
export type Markup = { 
/**
 * In the order of the text.
 */
references: Array<Reference>, 
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
export type Protocol = "otlp" | "xray";

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
 * A reference: `![alt](evidence:01J…?size=compact "caption")`.
 */
export type Reference = { 
/**
 * The evidence.
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
alone: boolean, };

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
trace_id: string, };

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
