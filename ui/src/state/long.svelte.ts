import type { Commands } from '../bindings'
import { Failure, randomId, type Host } from '../host/host'

/** Shorter ones are over before anybody could read how far they are. */
const SOON = 250

/** A long command: how far it is, and a way to end it. One at a time; listens from when it is made until `stop`. */
export class LongCall {
  running = $state(false)
  /** Whether it runs for long enough to be shown. */
  shown = $state(false)
  done = $state(0)
  /** Of how many; 0 if unknown. */
  of = $state(0)
  what = $state('')
  /** It was asked to end, and has not ended yet. */
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

  /** Carries a command out; rejects as the host does, with the code `cancelled` where it was ended. */
  async run<K extends keyof Commands>(cmd: K, args: Commands[K][0]): Promise<Commands[K][1]> {
    if (this.running) throw new Failure('refused', 'This is still running', 'Wait for it, or cancel it.')
    this.#call = randomId()
    this.running = true
    this.ending = false
    this.done = this.of = 0
    this.what = ''
    const soon = setTimeout(() => (this.shown = true), SOON)
    try {
      return await this.#host.rpc(cmd, args, this.#call)
    } finally {
      clearTimeout(soon)
      this.running = this.shown = this.ending = false
    }
  }

  /** Asks it to end; what was done before stays. */
  async cancel() {
    if (!this.running || this.ending) return
    this.ending = true
    const asked = this.#call
    const known = await this.#host.rpc('cancel', { call: asked }).catch(() => false)
    // It may not have begun yet, or is in its last step: to be asked again.
    if (!known && asked === this.#call) this.ending = false
  }

  /** Nobody looks any more: ends what runs. */
  stop() {
    void this.cancel()
    this.#unlisten()
  }
}
