import type { Capture, CardQuestion, Commands, EntryRow, EnvText, Source, Topic } from '../bindings'
import type { Placed } from '../editor/markup'
import { Failure, type Connection, type Host, type HostEvent } from '../host/host'
import { readTexts } from '../lib/files'
import { Throttle } from '../lib/throttle'
import { freeze, place } from './capture'
import { PictureAdder } from './adding.svelte'
import { CatalogView } from './catalog.svelte'
import { Cloud } from './cloud.svelte'
import { EvidenceShelf } from './evidence.svelte'
import { Feeds } from './feed.svelte'
import { Journal } from './journal.svelte'
import { Leaving } from './leaving.svelte'
import { FirstSteps } from './first-steps.svelte'
import { Homework } from './homework.svelte'
import { LiveCards } from './live-cards'
import { Look } from './look.svelte'
import type { Palette } from './palette.svelte'
import { Pictures } from './pictures.svelte'
import { Session } from './session.svelte'
import { Toasts } from './toasts.svelte'

/** The answer of the command `status`; the generated type `Status` is that of a trace. */
export type AppStatus = Commands['status'][1]

export type Panel =
  | { kind: 'trace'; id: string; source: Source; title?: string }
  | { kind: 'log'; id: string; source: Source }
  | { kind: 'error'; id: string; source: Source; title?: string }
  | { kind: 'sources' }
  | { kind: 'paste' }
  | { kind: 'doctor' }
  | { kind: 'evidence'; id: string }
  | { kind: 'history' }
  | { kind: 'versions' }
  | { kind: 'new' }
  | { kind: 'rename'; entry: EntryRow }
  | { kind: 'export' }
  | { kind: 'import' }
  | { kind: 'point' }
  | { kind: 'live-card'; id: string }
  | { kind: 'live-card'; id: null; question: CardQuestion }
  | { kind: 'relay' }
  | { kind: 'bin' }
  | { kind: 'shortcuts' }
  | { kind: 'settings' }

/** The state of the window, and everything a user can do in it. */
export class Workspace {
  readonly host: Host
  readonly toasts = new Toasts()
  readonly catalog = new CatalogView()
  readonly journal: Journal
  readonly feeds: Feeds
  readonly cloud: Cloud
  readonly shelf: EvidenceShelf
  readonly leaving: Leaving
  readonly live: LiveCards
  readonly pictures: Pictures
  readonly adder: PictureAdder
  readonly homework: Homework
  readonly look: Look
  readonly first: FirstSteps
  /** The entries that were opened last, the latest first. */
  recent = $state.raw<readonly string[]>(rememberedRecent())
  /** Set by the window's frame, whose actions are commands, too. */
  palette = $state.raw<Palette | null>(null)
  session = $state.raw<Session | null>(null)
  panel = $state.raw<Panel | null>(null)
  status = $state.raw<AppStatus | null>(null)
  connection = $state<Connection>('connected')
  opening = $state(false)
  /** Whether the demo is being started. */
  demoing = $state(false)
  /** Whether an entry was changed while one was being opened. */
  #changedMeanwhile = false
  /** Captures in progress, by `captureKey`. */
  capturing = $state.raw<ReadonlySet<string>>(new Set())

  #sessions = new Map<string, Session>()
  #statusSoon: Throttle
  #stops: (() => void)[] = []

  constructor(host: Host) {
    this.host = host
    this.first = new FirstSteps(this)
    this.look = new Look(host.zoom?.bind(host))
    this.journal = new Journal(host)
    this.feeds = new Feeds(host)
    this.cloud = new Cloud(host)
    this.shelf = new EvidenceShelf(host)
    this.leaving = new Leaving({
      host,
      save: () => this.#saveAll(),
      unsaved: () => this.unsaved,
      fail: (cause, what) => this.toasts.fail(cause, what),
    })
    this.live = new LiveCards({
      host,
      toasts: this.toasts,
      edit: (id) => (this.panel = { kind: 'live-card', id }),
      frozen: () => this.shelf.refresh(),
    })
    this.pictures = new Pictures(host)
    this.homework = new Homework(host)
    this.adder = new PictureAdder(host, this.toasts, this.pictures)
    this.#statusSoon = new Throttle(1000, () => this.#loadStatus())
  }

  /** What the tray lists of a source. */
  list<Name extends 'traces' | 'logs' | 'errors'>(name: Name, source: Source) {
    return source === 'local' ? this.feeds[name] : this.cloud.list(name, source)
  }

