import type { EntryRow, Found } from '../bindings'
import { Failure } from '../host/host'
import { commands, type PaletteCommand, type WindowActions } from './commands'
import type { Workspace } from './workspace.svelte'

/** Milliseconds after a key before the journal is searched. */
const WAIT = 60
/** How many entries are listed before anything is typed. */
const RECENT = 8

/** A row of the palette. */
export interface Item {
  key: string
  kind: 'Command' | 'Entry' | 'Text' | 'Evidence'
  title: string
  detail: string
  /** The keys of a command. */
  keys: string
  run: () => void
}

/** Everything, entries to open, or entries to link to. */
export type PaletteMode = 'all' | 'entries' | 'link'

/** The command palette: commands, entries, and what the search finds, by one text. */
export class Palette {
  open = $state<PaletteMode | null>(null)
  text = $state('')
  active = $state(0)
  failure = $state.raw<Failure | null>(null)
  #found = $state.raw<readonly Found[]>([])
  #timer: ReturnType<typeof setTimeout> | undefined
  #asked = 0

  constructor(
    private readonly workspace: Workspace,
    private readonly actions: WindowActions,
  ) {}

  show(mode: PaletteMode) {
    this.open = mode
    this.type('')
  }

  close() {
    this.open = null
    clearTimeout(this.#timer)
  }

  /** The text was changed. */
  type(text: string) {
    this.text = text
    this.active = 0
    clearTimeout(this.#timer)
    const asked = ++this.#asked
    if (this.open !== 'all' || text.trim() === '') {
      this.#found = []
      this.failure = null
      return
    }
    this.#timer = setTimeout(() => void this.#search(text, asked), WAIT)
  }

  async #search(words: string, asked: number) {
    try {
      const found = /[\p{L}\p{N}]/u.test(words)
        ? await this.workspace.host.rpc('search', { words, limit: 20 })
        : []
      // A later answer may come first.
      if (asked !== this.#asked) return
      this.#found = found
      this.failure = null
    } catch (cause) {
      if (asked === this.#asked) this.failure = Failure.from(cause)
    }
  }

  get items(): Item[] {
    const entries = recentFirst(this.workspace.journal.entries, this.workspace.recent)
    const named = entries
      .filter((entry) => matches(entry.title, this.text))
      .map((entry) => this.#entry(entry))
    if (this.open === 'entries') return named
    if (this.open === 'link')
      return named.filter((item) => item.key !== `entry ${this.workspace.session?.id}`)
    const known = commands(this.workspace, this.actions).filter((command) =>
      matches(command.title, this.text),
    )
    if (this.text.trim() === '') return [...named.slice(0, RECENT), ...known.map((c) => this.#command(c))]
    const texts = this.#found.map((found) => this.#found_item(found))
    return [...named.slice(0, RECENT), ...known.map((command) => this.#command(command)), ...texts]
  }

  move(by: number) {
    const count = this.items.length
    if (count > 0) this.active = (this.active + by + count) % count
  }

  run(item: Item | undefined) {
    if (!item) return
    this.close()
    item.run()
  }

  #command({ id, title, keys, run }: PaletteCommand): Item {
    return { key: `command ${id}`, kind: 'Command', title, detail: '', keys, run }
  }

  #entry(entry: EntryRow): Item {
    const { id, title, slug } = entry
    // Asked now: the palette is closed before the item runs.
    const link = this.open === 'link'
    const run = () => void (link ? this.workspace.linkTo(entry) : this.workspace.openAt(id, null))
    return { key: `entry ${id}`, kind: 'Entry', title, detail: slug, keys: '', run }
  }

  #found_item(found: Found): Item {
    const { id, title, snippet, entries, start, end } = found
    const key = `${found.type} found ${id}`
    if (found.type === 'entry') {
      const place = start === undefined || end === undefined ? null : { from: start, to: end }
      const run = () => void this.workspace.openAt(id, place)
      return { key, kind: 'Text', title, detail: snippet, keys: '', run }
    }
    const where = entries.length > 0 ? entries.join(', ') : 'in no entry'
    const run = () => (this.workspace.panel = { kind: 'evidence', id })
    return { key, kind: 'Evidence', title, detail: `${where} · ${snippet}`, keys: '', run }
  }
}

function recentFirst(entries: readonly EntryRow[], recent: readonly string[]): EntryRow[] {
  const rank = (entry: EntryRow) => {
    const at = recent.indexOf(entry.id)
    return at < 0 ? recent.length : at
  }
  return [...entries].sort((a, b) => rank(a) - rank(b))
}

/** Whether every word of a query is in a text. */
export function matches(text: string, query: string): boolean {
  const lower = text.toLowerCase()
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => lower.includes(word))
}
