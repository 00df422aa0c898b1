import { flushSync, unmount } from 'svelte'
import { afterEach, beforeEach, vi } from 'vitest'

type Mounted = Record<string, unknown>

/** Gives each test of a file fake timers and an empty local storage, and unmounts its components after it. */
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
    /** Unmounts these components after the test. */
    keep<T extends Mounted | Mounted[]>(components: T): T {
      mounted.push(...[components].flat())
      return components
    },
    /** Unmounts all of them now. */
    clear,
  }
}

/** Advances the fake timers. */
export async function pass(ms = 300) {
  await vi.advanceTimersByTimeAsync(ms)
  flushSync()
}
