import { mount, type Component } from 'svelte'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../host/host'
import { Workspace } from '../../state/workspace.svelte'
import { ReplayHost } from '../../test/host'
import { pass, stage } from '../../test/stage'
import ExportPanel from './ExportPanel.svelte'
import ImportPanel from './ImportPanel.svelte'

type Panel = Component<{ workspace: Workspace; onclose: () => void }>
const shown = stage()

/** A panel whose command has run for half a second and is not done. */
async function bench(panel: Panel, cmd: 'export' | 'import', field: string) {
  const host = new ReplayHost()
  const workspace = new Workspace(host)
  workspace.start()
  await pass(500)
  shown.keep(mount(panel, { target: document.body, props: { workspace, onclose: () => undefined } }))
  await pass(0)
  const input = document.querySelector<HTMLInputElement>(`[data-testid=${field}]`)
  if (!input) throw new Error(`no ${field}`)
  input.value = '/tmp/somewhere'
  input.dispatchEvent(new Event('input', { bubbles: true }))
  host.delay = 5000
  input.form?.requestSubmit()
  await pass(500)
  const call = host.calls.find((one) => one.cmd === cmd)?.call ?? ''
  const progress = () => document.querySelector<HTMLElement>('[data-testid=progress]')
  return { host, workspace, call, progress }
}

const panels = [
  ['export', ExportPanel, 'export-folder'],
  ['import', ImportPanel, 'import-path'],
] as const

describe.each(panels)('%s', (cmd, panel, field) => {
  // An import reads the journal again, whatever became of it, before it says so.
  const ends = cmd === 'import' ? 11_000 : 6000
  it('shows its progress, and is cancelled without an error', async () => {
    const { host, call, progress } = await bench(panel, cmd, field)
    host.say({ event: 'progress', call, done: 3, of: 12, what: 'Week 2' })
    await pass(0)
    expect(progress()?.textContent).toContain('Week 2')
    expect(progress()?.textContent).toContain('3 of 12')
    expect(progress()?.querySelector('progress')?.value).toBe(3)
    host.failures.set(cmd, new Failure('cancelled', 'cancelled', 'What was done before stays'))
    progress()?.querySelector('button')?.click()
    await pass(0)
    expect(host.calls.at(-1)).toMatchObject({ cmd: 'cancel', args: { call } })
    expect(progress()?.textContent).toContain('Stopping…')
    await pass(ends)
    expect(progress()).toBeNull()
    expect(document.querySelector('.problem')?.textContent).toBe('Cancelled.What was done before stays')
    expect(document.querySelector('.problem')?.getAttribute('role')).toBe('status')
  })

  it('is cancelled by closing the panel, with a toast', async () => {
    const { host, workspace, call } = await bench(panel, cmd, field)
    host.failures.set(cmd, new Failure('cancelled', 'cancelled', 'What was done before stays'))
    await shown.clear()
    await pass(ends)
    expect(host.calls.find((one) => one.cmd === 'cancel')?.args).toEqual({ call })
    expect(workspace.toasts.list.map((toast) => toast.text)).toEqual([`The ${cmd} was cancelled`])
  })
})
