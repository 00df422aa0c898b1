import { expect, test } from 'vitest'
import type { EntryHomework, HomeworkState } from '../bindings'
import { done, progress } from './homework.svelte'

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
