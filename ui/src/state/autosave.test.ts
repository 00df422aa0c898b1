import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Written } from '../bindings'
import { Failure } from '../host/host'
import { Autosave } from './autosave.svelte'

interface Write {
  base: number | null
  body: string
  answer: (written: Partial<Written>) => void
  fail: (cause: Failure) => void
}

/** An autosave whose writes are answered by hand. */
function bench() {
  const writes: Write[] = []
  const text = { now: '' }
  const autosave = new Autosave(1, {
    write: (base) =>
      new Promise((resolve, reject) => {
        writes.push({
          base,
          body: text.now,
          answer: (written) => resolve({ revision: 0, accepted: true, kept: null, message: '', ...written }),
          fail: reject,
        })
      }),
  })
  const type = (body: string) => {
    text.now = body
    autosave.touch()
  }
  const last = () => {
    const write = writes.at(-1)
    if (!write) throw new Error('nothing was written')
    return write
  }
  return { autosave, writes, type, last }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

describe('autosave', () => {
  it('writes 300 ms after the last key, and not before', async () => {
    const { autosave, writes, type, last } = bench()
    type('a')
    await pass(200)
    type('ab')
    await pass(299)
    expect(writes).toHaveLength(0)
    await pass(1)
    expect(last()).toMatchObject({ base: 1, body: 'ab' })
    expect(autosave.state).toBe('saving')
    last().answer({ revision: 2 })
    await pass(0)
    expect(autosave.state).toBe('saved')
    expect(autosave.dirty).toBe(false)
  })

  it('writes at least every second while keys keep coming', async () => {
    const { writes, type } = bench()
    for (let i = 0; i < 11; i++) {
      type('x'.repeat(i + 1))
      await pass(100)
    }
    expect(writes).toHaveLength(1)
  })

  it("has one write in flight at a time, each based on the previous one's answer", async () => {
    const { writes, type, last, autosave } = bench()
    type('one')
    await pass(300)
    type('one two')
    await pass(2000)
    expect(writes, 'the first is still unanswered').toHaveLength(1)
    last().answer({ revision: 7 })
    await pass(0)
    expect(last()).toMatchObject({ base: 7, body: 'one two' })
    last().answer({ revision: 8 })
    await pass(5000)
    expect(writes).toHaveLength(2)
    expect(autosave.state).toBe('saved')
  })

  it('retries after a failure and reports it', async () => {
    const { writes, type, last, autosave } = bench()
    type('kept')
    await pass(300)
    last().fail(new Failure('storage', 'The disk is full', 'Make room.'))
    await pass(0)
    expect(autosave.state).toBe('failed')
    expect(autosave.failure?.hint).toBe('Make room.')
    expect(autosave.dirty).toBe(true)
    await pass(1000)
    last().fail(new Failure('storage', 'The disk is full', 'Make room.'))
    await pass(2000)
    expect(writes).toHaveLength(3)
    last().answer({ revision: 2 })
    await pass(0)
    expect(autosave.state).toBe('saved')
    expect(autosave.failure).toBeNull()
  })

  it('flush waits for the write in flight and later changes', async () => {
    const { writes, type, autosave } = bench()
    type('a')
    await pass(300)
    type('ab')
    const flushed = autosave.flush()
    writes[0]?.answer({ revision: 2 })
    await pass(0)
    writes[1]?.answer({ revision: 3 })
    await expect(flushed).resolves.toBe(true)
    expect(autosave.base).toBe(3)
  })

  it('reports a conflict on an older base, overwrites nothing, and lets the user resolve it', async () => {
    const { type, last, autosave, writes } = bench()
    type('mine')
    await pass(300)
    last().answer({ revision: 9, accepted: false, kept: 4, message: 'Somebody wrote' })
    await pass(0)
    expect(autosave.state).toBe('conflict')
    expect(autosave.conflict).toEqual({ kept: 4, message: 'Somebody wrote' })
    type('mine, more')
    await pass(3000)
    expect(last(), 'what is typed in a conflict is kept too, on the old base').toMatchObject({ base: 1 })
    last().answer({ revision: 9, accepted: false, kept: 5 })
    await pass(0)
    const over = autosave.writeOver()
    await pass(0)
    expect(last()).toMatchObject({ base: null, body: 'mine, more' })
    last().answer({ revision: 10 })
    await expect(over).resolves.toBe(true)
    expect(autosave.conflict).toBeNull()
    expect(autosave.base).toBe(10)
    expect(writes).toHaveLength(3)
  })
})
