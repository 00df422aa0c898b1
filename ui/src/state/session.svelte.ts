import {
  Annotation,
  ChangeSet,
  Transaction,
  type EditorState,
  type StateEffect,
  type Text,
  type TransactionSpec,
} from '@codemirror/state'
import { EditorView, type ViewUpdate } from '@codemirror/view'
import type { Commands, Entry, EntryRow, Markup, TextChange, Written } from '../bindings'
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
import { picturesChanged } from '../editor/pictures'
import { amountOf, type Amount } from '../editor/words'
import { Failure, type Host } from '../host/host'
import { checkOf } from '../lib/check'
import { Later } from '../lib/later'
import { compare, type Versions } from '../lib/versions'
import { Autosave } from './autosave.svelte'
import type { LiveCards } from './live-cards'
import type { Pictures } from './pictures.svelte'

/** Milliseconds after the last change before the markup is read again. */
const MARKUP_DELAY = 250
/** Milliseconds after the last change before words are counted again. */
const COUNT_DELAY = 400
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
  pictures?: Pictures
  openEvidence(id: string): void
  live: LiveCards
  fail(cause: unknown, what?: string): void
  /** Another set of evidence is shown in the text, which is stored, or it has other slots. */
  shownChanged?(): void
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
  /** How much text there is, counted a moment after the last change. */
  amount: Amount = $state.raw({ words: 0, characters: 0, minutes: 0 })
  /** Whether the text is shown to be read, not to be written. */
  reading = $state(false)
  /** Whether the target slot was selected automatically, after the one before it was filled. */
  followed = $state(false)
  readonly id: string
  readonly autosave: Autosave

  #context: SessionContext
  #state: EditorState
  #view: EditorView | null = null
  /** Grows when there are other references, slots or targets, not when typing moves them. */
  #marked = $state(0)
  #shown = ''
  /** Requests whose answers have places in the text, each with the changes since its text. */
  #requests = new Set<{ since: ChangeSet }>()
  /** Changes since the text of the revision that autosave is based on. */
  #unsaved: ChangeSet
  /** The text of that revision. */
  #base: Text
  #counting = new Later(() => (this.amount = amountOf(this.state.doc)))
  #pins = new Set<Pin>()
  #positions = new Set<Mark>()
  #stopPictures: () => void
  #loading = false
  #parsing = new Later(() => void this.#loadMarkup())
  #pause = new Later(() => this.#paused())
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
    this.#unsaved = ChangeSet.empty(this.#state.doc.length)
    this.#base = this.#state.doc
    this.autosave = new Autosave(entry.revision, { write: (base) => this.#write(base) })
    this.#stopPictures = this.onPictures(() => this.dispatch({ effects: picturesChanged.of(null) }))
    this.#count(0)
    this.scheduleMarkup(0)
  }

  /** Calls a listener when other pictures can be shown, until the returned function is called. */
  onPictures(listener: () => void): () => void {
    return this.#context.pictures?.changed(listener) ?? (() => undefined)
  }

  get state(): EditorState {
    return this.#view?.state ?? this.#state
  }

  /** References and slots, where they are now. */
  get marks(): Marks {
    void this.#marked
    return this.state.field(marks)
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

  aim(wanted: PlacedSlot | null) {
    this.followed = false
    // What is shown of a slot may be from before it was moved.
    const slot = wanted && (this.marks.slots.find((one) => one.n === wanted.n) ?? wanted)
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
    try {
      await this.#takeMarkup(this.#rpc('slot_dismiss', { entry: this.id, text: slot.text, body: this.text }))
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
    this.#unsaved = ChangeSet.empty(this.state.doc.length)
    this.#base = this.state.doc
    this.autosave.adopt(entry.revision)
  }

  /** This window's text beside the stored one, after a conflict. */
  async versions(): Promise<{ theirs: Entry; versions: Versions }> {
    await this.autosave.flush()
    if (this.autosave.dirty)
      throw new Failure(
        'storage',
        'Your version is not saved yet',
        this.autosave.failure?.hint ?? 'Try again in a moment.',
      )
    const theirs = await this.#rpc('entry_get', { entry: this.id })
    const { state } = this
    return { theirs, versions: compare(this.#base, state.doc, state.toText(theirs.body)) }
  }

  /** Resolves a conflict with a text made of both versions, as one undo step. Returns false after another conflict. */
  async settle(theirs: Entry, text: string): Promise<boolean> {
    await this.autosave.idle()
    // Theirs stays in the history, as this window's does already.
    await this.#rpc('entry_cut', { entry: this.id, reason: 'merge' })
    this.replace(text)
    this.row = theirs
    const { state } = this
    this.#base = state.toText(theirs.body)
    this.#unsaved = ChangeSet.of(difference(theirs.body, this.text) ?? [], theirs.body.length, '\n')
    const saved = await this.autosave.rebase(theirs.revision)
    this.scheduleMarkup(0)
    return saved
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
    this.#pause.stop()
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
    this.#parsing.stop()
    this.#pause.stop()
    this.#counting.stop()
    this.#stopPictures()
    this.autosave.stop()
  }

  scheduleMarkup(wait = MARKUP_DELAY) {
    this.#parsing.in(wait)
  }

  async #loadMarkup() {
    if (this.#loading) return this.scheduleMarkup()
    this.#loading = true
    try {
      if (!(await this.#storedMarkup())) {
        await this.#takeMarkup(this.#rpc('markup', { entry: this.id, body: this.text }))
      }
    } catch {
      // The editor works without cards, and the save status shows the error. Retry after the next change, or soon.
      this.scheduleMarkup(5000)
    } finally {
      this.#loading = false
    }
  }

  /** Reads the markup of the stored text, which need not be sent. Returns false if another text is stored. */
  async #storedMarkup(): Promise<boolean> {
    if (this.autosave.conflict || (this.autosave.dirty && !(await this.autosave.flush()))) return false
    // Which text is stored is known once this write is answered.
    if (this.autosave.state === 'saving') this.scheduleMarkup()
    else {
      const { base } = this.autosave
      const stored = this.#rpc('entry_markup', { entry: this.id, revision: base })
      return this.#takeMarkup(stored, this.#unsaved)
    }
    return true
  }

  /** Writes the changes since revision `base`, or the whole text where these do not fit what is stored. */
  async #write(base: number | null): Promise<Written> {
    const sent = this.#unsaved
    const doc = this.state.doc
    this.#unsaved = ChangeSet.empty(doc.length)
    try {
      const written =
        (base === null ? null : await this.#edit(base, sent, doc)) ?? (await this.#writeAll(base, doc))
      if (!written.accepted) this.#notSaved(sent)
      else {
        this.#base = doc
        if (written.merged?.length) this.#takeIn(written.merged, doc)
      }
      return written
    } catch (cause) {
      this.#notSaved(sent)
      throw cause
    }
  }

  /** Shows what others changed of a text that was written, beside what was typed since. */
  #takeIn(merged: TextChange[], written: Text) {
    const since = this.#unsaved
    const specs = merged.map(({ start, end, insert }) => ({ from: start, to: end, insert }))
    const others = ChangeSet.of(specs, written.length, '\n')
    this.#base = others.apply(written)
    this.dispatch({
      changes: others.map(since),
      annotations: [outside.of(true), Transaction.addToHistory.of(false)],
    })
    // Theirs are stored already.
    this.#unsaved = since.map(others, true)
  }

  /** Takes changes back whose write was not accepted, unless another text was adopted meanwhile. */
  #notSaved(sent: ChangeSet) {
    if (sent.newLength === this.#unsaved.length) this.#unsaved = sent.compose(this.#unsaved)
  }

  #edit(base: number, sent: ChangeSet, doc: Text): Promise<Written | null> {
    const changes: TextChange[] = []
    sent.iterChanges((start, end, _from, _to, inserted) =>
      changes.push({ start, end, insert: inserted.toString() }),
    )
    const size = changes.reduce((sum, change) => sum + change.insert.length, 0)
    // During a conflict both texts are kept, whose changes have another base.
    if (this.autosave.conflict || size * 2 > doc.length) return Promise.resolve(null)
    return this.#rpc('entry_edit', { entry: this.id, base, changes, check: checkOf(doc) })
  }

  #writeAll(base: number | null, doc: Text): Promise<Written> {
    return this.#rpc('entry_write', { entry: this.id, base, body: doc.toString() })
  }

  /** Shows the markup of a text with the changes `since` it. Returns false if there is none. */
  async #takeMarkup(asked: Promise<Markup | null>, since = ChangeSet.empty(this.state.doc.length)) {
    const request = { since }
    this.#requests.add(request)
    let markup
    try {
      markup = await asked
    } finally {
      this.#requests.delete(request)
    }
    if (!markup) return false
    this.dispatch({ effects: setMarkup.of({ markup, since: request.since }) })
    const slots = markup.slots.map(({ n, text }) => `${n} ${text}`).join('\n')
    const shown = `${[...markup.references, ...markup.live].map(({ id }) => id).join(' ')}\n${slots}`
    if (shown !== this.#shown) {
      this.#shown = shown
      this.#context.shownChanged?.()
    }
    return true
  }

  #editorActions(): EditorActions {
    return {
      show: (image, path) => this.#context.host.show(image, path),
      open: (id) => this.#context.openEvidence(id),
      addFiles: (files, at) => this.#context.addFiles(this, files, at),
      picture: (target) => this.#context.pictures?.resolve(this.id, target),
      live: this.#context.live.actions(() => this),
      aim: (slot) => this.aim(slot),
      dismiss: (slot) => void this.dismiss(slot),
      changed: (update: ViewUpdate) => this.#changed(update.transactions),
      read: () => (this.reading = true),
    }
  }

  #changed(transactions: readonly Transaction[]) {
    for (const tr of transactions) {
      if (differs(tr.startState.field(marks), tr.state.field(marks))) this.#marked++
      if (tr.selection) this.#placed = true
      if (!tr.docChanged) continue
      for (const request of this.#requests) request.since = request.since.compose(tr.changes)
      this.#unsaved = this.#unsaved.compose(tr.changes)
      for (const pin of this.#pins) pin.place &&= after(pin.place, tr.changes)
      for (const mark of this.#positions) mark.at = tr.changes.mapPos(mark.at)
      this.scheduleMarkup(
        tr.isUserEvent('card') || tr.isUserEvent('undo') || tr.isUserEvent('redo') ? 0 : undefined,
      )
      this.#count()
      if (!tr.annotation(outside)) this.#edited()
    }
  }

  #count(wait = COUNT_DELAY) {
    this.#counting.in(wait)
  }

  #edited() {
    this.#uncut = true
    this.autosave.touch()
    this.#pause.in(PAUSE)
  }

  #paused() {
    void this.autosave
      .flush()
      .then((saved) => (saved ? this.cut('pause') : undefined))
      .catch((cause: unknown) => this.#context.fail(cause, 'Could not save a revision'))
  }

  #rpc<K extends keyof Commands>(cmd: K, args: Commands[K][0]) {
    return this.#context.host.rpc(cmd, args)
  }
}

/** Whether there are other references, slots or targets, apart from where they are. */
function differs(a: Marks, b: Marks): boolean {
  if (a === b) return false
  const other = <T extends object>(x: readonly T[], y: readonly T[], same: (p: T, q: T) => boolean) =>
    x.length !== y.length || x.some((one, i) => y[i] === undefined || !same(one, y[i]))
  return (
    a.target?.n !== b.target?.n ||
    other(a.slots, b.slots, (p, q) => p.text === q.text && p.n === q.n && p.wants === q.wants) ||
    other(a.references, b.references, (p, q) => p.id === q.id && p.alt === q.alt) ||
    other(a.live, b.live, (p, q) => p.id === q.id && p.alt === q.alt)
  )
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
  // Half of a character cannot be sent.
  if (start > 0 && isHigh(before.charCodeAt(start - 1))) start--
  if (end > 0 && isLow(before.charCodeAt(before.length - end))) end--
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) }
}

const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff
