import { mount } from 'svelte'
import { describe, expect, it, vi } from 'vitest'
import { Failure } from '../../host/host'
import { Workspace } from '../../state/workspace.svelte'
import { ReplayHost } from '../../test/host'
import { pass, stage } from '../../test/stage'
import Panels from '../window/Panels.svelte'

const shown = stage()

/** An item of Rollbar's with 42 occurrences, of which it gives 20 a page. */
const ITEM = '27250006'
/** The id that the SDK gave an occurrence of it. */
const uuid = (n: number) => `00000006-0000-4000-8000-${String(n).padStart(12, '0')}`

/** The panel of that item. */
async function bench(prepare: (host: ReplayHost) => void = () => undefined) {
  const host = new ReplayHost()
  prepare(host)
  const workspace = new Workspace(host)
  workspace.start()
  shown.keep(mount(Panels, { target: document.body, props: { workspace } }))
  workspace.panel = { kind: 'error', source: 'rollbar', id: ITEM, title: 'TypeError' }
  await pass(1200)
  const asked = () => host.calls.filter((call) => call.cmd === 'occurrences').map((call) => call.args)
  return { host, workspace, asked }
}

const all = (css: string) => [...document.querySelectorAll<HTMLElement>(css)]
const list = '[data-testid=occurrences]'
const rows = () => all(`${list} li`)
const current = () => rows().findIndex((row) => row.querySelector('[aria-pressed=true]'))
const panel = () => document.querySelector('[data-testid=error-panel]')?.textContent ?? ''
async function press(name: string, within = '[data-testid=error-panel]') {
  const found = all(`${within} button`).find((button) => button.textContent?.trim().startsWith(name))
  if (!found) throw new Error(`no button “${name}”`)
  found.click()
  await pass()
}

describe('the occurrences of a Rollbar item', () => {
  it('are paged, newest first, until there are no more', async () => {
    const { asked } = await bench()
    expect(rows()).toHaveLength(20)
    expect(document.querySelector(list)?.textContent).toContain('20 of 42')
    const times = () => rows().map((row) => row.querySelector('time')?.textContent ?? '')
    await press('Show older')
    await press('Show older')
    expect(rows()).toHaveLength(42)
    expect(times()).toEqual(times().toSorted().reverse())
    expect(all(`${list} button`).some((button) => button.textContent?.includes('older'))).toBe(false)
    // Behind the first page the item is named by a row, which needs no look-up.
    expect(asked()).toEqual([
      { source: 'rollbar', id: ITEM },
      { source: 'rollbar', id: `${ITEM}/6019`, page: '2' },
      { source: 'rollbar', id: `${ITEM}/6039`, page: '3' },
    ])
  })

  it('are selected, shown with frames in either order, and captured', async () => {
    const { host } = await bench()
    expect(current()).toBe(0)
    expect(panel()).toContain(uuid(0))
    rows()[3]?.querySelector('button')?.click()
    await pass()
    expect(current()).toBe(3)
    const frames = () => all('[data-testid=frames]')[0]?.querySelector('.where')?.textContent
    expect(frames()).toContain('wsgi_app')
    await press('Most recent call last')
    expect(frames()).toContain('data_notifications')
    expect(all('[data-testid=error-panel] dd').map((dd) => dd.textContent)).toContain(uuid(3))
    await press('Back to the latest')
    expect(current()).toBe(0)
    expect(frames(), 'the order stays').toContain('data_notifications')
    rows()[2]?.querySelector('button')?.click()
    await pass()
    await press('Capture')
    expect(host.calls.filter((call) => call.cmd === 'capture').map((call) => call.args)).toEqual([
      { kind: 'error', id: `${ITEM}/6002`, source: 'rollbar' },
    ])
  })

  it('stay when a page fails, which can be tried again', async () => {
    const { host, asked } = await bench()
    host.failures.set('occurrences', new Failure('throttled', 'Too fast', 'Wait a little.'))
    await press('Show older')
    expect(rows()).toHaveLength(20)
    expect(document.querySelector(`${list} [role=alert]`)?.textContent).toContain('Too fast')
    host.failures.clear()
    await press('Try again')
    expect(rows()).toHaveLength(40)
    expect(asked().at(-1)).toEqual(asked().at(-2))
  })

  it('show an error for one that cannot be read, and another can be selected', async () => {
    const { host } = await bench()
    host.failures.set('error_get', new Failure('not_found', 'Rollbar does not keep it', ''))
    rows()[1]?.querySelector('button')?.click()
    await pass()
    expect(panel()).toContain('Rollbar does not keep it')
    expect(all('[data-testid=frames]')).toHaveLength(0)
    host.failures.clear()
    rows()[2]?.querySelector('button')?.click()
    await pass()
    expect(panel()).not.toContain('Rollbar does not keep it')
    expect(all('[data-testid=frames]').length).toBeGreaterThan(0)
  })

  it('are listed once if they move to the next page, with a note if older ones are gone', async () => {
    const page = (ids: string[], next: string | null) => ({
      rows: ids.map((id) => ({
        id: `item-0-${id}`,
        timestamp: `2026-11-23T15:20:0${id}Z`,
        person: '',
        title: `no ${id}`,
      })),
      notes: ['one was not readable'],
      next,
      asked_at: null,
    })
    await bench((host) => {
      const rpc = host.rpc.bind(host)
      vi.spyOn(host, 'rpc').mockImplementation((async (...asked: Parameters<typeof rpc>) => {
        if (asked[0] !== 'occurrences') return rpc(...asked)
        return 'page' in asked[1] ? page(['6', '5'], null) : page(['8', '7', '6'], '2')
      }) as typeof rpc)
    })
    await press('Show older')
    expect(rows().map((row) => row.querySelector('time')?.textContent?.at(-2))).toEqual(['8', '7', '6', '5'])
    expect(all(`${list} .note`)).toHaveLength(1)
    expect(document.querySelector(list)?.textContent).toContain('Older occurrences are no longer available.')
  })

  it('are not requested if there is only one', async () => {
    const { asked } = await bench((host) =>
      host.script('error_get', (recorded) => ({ ...recorded(), occurrences: 1 })),
    )
    expect(panel()).toContain(uuid(0))
    expect(rows()).toHaveLength(0)
    expect(asked()).toEqual([])
  })

  it('are no longer requested after the panel was closed', async () => {
    const { host, workspace } = await bench()
    host.delay = 60_000
    await press('Show older')
    const pending = host.calls.findLast((call) => call.cmd === 'occurrences')?.call
    workspace.panel = null
    await pass()
    expect(host.calls.filter((call) => call.cmd === 'cancel').map((call) => call.args)).toContainEqual({
      call: pending,
    })
  })
})
