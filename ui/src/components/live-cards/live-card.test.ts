import { mount } from 'svelte'
import { describe, expect, it } from 'vitest'
import type { SavedQuery } from '../../bindings'
import { Workspace } from '../../state/workspace.svelte'
import { ReplayHost } from '../../test/host'
import { pass, stage } from '../../test/stage'
import Queries from '../explore/Queries.svelte'
import Panels from '../window/Panels.svelte'

const shown = stage()

/** A window on one entry. */
async function bench() {
  const host = new ReplayHost()
  await host.ask('entry_new', { week: '2', title: null, body: '# Two\n' })
  const workspace = new Workspace(host)
  workspace.start()
  await pass(1200)
  return { host, workspace }
}

function one(testid: string, text = ''): HTMLElement {
  const all = [...document.querySelectorAll<HTMLElement>(`[data-testid=${testid}]`)]
  const found = all.find((element) => element.textContent?.includes(text))
  if (!found) throw new Error(`no ${testid} with “${text}”`)
  return found
}

describe('live card settings', () => {
  it('show warnings about a new or changed card', async () => {
    const { host, workspace } = await bench()
    shown.keep(mount(Panels, { target: document.body, props: { workspace } }))
    const submit = async () => {
      await pass()
      const form = one('live-card-panel') as HTMLFormElement
      form.requestSubmit()
      await pass()
      const said = workspace.toasts.list.map((toast) => toast.hint)
      for (const toast of workspace.toasts.list) workspace.toasts.dismiss(toast.id)
      return said
    }
    let warnings = ['something was taken out']
    let id = ''
    for (const cmd of ['live_card_new', 'live_card_set'] as const)
      host.script(cmd, (recorded) => {
        const card = { ...recorded(), warnings }
        id = card.id
        return card
      })
    workspace.panel = { kind: 'live-card', id: null, question: { kind: 'trace' } }
    expect(await submit()).toEqual(['something was taken out'])
    workspace.panel = { kind: 'live-card', id }
    expect(await submit()).toEqual(['something was taken out'])
    expect(workspace.panel).toBeNull()

    warnings = []
    workspace.panel = { kind: 'live-card', id }
    expect(await submit()).toEqual([])
  })

  it('leave out the end of a range, and say so', async () => {
    const { host, workspace } = await bench()
    shown.keep(mount(Panels, { target: document.body, props: { workspace } }))
    const open = async (since: string) => {
      workspace.panel = { kind: 'live-card', id: null, question: { kind: 'trace', since } }
      await pass()
      const range = one('live-since') as HTMLSelectElement
      const told = document.querySelector('[data-testid=live-endless]') !== null
      const value = range.value
      workspace.panel = null
      await pass()
      return { value, told }
    }
    const [from, to] = ['2026-11-23T15:20:00.000Z', '2026-11-23T15:30:00.000Z']
    expect(await open('15m')).toEqual({ value: '15m', told: false })
    expect(await open(`${from}/`)).toEqual({ value: `${from}/`, told: false })
    expect(await open(`${from}/${to}`)).toEqual({ value: `${from}/`, told: true })
    expect(await open(`/${to}`)).toEqual({ value: '', told: true })
    expect(host.failures.size).toBe(0)
  })
})

describe('a live card for a saved query', () => {
  const mine: SavedQuery = {
    id: '',
    source: 'cloudwatch',
    name: 'Mine',
    query: 'fields @message\n| limit 5',
    groups: ['cruddur', 'two words'],
    from: '',
    link: null,
  }
  async function asked(source: 'cloudwatch' | 'honeycomb', name: string, saved?: SavedQuery) {
    const { host, workspace } = await bench()
    if (saved) await host.ask('query_save', saved)
    shown.keep(mount(Queries, { target: document.body, props: { workspace, source } }))
    await pass()
    one('saved-query', name).click()
    await pass()
    one('live-card').click()
    const panel = workspace.panel
    return panel?.kind === 'live-card' && panel.id === null ? panel.question : null
  }

  it('contains the text and groups of a local query, so that other journals can run it', async () => {
    expect(await asked('cloudwatch', 'Mine', mine)).toEqual({
      kind: 'query',
      source: 'cloudwatch',
      since: '1h',
      filter: 'group:cruddur group:"two words" fields @message\n| limit 5',
    })
  })

  it("contains the vendor's id if only the vendor has the text", async () => {
    expect(await asked('honeycomb', 'latency by route')).toEqual({
      kind: 'query',
      source: 'honeycomb',
      since: '1h',
      id: 'backend-flask/hq1',
    })
  })
})
