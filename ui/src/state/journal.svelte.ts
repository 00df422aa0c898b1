import type { EntryRow, WeekRow } from '../bindings'
import { Failure, type Host } from '../host/host'

/** The sidebar: entries by week, and the bin. */
export class Journal {
  entries = $state.raw<readonly EntryRow[]>([])
  bin = $state.raw<readonly EntryRow[]>([])
  weeks = $state.raw<readonly WeekRow[]>([])
  loaded = $state(false)
  failure = $state.raw<Failure | null>(null)

  constructor(private readonly host: Host) {}

  async load() {
    try {
      const [entries, bin] = await Promise.all([
        this.host.rpc('entry_list', {}),
        this.host.rpc('entry_list', { deleted: true }),
      ])
      this.entries = entries
      this.bin = bin
      if (this.weeks.length === 0) this.weeks = await this.host.rpc('weeks', {})
      this.failure = null
    } catch (cause) {
      this.failure = Failure.from(cause)
    }
    this.loaded = true
  }

  /** Entries by week, in the course's order; those without a week come last. */
  get groups(): { week: string | null; entries: EntryRow[] }[] {
    const groups: { week: string | null; entries: EntryRow[] }[] = []
    for (const entry of this.entries) {
      const group = groups.find((g) => g.week === entry.week)
      if (group) group.entries.push(entry)
      else groups.push({ week: entry.week, entries: [entry] })
    }
    return groups.sort((a, b) => rank(a.week) - rank(b.week))
  }

  /** The first week after the last one that has an entry; null if there is none. */
  get nextWeek(): string | null {
    const used = this.weeks.findLastIndex((row) => this.entries.some((entry) => entry.week === row.week))
    return this.weeks[used + 1]?.week ?? null
  }

  name(id: string): string {
    return this.entries.find((entry) => entry.id === id || entry.slug === id)?.title ?? id
  }
}

function rank(week: string | null): number {
  if (week === null) return 1000
  return week === 'X' ? 100 : Number(week)
}
