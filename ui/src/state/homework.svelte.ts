import type { EntryHomework, HomeworkState } from '../bindings'
import type { Host } from '../host/host'
import { Throttle } from '../lib/throttle'

/** Milliseconds between two readings. */
const GAP = 700
/** Milliseconds without a write before an entry whose words were changed is read again. */
const REST = 3000
/** Milliseconds before all entries are read, so that what the window shows first comes first. */
const LATER = 1500

/** How far each entry is: its slots, and which homework is met by what. */
export class Homework {
  /** By the entry's id. */
  entries = $state.raw<ReadonlyMap<string, EntryHomework>>(new Map())
  #all: Throttle
  #some: Throttle
  #changed = new Set<string>()
  #resting = new Map<string, ReturnType<typeof setTimeout>>()
  #later: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly host: Host) {
    this.#all = new Throttle(GAP, () => this.#load(null))
    this.#some = new Throttle(GAP, () => this.#loadChanged())
  }

  /** The entry of an id was changed; all of them if it is empty. */
  refresh(id = '') {
    if (id === '') return this.#all.request()
    clearTimeout(this.#resting.get(id))
    this.#resting.delete(id)
    this.#changed.add(id)
    this.#some.request()
  }

  /** The words of an entry were changed, and may be again in a moment. */
  typed(id: string) {
    clearTimeout(this.#resting.get(id))
    this.#resting.set(
      id,
      setTimeout(() => this.refresh(id), REST),
    )
  }

  /** All entries may have been changed; there is no hurry. */
  refreshLater() {
    clearTimeout(this.#later)
    this.#later = setTimeout(() => this.refresh(), LATER)
  }

  stop() {
    for (const timer of this.#resting.values()) clearTimeout(timer)
    clearTimeout(this.#later)
    this.#all.stop()
    this.#some.stop()
  }

  async #loadChanged() {
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const id of changed) await this.#load(id)
  }

  async #load(entry: string | null) {
    try {
      const list = await this.host.rpc('homework', entry === null ? {} : { entry })
      const known = entry === null ? [] : [...this.entries]
      this.entries = new Map([...known, ...list.map((one) => [one.entry, one] as const)])
    } catch {
      // The entry was deleted, or the server is away, which the window says elsewhere.
    }
  }
}

/** `2 of 4` of the homework, or of the challenges. */
export function done(states: readonly HomeworkState[], challenge: boolean): { met: number; of: number } {
  const part = states.filter((state) => state.challenge === challenge)
  return { met: part.filter((state) => state.met).length, of: part.length }
}

/** `3 of 6 slots, 2 of 4 homework`; empty if there is nothing to count. */
export function progress(entry: EntryHomework): string {
  const slots = entry.slots_open + entry.slots_filled
  const homework = done(entry.homework, false)
  return [
    slots > 0 ? `${entry.slots_filled} of ${slots} ${slots === 1 ? 'slot' : 'slots'}` : '',
    homework.of > 0 ? `${homework.met} of ${homework.of} homework` : '',
  ]
    .filter(Boolean)
    .join(', ')
}
