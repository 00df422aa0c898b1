import { describe, expect, it } from 'vitest'
import type { Commands, Entry, Markup } from '../bindings'
import type { Host } from '../host/host'
import { difference, Session } from './session.svelte'

const TEXT = '# Two\n\nInsert image of traces\n\nInsert image of logs\n'

/** A host whose answers to markup and writes are given by the test, one request after another. */
class SlowHost {
  readonly asked: { cmd: string; args: unknown; answer: (value: unknown) => void }[] = []
  rpc(cmd: keyof Commands, args: unknown) {
    return new Promise((answer) => this.asked.push({ cmd, args, answer }))
  }
  /** Answers the oldest request of a command, once there is one. */
  async answer(cmd: keyof Commands, value: unknown) {
    for (;;) {
      const at = this.asked.findIndex((request) => request.cmd === cmd)
      if (at < 0) await moment()
      else return this.asked.splice(at, 1)[0]?.answer(value)
    }
  }
}

const moment = () => new Promise((done) => setTimeout(done, 10))

function markupOf(text: string): Markup {
  const slots = ['traces', 'logs'].map((what, i) => {
    const start = text.indexOf(`Insert image of ${what}`)
    const words = `Insert image of ${what}`
    return { n: i + 1, line: 1, text: words, wants: 'unknown', place: { start, end: start + words.length } }
  })
  return { references: [], live: [], slots } as unknown as Markup
}

function opened() {
  const host = new SlowHost()
  const entry = { id: 'e', slug: 'week-2', title: 'Two', body: TEXT, revision: 1 } as unknown as Entry
  const session = new Session(entry, {
    host: host as unknown as Host,
    addFiles: () => undefined,
    openEvidence: () => undefined,
    live: { actions: () => ({ watch: () => () => undefined }) } as never,
    fail: (cause) => {
      throw cause
    },
  })
  return { host, session }
}

const places = (session: Session) => session.marks.slots.map(({ from, to }) => session.text.slice(from, to))
const SLOTS = ['Insert image of traces', 'Insert image of logs']

describe('the slots of a text', () => {
  it('stay in place if their text is being replaced on disk while they are read', async () => {
    const { host, session } = opened()
    await host.answer('entry_markup', markupOf(TEXT))
    await moment()
    expect(places(session)).toEqual(SLOTS)
    session.aim(session.marks.slots[1] ?? null)

    session.scheduleMarkup(0)
    await moment()
    expect(host.asked.map(({ cmd }) => cmd)).toEqual(['entry_markup'])
    session.dispatch({ changes: { from: 0, insert: 'A line above, written meanwhile.\n\n' } })
    void session.autosave.flush()
    await moment()
    session.dispatch({ changes: { from: 0, insert: 'And another.\n\n' } })
    await host.answer('entry_markup', markupOf(TEXT))
    await moment()
    expect(places(session)).toEqual(SLOTS)
    expect(session.marks.target?.text).toBe('Insert image of logs')
    session.stop()
  })

  it('stay in place if one of them is dismissed while they are read', async () => {
    const { host, session } = opened()
    await host.answer('entry_markup', null)
    await moment()
    session.dispatch({ changes: { from: 0, insert: 'One.\n\n' } })
    const slot = { ...markupOf(TEXT).slots[0], from: 0, to: 1 }
    void session.dismiss(slot as never)
    await host.answer('markup', markupOf(TEXT))
    await moment()
    expect(places(session)).toEqual(SLOTS)
    session.stop()
  })
})

describe('the difference of two texts', () => {
  it.each([
    ['a😀b', 'a😁b', { from: 1, to: 3, insert: '😁' }],
    ['😀', '😀😀', { from: 2, to: 2, insert: '😀' }],
    ['\u{1f600}', '\u{1fa00}', { from: 0, to: 2, insert: '\u{1fa00}' }],
    ['one', 'one two', { from: 3, to: 3, insert: ' two' }],
  ])('%j to %j has whole characters', (before, after, expected) => {
    expect(difference(before, after)).toEqual(expected)
  })
})
