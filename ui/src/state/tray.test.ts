import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Failure } from '../host/host'
import { MemoryHost } from '../host/memory'
import { Tray } from './tray.svelte'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

it('asks at once, and then at most five times a second', async () => {
  const host = new MemoryHost()
  const tray = new Tray(host)
  tray.refresh()
  await pass(0)
  expect(tray.rows).toHaveLength(6)
  expect(host.calls).toHaveLength(1)
  for (let ms = 0; ms < 1000; ms += 10) {
    tray.refresh()
    await pass(10)
  }
  await pass(500)
  expect(host.calls.length).toBeGreaterThanOrEqual(5)
  expect(host.calls.length, 'a second and what was asked last').toBeLessThanOrEqual(7)
})

it('never has two questions open', async () => {
  const host = new MemoryHost()
  host.delay = 1000
  const tray = new Tray(host)
  for (let i = 0; i < 20; i++) {
    tray.refresh()
    await pass(20)
  }
  expect(host.calls).toHaveLength(1)
  await pass(2500)
  expect(host.calls).toHaveLength(2)
})

it('shows what is wrong with a filter and keeps the rows', async () => {
  const host = new MemoryHost()
  const tray = new Tray(host)
  tray.refresh()
  await pass(300)
  tray.setFilter('duration>')
  await pass(400)
  expect(tray.failure).toBeInstanceOf(Failure)
  expect(tray.failure?.hint).toContain('100ms')
  expect(tray.rows).toHaveLength(6)
})

it('holds the rows still while the pointer moves over them', async () => {
  const host = new MemoryHost()
  const tray = new Tray(host)
  tray.refresh()
  await pass(300)
  const first = tray.rows[0]
  if (!first) throw new Error('no rows')
  tray.hold()
  host.traces.unshift({ ...first, trace_id: 'new' })
  tray.refresh()
  await pass(300)
  expect(tray.rows[0]).toEqual(first)
  expect(tray.waiting).toBe(1)
  await pass(1500)
  expect(tray.rows[0]?.trace_id).toBe('new')
  expect(tray.waiting).toBe(0)
})
