import {
  Annotation,
  ChangeSet,
  Transaction,
  type EditorState,
  type StateEffect,
  type TransactionSpec,
} from '@codemirror/state'
import { EditorView, type ViewUpdate } from '@codemirror/view'
import type { Commands, Entry, EntryRow, Markup } from '../bindings'
import { editorState, type EditorActions } from '../editor/setup'
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

/** Milliseconds after a change before the markup is read again. */
const MARKUP_DELAY = 120
/** Milliseconds without a change before a revision is saved. */
const PAUSE = 60_000

/** A change that is stored already: neither saved again nor part of the undo history. */
const outside = Annotation.define<boolean>()

/** A position of a text that is mapped through every change. */
export interface Mark {
  at: number
  release(): void
}

/** What a session needs from the workspace. */
export interface SessionContext {
  host: Host
  addFiles(session: Session, files: File[], at: number): void
  openEvidence(id: string): void
  live: LiveCards
  fail(cause: unknown, what?: string): void
}

/** A range of a text that is mapped through every change. */
export interface Pin {
  /** Null once nothing is left of it. */
  place: Placed | null
  release(): void
}

/**
 * An open entry: its text, its markup as Rust parsed it, and its autosave. Keeps the undo history while another
 * is shown.
 */
export class Session {
  row: EntryRow = $state.raw() as EntryRow
  marks: Marks = $state.raw({ references: [], live: [], slots: [], target: null })
  /** Whether the target slot was selected automatically, after the one before it was filled. */
  followed = $state(false)
  readonly id: string
  readonly autosave: Autosave

  #context: SessionContext
  #state: EditorState
  #view: EditorView | null = null
  #since: ChangeSet | null = null
  #pins = new Set<Pin>()
  #positions = new Set<Mark>()
  /** The changes since each write that is not answered yet. */
  #collecting = new Set<{ changes: ChangeSet }>()
  #loading = false
  #markupTimer: ReturnType<typeof setTimeout> | undefined
  #pauseTimer: ReturnType<typeof setTimeout> | undefined
  #uncut = false
  /** Where the text was scrolled to when its editor was last removed. */
  scroll: StateEffect<unknown> | null = null
  /** Whether the user has placed the cursor yet. */
  #placed = false

  constructor(entry: Entry, context: SessionContext) {
    this.row = entry
    this.id = entry.id
    this.#context = context
    this.#state = editorState(entry.body, this.#editorActions())
    this.autosave = new Autosave(entry.revision, {
      read: () => this.text,
      write: (base, body) => this.#write(base, body),
    })
    this.scheduleMarkup(0)
  }

  get state(): EditorState {
    return this.#view?.state ?? this.#state
  }

  get text(): string {
    return this.state.sliceDoc()
  }

  link(view: EditorView) {
    this.#view = view
  }

