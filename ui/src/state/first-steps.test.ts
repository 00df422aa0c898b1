import { beforeEach, expect, test } from 'vitest'
import { FirstSteps } from './first-steps.svelte'
import type { Workspace } from './workspace.svelte'

beforeEach(() => localStorage.clear())

/** What the steps read of a window. */
function journal(entries: number, received: number, placed: string[][], loaded = true) {
  return {
    journal: { loaded, entries: Array.from({ length: entries }) },
    shelf: { loaded: true, rows: placed.map((names) => ({ entries: names })) },
    status: { spans_received: received, logs_received: 0, errors_received: 0 },
    feeds: { traces: { rows: [] } },
  } as unknown as Workspace
}
const done = (first: FirstSteps) => first.steps.map((step) => step.done)

test('steps are done by what is in the journal', () => {
  expect(done(new FirstSteps(journal(0, 0, [])))).toEqual([false, false, false])
  expect(done(new FirstSteps(journal(1, 0, [[]])))).toEqual([true, false, false])
  expect(done(new FirstSteps(journal(0, 3, [])))).toEqual([false, true, false])
  expect(new FirstSteps(journal(1, 3, [[]])).shown).toBe(true)
})

test('a journal with evidence in an entry is past them, whatever this process has received', () => {
  const first = new FirstSteps(journal(1, 0, [['week-2']]))
  expect(done(first)).toEqual([true, true, true])
  expect(first.shown).toBe(false)
})

test('nothing is shown before it is known', () => {
  expect(new FirstSteps(journal(0, 0, [], false)).shown).toBe(false)
})

test('a step stays done, and all of them are over when they are done or dismissed', () => {
  new FirstSteps(journal(1, 2, [])).keep()
  const later = new FirstSteps(journal(0, 0, []))
  expect(done(later)).toEqual([true, true, false])
  later.dismiss()
  expect(later.shown).toBe(false)
  expect(new FirstSteps(journal(0, 0, [])).shown).toBe(false)

  localStorage.clear()
  new FirstSteps(journal(1, 2, [['week-2']])).keep()
  expect(new FirstSteps(journal(0, 0, [])).shown).toBe(false)
})
