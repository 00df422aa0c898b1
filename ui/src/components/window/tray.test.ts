import { mount } from 'svelte'
import { describe, expect, it } from 'vitest'
import { Failure } from '../../host/host'
import { Workspace, type Panel } from '../../state/workspace.svelte'
import { ReplayHost } from '../../test/host'
import { pass, stage } from '../../test/stage'
import Panels from './Panels.svelte'
import Receivers from '../sources/Receivers.svelte'
import Tray from './Tray.svelte'

const shown = stage()

/** The tray and the panels of a window on one entry. */
async function bench(prepare: (host: ReplayHost) => void = () => undefined) {
  const host = new ReplayHost()
  prepare(host)
  const body = '# Two\n\nInsert image of LogEvents\n'
  const { id } = await host.ask('entry_new', { week: '2', title: null, body })
  const workspace = new Workspace(host)
  workspace.start()
  shown.keep(
    [Tray, Panels, Receivers].map((part) => mount(part, { target: document.body, props: { workspace } })),
  )
  await pass(1200)
  return { host, workspace, stored: async () => (await host.ask('entry_get', { entry: id })).body }
}

const all = (css: string) => [...document.querySelectorAll<HTMLElement>(css)]
function one(css: string, text = ''): HTMLElement {
  const found = all(css).find((element) => element.textContent?.includes(text))
  if (!found) throw new Error(`no ${css} with “${text}”`)
  return found
}
const tab = (name: string) => one('[role=tab]', name)
const testid = (name: string) => `[data-testid=${name}]`
async function click(element: HTMLElement) {
  element.click()
  await pass()
}
async function press(element: Element | null, key: string) {
  element?.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
  await pass()
}
const captures = (host: ReplayHost) => host.calls.filter((c) => c.cmd === 'capture').map((c) => c.args)

describe('tabs', () => {
  it('are selected with the arrow keys, Home and End', async () => {
    await bench()
    const selected = () => one('[role=tab][aria-selected=true]').textContent
    tab('Traces').focus()
    const seen = []
    for (const key of ['ArrowRight', 'ArrowRight', 'End', 'ArrowRight', 'ArrowLeft', 'Home']) {
      await press(document.activeElement, key)
      seen.push(selected())
      expect(document.activeElement?.textContent).toBe(selected())
    }
    expect(seen).toEqual(['Logs', 'Errors', 'Evidence', 'Traces', 'Evidence', 'Traces'])
    expect(all('[role=tab][tabindex="0"]')).toHaveLength(1)
  })

  it('load only while they are shown', async () => {
    const { host } = await bench()
    const asked = () => host.calls.map((c) => c.cmd).filter((cmd) => cmd.startsWith('live_'))
    host.calls.length = 0
    for (const topic of ['traces', 'logs', 'errors', 'console'] as const) host.tell(topic)
    await pass()
    expect(asked()).toEqual(['live_traces'])
    await click(tab('Console'))
    host.tell('errors')
    await pass()
    expect(asked()).toEqual(['live_traces', 'live_console'])
  })
})

describe('logs', () => {
  it('are captured by the button or Enter, into the target slot', async () => {
    const { host, workspace, stored } = await bench()
    const session = workspace.session
    session?.aim(session.marks.slots[0] ?? null)
    await click(tab('Logs'))
    // The one that arrived last is first.
    await click(all(`${testid('log-row')} button`)[1] ?? document.body)
    expect(captures(host)).toEqual([{ kind: 'logs', id: '4' }])
    expect(await stored()).toMatch(
      /^# Two\n\n!\[log event of cruddur: .* 500 INTERNAL SERVER ERROR\]\(evidence:\w+ "[^"]*"\)\n$/,
    )
    await press(all(testid('log-row'))[0] ?? null, 'Enter')
    expect(captures(host)).toHaveLength(2)
  })

  it('are captured together, as filtered', async () => {
    const { host } = await bench()
    await click(tab('Logs'))
    const filter = one(testid('filter')) as HTMLInputElement
    filter.value = 'group:backend-flask'
    filter.dispatchEvent(new Event('input', { bubbles: true }))
    await pass(600)
    const button = one(testid('capture-these'))
    expect(button.textContent).toBe('Capture these 3')
    await click(button)
    expect(captures(host)).toEqual([{ kind: 'logs', filter: 'group:backend-flask' }])
  })

  it('open with Space, and lead to their trace', async () => {
    const { workspace } = await bench()
    await click(tab('Logs'))
    await press(all(testid('log-row'))[0] ?? null, 'ArrowDown')
    await press(document.activeElement, 'ArrowDown')
    await press(document.activeElement, ' ')
    const panel = one(testid('log-panel'))
    expect(panel.textContent).toContain('code.function.name')
    await click(one(`${testid('log-panel')} button`, 'Open the trace'))
    expect(workspace.panel).toMatchObject({ kind: 'trace' })
    expect(one(testid('trace-panel')).textContent).toContain('home-activities-mock-data')
  })

  it('are captured from the panel', async () => {
    const { host } = await bench()
    await click(tab('Logs'))
    await click(all(testid('log-row'))[0] ?? document.body)
    await click(one(`${testid('log-panel')} button`, 'Capture'))
    expect(captures(host)).toEqual([{ kind: 'logs', id: '5' }])
    expect(all(testid('log-panel'))).toHaveLength(0)
  })
})

