import { mount } from 'svelte'
import { describe, expect, it, vi } from 'vitest'
import { Failure } from '../../host/host'
import { Workspace } from '../../state/workspace.svelte'
import { failWrites, ReplayHost } from '../../test/host'
import { pass, stage } from '../../test/stage'
import Leaving from './Leaving.svelte'

const shown = stage()

/** The question that a close leads to. */
async function bench(receiving: boolean, failure: Failure | null = null) {
  const host = new ReplayHost()
  await host.ask('entry_new', { week: null, title: null, body: 'text\n' })
  const workspace = new Workspace(host)
  workspace.start()
  await vi.advanceTimersByTimeAsync(500)
  if (failure) {
    failWrites(host, failure)
    workspace.session?.dispatch({ changes: { from: 0, insert: 'typed ' }, userEvent: 'input.type' })
  }
  const ask = async () => {
    host.say({ event: 'ask_closing', receiving })
    await pass(0)
  }
  await ask()
  shown.keep(
    mount(Leaving, {
      target: document.body,
      props: { leaving: workspace.leaving, failure: workspace.unsavedBecause },
    }),
  )
  await pass(0)
  const button = (name: string) => document.querySelector<HTMLElement>(`[data-testid=leaving-${name}]`)
  return { host, ask, button }
}

describe('the question before closing', () => {
  it('is confirmed at each attempt to close, with the safe answer focused', async () => {
    const { host, ask, button } = await bench(true)
    expect(host.answers).toEqual(['asking'])
    await ask()
    expect(host.answers).toEqual(['asking', 'asking'])
    expect(document.activeElement).toBe(button('keep'))
    button('keep')?.click()
    await pass(0)
    expect(host.answers.at(-1)).toBe('keep')
  })

  it('keeps the window open when it is dismissed', async () => {
    const { host } = await bench(true)
    const cross = document.querySelector<HTMLElement>('dialog [aria-label=Cancel]')
    cross?.click()
    await pass(0)
    expect(host.answers.at(-1)).toBe('stay')
  })

  it('reports what is not saved and why, and discards it only on request', async () => {
    const { host, button } = await bench(false, new Failure('storage', 'The disk is full', 'Make room.'))
    expect(document.body.textContent).toContain('The disk is full')
    expect(document.activeElement).toBe(button('stay'))
    button('lose')?.click()
    await pass(0)
    expect(host.answers).toEqual(['asking', 'close'])
  })
})
