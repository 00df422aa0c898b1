import type {
  Body,
  Capture,
  Captured,
  Commands,
  ConsoleRow,
  Entry,
  EntryRow,
  ErrorRow,
  EvidenceRow,
  LogRow,
  Markup,
  Revision,
  Topic,
  Trace,
  TraceSummary,
} from '../bindings'
import { Failure, randomId, type Host, type HostEvent } from './host'
import { cloud, listed, sampleQueryBody } from './memory-cloud'
import { MemoryCards } from './memory-live'
import { relay } from './memory-relay'
import { picture, sampleEntries, sampleTrace, sampleTraces, WEEKS } from './memory-data'
import {
  consoleLine,
  logEvent,
  sampleChecks,
  sampleConsole,
  sampleDossier,
  sampleError,
  sampleErrors,
  sampleGroups,
  sampleLogs,
  sampleMap,
  sampleOccurrences,
  sampleRules,
} from './memory-samples'

type Handlers = { [K in keyof Commands]: (args: Commands[K][0]) => Commands[K][1] }

interface Stored extends Entry {
  deleted: boolean
  revisions: (Revision & { body: string })[]
}

/** A journal in memory: for tests, and for looking at the window without Rust. */
export class MemoryHost implements Host {
  readonly name = 'memory'
  readonly client: string
  readonly chooses = false
  /** Every command that was asked for, in order. */
  readonly calls: { cmd: keyof Commands; args: unknown; call: string }[] = []
  /** Thrown by the next calls of a command, until taken away. */
  readonly failures = new Map<keyof Commands, Failure>()
  /** What the page said when somebody wanted to close the window. */
  readonly answers: Parameters<Host['closing']>[0][] = []
  /** How long an answer takes. */
  delay = 0
  entries: Stored[] = []
  traces: TraceSummary[] = []
  logs: LogRow[] = []
  errors: ErrorRow[] = []
  console: ConsoleRow[] = []
  evidence: EvidenceRow[] = []
  bin: EvidenceRow[] = []
  live = new MemoryCards()
  #listeners: Set<(event: HostEvent) => void>
  #bodies = new Map<string, Body>()
  #dismissed = new Set<string>()
  #next = 1

  constructor(samples = true, client = `memory-${randomId()}`, shared?: MemoryHost) {
    this.client = client
    this.#listeners = shared ? shared.#listeners : new Set()
    if (shared) {
      this.entries = shared.entries
      this.traces = shared.traces
      this.logs = shared.logs
      this.errors = shared.errors
      this.console = shared.console
      this.evidence = shared.evidence
      this.live = shared.live
    } else if (samples) {
      this.traces = sampleTraces()
      this.logs = sampleLogs()
      this.errors = sampleErrors()
      this.console = sampleConsole()
      for (const { week, body } of sampleEntries()) this.#handlers.entry_new({ week, title: null, body })
    }
  }