describe('errors', () => {
  it('show their exception chain, frames in either order, and other occurrences', async () => {
    const { host } = await bench()
    await click(tab('Errors'))
    await click(one(testid('error-row'), 'TypeError'))
    const frames = () => [...one(testid('frames')).querySelectorAll('.where')].map((p) => p.textContent)
    expect(frames().at(-1)).toContain('data_notifications')
    await click(one('button', 'Most recent call last'))
    expect(frames()[0]).toContain('data_notifications')
    const panel = one(testid('error-panel'))
    for (const said of ['caused by', 'ValueError', 'headers.User-Agent', 'andrewbrown', 'week'])
      expect(panel.textContent).toContain(said)
    // The line that failed stands between those around it, and keeps its place.
    expect(panel.textContent).toContain('notifications.py:12:5')
    const around = [...one(testid('around')).children].map((part) => part.textContent)
    expect(around).toEqual([
      ...['10', 'def run(user_handle):', '11', '  if not user_handle:'],
      ...['12', "raise ValueError('no activities')", '13', '  return []'],
    ])
    expect(panel.textContent).toContain('1 argument')
    await click(one(`${testid('error-panel')} button`, 'Show'))
    await click(one(`${testid('error-panel')} button.primary`))
    expect(captures(host)).toEqual([{ kind: 'error', id: '5f0c3d1e-0000-4000-8000-000000000004' }])
  })
})

describe('console', () => {
  it('shows lines oldest first, grouped by stream, without escape sequences', async () => {
    await bench()
    await click(tab('Console'))
    // The receiver's own lines come when it has time for them.
    const own = (line: string) => line.includes('Tracebook received')
    const lines = all(testid('console-line'))
      .map((line) => line.textContent ?? '')
      .filter((line) => !own(line))
    expect(lines).toHaveLength(9)
    expect(lines[0]).toContain('Running on')
    expect(lines.at(-2)).toContain('HelloWorld')
    expect(lines.at(-1)).toContain('Successfully sent batch of 2 segments')
    expect(document.body.textContent).not.toContain('\x1b')
    const streams = all('section h3').map((h) => h.querySelector('span')?.textContent ?? '')
    expect(streams.filter((stream) => !stream.startsWith('tracebook'))).toEqual([
      'docker compose up',
      'npm start',
      'docker compose up',
      'x-ray relay',
    ])
    expect(one('.fg-1.bold').textContent).toBe('Press CTRL+C to quit')
  })

  it('shows markup as text', async () => {
    const spans = [{ text: '<img src=x onerror=alert(1)>' }, { text: '<b>x</b>', fg: 1 }]
    await bench((host) =>
      host.script('live_console', (recorded) => {
        const { rows, ...listed } = recorded()
        return { ...listed, rows: rows.map((row, n) => (n ? row : { ...row, spans })) }
      }),
    )
    await click(tab('Console'))
    expect(all('.lines img, .lines b')).toHaveLength(0)
    expect(all(testid('console-line')).at(-1)?.textContent).toContain('<img src=x')
  })

  it('captures pasted text, and keeps it after a failure', async () => {
    const { host } = await bench()
    await click(tab('Console'))
    await click(one('[aria-label=More]'))
    await click(one('[role=menuitem]', 'Paste output'))
    const area = one(testid('paste-text')) as HTMLTextAreaElement
    area.value = '$ make\nok\n'
    area.dispatchEvent(new Event('input', { bubbles: true }))
    await pass()
    host.failures.set('capture', new Failure('storage', 'The disk is full', 'Make room.'))
    await click(one(testid('paste-run')))
    expect(one(testid('paste-panel')).textContent).toContain('The disk is full')
    expect(area.value).toBe('$ make\nok\n')
    host.failures.clear()
    await click(one(testid('paste-run')))
    expect(captures(host).at(-1)).toEqual({
      kind: 'console',
      text: { source: 'pasted text', text: '$ make\nok\n' },
    })
    expect(all(testid('paste-panel'))).toHaveLength(0)
  })
})

