import { undo } from '@codemirror/commands'
import { EditorView } from '@codemirror/view'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Failure } from '../host/host'
import { failWrites, ReplayHost } from '../test/host'
import type { Session } from './session.svelte'
import { Workspace } from './workspace.svelte'

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
})
afterEach(() => {
  vi.useRealTimers()
  document.body.replaceChildren()
})
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** A window on one entry. */
async function bench(body: string) {
  const host = new ReplayHost()
  const entry = await host.ask('entry_new', { week: '2', title: null, body })
  const workspace = new Workspace(host)
  workspace.start()
  await pass(500)
  const session = workspace.session
  if (!session) throw new Error('no entry was opened')
  const view = new EditorView({ state: session.state, parent: document.body })
  session.link(view)
  const stored = async () => (await host.ask('entry_get', { entry: entry.id })).body
  const traces = (await host.ask('live_traces', { filter: 'service:backend-flask' })).rows
  const trace = traces.find((row) => row.name.endsWith('/home 200'))?.trace_id ?? ''
  return { host, workspace, session, view, stored, trace }
}

/** The texts of an entry that can be read back. */
async function revisions(host: ReplayHost, entry: string) {
  const rows = await host.ask('entry_history', { entry })
  return Promise.all(rows.map(({ revision }) => host.ask('entry_revision', { entry, revision })))
}

function aim(session: Session, n: number) {
  session.aim(session.marks.slots[n] ?? null)
}

