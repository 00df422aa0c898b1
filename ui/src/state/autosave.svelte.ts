import type { Written } from '../bindings'
import { Failure } from '../host/host'

const QUIET = 300
/** A second is promised until it is on disk; the way there, and a busy window, take some of it. */
const LATEST = 500
const RETRY = [1000, 2000, 5000, 10_000]
/** After a conflict the text is still kept, as a revision each time, so less often. */
const KEEP = 3000

export type SaveState = 'saved' | 'unsaved' | 'saving' | 'failed' | 'conflict'

export interface Conflict {
  /** The revision under which this window's text is kept. */
  kept: number | null
  /** What happened, in words. */
  message: string
}

export interface Door {
  /** The whole text as it is now. */
  read(): string
  /** Writes it; a base of null writes over whatever is there. */
  write(base: number | null, body: string): Promise<Written>
}

/** Writes a text as it is typed: soon after the last key, and every second while keys keep coming. One write at a time. */
export class Autosave {
  state = $state<SaveState>('saved')
  failure = $state.raw<Failure | null>(null)
  conflict = $state.raw<Conflict | null>(null)
  /** The revision that the text was made on. */
  base: number

  #door: Door
  #edits = 0
  #safe = 0
  #quiet: ReturnType<typeof setTimeout> | undefined
  #latest: ReturnType<typeof setTimeout> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #flight: Promise<void> | null = null

  constructor(base: number, door: Door) {
    this.base = base
    this.#door = door
  }

  /** Whether anything typed is in no write that was answered. */
  get dirty(): boolean {
    return this.#edits > this.#safe
  }

  /** Says that the text has changed. */
  touch() {
    this.#edits++
    if (this.state === 'saved') this.state = 'unsaved'
    clearTimeout(this.#quiet)
    const slow = this.conflict !== null
    this.#quiet = setTimeout(() => void this.#run(), slow ? KEEP : QUIET)
    this.#latest ??= setTimeout(() => void this.#run(), slow ? KEEP * 4 : LATEST)
  }

  /** Writes until all is written; false where that failed or ended in a conflict. */
  async flush(): Promise<boolean> {
    for (let tries = 0; tries < 50 && (this.dirty || this.#flight); tries++) {
      const before = this.#safe
      await this.#run()
      if (this.state === 'failed' || (this.conflict && before === this.#safe)) break
    }
    return !this.dirty && !this.conflict
  }

  /** Ends a conflict with this window's text. */
  async writeOver(): Promise<boolean> {
    await this.#flight
    this.conflict = null
    this.#edits++
    await this.#run(true)
    return this.flush()
  }

  /** The text was replaced by what is stored as `revision`; nothing is left to write. */
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
    clearTimeout(this.#quiet)
    clearTimeout(this.#latest)
    clearTimeout(this.#retry)
    this.#quiet = this.#latest = this.#retry = undefined
  }

  #run(over = false): Promise<void> {
    if (this.#flight) {
      // One write at a time: what came meanwhile goes with the next one.
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
      const written = await this.#door.write(over ? null : this.base, this.#door.read())
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