  async rpc<K extends keyof Commands>(cmd: K, args: Commands[K][0], call = ''): Promise<Commands[K][1]> {
    this.calls.push({ cmd, args: structuredClone(args), call })
    await (this.delay ? new Promise((done) => setTimeout(done, this.delay)) : Promise.resolve())
    const failure = this.failures.get(cmd)
    if (failure) throw failure
    return structuredClone(this.#handlers[cmd](args))
  }

  events(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  connection(listener: (up: boolean) => void): () => void {
    listener(true)
    return () => undefined
  }

  url(path: string): string {
    const id = /^(?:card|live|livecard)\/([^.]+)\.svg/.exec(path)?.[1] ?? ''
    const shown = this.evidence.find((row) => row.id === id)
    const trace = this.traces.find((row) => row.trace_id === id)
    const card = this.live.cards.get(id)
    return picture(shown?.title ?? trace?.name ?? card?.title ?? 'unknown', path.includes('compact'))
  }

  choose(): Promise<string[] | null> {
    return Promise.resolve(null)
  }

  closing(answer: Parameters<Host['closing']>[0]): Promise<void> {
    this.answers.push(answer)
    return Promise.resolve()
  }

  tell(topic: Topic, id = '', by = '') {
    this.say({ event: 'changed', topic, id, by })
  }

  say(event: HostEvent) {
    for (const listener of this.#listeners) listener(event)
  }

  #find(ref: string): Stored {
    const found = this.entries.find((entry) => entry.id === ref || entry.slug === ref)
    if (!found) throw new Failure('not_found', `There is no entry ${ref}`, 'List the entries.')
    return found
  }

  #cut(entry: Stored, reason: string, body = entry.body, revision = entry.revision): Stored {
    if (entry.revisions[0]?.body !== body || reason === 'conflict') {
      const bytes = new TextEncoder().encode(body).length
      entry.revisions.unshift({ revision, created_at: new Date().toISOString(), reason, bytes, body })
    }
    return entry
  }

  #mark(body: string): Markup {
    const references: Markup['references'] = []
    const slots: Markup['slots'] = []
    const line = (at: number) => body.slice(0, at).split('\n').length
    const live: Markup['live'] = []
    for (const m of body.matchAll(
      /!\[([^\]]*)\]\((evidence|live):(\w+)(?:\?size=(\w+))?(?: "([^"]*)")?\)/g,
    )) {
      const start = m.index
      const end = start + m[0].length
      const from = body.lastIndexOf('\n', start - 1) + 1
      const to = body.indexOf('\n', end)
      const around = body.slice(from, start) + body.slice(end, to < 0 ? undefined : to)
      const list = m[2] === 'live' ? live : references
      list.push({
        id: m[3] ?? '',
        place: { start, end, line: line(start) },
        alt: m[1] ?? '',
        caption: m[5] ?? '',
        size: m[4] ?? '',
        alone: around.trim() === '',
      })
    }
    for (const m of body.matchAll(/!\[([^\]]*)\]\(\)|^inser(?:t)? image of[^\r\n]*|^image of[^\r\n]*/gim)) {
      const text = m[1] ?? m[0]
      if (this.#dismissed.has(text)) continue
      const place = { start: m.index, end: m.index + m[0].length, line: line(m.index) }
      slots.push({
        n: slots.length + 1,
        line: place.line,
        text,
        wants: wanted(text),
        place,
      })
    }
    return { references, live, slots }
  }

  #handlers: Handlers = {
    ...cloud(),
    ...this.live.handlers({
      tell: (topic, id) => this.tell(topic, id),
      capture: ({ kind, id = this.traces[0]?.trace_id, filter }) =>
        this.#handlers.capture({ kind, id: kind === 'trace' ? id : undefined, filter }),
    }),
    ...relay(),
    status: () => ({
      version: '0.1.0',
      data_dir: '/home/you/.local/share/tracebook',
      receivers: [
        { name: 'http', address: '127.0.0.1:4318', problem: '', elsewhere: false },
        { name: 'grpc', address: '127.0.0.1:4317', problem: '', elsewhere: false },
        {
          name: 'xray',
          address: null,
          problem:
            'Port 2000 is taken by xray-daemon. Stop it, or start Tracebook with --xray 127.0.0.1:2001.',
          elsewhere: false,
        },
      ],
      problems: [],
      spans_received: 128,
      logs_received: 1240,
      errors_received: 3,
      telemetry: { bytes: 112 * 2 ** 20, limit_bytes: 512 * 2 ** 20, limit_days: 7, dropped: 0 },
      relay: { on: ['X-Ray', 'Rollbar'], waiting: 3, problem: 'there is no Rollbar token to send with' },
      rejected: 0,
      last_rejected: '',
    }),
    weeks: () => WEEKS,
    entry_list: ({ deleted }) => this.entries.filter((entry) => entry.deleted === !!deleted),
    entry_get: ({ entry }) => this.#find(entry),
    entry_new: ({ week, title, body }) => {
      const name = title ?? WEEKS.find((row) => row.week === week)?.title ?? 'Untitled'
      const entry: Stored = {
        id: `01JENTRY${String(this.#next++).padStart(4, '0')}`,
        slug: week === null ? `untitled-${this.#next}` : `week-${week.toLowerCase()}`,
        week,
        title: name,
        updated_at: new Date().toISOString(),
        body: body ?? `# ${name}\n\n## Required Homework\n\n![Traces]()\n`,
        revision: 1,
        deleted: false,
        revisions: [],
      }
      this.entries.push(entry)
      this.tell('entry', entry.id, this.client)
      return entry
    },
    entry_write: ({ entry: ref, base, body, cut }) => {
      const entry = this.#find(ref)
      if (base !== null && base !== entry.revision) {
        const kept = entry.revision + 1000 + this.#next++
        this.#cut(entry, 'conflict', body, kept)
        return {
          revision: entry.revision,
          accepted: false,
          kept,
          message: 'Another window wrote after your base.',
        }
      }
      if (base === null) this.#cut(entry, 'set')
      entry.body = body
      entry.revision++
      if (cut) this.#cut(entry, cut)
      this.tell('entry', entry.id, this.client)
      return { revision: entry.revision, accepted: true, kept: null, message: '' }
    },
    entry_rename: ({ entry: ref, title, week }) => {
      const entry = this.#find(ref)
      if (title !== null) entry.title = title
      if (week !== null) entry.week = week || null
      this.tell('entry', entry.id, this.client)
      return entry
    },
    entry_cut: ({ entry, reason }) => this.#cut(this.#find(entry), reason).revisions,
    entry_history: ({ entry }) => this.#find(entry).revisions,
    entry_revision: ({ entry, revision }) =>
      this.#find(entry).revisions.find((row) => row.revision === revision)?.body ?? '',
    entry_delete: ({ entry }) => this.#bin(entry, true),
    entry_restore: ({ entry }) => this.#bin(entry, false),
    markup: ({ body }) => this.#mark(body),
    slot_dismiss: ({ text, body }) => {
      this.#dismissed.add(text)
      return this.#mark(body)
    },
    live_traces: ({ filter = '' }) => {
      if (filter === 'duration>')
        throw new Failure('usage', '“duration>” needs a time', 'Write duration>100ms.')
      return listed(matching(this.traces, filter, (row) => `${row.name} ${row.services.join(' ')}`))
    },
    trace_get: ({ trace_id }): Trace => sampleTrace(trace_id),
    live_logs: ({ filter, limit }) =>
      listed(
        matching(
          this.logs,
          filter,
          (row) => `${row.message} ${row.group} ${row.stream} ${row.severity}`,
          limit,
        ),
      ),
    log_get: ({ id }) => logEvent(this.#known(this.logs, id, 'log event')),
    live_errors: ({ filter, limit }) =>
      listed(matching(this.errors, filter, (row) => `${row.title} ${row.environment} ${row.person}`, limit)),
    error_get: ({ id }) => {
      const latest = this.errors.find((row) => id.startsWith(row.id))
      return sampleError(latest ?? this.#known(this.errors, id, 'error'), id)
    },
    occurrences: ({ id, page = '1' }) => {
      const row = this.errors.find((known) => id.startsWith(known.id))
      return sampleOccurrences(row ?? this.#known(this.errors, id, 'error'), Number(page))
    },
    live_console: ({ filter, limit }) =>
      listed(matching(this.console, filter, (row) => `${row.text} stream:${row.stream}`, limit)),
    doctor: () => sampleChecks(),
    capture: (request): Captured => {
      const [title, body] = this.#freeze(request)
      const row: EvidenceRow = {
        id: `01JEV${String(this.#next++).padStart(8, '0')}`,
        kind: request.kind,
        title,
        digest: 'sha256:4f1c0000',
        captured_at: new Date().toISOString(),
        entries: [],
      }
      this.evidence.unshift(row)
      this.#bodies.set(row.id, body)
      return { ...row, reference: reference(row), warnings: [] }
    },
    evidence_list: () => {
      for (const row of this.evidence) {
        row.entries = this.entries.filter((entry) => entry.body.includes(row.id)).map((entry) => entry.slug)
      }
      return this.evidence
    },
    evidence_get: ({ id }) => {
      const row = this.evidence.find((known) => known.id === id)
      if (!row) throw new Failure('not_found', `There is no evidence ${id}`, '')
      const now = '1764028800000000000'
      const question = { source: 'local' as const, filter: '', limit: 1 }
      return {
        row,
        reference: reference(row),
        provenance: {
          question,
          via: ['OTLP/HTTP'],
          range: [now, now],
          captured_at: now,
          tool: 'tracebook 0.1.0',
        },
        data: this.#bodies.get(row.id) ?? {
          kind: 'trace',
          body: sampleTrace('4bf92f3577b34da6a3ce929d0e0e4736'),
        },
      }
    },
    evidence_delete: ({ id }) => {
      const at = this.evidence.findIndex((row) => row.id === id)
      const [row] = at < 0 ? [] : this.evidence.splice(at, 1)
      if (!row) throw new Failure('not_found', `There is no evidence ${id}`, '')
      this.bin.push(row)
      return row
    },
    evidence_restore: ({ id }) => {
      const at = this.bin.findIndex((row) => row.id === id)
      const [row] = at < 0 ? [] : this.bin.splice(at, 1)
      if (!row) throw new Failure('not_found', `There is no evidence ${id}`, '')
      this.evidence.unshift(row)
      return row
    },
    export: ({ to, force }) =>
      force || !to.includes('refuse')
        ? {
            written: ['journal/week2.md', 'journal/assets/week2/01J.svg'],
            unchanged: 3,
            refused: [],
            warnings: [],
          }
        : { written: [], unchanged: 3, refused: ['journal/week2.md'], warnings: ['1 slot is still open'] },
    import: ({ texts = [], paths = [] }) => {
      if (paths.length) throw new Failure('not_found', `There is nothing at ${paths[0]}`, 'Look at the path.')
      const entries: EntryRow[] = texts.map(({ name, text }) =>
        this.#handlers.entry_new({ week: null, title: name.replace(/\.md$/, ''), body: text }),
      )
      return { entries, evidence: [], attachments: [], warnings: [] }
    },
    env: (args) => ({
      text: `# ${args.for ?? 'shell'}\nexport OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\n`,
    }),
    cancel: () => false,
  }

  #known<R extends { id: string }>(rows: R[], id: string, what: string): R {
    const row = rows.find((known) => known.id === id)
    if (!row)
      throw new Failure('not_found', `There is no ${what} ${id}`, 'It may have been dropped to make room.')
    return row
  }

  /** What a capture would freeze, and what it is called. */
  #freeze({ kind, id = '', filter, text }: Capture): [string, Body] {
    const trace = () => {
      const row = this.traces.find((known) => known.trace_id === id)
      if (!row)
        throw new Failure('not_found', `There is no trace ${id}`, 'It may have been dropped to make room.')
      return row
    }
    switch (kind) {
      case 'trace':
        return [trace().name, { kind, body: sampleTrace(id) }]
      case 'dossier':
        return [
          `All of ${trace().name}`,
          { kind, body: sampleDossier(id, this.logs, this.errors, this.console) },
        ]
      case 'logs': {
        const question = { filter: filter ?? '', limit: 200 }
        const rows = id ? [this.#known(this.logs, id, 'log event')] : this.#handlers.live_logs(question).rows
        if (!rows.length) throw new Failure('not_found', 'No log event matches', 'Try another filter.')
        return [
          rows.length === 1 ? (rows[0]?.message.slice(0, 60) ?? '') : `${rows.length} log events`,
          { kind, body: { events: rows.map(logEvent).reverse() } },
        ]
      }
      case 'error': {
        const item = this.#handlers.error_get({ id })
        return [item.title, { kind, body: item }]
      }
      case 'console': {
        const lines = text
          ? text.text.split('\n').map((line) => ({ text: line }))
          : this.#handlers
              .live_console({ filter: filter ?? '', limit: 200 })
              .rows.map(consoleLine)
              .reverse()
        const source = text?.source ?? 'docker compose up'
        return [`${lines.length} lines of ${source}`, { kind, body: { source, lines } }]
      }
      case 'service-map':
        return ['Service map, 3 nodes', { kind, body: sampleMap() }]
      case 'groups':
        return ['2 X-Ray groups', { kind, body: sampleGroups() }]
      case 'sampling-rules':
        return ['2 sampling rules', { kind, body: sampleRules() }]
      case 'query':
        return ['Logs Insights query', sampleQueryBody()]
    }
  }

  #bin(ref: string, deleted: boolean): EntryRow {
    const entry = this.#find(ref)
    entry.deleted = deleted
    this.tell('entry', entry.id, this.client)
    return entry
  }
}

function reference({ title, id }: EvidenceRow): string {
  return `![${title.replace(/[[\]]/g, '')}](evidence:${id} "Local, OTLP/HTTP")`
}

function matching<R>(rows: R[], filter: string | undefined, text: (row: R) => string, limit = 100): R[] {
  const words = (filter ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  return rows.filter((row) => words.every((word) => text(row).toLowerCase().includes(word))).slice(0, limit)
}

function wanted(text: string): string {
  if (/trace/i.test(text)) return 'trace'
  if (/log/i.test(text)) return 'logs'
  if (/error|rollbar/i.test(text)) return 'error'
  return 'unknown'
}
