import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Failure } from '../host/host'
import { failWrites, ReplayHost } from '../test/host'
import { Workspace } from './workspace.svelte'

beforeEach(() => {
  vi.useFakeTimers()
  localStorage.clear()
})
afterEach(() => void vi.useRealTimers())
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** A window on one entry, and what happens when somebody wants to close it. */
async function bench() {
  const host = new ReplayHost()
  const { id } = await host.ask('entry_new', { week: '2', title: null, body: 'text\n' })
  const workspace = new Workspace(host)
  workspace.start()
  await pass(500)
  const type = () =>
    workspace.session?.dispatch({ changes: { from: 0, insert: 'typed ' }, userEvent: 'input.type' })
  const ask = async (receiving: boolean) => {
    host.say({ event: 'ask_closing', receiving })
    await pass(0)
  }
  const stored = async () => (await host.ask('entry_get', { entry: id })).body
  return { host, workspace, leaving: workspace.leaving, type, ask, stored }
}

describe('closing the window', () => {
  it('saves the latest changes and closes, without a question', async () => {
    const { host, leaving, type, ask, stored } = await bench()
    type()
    await ask(false)
    expect(host.answers).toEqual(['close'])
    expect(await stored()).toBe('typed text\n')
    expect(leaving.question).toBeNull()
    expect(host.calls.at(-1)).toMatchObject({ cmd: 'entry_cut', args: { reason: 'close' } })
  })

  it('asks while a service is sending, and again at the next attempt after staying', async () => {
    const { host, leaving, ask } = await bench()
    await ask(true)
    await ask(true)
    expect(leaving.question).toBe('receiving')
    expect(host.answers).toEqual([])
    await leaving.stay()
    expect([leaving.question, host.answers]).toEqual([null, ['stay']])
    await ask(true)
    expect(leaving.question).toBe('receiving')
  })

  it('keeps receiving, or saves and closes', async () => {
    const { host, leaving, type, ask, stored } = await bench()
    await ask(true)
    await leaving.keep()
    expect([leaving.question, host.answers]).toEqual([null, ['keep']])
    await ask(true)
    type()
    await leaving.close()
    expect(host.answers).toEqual(['keep', 'close'])
    expect(await stored()).toBe('typed text\n')
  })

  it('reports what cannot be saved before closing', async () => {
    const { host, workspace, leaving, type, ask } = await bench()
    failWrites(host, new Failure('storage', 'The disk is full', 'Make room.'))
    type()
    await ask(false)
    expect(leaving.question).toBe('unsaved')
    expect(workspace.unsavedBecause?.message).toBe('The disk is full')
    expect(host.answers).toEqual([])
    await leaving.stay()
    host.failures.clear()
    await ask(false)
    expect(host.answers).toEqual(['stay', 'close'])
  })

  it('asks if a write is never answered', async () => {
    const { host, leaving, type, ask } = await bench()
    host.delay = 60_000
    type()
    await ask(false)
    expect(leaving.question).toBeNull()
    await pass(2000)
    expect(leaving.question).toBe('unsaved')
    await leaving.abandon()
    expect(host.answers).toEqual(['close'])
  })
})
