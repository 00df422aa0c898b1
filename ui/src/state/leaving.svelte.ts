import type { Host } from '../host/host'

/** Less than the window waits for a page that says nothing. */
const SAVING = 2000

/** What is asked before the window goes: whether to keep receiving, or whether to give up what cannot be saved. */
export type Question = 'receiving' | 'unsaved'

/** What leaving asks of the window. */
export interface LeavingDoor {
  host: Host
  /** Saves everything that is open. */
  save(): Promise<void>
  /** Whether anything is not saved. */
  unsaved(): boolean
  fail(cause: unknown, what: string): void
}

/** The way out: nothing typed is lost, and a service that still sends is not cut off without a question. */
export class Leaving {
  question = $state<Question | null>(null)
  /** How often somebody wanted to close the window: the question answers each time, to show that it is there. */
  asked = $state(0)
  saving = $state(false)

  #door: LeavingDoor

  constructor(door: LeavingDoor) {
    this.#door = door
  }

  /** Somebody wants to close the window. */
  async ask(receiving: boolean) {
    this.asked += 1
    if (this.question) return
    if (receiving) this.question = 'receiving'
    else await this.close()
  }

  /** The question is on the screen. */
  shown() {
    return this.#answer('asking')
  }

  /** Saves, then closes; asks where that cannot be saved. */
  async close() {
    if (this.saving) return
    this.saving = true
    // A disk that does not answer must not hold the window open without a word.
    await Promise.race([this.#door.save(), new Promise((done) => setTimeout(done, SAVING))])
    this.saving = false
    if (this.#door.unsaved()) this.question = 'unsaved'
    else await this.abandon()
  }

  /** Closes as things are. */
  abandon() {
    return this.#answer('close')
  }

  /** The window goes out of the way, and what a service sends is still taken. */
  keep() {
    this.question = null
    return this.#answer('keep')
  }

  stay() {
    this.question = null
    return this.#answer('stay')
  }

  async #answer(answer: Parameters<Host['closing']>[0]) {
    try {
      await this.#door.host.closing(answer)
    } catch (cause) {
      this.#door.fail(cause, 'Could not close the window')
    }
  }
}
