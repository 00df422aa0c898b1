import type { Listed, Source } from '../bindings'
import { Failure, randomId, type Host } from '../host/host'
import { Listing, type Asked } from './listing.svelte'

export interface Question {
  source: Source
  filter: string
  since: string
  oldest_first: boolean
  page?: string
  fresh?: boolean
}

/** A list of a cloud source. Requests cost money or quota, so it is loaded on demand only. */
export class CloudList<R> extends Listing<R> {
  since = $state<string>('1h')
  oldestFirst = $state(false)
  loading = $state(false)
  progress = $state('')
  askedAt = $state<string | null>(null)
  next = $state<string | null>(null)

  #host: Host
  #ask: (question: Question, call: string) => Promise<Listed<R>>
  #call = ''
  #checking: ReturnType<typeof setTimeout> | undefined

  constructor(
    host: Host,
    source: Source,
    key: (row: R) => string,
    ask: (question: Question, call: string) => Promise<Listed<R>>,
    start = { filter: '', since: '1h' },
  ) {
    super(source, key)
    this.filter = start.filter
    this.since = start.since
    this.#host = host
    this.#ask = ask
  }

  get answered(): boolean {
    return this.askedAt !== null && !this.loading && !this.failure
  }

  get asked(): Asked {
    return { filter: this.filter, since: this.since, source: this.source }
  }

  /** Loads the list the first time. Hiding it does not cancel the request: its answer is kept. */
  watch(): () => void {
    if (!this.askedAt && !this.loading && !this.failure) void this.ask()
    if (!this.forms.length) void this.#check()
    return () => undefined
  }

  submit() {
    void this.ask()
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

  /** Takes the progress of a call, if the call is this list's. */
  onProgress(call: string, done: number, what: string) {
    if (call === this.#call) this.progress = done ? `${done.toLocaleString()} ${what}` : what
  }

  /** Drops the rows: with other settings they would be others. */
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
      // The list itself will report what is wrong.
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
