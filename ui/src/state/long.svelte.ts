import type { Commands } from '../bindings'
import { Failure, randomId, type Host } from '../host/host'

/** Milliseconds before progress is shown: shorter calls end before anybody could read it. */
const SHOW_AFTER = 250

/** A long command with progress and cancellation. One at a time; listens for events until `stop`. */
export class LongCall {
  running = $state(false)
  /** Whether it has run for long enough to be shown. */
  shown = $state(false)
  done = $state(0)
  /** The total; 0 if unknown. */
  of = $state(0)
  what = $state('')
  /** Cancelled, but not ended yet. */
  ending = $state(false)

  #host: Host
  #call = ''
  #unlisten: () => void

  constructor(host: Host) {
    this.#host = host
    this.#unlisten = host.events((event) => {
      if (event.event !== 'progress' || event.call !== this.#call || !this.running) return
      this.done = event.done
      this.of = event.of
      this.what = event.what
    })
  }

  /** Runs a command. Rejects as the host does, with the code `cancelled` after `cancel`. */
  async run<K extends keyof Commands>(cmd: K, args: Commands[K][0]): Promise<Commands[K][1]> {
    if (this.running) throw new Failure('refused', 'This is still running', 'Wait for it, or cancel it.')
    this.#call = randomId()
    this.running = true
    this.ending = false
    this.done = this.of = 0
    this.what = ''
    const soon = setTimeout(() => (this.shown = true), SHOW_AFTER)
    try {
      return await this.#host.rpc(cmd, args, this.#call)
    } finally {
      clearTimeout(soon)
      this.running = this.shown = this.ending = false
    }
  }

  /** Cancels it; what was done before stays. */
  async cancel() {
    if (!this.running || this.ending) return
    this.ending = true
    const asked = this.#call
    const known = await this.#host.rpc('cancel', { call: asked }).catch(() => false)
    // It may not have started yet, or be in its last step: the user may try again.
    if (!known && asked === this.#call) this.ending = false
  }

  /** Cancels what runs, and stops listening. */
  stop() {
    void this.cancel()
    this.#unlisten()
  }
}
