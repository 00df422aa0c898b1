import { undo } from '@codemirror/commands'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EditorView } from '@codemirror/view'
import type { LiveLook } from '../bindings'
import { Failure } from '../host/host'
import { LiveCards } from '../state/live-cards'
import { Session } from '../state/session.svelte'
import { Toasts } from '../state/toasts.svelte'
import { ReplayHost } from '../test/host'
import { statusText } from './live'

const answer = (more: Partial<LiveLook> = {}): LiveLook => ({
  title: 'Newest',
  question: 'newest trace',
  answer: 'GET /',
  title_generated: true,
  asked_at: '2026-11-23T15:20:13.087Z',
  age_ms: 0,
  problem: null,
  asking: false,
  paused: false,
  pace_seconds: 2,
  next_ms: 2000,
  picture: 'livecard/1.svg?at=x',
  warnings: [],
  ...more,
})

describe('the status text of a live card', () => {
  it('shows the age of the result, and the interval', () => {
    expect(statusText(null, null, 0)).toBe('Live · loading…')
    expect(statusText(null, new Failure('unreachable', 'gone', ''), 0)).toBe('Live · no result')
    expect(statusText(answer(), null, 400)).toBe('Live · just now · refreshes every 2 s')
    expect(statusText(answer({ age_ms: 61_000 }), null, 2000)).toBe('Live · 63 s old · refreshes every 2 s')
    expect(statusText(answer({ age_ms: 600_000, asking: true }), null, 0)).toBe(
      'Live · 10 min old · refreshing…',
    )
    expect(statusText(answer({ paused: true, next_ms: null }), null, 0)).toBe('Live · just now · paused')
    expect(statusText(answer({ age_ms: null, pace_seconds: 300 }), null, 0)).toBe(
      'Live · no result yet · refreshes every 5 min',
    )
  })

  it('shows when the rate limit delays a refresh', () => {
    expect(statusText(answer(), null, 0, true)).toBe('Live · just now · rate limited; refreshes in 2 s')
    expect(statusText(answer({ paused: true, next_ms: null }), null, 0, true)).toBe(
      'Live · just now · paused · rate limited; try again shortly',
    )
    const problem = new Failure('unreachable', 'gone', '')
    expect(statusText(answer({ problem }), null, 0, true)).toBe('Live · just now · refreshed just now')
  })
})