  unlink() {
    if (this.#view) {
      this.#state = this.#view.state
      this.scroll = this.#view.scrollSnapshot()
    }
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

  /** Moves the cursor to the end of the text if the user has not placed it yet. */
  readyCursor() {
    if (this.#placed) return
    this.dispatch({ selection: { anchor: this.state.doc.length } })
  }

  aim(slot: PlacedSlot | null) {
    this.followed = false
    const show = slot ? [EditorView.scrollIntoView(slot.from, { y: 'nearest', yMargin: 60 })] : []
    this.dispatch({ effects: [setTarget.of(slot), ...show] })
  }

  /** Selects the next open slot below a position, without scrolling away from what was just captured. */
  aimBelow(pos: number) {
    const next = this.marks.slots.find((slot) => slot.from > pos) ?? null
    this.dispatch({ effects: setTarget.of(next) })
    this.followed = next !== null
  }

  /** Maps a range through all changes until it is released. */
  pin({ from, to }: Placed): Pin {
    const pin: Pin = { place: { from, to }, release: () => this.#pins.delete(pin) }
    this.#pins.add(pin)
    return pin
  }

  /** Selects a range and shows it in the middle. It may be of an earlier text. */
  select({ from, to }: Placed) {
    const most = this.state.doc.length
    const selection = { anchor: Math.min(from, most), head: Math.min(to, most) }
    this.dispatch({ selection, effects: EditorView.scrollIntoView(selection.head, { y: 'center' }) })
  }

  /** Maps a position through all changes until it is released. */
  mark(at: number): Mark {
    const mark: Mark = { at, release: () => this.#positions.delete(mark) }
    this.#positions.add(mark)
    return mark
  }

  async dismiss(slot: PlacedSlot) {
    const since = this.#collect()
    try {
      this.#applyMarkup(
        await this.#rpc('slot_dismiss', { entry: this.id, text: slot.text, body: this.text }),
        since,
      )
    } catch (cause) {
      this.#context.fail(cause, 'Could not dismiss the slot')
    }
  }

  /** Replaces the text as an edit by the user: saved, and undone in one step. */
  replace(text: string) {
    const changes = difference(this.text, text)
    if (changes) this.dispatch({ changes, userEvent: 'restore', scrollIntoView: true })
  }

  /** Shows a text that is already stored, keeping the cursor. */
  adopt(entry: Entry) {
    this.row = entry
    const changes = difference(this.text, entry.body)
    if (changes) {
      this.dispatch({ changes, annotations: [outside.of(true), Transaction.addToHistory.of(false)] })
    }
    this.autosave.adopt(entry.revision)
  }

  /** Reloads the entry after a change by another client. With unsaved text, the next write detects the conflict. */
  async changedElsewhere() {
    if (this.autosave.dirty || this.autosave.conflict) return
    const entry = await this.#rpc('entry_get', { entry: this.id })
    if (this.autosave.dirty || this.autosave.state === 'saving') return
    if (entry.revision === this.autosave.base) this.row = entry
    else this.adopt(entry)
  }

  /** Saves a revision of the stored text if anything changed since the last one. */
  async cut(reason: string) {
    clearTimeout(this.#pauseTimer)
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
    clearTimeout(this.#markupTimer)
    clearTimeout(this.#pauseTimer)
    this.autosave.stop()
  }

  scheduleMarkup(wait = MARKUP_DELAY) {
    clearTimeout(this.#markupTimer)
    this.#markupTimer = setTimeout(() => void this.#loadMarkup(), wait)
  }

  async #loadMarkup() {
    if (this.#loading) return this.scheduleMarkup()
    this.#loading = true
    const since = this.#collect()
    try {
      this.#applyMarkup(await this.#rpc('markup', { entry: this.id, body: this.text }), since)
    } catch {
      // The editor works without cards, and the save status shows the error. Retry after the next change, or soon.
      this.scheduleMarkup(5000)
    } finally {
      this.#loading = false
    }
  }

  /** Writes the text. What others changed meanwhile is merged into it, and shown beside what was typed since. */
  async #write(base: number | null, body: string) {
    const since = { changes: ChangeSet.empty(this.state.doc.length) }
    this.#collecting.add(since)
    try {
      const written = await this.#rpc('entry_write', { entry: this.id, base, body })
      if (written.merged?.length) {
        const specs = written.merged.map(({ start, end, insert }) => ({ from: start, to: end, insert }))
        const merged = ChangeSet.of(specs, body.length, '\n')
        this.dispatch({
          changes: merged.map(since.changes),
          annotations: [outside.of(true), Transaction.addToHistory.of(false)],
        })
      }
      return written
    } finally {
      this.#collecting.delete(since)
    }
  }

  /** Starts collecting the changes made after a request. */
  #collect() {
    this.#since = ChangeSet.empty(this.state.doc.length)
    return () => this.#since
  }

  #applyMarkup(markup: Markup, since: () => ChangeSet | null) {
    this.dispatch({ effects: setMarkup.of({ markup, since: since() }) })
  }

  #editorActions(): EditorActions {
    return {
      show: (image, path) => this.#context.host.show(image, path),
      open: (id) => this.#context.openEvidence(id),
      addFiles: (files, at) => this.#context.addFiles(this, files, at),
      live: this.#context.live.actions(() => this),
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
      for (const since of this.#collecting) since.changes = since.changes.compose(tr.changes)
      for (const mark of this.#positions) mark.at = tr.changes.mapPos(mark.at)
      this.scheduleMarkup()
      if (!tr.annotation(outside)) this.#edited()
    }
  }

  #edited() {
    this.#uncut = true
    this.autosave.touch()
    clearTimeout(this.#pauseTimer)
    this.#pauseTimer = setTimeout(() => {
      void this.autosave
        .flush()
        .then((saved) => (saved ? this.cut('pause') : undefined))
        .catch((cause: unknown) => this.#context.fail(cause, 'Could not save a revision'))
    }, PAUSE)
  }

  #rpc<K extends keyof Commands>(cmd: K, args: Commands[K][0]) {
    return this.#context.host.rpc(cmd, args)
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
