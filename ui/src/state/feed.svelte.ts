import type { ConsoleRow, ErrorRow, Listed, LogRow, TraceSummary } from '../bindings'
import { Failure, type Host } from '../host/host'
import { Throttle } from '../lib/throttle'
import { Listing, type Asked } from './listing.svelte'

/** Milliseconds between two reads. */
const GAP = 200
/** Milliseconds that rows stay in place after the pointer moved over them, so that a click hits its target. */
const STILL = 900
/** As many rows as one capture of log events holds, so that "Capture these" captures what is shown. */
export const MAX_ROWS = 200

/** What a feed asks for; without `since`, all that is stored. */
interface Question {
  filter: string
  since?: string
}

/** Local telemetry of one kind, newest first. It is read only while it is shown. */
export class Feed<R> extends Listing<R> {
  loaded = $state(false)
  /** A duration until now, or a range between two moments; empty for no limit. */
  since = $state('')
  /** New rows that are held back while the pointer is over the list. */
  waiting = $state(0)

  #ask: (question: Question) => Promise<Listed<R>>
  #throttle: Throttle
  #watchers = 0
  #stale = true
  #typing: ReturnType<typeof setTimeout> | undefined
  #stillUntil = 0
  #releaseTimer: ReturnType<typeof setTimeout> | undefined

  constructor(
    ask: (question: Question) => Promise<Listed<R>>,
    key: (row: R) => string,
    forms: readonly (readonly [string, string])[],
  ) {
    super('local', key)
    this.#ask = ask
    this.forms = forms.map(([example, meaning]) => ({ example, meaning }))
    this.#throttle = new Throttle(GAP, () => this.#load())
  }

  get answered(): boolean {
    return this.loaded && !this.failure
  }

  get asked(): Asked & Question {
    // A range of which no moment was chosen yet has no limit.
    const limited = this.since !== '' && this.since !== '/'
    return limited ? { filter: this.filter, since: this.since } : { filter: this.filter }
  }

  watch(): () => void {
    this.#watchers += 1
    if (this.#stale) this.#throttle.request()
    return () => {
      this.#watchers -= 1
      this.#unhold()
    }
  }

  /** Reads again: at once if it is shown, otherwise when it is shown next. */
  refresh() {
    this.#stale = true
    if (this.#watchers > 0) this.#throttle.request()
  }

  /** The newest row, read first if the list is not shown. */
  async newest(): Promise<R | undefined> {
    if (this.#stale && this.#watchers === 0) await this.#load()
    return this.rows[0]
  }

  setFilter(text: string) {
    this.filter = text
    clearTimeout(this.#typing)
    this.#typing = setTimeout(() => {
      this.#unhold()
      this.refresh()
    }, 150)
  }

  submit() {
    this.#unhold()
    this.refresh()
  }

  /** Keeps the rows in place while the pointer moves over them; with `always` until they are released. */
  hold(always = false) {
    this.#stillUntil = always ? Infinity : Math.max(this.#stillUntil, Date.now() + STILL)
  }

  release() {
    this.#unhold()
    if (this.waiting) this.refresh()
  }

  stop() {
    clearTimeout(this.#typing)
    clearTimeout(this.#releaseTimer)
    this.#throttle.stop()
  }

  #unhold() {
    this.#stillUntil = 0
    clearTimeout(this.#releaseTimer)
  }

  async #load() {
    const { filter, since } = this
    const current = () => filter === this.filter && since === this.since
    this.#stale = false
    try {
      const { rows, notes } = await this.#ask(this.asked)
      if (!current()) return
      this.failure = null
      this.notes = notes
      this.#show(rows)
    } catch (cause) {
      if (current()) this.failure = Failure.from(cause)
    }
    this.loaded = true
  }

  #show(rows: R[]) {
    const still = this.#stillUntil - Date.now()
    const moved = rows.some((row, i) => {
      const shown = this.rows[i]
      return shown === undefined || this.key(shown) !== this.key(row)
    })
    if (still > 0 && this.rows.length > 0 && moved) {
      const known = new Set(this.rows.map(this.key))
      this.waiting = rows.filter((row) => !known.has(this.key(row))).length
      clearTimeout(this.#releaseTimer)
      if (still < Infinity) this.#releaseTimer = setTimeout(() => this.refresh(), still + 10)
      return
    }
    this.waiting = 0
    this.rows = rows
  }
}

/** Local telemetry by kind. */
export class Feeds {
  readonly traces: Feed<TraceSummary>
  readonly logs: Feed<LogRow>
  readonly errors: Feed<ErrorRow>
  readonly console: Feed<ConsoleRow>

  constructor(host: Host) {
    const question = (asked: Question) => ({ ...asked, limit: MAX_ROWS })
    this.traces = new Feed(
      (asked) => host.rpc('live_traces', { ...asked, limit: 100 }),
      (row) => row.trace_id,
      [
        ['home 200', 'words, anywhere'],
        ['service:backend-flask', 'who took part'],
        ['status:error', 'ok, fault, throttle…'],
        ['duration>100ms', 'also <, >=, <='],
        ['name:"GET /api"', 'quotes for blanks'],
        ['http.route=/api/home', 'any attribute'],
      ],
    )
    this.logs = new Feed(
      (asked) => host.rpc('live_logs', question(asked)),
      (row) => row.id,
      [
        ['timeout', 'words, anywhere'],
        ['"no route to host"', 'exactly this'],
        ['?ERROR ?WARN', 'one or the other'],
        ['{ $.status = 500 }', 'a field of JSON'],
        ['level:error', 'as the sender wrote it'],
        ['group:cruddur', 'also stream:, service:'],
        ['attribute:http.route=/api/home', 'of OpenTelemetry, also scope:, severity:'],
        ['trace:4bf92f35…', 'of one trace'],
      ],
    )
    this.errors = new Feed(
      (asked) => host.rpc('live_errors', question(asked)),
      (row) => row.id,
      [
        ['TypeError', 'words, anywhere'],
        ['level:error', 'warning, critical…'],
        ['environment:development', 'where it happened'],
        ['person:andrew', 'the affected person'],
      ],
    )
    this.console = new Feed(
      (asked) => host.rpc('live_console', question(asked)),
      (row) => row.id,
      [
        ['segments', 'words, anywhere'],
        ['"sent batch of 1"', 'exactly this'],
        ['?error ?warn', 'one or the other'],
        ['stream:backend', 'of one command'],
      ],
    )
  }

  get all() {
    return [this.traces, this.logs, this.errors, this.console]
  }

  refresh() {
    for (const feed of this.all) feed.refresh()
  }

  stop() {
    for (const feed of this.all) feed.stop()
  }
}
