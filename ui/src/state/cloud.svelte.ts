import type {
  ErrorRow,
  FilterForm,
  Identity,
  Listed,
  LogRow,
  Source,
  SourceSet,
  Sources,
  TraceSummary,
  Vendor,
} from '../bindings'
import { Failure, randomId, type Host } from '../host/host'

/** Who the tray shows: what arrives here, or a vendor's cloud. */
export type Place = 'local' | Vendor

/** The ranges to pick from, as `since` takes them. */
export const RANGES = ['15m', '1h', '6h', '24h', '7d'] as const

/** A list that a cloud source is asked for: only when somebody wants it, since asking costs. */
export class CloudList<R> {
  rows = $state.raw<readonly R[]>([])
  notes = $state.raw<readonly string[]>([])
  filter = $state('')
  since = $state<string>('1h')
  oldestFirst = $state(false)
  failure = $state.raw<Failure | null>(null)
  /** What is wrong with the filter, before anybody is asked. */
  wrong = $state('')
  forms = $state.raw<readonly FilterForm[]>([])
  loading = $state(false)
  progress = $state('')
  askedAt = $state<string | null>(null)
  next = $state<string | null>(null)

  readonly source: Source
  #host: Host
  #ask: (question: Question, call: string) => Promise<Listed<R>>
  #call = ''
  #checking: ReturnType<typeof setTimeout> | undefined

  constructor(
    host: Host,
    source: Source,
    ask: (question: Question, call: string) => Promise<Listed<R>>,
    filter = '',
  ) {
    this.#host = host
    this.source = source
    this.#ask = ask
    this.filter = filter
  }

  /** Asks where nobody has asked yet. */
  open() {
    if (!this.askedAt && !this.loading && !this.failure) void this.ask()
    if (!this.forms.length) void this.#check()
  }

  async ask(fresh = false) {
    await this.#load({ fresh }, (list) => {
      this.rows = list.rows
    })
  }

  async more() {
    const page = this.next
    if (!page) return
    await this.#load({ page }, (list) => {
      this.rows = [...this.rows, ...list.rows]
    })
  }

  cancel() {
    if (this.#call) void this.#host.rpc('cancel', { call: this.#call })
  }

  setFilter(text: string) {
    this.filter = text
    clearTimeout(this.#checking)
    this.#checking = setTimeout(() => void this.#check(), 250)
  }

  /** How far a fetch is, if it is this one's. */
  hear(call: string, done: number, what: string) {
    if (call === this.#call) this.progress = done ? `${done.toLocaleString()} ${what}` : what
  }

  /** Other settings see another world. */
  forget() {
    this.rows = []
    this.notes = []
    this.failure = null
    this.askedAt = null
    this.next = null
  }

  async #check() {
    const filter = this.filter
    try {
      const verdict = await this.#host.rpc('filter_check', { source: this.source, filter })
      if (filter !== this.filter) return
      this.wrong = verdict.ok ? '' : verdict.message
      this.forms = verdict.forms
    } catch {
      // The list itself will say what is wrong.
    }
  }

  async #load(more: Partial<Question>, take: (list: Listed<R>) => void) {
    this.cancel()
    const call = (this.#call = randomId())
    this.loading = true
    this.progress = ''
    const question: Question = {
      source: this.source,
      filter: this.filter,
      since: this.since,
      oldest_first: this.oldestFirst,
      ...more,
    }
    try {
      const list = await this.#ask(question, call)
      if (call !== this.#call) return
      take(list)
      this.notes = list.notes
      this.next = list.next
      this.askedAt = list.asked_at
      this.failure = null
    } catch (cause) {
      if (call === this.#call) this.failure = Failure.from(cause)
    } finally {
      if (call === this.#call) {
        this.loading = false
        this.#call = ''
      }
    }
  }
}

export interface Question {
  source: Source
  filter: string
  since: string
  oldest_first: boolean
  page?: string
  fresh?: boolean
}

/** The cloud sources: what is set, who we are, and the lists that were asked for. */
export class Cloud {
  place = $state<Place>('local')
  sources = $state.raw<Sources | null>(null)
  readonly traces: CloudList<TraceSummary>
  readonly logs: CloudList<LogRow>
  readonly errors: CloudList<ErrorRow>
  #host: Host

  constructor(host: Host) {
    this.#host = host
    this.traces = new CloudList(host, 'xray', ({ oldest_first: _, ...question }, call) =>
      host.rpc('live_traces', { ...question, limit: 100 }, call),
    )
    this.logs = new CloudList(host, 'cloudwatch', (question, call) =>
      host.rpc('live_logs', { ...question, limit: 200 }, call),
    )
    this.errors = new CloudList(
      host,
      'rollbar',
      ({ oldest_first: _, ...question }, call) => host.rpc('live_errors', { ...question, limit: 50 }, call),
      'status:active',
    )
    this.errors.since = '7d'
  }

  get lists() {
    return [this.traces, this.logs, this.errors]
  }

  async load() {
    this.sources = await this.#host.rpc('sources', {})
  }

  async set(change: SourceSet) {
    this.sources = await this.#host.rpc('source_set', change)
    for (const list of this.lists) list.forget()
  }

  async token(vendor: Vendor, token: string, memoryOnly: boolean) {
    this.sources = await this.#host.rpc('secret_set', { vendor, token, memory_only: memoryOnly })
    for (const list of this.lists) list.forget()
  }

  async whoAmI(vendor: Vendor): Promise<Identity> {
    try {
      return await this.#host.rpc('who_am_i', { vendor })
    } finally {
      await this.load()
    }
  }

  hear(call: string, done: number, what: string) {
    for (const list of this.lists) list.hear(call, done, what)
  }
}
