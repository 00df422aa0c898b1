import { mount } from 'svelte'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../host/host'
import { Workspace } from '../../state/workspace.svelte'
import { ReplayHost } from '../../test/host'
import { pass, stage } from '../../test/stage'
import Panels from '../window/Panels.svelte'
import Receivers from '../sources/Receivers.svelte'

const shown = stage()

async function opened() {
  const host = new ReplayHost()
  host.script('relay_status', (recorded) => {
    const { rows, ...state } = recorded()
    return { ...state, rows: rows.map((row) => (row.sent ? { ...row, sent: 1207 } : row)) }
  })
  const workspace = new Workspace(host)
  workspace.start()
  shown.keep([Panels, Receivers].map((part) => mount(part, { target: document.body, props: { workspace } })))
  await pass(1200)
  find('[data-testid=relay]').click()
  await pass(600)
  return host
}

function find<E extends HTMLElement>(css: string): E {
  const found = document.querySelector<E>(css)
  if (!found) throw new Error(`no ${css}`)
  return found
}
const row = (name: string) => find(`[data-testid=relay-${name}]`)
const set = (host: ReplayHost) => host.calls.filter((c) => c.cmd === 'relay_set').map((c) => c.args)

async function type(input: HTMLInputElement, text: string) {
  input.value = text
  input.dispatchEvent(new Event('input', { bubbles: true }))
  await pass(600)
}

describe('the relay', () => {
  it('shows destinations, queues and problems', async () => {
    await opened()
    expect(row('xray').textContent).toContain('1,207 sent')
    expect(row('xray').textContent).toContain(
      "X-Ray at http://127.0.0.1:9001, signed with the default credentials of AWS's tools",
    )
    expect(row('rollbar').textContent).toContain('5 queued')
    expect(row('rollbar').textContent).toContain(
      'there is no Rollbar token with the scope post_server_item to send with',
    )
    expect(row('logs').querySelector<HTMLInputElement>('[role=switch]')?.checked).toBe(false)
  })

  it('is turned on and off, and takes an endpoint', async () => {
    const host = await opened()
    row('otlp').querySelector<HTMLInputElement>('[role=switch]')?.click()
    await pass(600)
    expect(set(host)).toEqual([{ name: 'otlp', on: true }])
    await type(find('[aria-label=Endpoint]'), 'https://api.eu1.honeycomb.io')
    // What arrives meanwhile changes the counts, and not what is being typed.
    host.tell('relay')
    await pass(600)
    expect(find<HTMLInputElement>('[aria-label=Endpoint]').value).toBe('https://api.eu1.honeycomb.io')
    row('otlp').querySelector('button')?.click()
    await pass(600)
    expect(set(host)[1]).toEqual({ name: 'otlp', endpoint: 'https://api.eu1.honeycomb.io' })
  })

  it('takes a missing token and does not show it again', async () => {
    const host = await opened()
    const field = find<HTMLInputElement>('[aria-label="Rollbar: post token"]')
    expect(field.type).toBe('password')
    const token = 'post-0123456789abcdef0123456789ab'
    await type(field, token)
    row('rollbar').querySelector('button')?.click()
    await pass(600)
    expect(set(host)).toEqual([{ name: 'rollbar', token }])
    expect(document.querySelector('[aria-label="Rollbar: post token"]')).toBeNull()
    expect(row('rollbar').textContent).not.toContain('there is no Rollbar token')
    expect(document.body.innerHTML).not.toContain(token)
  })

  it('shows why a change was rejected, and resets the switch', async () => {
    const host = await opened()
    host.failures.set(
      'relay_set',
      new Failure('storage', 'tracebook.toml cannot be written', 'Free some space'),
    )
    const box = row('logs').querySelector<HTMLInputElement>('[role=switch]')
    box?.click()
    await pass(600)
    expect(find('[role=alert]').textContent).toContain('tracebook.toml cannot be written')
    expect(box?.checked).toBe(false)
    // Counts change at any moment: the rows are read again, and the reason stays.
    host.tell('relay')
    await pass(600)
    expect(find('[role=alert]').textContent).toContain('tracebook.toml cannot be written')
  })

  it('discards a queue, and follows changes', async () => {
    const host = await opened()
    find('[data-testid=relay-rollbar] .danger').click()
    await pass(600)
    expect(row('rollbar').textContent).toContain('0 queued')
    expect(row('rollbar').textContent).toContain('5 dropped')
    const asked = host.calls.filter((c) => c.cmd === 'relay_status').length
    host.tell('relay')
    await pass(600)
    expect(host.calls.filter((c) => c.cmd === 'relay_status').length).toBe(asked + 1)
  })
})
