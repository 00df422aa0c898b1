import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Later } from './later'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('runs once after the last request, with a timer for many', () => {
  const job = vi.fn()
  const later = new Later(job)
  const timers = vi.spyOn(globalThis, 'setTimeout')
  for (let n = 0; n < 10; n++) {
    later.in(100)
    vi.advanceTimersByTime(10)
  }
  expect(timers.mock.calls.length).toBeLessThanOrEqual(2)
  vi.advanceTimersByTime(89)
  expect(job).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(job).toHaveBeenCalledTimes(1)
  vi.advanceTimersByTime(1000)
  expect(job).toHaveBeenCalledTimes(1)
  later.in(100)
  vi.advanceTimersByTime(100)
  expect(job).toHaveBeenCalledTimes(2)
})

it('runs sooner when it is asked to, and not at all after it was stopped', () => {
  const job = vi.fn()
  const later = new Later(job)
  later.in(100)
  later.in(0)
  vi.advanceTimersByTime(1)
  expect(job).toHaveBeenCalledTimes(1)
  later.in(100)
  later.stop()
  vi.advanceTimersByTime(1000)
  expect(job).toHaveBeenCalledTimes(1)
})
