import type { EvidenceRow } from '../bindings'
import { Failure, type Host } from '../host/host'
import { Throttle } from '../lib/throttle'

/** All evidence of the journal. */
export class EvidenceShelf {
  rows = $state.raw<readonly EvidenceRow[]>([])
  failure = $state.raw<Failure | null>(null)
  loaded = $state(false)
  #throttle: Throttle

  constructor(host: Host) {
    this.#throttle = new Throttle(300, async () => {
      try {
        this.rows = await host.rpc('evidence_list', {})
        this.failure = null
      } catch (cause) {
        this.failure = Failure.from(cause)
      }
      this.loaded = true
    })
  }

  refresh() {
    this.#throttle.request()
  }

  /** Evidence that an entry shows. */
  of(slug: string): EvidenceRow[] {
    return this.rows.filter((row) => row.entries.includes(slug))
  }

  /** Evidence that no entry shows. */
  get unplaced(): EvidenceRow[] {
    return this.rows.filter((row) => row.entries.length === 0)
  }

  stop() {
    this.#throttle.stop()
  }
}
