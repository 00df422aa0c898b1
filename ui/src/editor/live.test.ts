import { undo } from '@codemirror/commands'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { EditorView } from '@codemirror/view'
import type { LiveLook } from '../bindings'
import { Failure } from '../host/host'
import { MemoryHost } from '../host/memory'
import { LiveCards } from '../state/live-cards'
import { Session } from '../state/session.svelte'
import { Toasts } from '../state/toasts.svelte'
import { words } from './live'

const answer = (more: Partial<LiveLook> = {}): LiveLook => ({
  title: 'Newest',
  question: 'newest trace',
  answer: 'GET /',
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

describe('what a live card says of itself', () => {
  it('is how old its answer is, and when it asks again', () => {
    expect(words(null, null, 0)).toBe('Live · asking…')
    expect(words(null, new Failure('unreachable', 'gone', ''), 0)).toBe('Live · no answer')
    expect(words(answer(), null, 400)).toBe('Live · just now · asks every 2 s')
    expect(words(answer({ age_ms: 61_000 }), null, 2000)).toBe('Live · 63 s old · asks every 2 s')
    expect(words(answer({ age_ms: 600_000, asking: true }), null, 0)).toBe('Live · 10 min old · asking…')
    expect(words(answer({ paused: true, next_ms: null }), null, 0)).toBe('Live · just now · paused')
    expect(words(answer({ age_ms: null, pace_seconds: 300 }), null, 0)).toBe(
      'Live · no answer yet · asks every 5 min',
    )
  })
})

describe('a live card in a text', () => {
  let host: MemoryHost
  let live: LiveCards
  let session: Session
  let view: EditorView
  let hidden = false

  async function open(body: (reference: string, id: string) => string) {
    const card = await host.rpc('live_card_new', { question: { kind: 'trace' }, pace_seconds: 2 })
    const entry = await host.rpc('entry_new', { week: null, title: 'T', body: body(card.reference, card.id) })
    session = new Session(entry, { host, openEvidence: () => undefined, live, fail: () => undefined })
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
    host = new MemoryHost()
    live = new LiveCards({ host, toasts: new Toasts(), edit: () => undefined, frozen: () => undefined })
    host.events((event) => event.event === 'changed' && event.what === 'live-card' && live.hear(event.id))
  })
  afterEach(() => {
    session.stop()
    view.destroy()
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  it('asks at its pace while it is seen, and not when it is gone', async () => {
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

  it('says what is wrong and tries again', async () => {
    await open((reference) => `Text\n\n${reference}\n`)
    host.failures.set('live_card_look', new Failure('unreachable', 'Nobody answers', 'Wait.'))
    await vi.advanceTimersByTimeAsync(2_500)
    expect(boxes()[0]?.textContent).toContain('Nobody answers. Wait.')
    expect(boxes()[0]?.querySelector('img')).not.toBeNull()
    host.failures.clear()
    await vi.advanceTimersByTimeAsync(6_000)
    expect(boxes()[0]?.textContent).not.toContain('Nobody answers')
  })

  it('is frozen where it stands, in one undo step, whatever is typed meanwhile', async () => {
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
})
