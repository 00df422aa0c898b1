import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Listed } from '../bindings'
import { Failure } from '../host/host'
import { ReplayHost } from '../test/host'
import { Feeds } from './feed.svelte'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** A list with one more row at its top. */
const withFirst = <R>(listed: Listed<R>, row: R): Listed<R> => ({ ...listed, rows: [row, ...listed.rows] })

function watched(host: ReplayHost) {
  const { traces } = new Feeds(host)
  traces.watch()
  return traces
}

it('reads at once, and then at most five times a second', async () => {
  const host = new ReplayHost()
  const feed = watched(host)
  feed.refresh()
  await pass(0)
  expect(feed.rows).toHaveLength(10)
  expect(host.calls).toHaveLength(1)
  for (let ms = 0; ms < 1000; ms += 10) {
    feed.refresh()
    await pass(10)
  }
  await pass(500)
  expect(host.calls.length).toBeGreaterThanOrEqual(5)
  expect(host.calls.length, 'a second and what was asked last').toBeLessThanOrEqual(7)
})

it('never has two requests in flight', async () => {
  const host = new ReplayHost()
  host.delay = 1000
  const feed = watched(host)
  for (let i = 0; i < 20; i++) {
    feed.refresh()
    await pass(20)
  }
  expect(host.calls).toHaveLength(1)
  await pass(2500)
  expect(host.calls).toHaveLength(2)
})

it('shows an error in a filter and keeps the rows', async () => {
  const host = new ReplayHost()
  const feed = watched(host)
  feed.refresh()
  await pass(300)
  feed.setFilter('duration>')
  await pass(400)
  expect(feed.failure).toBeInstanceOf(Failure)
  expect(feed.failure?.hint).toContain('100ms')
  expect(feed.rows).toHaveLength(10)
})

it('keeps the rows in place while the pointer moves over them', async () => {
  const host = new ReplayHost()
  const feed = watched(host)
  feed.refresh()
  await pass(300)
  const first = feed.rows[0]
  if (!first) throw new Error('no rows')
  feed.hold()
  host.script('live_traces', (recorded) => withFirst(recorded(), { ...first, trace_id: 'new' }))
  feed.refresh()
  await pass(300)
  expect(feed.rows[0]).toEqual(first)
  expect(feed.waiting).toBe(1)
  await pass(1500)
  expect(feed.rows[0]?.trace_id).toBe('new')
  expect(feed.waiting).toBe(0)
})

it('reads nothing while hidden, and once when shown again', async () => {
  const host = new ReplayHost()
  const feeds = new Feeds(host)
  const asked = () => host.calls.map((call) => call.cmd)
  feeds.refresh()
  await pass(1000)
  expect(asked()).toEqual([])
  const leave = feeds.logs.watch()
  await pass(300)
  feeds.refresh()
  await pass(300)
  expect(asked()).toEqual(['live_logs', 'live_logs'])
  leave()
  feeds.logs.refresh()
  await pass(300)
  expect(asked()).toHaveLength(2)
  feeds.logs.watch()
  await pass(300)
  expect(asked()).toHaveLength(3)
  leave()
  feeds.logs.watch()
  await pass(300)
  expect(asked(), 'nothing changed meanwhile').toHaveLength(3)
})

it('returns the newest row even while hidden', async () => {
  const host = new ReplayHost()
  const [newest] = (await host.ask('live_traces', {})).rows
  const feeds = new Feeds(host)
  expect((await feeds.traces.newest())?.trace_id).toBe(newest?.trace_id)
  await feeds.traces.newest()
  expect(host.calls, 'nothing changed meanwhile').toHaveLength(1)
})

it('keeps the rows in place until they are released, if requested', async () => {
  const host = new ReplayHost()
  const feed = new Feeds(host).console
  feed.watch()
  await pass(300)
  const first = feed.rows[0]
  if (!first) throw new Error('no lines')
  feed.hold(true)
  feed.hold()
  host.script('live_console', (recorded) => withFirst(recorded(), { ...first, id: 'new' }))
  feed.refresh()
  await pass(60_000)
  expect(feed.rows[0]?.id).toBe(first.id)
  expect(feed.waiting).toBe(1)
  feed.release()
  await pass(300)
  expect(feed.rows[0]?.id).toBe('new')
})

it('asks within the range that was chosen, and captures that', async () => {
  const host = new ReplayHost()
  const feed = watched(host)
  await pass(500)
  host.script('live_traces', () => ({ rows: [], notes: [], next: null, asked_at: null }))
  const asked = () => host.calls.at(-1)?.args
  expect(asked()).toEqual({ filter: '', limit: 100 })
  for (const since of [
    '15m',
    '2026-11-23T15:20:00.000Z/2026-11-23T15:30:00.000Z',
    '2026-11-23T15:20:00.000Z/',
  ]) {
    feed.since = since
    feed.submit()
    await pass(500)
    expect(asked()).toEqual({ filter: '', since, limit: 100 })
    expect(feed.asked).toEqual({ filter: '', since })
    expect(feed.rows).toHaveLength(0)
  }
  // “Between” of which no moment was chosen yet.
  feed.since = '/'
  expect(feed.asked).toEqual({ filter: '' })
})

it('drops an answer to another range', async () => {
  const host = new ReplayHost()
  const feed = watched(host)
  await pass(500)
  const before = feed.rows
  host.script('live_traces', () => ({ rows: [], notes: [], next: null, asked_at: null }))
  host.delay = 1000
  feed.since = '15m'
  feed.submit()
  await pass(500)
  feed.since = ''
  await pass(700)
  expect(feed.rows).toBe(before)
})
