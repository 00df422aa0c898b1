import { storedNumber, storeNumber } from '../lib/stored'
import type { Workspace } from './workspace.svelte'

const KEY = 'tracebook.first-steps'
/** What is kept: a bit for each step that was done once, and one for all of them. */
const BITS = { entry: 1, telemetry: 2, evidence: 4, over: 8 } as const

export interface FirstStep {
  name: 'entry' | 'telemetry' | 'evidence'
  done: boolean
}

/** What there is to do in a new journal. A step that was done once stays done, and the list goes when all are. */
export class FirstSteps {
  #kept = $state(storedNumber(KEY, 0))

  constructor(private readonly workspace: Workspace) {}

  get steps(): FirstStep[] {
    const { journal, shelf, status, feeds } = this.workspace
    const received = status ? status.spans_received + status.logs_received + status.errors_received : 0
    const evidence = this.#was('evidence') || shelf.rows.some((row) => row.entries.length > 0)
    return [
      { name: 'entry', done: evidence || this.#was('entry') || journal.entries.length > 0 },
      {
        name: 'telemetry',
        done: evidence || this.#was('telemetry') || received > 0 || feeds.traces.rows.length > 0,
      },
      { name: 'evidence', done: evidence },
    ]
  }

  /** Whether something is left to do; false until that is known. */
  get shown(): boolean {
    const { journal, shelf, status } = this.workspace
    if (this.#was('over') || !journal.loaded || !shelf.loaded || !status) return false
    return this.steps.some(({ done }) => !done)
  }

  /** Keeps which steps are done. */
  keep() {
    let kept = this.#kept
    for (const { name, done } of this.steps) if (done) kept |= BITS[name]
    if (this.steps.every(({ done }) => done)) kept |= BITS.over
    this.#store(kept)
  }

  dismiss() {
    this.#store(this.#kept | BITS.over)
  }

  #was(step: keyof typeof BITS): boolean {
    return (this.#kept & BITS[step]) !== 0
  }

  #store(kept: number) {
    if (kept === this.#kept) return
    this.#kept = kept
    storeNumber(KEY, kept)
  }
}
