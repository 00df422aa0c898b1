import { Annotation, ChangeSet, Transaction, type EditorState, type TransactionSpec } from '@codemirror/state'
import { EditorView, type ViewUpdate } from '@codemirror/view'
import type { Commands, Entry, EntryRow, Markup } from '../bindings'
import { editorState, type EditorDoor } from '../editor/setup'
import {
  after,
  marks,
  setMarkup,
  setTarget,
  type Marks,
  type Placed,
  type PlacedSlot,
} from '../editor/markup'
import type { Host } from '../host/host'
import { Autosave } from './autosave.svelte'
import type { LiveCards } from './live-cards'

const LOOK = 120
const PAUSE = 60_000

/** A change that came from outside: shown, but neither saved again nor undone by the user. */
const outside = Annotation.define<boolean>()

/** What a session asks of the window. */
export interface SessionDoor {
  host: Host
  /** Shows the data of an evidence. */
  openEvidence(id: string): void
  live: LiveCards
  fail(cause: unknown, what?: string): void
}

/** A place in a text that moves along with every change. */
export interface Pin {
  /** Where it is now; null once nothing is left of it. */
  place: Placed | null
  /** Ends the following. */
  release(): void
}

/** One open entry: its text, what Rust says about it, and how it is saved. Outlives the view, with its undo history. */
export class Session {
  row: EntryRow = $state.raw() as EntryRow
  marks: Marks = $state.raw({ references: [], live: [], slots: [], target: null })
  /** The target is what came after the slot that was filled last; nobody chose it. */
  followed = $state(false)
  readonly id: string
  readonly autosave: Autosave

  #door: SessionDoor
  #state: EditorState
  #view: EditorView | null = null
  #since: ChangeSet | null = null
  #pins = new Set<Pin>()
  #asking = false
  #look: ReturnType<typeof setTimeout> | undefined
  #pause: ReturnType<typeof setTimeout> | undefined
  #uncut = false
  /** Whether the cursor was ever put anywhere by the user. */
  #placed = false

  constructor(entry: Entry, door: SessionDoor) {
    this.row = entry
    this.id = entry.id
    this.#door = door
    this.#state = editorState(entry.body, this.#editorDoor())
    this.autosave = new Autosave(entry.revision, {
      read: () => this.text,
      write: (base, body) => this.#rpc('entry_write', { entry: this.id, base, body }),
    })
    this.lookSoon(0)
  }

  get state(): EditorState {
    return this.#view?.state ?? this.#state
  }

  get text(): string {
    return this.state.sliceDoc()
  }

  /** The view that shows this text now. */
  link(view: EditorView) {
    this.#view = view
  }

