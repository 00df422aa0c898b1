import type { Written } from '../bindings'
import { Failure } from '../host/host'
import { Later } from '../lib/later'

/** Milliseconds after the last key. */
const QUIET = 300
/** Milliseconds while keys keep coming. Text is to be on disk within a second, and the write takes some of it. */
const LATEST = 500
const RETRY = [1000, 2000, 5000, 10_000]
/** During a conflict every write makes a revision, so writes are less frequent. */
const CONFLICT_QUIET = 3000

export type SaveState = 'saved' | 'unsaved' | 'saving' | 'failed' | 'conflict'

export interface Conflict {
  /** The revision that holds this window's text. */
  kept: number | null
  message: string
}

/** Where a text is written to. */
export interface TextStore {
  /** Writes the text as it is now on top of revision `base`; null overwrites whatever is stored. */
  write(base: number | null): Promise<Written>
}

/** Saves a text while it is typed: soon after the last key, and at least every second. One write at a time. */
export class Autosave {
  state = $state<SaveState>('saved')
  failure = $state.raw<Failure | null>(null)
  conflict = $state.raw<Conflict | null>(null)
  /** The revision that the text is based on. */
  base: number

  #store: TextStore
  #edits = 0
  #safe = 0
  #quiet = new Later(() => void this.#run())
  #latest: ReturnType<typeof setTimeout> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #flight: Promise<void> | null = null

  constructor(base: number, store: TextStore) {
    this.base = base
    this.#store = store
  }

  /** Whether anything typed has not been stored yet. */
  get dirty(): boolean {
    return this.#edits > this.#safe
  }

  /** To be called after every change of the text. */
  touch() {
    this.#edits++
    if (this.state === 'saved') this.state = 'unsaved'
    const slow = this.conflict !== null
    this.#quiet.in(slow ? CONFLICT_QUIET : QUIET)
    this.#latest ??= setTimeout(() => void this.#run(), slow ? CONFLICT_QUIET * 4 : LATEST)
  }

  /** Writes until everything is stored. Returns false after a failure or a conflict. */
  async flush(): Promise<boolean> {
    for (let tries = 0; tries < 50 && (this.dirty || this.#flight); tries++) {
      const before = this.#safe
      await this.#run()
      if (this.state === 'failed' || (this.conflict && before === this.#safe)) break
    }
    return !this.dirty && !this.conflict
  }

  /** Resolves a conflict with this window's text. */
  async writeOver(): Promise<boolean> {
    await this.#flight
    this.conflict = null
    this.#edits++
    await this.#run(true)
    return this.flush()
  }

  /** Waits until no write is under way. */
  async idle() {
    while (this.#flight) await this.#flight
  }

  /** Resolves a conflict with a text that is based on the stored `revision`. Returns false after another conflict. */
  async rebase(revision: number): Promise<boolean> {
    this.base = revision
    this.conflict = null
    this.failure = null
    this.#failures = 0
    this.#edits++
    this.state = 'unsaved'
    return this.flush()
  }

  /** The text was replaced by the stored `revision`, so nothing is left to write. */
  adopt(revision: number) {
    this.base = revision
    this.#safe = this.#edits
    this.conflict = null
    this.failure = null
    this.#failures = 0
    this.#clear()
    this.state = 'saved'
  }

  stop() {
    this.#clear()
  }

  #clear() {
    this.#quiet.stop()
    clearTimeout(this.#latest)
    clearTimeout(this.#retry)
    this.#latest = this.#retry = undefined
  }

  #run(over = false): Promise<void> {
    if (this.#flight) {
      // One write at a time: later changes go with the next one.
      return this.#flight.then(() => (this.dirty && this.state !== 'failed' ? this.#run(over) : undefined))
    }
    if (!this.dirty) return Promise.resolve()
    this.#clear()
    this.#flight = this.#write(over).finally(() => (this.#flight = null))
    return this.#flight
  }

  async #write(over: boolean) {
    const edits = this.#edits
    this.state = 'saving'
    try {
      const written = await this.#store.write(over ? null : this.base)
      this.#safe = Math.max(this.#safe, edits)
      this.failure = null
      this.#failures = 0
      if (written.accepted) {
        this.base = written.revision
        this.conflict = null
        this.state = this.dirty ? 'unsaved' : 'saved'
      } else {
        this.conflict = { kept: written.kept, message: written.message }
        this.state = 'conflict'
      }
    } catch (cause) {
      this.failure = Failure.from(cause)
      this.state = 'failed'
      const wait = RETRY[Math.min(this.#failures++, RETRY.length - 1)]
      this.#retry = setTimeout(() => void this.#run(over), wait)
    }
  }
}