  /** Starts listening for events; returns the function that stops it. */
  start(): () => void {
    this.#stops = [
      this.host.events((event) => this.#onEvent(event)),
      this.host.connection((state) => {
        const back = state === 'connected' && this.connection !== state
        this.connection = state
        if (!back) return
        this.#everything()
        // It was never connected.
        if (!this.session) void this.journal.load().then(() => this.#openLast())
      }),
    ]
    this.#everything()
    void this.journal.load().then(() => this.#openLast())
    return () => {
      for (const stop of this.#stops) stop()
      this.feeds.stop()
      this.shelf.stop()
      this.pictures.stop()
      this.homework.stop()
      for (const session of this.#sessions.values()) session.stop()
    }
  }

  get connected(): boolean {
    return this.connection === 'connected'
  }

  /** Whether closing the window now would lose text. */
  get unsaved(): boolean {
    return [...this.#sessions.values()].some((session) => session.autosave.dirty)
  }

  /** Why something is not saved, if known. */
  get unsavedBecause(): Failure | null {
    const failed = [...this.#sessions.values()].find((session) => session.autosave.failure)
    return failed?.autosave.failure ?? null
  }

  async open(id: string) {
    if (this.session?.id === id) return
    await this.closing()
    this.opening = true
    try {
      const entry = await this.host.rpc('entry_get', { entry: id })
      const known = this.#sessions.get(entry.id)
      if (known) {
        // Two answers can come in another order than they were given.
        if (!known.autosave.dirty && known.autosave.base < entry.revision) known.adopt(entry)
        this.session = known
      } else {
        const session = new Session(entry, {
          host: this.host,
          openEvidence: (evidence) => (this.panel = { kind: 'evidence', id: evidence }),
          live: this.live,
          addFiles: (into, files, at) => void this.addFiles(into, files, at),
          pictures: this.pictures,
          fail: (cause, what) => this.toasts.fail(cause, what),
          shownChanged: () => {
            this.homework.refresh(entry.id)
            this.shelf.refresh()
          },
        })
        this.#sessions.set(entry.id, session)
        this.session = session
      }
      remember(entry.id)
      this.recent = [entry.id, ...this.recent.filter((other) => other !== entry.id)].slice(0, MOST_RECENT)
      rememberRecent(this.recent)
    } catch (cause) {
      this.toasts.fail(cause, 'Could not open the entry')
    } finally {
      this.opening = false
    }
    // What others wrote while the entry was read.
    if (this.#changedMeanwhile) this.#onEntry('')
    this.#changedMeanwhile = false
  }

  /** Opens an entry, and selects a place of its text. */
  async openAt(id: string, place: Placed | null | ((session: Session) => Placed)) {
    await this.open(id)
    const session = this.session
    if (session?.id !== id) return
    // The editor is mounted after this turn.
    setTimeout(() => {
      if (place) session.select(typeof place === 'function' ? place(session) : place)
      session.focus()
    })
  }

  /** Opens an entry at a line, from 1; null for its start. A line behind the last is the last. */
  openLine(id: string, line: number | null) {
    return this.openAt(id, ({ state: { doc } }) => {
      const { from } = doc.line(Math.max(1, Math.min(line ?? 1, doc.lines)))
      return { from, to: from }
    })
  }

  /** Saves what is open, with a revision. A session that cannot be saved keeps its text and retries. */
  async closing() {
    for (const other of this.#sessions.values()) if (other !== this.session) void other.autosave.flush()
    const session = this.session
    if (!session) return
    if (await session.autosave.flush()) {
      await session
        .cut('close')
        .catch((cause: unknown) => this.toasts.fail(cause, 'Could not save a revision'))
    }
  }

  async #saveAll() {
    await Promise.all([...this.#sessions.values()].map((session) => session.autosave.flush()))
    await this.closing()
  }

  async create(week: string | null, title: string) {
    const entry = await this.host.rpc('entry_new', { week, title: title.trim() || null, body: null })
    await this.journal.load()
    await this.open(entry.id)
    // After the form has closed and returned the focus to its button.
    setTimeout(() => this.session?.focus())
  }

  /** Makes an entry with slots, and has a demo service send what they want. */
  async tryDemo() {
    if (this.demoing) return
    this.demoing = true
    await this.attempt('Could not start the demo', async () => {
      const entry = await this.host.rpc('demo_fill', {})
      await this.journal.load()
      await this.open(entry.id)
    })
    this.demoing = false
  }

  async rename(entry: string, title: string, week: string | null) {
    const row = await this.host.rpc('entry_rename', { entry, title, week: week ?? '' })
    const session = this.#sessions.get(row.id)
    if (session) session.row = row
    // Another week has other homework.
    this.homework.refresh(row.id)
    await this.journal.load()
  }

  async remove(entry: EntryRow) {
    await this.attempt('Could not delete the entry', async () => {
      const session = this.#sessions.get(entry.id)
      await session?.autosave.flush()
      await this.host.rpc('entry_delete', { entry: entry.id })
      session?.stop()
      this.#sessions.delete(entry.id)
      if (this.session === session) this.session = null
      this.shelf.refresh()
      await this.journal.load()
      const action = { label: 'Undo', run: () => void this.restore(entry) }
      this.toasts.show(`Moved ${entry.title} to the bin`, { action })
    })
  }

  async restore(entry: EntryRow) {
    await this.attempt('Could not restore the entry', async () => {
      await this.host.rpc('entry_restore', { entry: entry.id })
      this.shelf.refresh()
      await this.journal.load()
      await this.open(entry.id)
    })
  }

  /** Inserts a link to another entry at the cursor: the name of its file, which is beside this one in an export. */
  async linkTo({ id, title }: EntryRow) {
    const session = this.session
    if (!session) return
    await this.attempt('Could not insert the link', async () => {
      const files = await this.host.rpc('entry_files', {})
      const file = files.find((one) => one.entry === id)?.file
      if (file === undefined) throw new Failure('not_found', 'The entry is not there any more', '')
      const { from, to } = session.state.selection.main
      const words = session.state.sliceDoc(from, to) || title.replace(/[[\]\\]/g, '\\$&')
      const insert = `[${words}](${encodeURI(file).replace(/[()]/g, (c) => (c === '(' ? '%28' : '%29'))})`
      session.dispatch({
        changes: { from, to, insert },
        selection: { anchor: from + insert.length },
        userEvent: 'input',
      })
      setTimeout(() => session.focus())
    })
  }

  /** Follows a link to a file: that of another entry is opened. */
  async followFile(href: string) {
    await this.attempt('Could not follow the link', async () => {
      const files = await this.host.rpc('entry_files', {})
      const name = nameOf(href)
      const entry = files.find(({ file }) => file.toLowerCase() === name.toLowerCase())?.entry
      if (entry !== undefined) await this.openAt(entry, null)
      else
        this.toasts.show(`${href} is not an entry of this journal`, {
          hint: 'Links lead to headings, entries and web pages',
        })
    })
  }

  /** Captures evidence into the open entry. A failure is shown as a toast. */
  async capture(request: Capture): Promise<boolean> {
    return this.attempt('Could not capture', () => this.freeze(request))
  }

  /** As `capture`, but a failure is the caller's to show. The same thing is not captured twice at a time. */
  async freeze(request: Capture) {
    const key = captureKey(request)
    if (this.capturing.has(key)) return
    this.capturing = new Set([...this.capturing, key])
    try {
      await freeze(this.host, this.toasts, this.session, request)
      this.shelf.refresh()
    } finally {
      this.capturing = new Set([...this.capturing].filter((other) => other !== key))
    }
  }

  busy(request: Capture): boolean {
    return this.capturing.has(captureKey(request))
  }

  async captureNewest() {
    const newest = await this.feeds.traces.newest()
    if (newest) await this.capture({ kind: 'trace', id: newest.trace_id })
    else
      this.toasts.show('No trace to capture yet', {
        hint: 'Connect a service and send it a request.',
      })
  }

  /** Inserts existing evidence into the open entry. */
  async placeAgain(id: string) {
    const session = this.session
    if (!session) return
    await this.attempt('Could not insert', async () => {
      const { reference } = await this.host.rpc('evidence_get', { id })
      await place(this.host, this.toasts, session, reference)
      this.shelf.refresh()
    })
  }

  async deleteEvidence(id: string) {
    await this.attempt('Could not delete the evidence', async () => {
      const row = await this.host.rpc('evidence_delete', { id })
      this.toasts.show(`Moved ${row.title} to the bin`, {
        action: { label: 'Undo', run: () => void this.restoreEvidence(id) },
      })
      this.shelf.refresh()
    })
  }

  async restoreEvidence(id: string) {
    await this.attempt('Could not restore the evidence', async () => {
      await this.host.rpc('evidence_restore', { id })
      this.shelf.refresh()
    })
  }

  /** Files that were pasted, dropped or picked: Markdown is imported, pictures are added to an entry. */
  async addFiles(session: Session | null, files: File[], at: number | null = null) {
    const isText = (file: File) => /\.(?:md|markdown)$/i.test(file.name)
    const pictures = files.filter((file) => !isText(file))
    const texts = files.filter(isText)
    if (pictures.length > 0) {
      if (session) await this.adder.add(session, pictures, at)
      else this.toasts.show('Open an entry first', { hint: 'Pictures are added to the entry that is open.' })
    }
    if (texts.length === 0) return
    await this.attempt('Could not import', async () => {
      const done = await this.host.rpc('import', { texts: await readTexts(texts) })
      await this.journal.load()
      const first = done.entries[0]
      if (first) await this.open(first.id)
      this.toasts.show(`Imported ${texts.map((file) => file.name).join(', ')}`, {
        hint: done.warnings.join('. '),
      })
    })
  }

  async env(target: string): Promise<EnvText> {
    return this.host.rpc('env', { for: target })
  }

  /** Resolves a conflict with the stored text; this window's text is kept as a revision. */
  async showOther() {
    const session = this.session
    if (!session) return
    await this.attempt('Could not load the other version', async () => {
      if (session.autosave.dirty) await session.autosave.flush()
      if (session.autosave.dirty)
        throw new Failure('storage', 'Your version is not saved yet', session.autosave.failure?.hint ?? '')
      session.adopt(await this.host.rpc('entry_get', { entry: session.id }))
    })
  }

  async writeMine() {
    const session = this.session
    if (session) await this.attempt('Could not save', async () => void (await session.autosave.writeOver()))
  }

  /** Runs a job and shows a failure as a toast. */
  async attempt(what: string, job: () => Promise<void>): Promise<boolean> {
    try {
      await job()
      return true
    } catch (cause) {
      this.toasts.fail(cause, what)
      return false
    }
  }

  async #loadCatalog() {
    if (this.catalog.loaded) return
    try {
      this.catalog.set(await this.host.rpc('catalog', {}))
      this.cloud.offer(this.catalog)
    } catch (cause) {
      if (this.connected) this.toasts.fail(cause, 'Could not load the list of sources')
    }
  }

  #everything() {
    void this.#loadCatalog()
    this.feeds.refresh()
    this.shelf.refresh()
    this.pictures.refresh()
    this.homework.refreshLater()
    this.live.notify('')
    this.#statusSoon.request()
    void this.journal.load()
    if (this.session) void this.session.changedElsewhere().catch(() => undefined)
  }

  #onEvent(event: HostEvent) {
    switch (event.event) {
      case 'changed':
        return this.#onChange(event.topic, event.id, event.by === this.host.client)
      case 'progress':
        return this.cloud.onProgress(event.call, event.done, event.what)
      case 'closing':
        // The window closes in a moment: save what is not stored yet.
        return void this.closing()
      case 'ask_closing':
        return void this.leaving.ask(event.receiving)
      default:
        event satisfies never
    }
  }

  #onChange(topic: Topic, id: string, own: boolean) {
    switch (topic) {
      case 'all':
        return this.#everything()
      case 'traces':
      case 'logs':
      case 'errors':
      case 'console':
        this.feeds[topic].refresh()
        return this.#statusSoon.request()
      case 'sources':
        return void this.cloud.load().catch(() => undefined)
      case 'status':
      case 'relay':
        return this.#statusSoon.request()
      case 'live-card':
        return this.live.notify(id)
      case 'evidence':
        this.homework.refresh(this.session?.id)
        return this.shelf.refresh()
      case 'attachment':
        return this.pictures.refresh()
      case 'entry':
        // Own writes change what the shelf says only with other references, which the session reports.
        if (own && this.#sessions.has(id)) return this.homework.typed(id)
        this.homework.refresh(id)
        this.shelf.refresh()
        if (!own) this.#onEntry(id)
        return
      case 'tail':
        // The list that follows the tail reads it once a second.
        return
      default:
        topic satisfies never
    }
  }

  #onEntry(id: string) {
    void this.journal.load()
    const session = this.session
    this.#changedMeanwhile ||= this.opening
    if (!session || (id !== '' && id !== session.id && id !== session.row.slug)) return
    void session
      .changedElsewhere()
      .catch((cause: unknown) => this.toasts.fail(cause, 'Could not reload the entry'))
  }

  async #loadStatus() {
    try {
      this.status = await this.host.rpc('status', {})
    } catch (cause) {
      if (this.connected) this.toasts.fail(cause, 'Could not read the status')
    }
  }

  async #openLast() {
    const entries = this.journal.entries
    const last = entries.find((entry) => entry.id === remembered()) ?? entries[0]
    if (last && !this.session) await this.open(last.id)
  }
}

/** The name of the file that a relative link leads to. */
function nameOf(href: string): string {
  const path = href.split(/[?#]/)[0] ?? ''
  const name = path.split('/').at(-1) ?? ''
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

function captureKey({ kind, id, filter, source, text }: Capture): string {
  return [source ?? 'local', kind, id, filter, text?.text].join('\n')
}

const LAST = 'tracebook.entry'
const RECENT = 'tracebook.recent'
const MOST_RECENT = 20

function rememberRecent(ids: readonly string[]) {
  try {
    localStorage.setItem(RECENT, ids.join(' '))
  } catch {
    // Storage may be disabled.
  }
}

function rememberedRecent(): string[] {
  try {
    return (localStorage.getItem(RECENT) ?? '').split(' ').filter(Boolean).slice(0, MOST_RECENT)
  } catch {
    return []
  }
}

// Storage may be disabled: the window then opens the first entry.
function remember(id: string) {
  try {
    localStorage.setItem(LAST, id)
  } catch {
    /* see above */
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(LAST)
  } catch {
    return null
  }
}