  unlink() {
    if (this.#view) this.#state = this.#view.state
    this.#view = null
  }

  focus() {
    this.#view?.focus()
  }

  dispatch(spec: TransactionSpec) {
    if (this.#view) return this.#view.dispatch(spec)
    const tr = this.#state.update(spec)
    this.#state = tr.state
    this.#changed([tr])
  }

  /** Where a capture goes that no slot was chosen for: before the first click, the end of the text. */
  readyCursor() {
    if (this.#placed) return
    this.dispatch({ selection: { anchor: this.state.doc.length } })
  }

  aim(slot: PlacedSlot | null) {
    this.followed = false
    const show = slot ? [EditorView.scrollIntoView(slot.from, { y: 'nearest', yMargin: 60 })] : []
    this.dispatch({ effects: [setTarget.of(slot), ...show] })
  }

  /** Aims at the next open slot below a place, if there is one. The text does not scroll: who captures sees what came of it. */
  aimBelow(pos: number) {
    const next = this.marks.slots.find((slot) => slot.from > pos) ?? null
    this.dispatch({ effects: setTarget.of(next) })
    this.followed = next !== null
  }

  /** Follows a place in the text, whatever is typed, until it is released. */
  pin({ from, to }: Placed): Pin {
    const pin: Pin = { place: { from, to }, release: () => this.#pins.delete(pin) }
    this.#pins.add(pin)
    return pin
  }

  async dismiss(slot: PlacedSlot) {
    const since = this.#follow()
    try {
      this.#answer(
        await this.#rpc('slot_dismiss', { entry: this.id, text: slot.text, body: this.text }),
        since,
      )
    } catch (cause) {
      this.#door.fail(cause, 'Could not dismiss the slot')
    }
  }

  /** Replaces the text as an edit of the user's: saved, and undone by one step. */
  replace(text: string) {
    const changes = difference(this.text, text)
    if (changes) this.dispatch({ changes, userEvent: 'restore', scrollIntoView: true })
  }

  /** Takes a text that is already stored, keeping the cursor. */
  adopt(entry: Entry) {
    this.row = entry
    const changes = difference(this.text, entry.body)
    if (changes) {
      this.dispatch({ changes, annotations: [outside.of(true), Transaction.addToHistory.of(false)] })
    }
    this.autosave.adopt(entry.revision)
  }

  /** Somebody else wrote: reads it again, unless something here is unsaved, which the next write then settles. */
  async changedElsewhere() {
    if (this.autosave.dirty || this.autosave.conflict) return
    const entry = await this.#rpc('entry_get', { entry: this.id })
    if (this.autosave.dirty || this.autosave.state === 'saving') return
    if (entry.revision === this.autosave.base) this.row = entry
    else this.adopt(entry)
  }

  /** Cuts a revision of what is saved, if anything changed since the last one. */
  async cut(reason: string) {
    clearTimeout(this.#pause)
    if (!this.#uncut) return
    this.#uncut = false
    try {
      await this.#rpc('entry_cut', { entry: this.id, reason })
    } catch (cause) {
      this.#uncut = true
      throw cause
    }
  }

  stop() {
    clearTimeout(this.#look)
    clearTimeout(this.#pause)
    this.autosave.stop()
  }

  lookSoon(wait = LOOK) {
    clearTimeout(this.#look)
    this.#look = setTimeout(() => void this.#lookNow(), wait)
  }

  async #lookNow() {
    if (this.#asking) return this.lookSoon()
    this.#asking = true
    const since = this.#follow()
    try {
      this.#answer(await this.#rpc('markup', { entry: this.id, body: this.text }), since)
    } catch {
      // The editor works without cards; the save status says what is wrong. Try again with the next change, or soon.
      this.lookSoon(5000)
    } finally {
      this.#asking = false
    }
  }

  /** Begins to collect the changes that Rust has not seen. */
  #follow() {
    this.#since = ChangeSet.empty(this.state.doc.length)
    return () => this.#since
  }

  #answer(markup: Markup, since: () => ChangeSet | null) {
    this.dispatch({ effects: setMarkup.of({ markup, since: since() }) })
  }

  #editorDoor(): EditorDoor {
    return {
      url: (path) => this.#door.host.url(path),
      open: (id) => this.#door.openEvidence(id),
      live: this.#door.live.door(() => this),
      aim: (slot) => this.aim(slot),
      dismiss: (slot) => void this.dismiss(slot),
      changed: (update: ViewUpdate) => this.#changed(update.transactions),
    }
  }

  #changed(transactions: readonly Transaction[]) {
    const now = transactions.at(-1)?.state
    if (now) this.marks = now.field(marks)
    for (const tr of transactions) {
      if (tr.selection) this.#placed = true
      if (!tr.docChanged) continue
      this.#since = this.#since ? this.#since.compose(tr.changes) : null
      for (const pin of this.#pins) pin.place &&= after(pin.place, tr.changes)
      this.lookSoon()
      if (!tr.annotation(outside)) this.#edited()
    }
  }

  #edited() {
    this.#uncut = true
    this.autosave.touch()
    clearTimeout(this.#pause)
    this.#pause = setTimeout(() => {
      void this.autosave
        .flush()
        .then((saved) => (saved ? this.cut('pause') : undefined))
        .catch((cause: unknown) => this.#door.fail(cause, 'Could not save a revision'))
    }, PAUSE)
  }

  #rpc<K extends keyof Commands>(cmd: K, args: Commands[K][0]) {
    return this.#door.host.rpc(cmd, args)
  }
}

/** The smallest single change from one text to another; null if they are the same. */
export function difference(before: string, after: string) {
  if (before === after) return null
  const most = Math.min(before.length, after.length)
  let start = 0
  while (start < most && before.charCodeAt(start) === after.charCodeAt(start)) start++
  let end = 0
  while (
    end < most - start &&
    before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)
  )
    end++
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) }
}
