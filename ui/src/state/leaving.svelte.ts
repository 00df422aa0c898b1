import type { Host } from '../host/host'

/** Milliseconds; less than the window waits for a page that does not answer. */
const SAVE_TIMEOUT = 2000

/** What is asked before the window closes: whether to keep receiving, or whether to lose unsaved changes. */
export type Question = 'receiving' | 'unsaved'

/** What closing needs from the workspace. */
export interface LeavingContext {
  host: Host
  save(): Promise<void>
  unsaved(): boolean
  fail(cause: unknown, what: string): void
}

/** Closes the window without losing text, and not while a service is sending unless the user agrees. */
export class Leaving {
  question = $state<Question | null>(null)
  /** Counts the attempts to close the window: the page has to confirm each that the question is shown. */
  asked = $state(0)
  saving = $state(false)

  #context: LeavingContext

  constructor(context: LeavingContext) {
    this.#context = context
  }

  /** The user is closing the window. */
  async ask(receiving: boolean) {
    this.asked += 1
    if (this.question) return
    if (receiving) this.question = 'receiving'
    else await this.close()
  }

  /** Confirms that the question is shown. */
  shown() {
    return this.#answer('asking')
  }

  /** Saves, then closes; asks if something could not be saved. */
  async close() {
    if (this.saving) return
    this.saving = true
    // A disk that does not respond must not keep the window open silently.
    await Promise.race([this.#context.save(), new Promise((done) => setTimeout(done, SAVE_TIMEOUT))])
    this.saving = false
    if (this.#context.unsaved()) this.question = 'unsaved'
    else await this.abandon()
  }

  /** Closes without saving. */
  abandon() {
    return this.#answer('close')
  }

  /** Minimises the window and keeps receiving. */
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
      await this.#context.host.closing(answer)
    } catch (cause) {
      this.#context.fail(cause, 'Could not close the window')
    }
  }
}
