import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Commands } from '../bindings'
import { Failure, type Host, type HostEvent } from '../host/host'
import { ReplayHost } from '../test/host'
import { LongCall } from './long.svelte'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** A host whose one long command is answered by hand. */
function bench() {
  const replay = new ReplayHost()
  const asked: { cmd: keyof Commands; args: unknown; call: string }[] = []
  let end: (done: { value?: unknown; cause?: Failure }) => void = () => undefined
  let known = true
  const rpc = (cmd: keyof Commands, args: unknown, call = '') => {
    asked.push({ cmd, args, call })
    if (cmd === 'cancel') return Promise.resolve(known)
    return new Promise((resolve, reject) => {
      end = ({ value, cause }) => (cause ? reject(cause) : resolve(value))
    })
  }
  const host = Object.assign(Object.create(replay) as Host, {
    rpc: rpc as unknown as Host['rpc'],
    events: (listener: (event: HostEvent) => void) => replay.events(listener),
  })
  const long = new LongCall(host)
  const progress = (call: string, done: number, of: number, what: string) =>
    replay.say({ event: 'progress', call, done, of, what })
  return {
    long,
    asked,
    progress,
    end: (how: Parameters<typeof end>[0]) => end(how),
    forget: () => (known = false),
  }
}

const request = { entries: [], to: '/tmp/out' }

describe('a long command', () => {
  it('reports its progress, for its own id only, and only if it takes a while', async () => {
    const { long, asked, progress, end } = bench()
    const answer = long.run('export', request)
    const call = asked[0]?.call ?? ''
    expect(call).not.toBe('')
    expect(long.shown).toBe(false)
    await pass(300)
    expect(long.shown).toBe(true)
    progress('another', 9, 9, 'Elsewhere')
    expect([long.done, long.of, long.what]).toEqual([0, 0, ''])
    progress(call, 2, 5, 'Writing Week 2')
    expect([long.done, long.of, long.what]).toEqual([2, 5, 'Writing Week 2'])
    end({ value: 'exported' })
    expect(await answer).toBe('exported')
    expect([long.running, long.shown]).toEqual([false, false])
  })

  it('shows nothing if it is short', async () => {
    const { long, end } = bench()
    const answer = long.run('export', request)
    await pass(100)
    end({ value: 'exported' })
    await answer
    await pass(1000)
    expect(long.shown).toBe(false)
  })

  it("is cancelled by id, once, and rejects with the host's error", async () => {
    const { long, asked, end } = bench()
    const answer = long.run('import', {})
    void long.cancel()
    void long.cancel()
    await pass(0)
    expect(long.ending).toBe(true)
    expect(asked.filter((one) => one.cmd === 'cancel').map((one) => one.args)).toEqual([
      { call: asked[0]?.call },
    ])
    end({ cause: new Failure('cancelled', 'cancelled', 'What was done before stays') })
    await expect(answer).rejects.toMatchObject({ code: 'cancelled' })
    expect([long.running, long.ending]).toEqual([false, false])
  })

  it('can be cancelled again if the first attempt came too early', async () => {
    const { long, asked, forget } = bench()
    void long.run('import', {})
    forget()
    await long.cancel()
    expect(long.ending).toBe(false)
    await long.cancel()
    expect(asked.filter((one) => one.cmd === 'cancel')).toHaveLength(2)
  })

  it('has a new id each time, and runs once at a time', async () => {
    const { long, asked, end } = bench()
    const first = long.run('export', request)
    await expect(long.run('export', request)).rejects.toMatchObject({ code: 'refused' })
    end({ value: 1 })
    await first
    void long.run('export', request)
    expect(asked[0]?.call).not.toBe(asked[1]?.call)
  })

  it('is cancelled when its owner stops', async () => {
    const { long, asked } = bench()
    void long.run('export', request)
    long.stop()
    await pass(0)
    expect(asked.at(-1)?.cmd).toBe('cancel')
  })
})
