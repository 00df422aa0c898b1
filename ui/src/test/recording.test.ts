import { describe, expect, it } from 'vitest'
import type { Entry } from '../bindings'
import { Normaliser } from './recorder/normalise'
import { keyOf, Recording, type Exchange } from './recording'

const entry = (body: string): Entry => ({
  id: '1',
  slug: 'week-2',
  week: '2',
  title: 'Week 2',
  updated_at: '2026-11-24T00:00:00.000Z',
  body,
  revision: 1,
})
const read = (body: string): Exchange => ({ cmd: 'entry_get', args: { entry: '1' }, answer: entry(body) })
const write = (body: string): Exchange => ({
  cmd: 'entry_write',
  args: { entry: '1', base: null, body },
  answer: { revision: 1, accepted: true, kept: null, message: '' },
  events: [{ event: 'changed', topic: 'entry', id: '1', by: '' }],
})

describe('a recording', () => {
  const body = (recording: Recording) => recording.ask('entry_get', { entry: '1' }).answer?.body
  const change = (recording: Recording, text: string) =>
    recording.ask('entry_write', { entry: '1', base: null, body: text })

  it('answers a read as it was answered between the same changes, however often it is sent', () => {
    const recording = new Recording([read('old'), write('new'), read('new')])
    expect([body(recording), body(recording)]).toEqual(['old', 'old'])
    change(recording, 'new')
    expect([body(recording), body(recording)]).toEqual(['new', 'new'])
    expect(recording.close()).toEqual([])
  })

  it('keeps an answer until another one was recorded', () => {
    const recording = new Recording([read('old'), write('new')])
    change(recording, 'new')
    expect(body(recording)).toBe('old')
  })

  it('has no answer to what was only recorded after a later change', () => {
    const recording = new Recording([write('new'), read('new')])
    expect(recording.ask('entry_get', { entry: '1' }).error?.message).toContain('entry_get')
    expect(recording.close()).toEqual(['entry_get {"entry":"1"}'])
  })

  it('sends the events of a change once', () => {
    const recording = new Recording([write('new')])
    expect(change(recording, 'new').events).toHaveLength(1)
    expect(change(recording, 'new')).toMatchObject({ answer: { accepted: true }, events: [] })
    expect(change(recording, 'other').error?.code).toBe('internal')
  })

  it('knows a command whatever the order of its arguments', () => {
    const a = { question: { kind: 'trace', since: '1h' }, title: null }
    const b = { title: null, question: { since: '1h', kind: 'trace' } }
    expect(keyOf('live_card_new', a)).toBe(keyOf('live_card_new', b))
    expect(keyOf('live_card_new', a)).not.toBe(keyOf('live_card_new', { ...a, title: 'mine' }))
  })
})

describe('the recorder', () => {
  const began = Date.parse('2030-01-01T10:00:00Z')
  const normaliser = () => new Normaliser({ began, folder: '/tmp/journal', ports: { 40123: 4318 } })

  it('replaces what differs each time, and keeps the rest', () => {
    const text = (sha: string) => `in /tmp/journal at 127.0.0.1:40123, 1 min 2 s ago, sha256:${sha}, 40124`
    expect(normaliser().stable(text('a'.repeat(64)))).toBe(
      `in /home/you/.local/share/tracebook at 127.0.0.1:4318, just now, sha256:${'1'.padStart(64, '0')}, 40124`,
    )
  })

  it('gives the server its own ids back', () => {
    const both = normaliser()
    const [first, second] = ['01JDXH8Q4M5N6P7Q8R9S0T1V2W', '01JDXH8Q4M5N6P7Q8R9S0T1V2X']
    const recorded = both.stable([first, second, `![a](evidence:${first})`])
    expect(recorded[2]).toBe('![a](evidence:01TEST00000000000000000001)')
    expect(recorded[2]).toHaveLength(`![a](evidence:${first})`.length)
    expect(both.real({ body: recorded[2], id: recorded[1] })).toEqual({
      body: `![a](evidence:${first})`,
      id: second,
    })
  })

  it('replaces times since it began, in their order, and leaves those of the fixtures', () => {
    const times = ['2030-01-01T10:05:00.5Z', '2030-01-01T10:01:00Z', '2026-11-23T23:56:00.206Z']
    const nanos = `${Date.parse('2030-01-01T10:05:00.5Z')}000000`
    expect(normaliser().stable([...times, nanos, 'captured 2030-01-01 10:01:00 UTC'])).toEqual([
      '2026-11-24T00:00:01.000Z',
      '2026-11-24T00:00:00.000Z',
      '2026-11-23T23:56:00.206Z',
      `${Date.parse('2026-11-24T00:00:01Z')}000000`,
      'captured 2026-11-24 00:00:00 UTC',
    ])
  })
})