describe('the menu of the traces', () => {
  it('is used with the keyboard, and captures', async () => {
    const { host } = await bench()
    const more = one('[aria-haspopup=menu]')
    more.focus()
    await press(more, 'ArrowDown')
    expect(more.getAttribute('aria-expanded')).toBe('true')
    expect(document.activeElement?.textContent).toContain('service map')
    await press(document.activeElement, 'ArrowUp')
    expect(document.activeElement?.textContent).toContain('Filter syntax')
    await press(document.activeElement, 'ArrowUp')
    expect(document.activeElement?.textContent).toContain('sampling rules')
    await press(document.activeElement, 'Escape')
    expect(all('[role=menu]')).toHaveLength(0)
    expect(document.activeElement).toBe(more)
    for (const item of ['service map', 'groups', 'sampling rules']) {
      await click(more)
      await click(one('[role=menuitem]', item))
    }
    expect(captures(host)).toEqual([
      { kind: 'service-map', filter: '' },
      { kind: 'groups' },
      { kind: 'sampling-rules' },
    ])
  })

  it('captures a trace, or its dossier', async () => {
    const { host } = await bench()
    const id = (await host.ask('live_traces', {})).rows[0]?.trace_id
    for (const name of ['Capture dossier', 'Capture']) {
      await click(one(testid('trace-row')))
      await click(all(`${testid('trace-panel')} button`).find((b) => b.textContent === name) ?? document.body)
    }
    expect(captures(host)).toEqual([
      { kind: 'dossier', id },
      { kind: 'trace', id },
    ])
  })
})

describe('panels', () => {
  const kinds = [
    [{ kind: 'logs', filter: '' }, 'home feed read: 3 activities'],
    [{ kind: 'error', id: 'd81865038a0c48e0' }, 'caused by'],
    [{ kind: 'console', filter: '' }, 'Compiled successfully!'],
    [{ kind: 'service-map' }, 'backend-flask'],
    [{ kind: 'groups' }, 'service("backend-flask")'],
    [{ kind: 'sampling-rules' }, '9000'],
    [{ kind: 'dossier', id: '6b04d28e6d3e4c0493e00c940d908263' }, 'by the request’s header'],
  ] as const
  it.each(kinds)('evidence of %o shows its data beside its card', async (request, said) => {
    const { host, workspace } = await bench()
    const { id } = await host.ask('capture', request)
    workspace.panel = { kind: 'evidence', id } satisfies Panel
    await pass()
    const panel = one(testid('evidence-panel'))
    expect(panel.textContent).toContain(said)
    expect(panel.querySelector('img')?.alt).toContain('Card of')
  })

  it('show the checks of the doctor with fixes, and repeat them', async () => {
    const { host } = await bench()
    await click(one('button', 'No data?'))
    const panel = () => one(testid('doctor-panel'))
    const bad = all(`${testid('check')}[data-ok=false]`).length
    expect(bad).toBeGreaterThan(1)
    expect(panel().textContent).toContain(`${bad} of ${all(testid('check')).length} checks need attention`)
    expect(all(`${testid('check')}[data-ok=false] pre`).map((pre) => pre.textContent)).toContain(
      '# In docker-compose.yml:\n# ports: ["2000:2000/udp", "2000:2000/tcp"]',
    )
    await click(one('button', 'Check again'))
    expect(host.calls.filter((c) => c.cmd === 'doctor')).toHaveLength(2)
    host.failures.set('doctor', new Failure('internal', 'No doctor', ''))
    await click(one('button', 'Check again'))
    expect(panel().textContent).toContain('No doctor')
  })

  it('show what the receivers received and what is stored', async () => {
    await bench((host) =>
      host.script('status', (recorded) => {
        const { telemetry, ...status } = recorded()
        const received = { spans_received: 128, logs_received: 1240, errors_received: 3 }
        return { ...status, ...received, telemetry: { ...telemetry, bytes: 112 * 2 ** 20 } }
      }),
    )
    expect(one(testid('receivers')).textContent?.replace(/\s+/g, ' ')).toContain(
      '128 spans, 1,240 log events, 3 errors received 112 MB of 512 MB, 7 days; 0 dropped',
    )
  })
})
