import type { ConsoleRow, ErrorRow, Listed, LogRow, TraceSummary } from '../bindings'
import { Failure, type Host } from '../host/host'
import { Throttle } from '../lib/throttle'

/** At most five times a second. */
const GAP = 200
/** Rows hold still while the pointer moves over them, so that a click hits what was aimed at. */
const STILL = 900
/** As many as one capture of log events takes, so that "Capture these" means what is seen. */
export const MOST = 200

/** What just happened, of one kind, newest first. Asks only while somebody watches. */
export class Feed<R> {
  rows = $state.raw<readonly R[]>([])
  filter = $state('')
  failure = $state.raw<Failure | null>(null)
  loaded = $state(false)
  /** Fresh rows that wait until the pointer rests. */
  waiting = $state(0)

  /** What the reader must know of the rows. */
  notes = $state.raw<readonly string[]>([])

  #ask: (filter: string) => Promise<Listed<R>>
  #key: (row: R) => string
  #throttle: Throttle
  #watchers = 0
  #stale = true
  #typing: ReturnType<typeof setTimeout> | undefined
  #stillUntil = 0
  #release: ReturnType<typeof setTimeout> | undefined

  constructor(ask: (filter: string) => Promise<Listed<R>>, key: (row: R) => string) {
    this.#ask = ask
    this.#key = key
    this.#throttle = new Throttle(GAP, () => this.#load())
  }

  key(row: R): string {
    return this.#key(row)
  }

  /** Somebody looks at it, until the returned function is called. */
  watch(): () => void {
    this.#watchers += 1
    if (this.#stale) this.#throttle.request()
    return () => {
      this.#watchers -= 1
      this.#letLoose()
    }
  }

  /** Something changed: asked again at once where it is watched, else when it next is. */
  refresh() {
    this.#stale = true
    if (this.#watchers > 0) this.#throttle.request()
  }

  /** The newest, asked for where nobody has watched since the last change. */
  async newest(): Promise<R | undefined> {
    if (this.#stale && this.#watchers === 0) await this.#load()
    return this.rows[0]
  }

  setFilter(text: string) {
    this.filter = text
    clearTimeout(this.#typing)
    this.#typing = setTimeout(() => {
      this.#letLoose()
      this.refresh()
    }, 150)
  }

  /** The pointer moves over the rows; `always` until they are let go. */
  hold(always = false) {
    this.#stillUntil = always ? Infinity : Math.max(this.#stillUntil, Date.now() + STILL)
  }

  letGo() {
    this.#letLoose()
    if (this.waiting) this.refresh()
  }

  stop() {
    clearTimeout(this.#typing)
    clearTimeout(this.#release)
    this.#throttle.stop()
  }

  #letLoose() {
    this.#stillUntil = 0
    clearTimeout(this.#release)
  }

  async #load() {
    const filter = this.filter
    this.#stale = false
    try {
      const { rows, notes } = await this.#ask(filter)
      if (filter !== this.filter) return
      this.failure = null
      this.notes = notes
      this.#show(rows)
    } catch (cause) {
      if (filter === this.filter) this.failure = Failure.from(cause)
    }
    this.loaded = true
  }

  #show(rows: R[]) {
    const still = this.#stillUntil - Date.now()
    const moved = rows.some((row, i) => {
      const shown = this.rows[i]
      return shown === undefined || this.#key(shown) !== this.#key(row)
    })
    if (still > 0 && this.rows.length > 0 && moved) {
      const known = new Set(this.rows.map(this.#key))
      this.waiting = rows.filter((row) => !known.has(this.#key(row))).length
      clearTimeout(this.#release)
      if (still < Infinity) this.#release = setTimeout(() => this.refresh(), still + 10)
      return
    }
    this.waiting = 0
    this.rows = rows
  }
}

/** Everything the receivers and watched commands bring, by kind. The names are those of the events. */
export class Feeds {
  readonly traces: Feed<TraceSummary>
  readonly logs: Feed<LogRow>
  readonly errors: Feed<ErrorRow>
  readonly console: Feed<ConsoleRow>

  constructor(host: Host) {
    const question = (filter: string) => ({ filter, limit: MOST })
    this.traces = new Feed(
      (filter) => host.rpc('live_traces', { filter, limit: 100 }),
      (row) => row.trace_id,
    )
    this.logs = new Feed(
      (filter) => host.rpc('live_logs', question(filter)),
      (row) => row.id,
    )
    this.errors = new Feed(
      (filter) => host.rpc('live_errors', question(filter)),
      (row) => row.id,
    )
    this.console = new Feed(
      (filter) => host.rpc('live_console', question(filter)),
      (row) => row.id,
    )
  }

  get all() {
    return [this.traces, this.logs, this.errors, this.console]
  }

  /** The feed that an event speaks of; undefined for the events of others. */
  named(what: string) {
    return what === 'traces' || what === 'logs' || what === 'errors' || what === 'console'
      ? this[what]
      : undefined
  }

  refresh() {
    for (const feed of this.all) feed.refresh()
  }

  stop() {
    for (const feed of this.all) feed.stop()
  }
}
