import { afterEach, expect, test, vi } from 'vitest'
import type { EntryHomework, HomeworkState } from '../bindings'
import type { Host } from '../host/host'
import { done, Homework, progress } from './homework.svelte'

afterEach(() => vi.useRealTimers())

/** Homework of a host that notes what it is asked. */
function asked() {
  vi.useFakeTimers()
  const requests: unknown[] = []
  const host = {
    rpc: (_cmd: string, args: unknown) => {
      requests.push(args)
      return Promise.resolve([])
    },
  } as unknown as Host
  return { requests, homework: new Homework(host) }
}

const state = (challenge: boolean, met: boolean): HomeworkState => ({ title: 'H', challenge, met, needs: [] })
const entry = (open: number, filled: number, homework: HomeworkState[]): EntryHomework => ({
  entry: '01JABCDEFGHJKMNPQRSTVWXYZ0',
  slug: 'week-2',
  title: 'Week 2',
  week: '2',
  slots_open: open,
  slots_filled: filled,
  homework,
  evidence: [],
})

test('progress counts slots and homework, not challenges', () => {
  const homework = [state(false, true), state(false, false), state(true, true)]
  expect(progress(entry(3, 3, homework))).toBe('3 of 6 slots, 1 of 2 homework')
  expect(progress(entry(1, 0, []))).toBe('0 of 1 slot')
  expect(progress(entry(0, 0, homework))).toBe('1 of 2 homework')
  expect(progress(entry(0, 0, []))).toBe('')
  expect(done(homework, true)).toEqual({ met: 1, of: 1 })
})

test('an entry is read once after typing rests, and at once when what it shows has changed', async () => {
  const { requests, homework } = asked()
  for (let second = 0; second < 10; second++) {
    homework.typed('a')
    await vi.advanceTimersByTimeAsync(1000)
  }
  expect(requests).toEqual([])
  await vi.advanceTimersByTimeAsync(5000)
  expect(requests).toEqual([{ entry: 'a' }])

  homework.typed('a')
  homework.refresh('a')
  await vi.advanceTimersByTimeAsync(0)
  expect(requests).toEqual([{ entry: 'a' }, { entry: 'a' }])
  await vi.advanceTimersByTimeAsync(10_000)
  expect(requests).toHaveLength(2)
})

test('all entries are read a while after the start, once', async () => {
  const { requests, homework } = asked()
  homework.refreshLater()
  await vi.advanceTimersByTimeAsync(1000)
  homework.refreshLater()
  await vi.advanceTimersByTimeAsync(1000)
  expect(requests).toEqual([])
  await vi.advanceTimersByTimeAsync(1000)
  expect(requests).toEqual([{}])
  homework.typed('a')
  homework.refreshLater()
  homework.stop()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(requests).toHaveLength(1)
})
