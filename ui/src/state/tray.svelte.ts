import type { TraceSummary } from '../bindings'
import { Failure, type Host } from '../host/host'
import { Throttle } from '../lib/throttle'

/** At most five times a second. */
const GAP = 200
/** Rows hold still while the pointer moves over them, so that a click hits what was aimed at. */
const STILL = 900

/** What just happened: local traces, newest first. */
export class Tray {
  rows = $state.raw<readonly TraceSummary[]>([])
  filter = $state('')
  failure = $state.raw<Failure | null>(null)
  loaded = $state(false)
  /** Fresh rows that wait until the pointer rests. */
  waiting = $state(0)

  #host: Host
  #throttle: Throttle
  #typing: ReturnType<typeof setTimeout> | undefined
  #stillUntil = 0
  #release: ReturnType<typeof setTimeout> | undefined

  constructor(host: Host) {
    this.#host = host
    this.#throttle = new Throttle(GAP, () => this.#load())
  }

  refresh() {
    this.#throttle.request()
  }

  setFilter(text: string) {
    this.filter = text
    clearTimeout(this.#typing)
    this.#typing = setTimeout(() => {
      this.letGo()
      this.refresh()
    }, 150)
  }

  /** The pointer moves over the rows. */
  hold() {
    this.#stillUntil = Date.now() + STILL
  }

  letGo() {
    this.#stillUntil = 0
    if (this.waiting) this.refresh()
  }

  stop() {
    clearTimeout(this.#typing)
    clearTimeout(this.#release)
    this.#throttle.stop()
  }

  async #load() {
    const filter = this.filter
    try {
      const rows = await this.#host.rpc('live_traces', { filter, limit: 100 })
      if (filter !== this.filter) return
      this.failure = null
      this.#show(rows)
    } catch (cause) {
      if (filter === this.filter) this.failure = Failure.from(cause)
    }
    this.loaded = true
  }

  #show(rows: TraceSummary[]) {
    const still = this.#stillUntil - Date.now()
    const moved = rows.some((row, i) => this.rows[i]?.trace_id !== row.trace_id)
    if (still > 0 && this.rows.length > 0 && moved) {
      const known = new Set(this.rows.map((row) => row.trace_id))
      this.waiting = rows.filter((row) => !known.has(row.trace_id)).length
      clearTimeout(this.#release)
      this.#release = setTimeout(() => this.refresh(), still + 10)
      return
    }
    this.waiting = 0
    this.rows = rows
  }
}