describe('capture', () => {
  it('fills the target slot as one undo step, and reports it once stored', async () => {
    const text = '# Two\r\n\r\nInsert image of Traces\r\n\r\nMore\r\n'
    const { workspace, session, view, stored, trace } = await bench(text)
    aim(session, 0)
    await workspace.capture({ kind: 'trace', id: trace })
    expect(await stored()).toMatch(/^# Two\r\n\r\n!\[GET [^\]]*\]\(evidence:\w+ "[^"]*"\)\r\n\r\nMore\r\n$/)
    expect(workspace.toasts.list[0]?.text).toBe('Added to Week 2')
    undo(view)
    expect(session.text).toBe(text)
  })

  it('continues with the next open slot below, and with the cursor after the last', async () => {
    const text = '![Console]()\n\nInsert image of Traces\n\nInsert image of LogEvents\n'
    const { workspace, session, stored, trace } = await bench(text)
    aim(session, 1)
    await workspace.capture({ kind: 'trace', id: trace })
    expect(session.marks.target?.text).toBe('Insert image of LogEvents')
    expect(session.followed).toBe(true)
    expect(workspace.toasts.list.at(-1)?.hint).toContain(
      'The next capture goes into “Insert image of LogEvents”.',
    )
    await pass(300)
    await workspace.capture({ kind: 'trace', id: trace })
    expect(await stored()).toMatch(/^!\[Console\]\(\)\n\n!\[GET .*\)\n\n!\[GET .*\)\n$/)
    expect(session.marks.target, 'never up again').toBeNull()
    expect(session.marks.slots).toHaveLength(1)
    expect(workspace.toasts.list.at(-1)?.hint).not.toContain('next capture')
  })

  it('returns to a slot after undo', async () => {
    const text = 'Insert image of Traces\n\nInsert image of LogEvents\n'
    const { workspace, session, stored, trace } = await bench(text)
    aim(session, 0)
    await workspace.capture({ kind: 'trace', id: trace })
    workspace.toasts.list.at(-1)?.action?.run()
    expect(session.text).toBe(text)
    await pass(600)
    expect(session.marks.target?.text).toBe('Insert image of Traces')
    await workspace.capture({ kind: 'trace', id: trace })
    expect(await stored()).toMatch(/^!\[GET .*\)\n\nInsert image of LogEvents\n$/)
  })

  it('is inserted on its own line below a heading', async () => {
    const { workspace, session, view, stored, trace } = await bench('# Two\nText\n')
    view.dispatch({ selection: { anchor: 3 } })
    await workspace.capture({ kind: 'trace', id: trace })
    expect(await stored()).toMatch(/^# Two\n\n!\[.*\]\(evidence:.*\)\n\n?Text\n$/)
    undo(view)
    expect(session.text).toBe('# Two\nText\n')
  })

  it('is inserted inline in the middle of a sentence', async () => {
    const { workspace, view, stored, trace } = await bench('One two three')
    view.dispatch({ selection: { anchor: 4 } })
    await workspace.capture({ kind: 'trace', id: trace })
    expect(await stored()).toMatch(/^One !\[.*\)two three$/)
  })

  it('is inserted below a code block', async () => {
    const { workspace, view, stored, trace } = await bench('```\ncode\n```\nText')
    view.dispatch({ selection: { anchor: 6 } })
    await workspace.capture({ kind: 'trace', id: trace })
    expect(await stored()).toMatch(/^```\ncode\n```\n\n!\[.*\)\n\n?Text$/)
  })

  it('is inserted at the end if the cursor was never placed', async () => {
    const { workspace, stored, trace } = await bench('# Two\n\nText\n')
    await workspace.capture({ kind: 'trace', id: trace })
    expect(await stored()).toMatch(/^# Two\n\nText\n\n!\[.*\)\n\n$/)
  })

  it('saves the text first, and is undone from its toast', async () => {
    const { host, workspace, session, view, trace } = await bench('![Traces]()\n')
    view.dispatch({ changes: { from: view.state.doc.length, insert: 'typed' }, userEvent: 'input.type' })
    await pass(130)
    aim(session, 0)
    host.calls.length = 0
    await workspace.capture({ kind: 'trace', id: trace })
    const order = host.calls.map((call) => call.cmd)
    const saved = order.indexOf('entry_edit')
    expect(saved).toBeGreaterThanOrEqual(0)
    expect(saved).toBeLessThan(order.indexOf('capture'))
    workspace.toasts.list[0]?.action?.run()
    expect(session.text).toBe('![Traces]()\ntyped')
  })

  it('does not report success if the text could not be saved', async () => {
    const { host, workspace, session, trace } = await bench('text\n')
    failWrites(host, new Failure('storage', 'The disk is full', 'Make room.'))
    await workspace.capture({ kind: 'trace', id: trace })
    expect(workspace.toasts.list.some((toast) => toast.tone === 'good')).toBe(false)
    expect(workspace.toasts.list.some((toast) => toast.tone === 'bad' && toast.hint === 'Make room.')).toBe(
      true,
    )
    expect(session.text).toContain('evidence:')
    expect(workspace.unsaved).toBe(true)
  })

  it('shows why it failed, and leaves the text unchanged', async () => {
    const { workspace, session } = await bench('text\n')
    await workspace.capture({ kind: 'trace', id: 'gone' })
    expect(workspace.toasts.list[0]).toMatchObject({
      tone: 'bad',
      hint: '`live traces` lists the ids',
    })
    expect(session.text).toBe('text\n')
  })
})

describe('a second window', () => {
  it('has its changes shown if nothing is unsaved, and the cursor stays', async () => {
    const { host, session, view } = await bench('one\ntwo\n')
    view.dispatch({ selection: { anchor: 6 } })
    await host.ask('entry_write', { entry: session.id, base: 1, body: 'zero\none\ntwo\n' })
    await pass(300)
    expect(session.text).toBe('zero\none\ntwo\n')
    expect(session.state.selection.main.head).toBe(11)
    expect(session.autosave.state).toBe('saved')
    view.dispatch({ changes: { from: 0, insert: 'x' }, userEvent: 'input.type' })
    await pass(400)
    expect(session.autosave.state, 'the next write is made on what was read').toBe('saved')
  })

  it('can cause a conflict, which keeps both texts and is resolved by overwriting', async () => {
    const { host, workspace, session, view, stored } = await bench('base\n')
    view.dispatch({ changes: { from: 0, insert: 'mine ' }, userEvent: 'input.type' })
    await host.ask('entry_write', { entry: session.id, base: 1, body: 'theirs\n' })
    await pass(400)
    expect(session.autosave.conflict).not.toBeNull()
    expect(await stored()).toBe('theirs\n')
    expect(await revisions(host, session.id)).toContain('mine base\n')

    await workspace.writeMine()
    expect(await stored()).toBe('mine base\n')
    expect(await revisions(host, session.id)).toContain('theirs\n')
    expect(session.autosave.conflict).toBeNull()
  })

  it('can cause a conflict, which is resolved by loading its text', async () => {
    const { host, workspace, session, view } = await bench('base\n')
    view.dispatch({ changes: { from: 0, insert: 'mine ' }, userEvent: 'input.type' })
    await host.ask('entry_write', { entry: session.id, base: 1, body: 'theirs\n' })
    await pass(400)
    await workspace.showOther()
    expect(session.text).toBe('theirs\n')
    expect(session.autosave.conflict).toBeNull()
    expect(session.autosave.state).toBe('saved')
  })
})

describe('revisions', () => {
  it('are saved after a minute without typing, and when another entry is opened', async () => {
    const { host, workspace, view, stored } = await bench('base\n')
    const cuts = () => host.calls.filter((call) => call.cmd === 'entry_cut').map((call) => call.args)
    view.dispatch({ changes: { from: 0, insert: 'a' }, userEvent: 'input.type' })
    await pass(59_000)
    expect(cuts()).toHaveLength(0)
    await pass(2000)
    expect(cuts()).toMatchObject([{ reason: 'pause' }])
    view.dispatch({ changes: { from: 0, insert: 'b' }, userEvent: 'input.type' })
    await workspace.create('3', '')
    expect(cuts()).toMatchObject([{ reason: 'pause' }, { reason: 'close' }])
    expect(await stored()).toBe('babase\n')
  })
})