describe('a live card in a text', () => {
  let host: ReplayHost
  let live: LiveCards
  let toasts: Toasts
  let session: Session
  let view: EditorView
  let hidden = false

  async function open(body: (reference: string, id: string) => string) {
    const card = await host.ask('live_card_new', { question: { kind: 'trace' }, pace_seconds: 2 })
    const entry = await host.ask('entry_new', { week: null, title: 'T', body: body(card.reference, card.id) })
    session = new Session(entry, {
      host,
      addFiles: () => undefined,
      openEvidence: () => undefined,
      live,
      fail: () => undefined,
    })
    view = new EditorView({ state: session.state, parent: document.body })
    session.link(view)
    await vi.advanceTimersByTimeAsync(300)
    return card
  }
  const looks = () => host.calls.filter((call) => call.cmd === 'live_card_look').length
  const boxes = () => [...document.querySelectorAll<HTMLElement>('.live-card')]
  const button = (box: HTMLElement | undefined, text: string) =>
    [...(box?.querySelectorAll('button') ?? [])].find((one) => one.textContent === text)

  beforeEach(() => {
    vi.useFakeTimers()
    hidden = false
    vi.spyOn(document, 'hidden', 'get').mockImplementation(() => hidden)
    host = new ReplayHost()
    toasts = new Toasts()
    live = new LiveCards({ host, toasts, edit: () => undefined, frozen: () => undefined })
    host.events((event) => event.event === 'changed' && event.topic === 'live-card' && live.notify(event.id))
  })
  afterEach(() => {
    session.stop()
    view.destroy()
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  it('refreshes at its interval while visible, and not after it was removed', async () => {
    await open((reference) => `Text\n\n${reference}\n\nEnd\n`)
    expect(boxes()).toHaveLength(1)
    const before = looks()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(looks() - before).toBeGreaterThanOrEqual(4)
    expect(looks() - before).toBeLessThanOrEqual(6)

    hidden = true
    await vi.advanceTimersByTimeAsync(2_500)
    const unseen = looks()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(looks()).toBe(unseen)
    hidden = false
    document.dispatchEvent(new Event('visibilitychange'))
    await vi.advanceTimersByTimeAsync(100)
    expect(looks()).toBe(unseen + 1)

    view.destroy()
    const gone = looks()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(looks()).toBe(gone)
  })

  it('shows a problem and tries again', async () => {
    await open((reference) => `Text\n\n${reference}\n`)
    host.failures.set('live_card_look', new Failure('unreachable', 'Nobody answers', 'Wait.'))
    await vi.advanceTimersByTimeAsync(2_500)
    expect(boxes()[0]?.textContent).toContain('Nobody answers. Wait.')
    expect(boxes()[0]?.querySelector('img')).not.toBeNull()
    host.failures.clear()
    await vi.advanceTimersByTimeAsync(6_000)
    expect(boxes()[0]?.textContent).not.toContain('Nobody answers')
  })

  it('is frozen in place, in one undo step, whatever is typed during the freeze', async () => {
    const card = await open((reference, id) => `One ![a](live:${id}) two\n\n${reference}\n\nEnd\n`)
    const text = session.text
    host.delay = 200
    button(boxes()[1], 'Freeze')?.click()
    await vi.advanceTimersByTimeAsync(60)
    // Somebody types above while it is being frozen.
    view.dispatch({ changes: { from: 0, insert: 'New. ' }, userEvent: 'input.type' })
    await vi.advanceTimersByTimeAsync(1_000)
    host.delay = 0
    await vi.advanceTimersByTimeAsync(1_000)
    expect(session.text).toMatch(
      new RegExp(
        `^New\\. One !\\[a\\]\\(live:${card.id}\\) two\\n\\n!\\[[^\\n]*\\]\\(evidence:\\w+ "[^\\n]*\\n\\nEnd\\n$`,
      ),
    )
    expect(boxes()).toHaveLength(1)
    undo(view)
    expect(session.text).toBe(`New. ${text}`)
    await vi.advanceTimersByTimeAsync(300)
    expect(boxes()).toHaveLength(2)
  })

  /** From now on a freezing waits until it is let go. */
  function hold() {
    let go = () => undefined as unknown
    const held = new Promise((done) => (go = () => done(null)))
    const rpc = host.rpc.bind(host)
    vi.spyOn(host, 'rpc').mockImplementation(async (cmd, args, call) => {
      if (cmd === 'live_card_freeze') await held
      return rpc(cmd, args, call)
    })
    return go
  }

  it('is frozen once, however often Freeze is clicked', async () => {
    await open((reference) => `Text\n\n${reference}\n\nEnd\n`)
    const go = hold()
    button(boxes()[0], 'Freeze')?.click()
    // Ticks and looks pass.
    for (let passed = 0; passed < 5_000; passed += 500) {
      await vi.advanceTimersByTimeAsync(500)
      expect(button(boxes()[0], 'Freeze')).toHaveProperty('disabled', true)
      button(boxes()[0], 'Freeze')?.click()
    }
    go()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(host.calls.filter((call) => call.cmd === 'live_card_freeze')).toHaveLength(1)
    expect(session.text).toMatch(/^Text\n\n!\[[^\n]*\]\(evidence:[^\n]*\n\nEnd\n$/)
  })

  it('is frozen once if it is redrawn and clicked again, and can be frozen after a failure', async () => {
    await open((reference) => `Text\n\n${reference}\n\nEnd\n`)
    const go = hold()
    const drawn = boxes()[0]
    button(drawn, 'Freeze')?.click()
    await vi.advanceTimersByTimeAsync(100)
    view.dispatch({ selection: { anchor: session.text.indexOf('live:') } })
    view.dispatch({ selection: { anchor: 0 } })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(boxes()[0]).not.toBe(drawn)
    button(boxes()[0], 'Freeze')?.click()
    host.failures.set('live_card_freeze', new Failure('unreachable', 'Nobody answers', 'Wait.'))
    go()
    await vi.advanceTimersByTimeAsync(1_000)
    const freezes = () => host.calls.filter((call) => call.cmd === 'live_card_freeze').length
    expect(freezes()).toBe(1)
    expect(toasts.list.map((toast) => toast.text)).toEqual(['Could not freeze the live card: Nobody answers'])
    host.failures.clear()
    expect(button(boxes()[0], 'Freeze')).toHaveProperty('disabled', false)
    button(boxes()[0], 'Freeze')?.click()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(freezes()).toBe(2)
    expect(session.text).toContain('evidence:')
  })

  it('is frozen where it was clicked, whatever is typed before the request', async () => {
    await open((_, id) => `Top\n\n![first](live:${id})\n\nBetween.\n\n![second](live:${id})\n\nEnd\n`)
    host.delay = 300
    // Something is unsaved, so that the freezing waits for it first.
    view.dispatch({ changes: { from: 3, insert: ' typed' }, userEvent: 'input.type' })
    button(boxes()[0], 'Freeze')?.click()
    await vi.advanceTimersByTimeAsync(100)
    view.dispatch({ changes: { from: 0, insert: 'More words. ' }, userEvent: 'input.type' })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(session.text).toMatch(
      /^More words\. Top typed\n\n!\[first\]\(evidence:[^\n]*\n\nBetween\.\n\n!\[second\]\(live:\w+\)\n\nEnd\n$/,
    )
  })

  it('replaces nothing if the clicked reference is gone', async () => {
    await open((_, id) => `Top\n\n![first](live:${id})\n\nBetween.\n\n![second](live:${id})\n\nEnd\n`)
    host.delay = 300
    button(boxes()[0], 'Freeze')?.click()
    await vi.advanceTimersByTimeAsync(100)
    const from = session.text.indexOf('![first]')
    view.dispatch({ changes: { from, to: session.text.indexOf('Between') }, userEvent: 'delete' })
    const text = session.text
    await vi.advanceTimersByTimeAsync(2_000)
    expect(session.text).toBe(text)
    expect(toasts.list.map((toast) => toast.hint).join()).toContain('no longer in the text')
  })

  it('does not refresh in a hidden window, even when notified', async () => {
    const card = await open((reference) => `Text\n\n${reference}\n`)
    await vi.advanceTimersByTimeAsync(1_000)
    hidden = true
    const before = looks()
    live.notify(card.id)
    live.notify('')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(looks()).toBe(before)
    hidden = false
    document.dispatchEvent(new Event('visibilitychange'))
    await vi.advanceTimersByTimeAsync(100)
    expect(looks()).toBe(before + 1)
  })

  it('refreshes on request after a read in progress, and shows the rate limit', async () => {
    let now: (boolean | undefined)[] = []
    vi.spyOn(live, 'look').mockImplementation(async (_, wanted) => {
      now.push(wanted)
      await new Promise((done) => setTimeout(done, 400))
      return answer({ pace_seconds: 300, next_ms: 300_000 })
    })
    await open((reference) => `Text\n\n${reference}\n`)
    await vi.advanceTimersByTimeAsync(1_000)
    now = []
    live.notify('')
    await vi.advanceTimersByTimeAsync(100)
    button(boxes()[0], 'Refresh')?.click()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(now).toEqual([false, true])
    expect(boxes()[0]?.textContent).toContain('rate limited')
    await vi.advanceTimersByTimeAsync(6_000)
    expect(boxes()[0]?.textContent).not.toContain('rate limited')
    expect(now).toHaveLength(2)
  })

  it('retries a picture that did not load', async () => {
    vi.spyOn(live, 'look').mockImplementation(() => Promise.resolve(answer({ paused: true, next_ms: null })))
    await open((reference) => `Text\n\n${reference}\n`)
    const picture = boxes()[0]?.querySelector('img')
    if (!picture) throw new Error('no picture')
    const load = vi.spyOn(picture, 'src', 'set')
    live.notify('')
    await vi.advanceTimersByTimeAsync(100)
    expect(load, 'the same answer is not loaded twice').not.toHaveBeenCalled()
    picture.dispatchEvent(new Event('error'))
    expect(picture.hidden, 'the result as text').toBe(false)
    live.notify('')
    await vi.advanceTimersByTimeAsync(100)
    expect(load).toHaveBeenCalledTimes(1)
    // Nobody tells it, and it is paused: it looks by itself.
    picture.dispatchEvent(new Event('error'))
    await vi.advanceTimersByTimeAsync(6_000)
    expect(load).toHaveBeenCalledTimes(2)
    picture.dispatchEvent(new Event('load'))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(load).toHaveBeenCalledTimes(2)
  })

  it('is named by its result, and by its current title unless the text has its own', async () => {
    let title = 'newest trace of local telemetry, service:web'
    vi.spyOn(live, 'look').mockImplementation(() => Promise.resolve(answer({ title, answer: 'GET /b' })))
    const old = 'newest trace of local telemetry, service:old'
    await open(
      (reference, id) =>
        `Text\n\n${reference}\n\n![${old}](live:${id})\n\n![mine](live:${id})\n\n![${title}](live:${id})\n`,
    )
    const said = (n: number) => [
      boxes()[n]?.querySelector('img')?.alt,
      ...[...(boxes()[n]?.querySelectorAll('button') ?? [])].map((one) => one.getAttribute('aria-label')),
    ]
    const all = (name: string) => [
      `Live: ${name}. Result: GET /b`,
      `Freeze ${name}`,
      `Refresh ${name}`,
      `Settings of ${name}`,
      `Edit the text of ${name}`,
    ]
    expect(said(1), 'made from a question that it had').toEqual(all(title))
    expect(said(2), 'own words').toEqual(all('mine'))
    expect(said(3)).toEqual(all(title))
    title = 'Renamed'
    live.notify('')
    await vi.advanceTimersByTimeAsync(100)
    expect(said(2)).toEqual(all('mine'))
    expect(said(3)).toEqual(all('Renamed'))
  })
})
