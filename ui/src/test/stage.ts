import { flushSync, unmount } from 'svelte'
import { afterEach, beforeEach, vi } from 'vitest'

type Mounted = Record<string, unknown>

/** Makes each test of a file begin with a still clock and nothing remembered; what it mounted is gone after it. */
export function stage() {
  let mounted: Mounted[] = []
  beforeEach(() => {
    vi.useFakeTimers()
    localStorage.clear()
  })
  const clear = async () => {
    for (const component of mounted) await unmount(component)
    mounted = []
  }
  afterEach(async () => {
    await clear()
    document.body.replaceChildren()
    vi.useRealTimers()
  })
  return {
    /** Takes what was mounted, to be taken away after the test. */
    keep<T extends Mounted | Mounted[]>(components: T): T {
      mounted.push(...[components].flat())
      return components
    },
    /** Takes everything away before the test is over. */
    clear,
  }
}

/** Lets time pass. */
export async function pass(ms = 300) {
  await vi.advanceTimersByTimeAsync(ms)
  flushSync()
}
