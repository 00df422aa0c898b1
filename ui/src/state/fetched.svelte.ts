import { Failure, randomId, type Host } from '../host/host'

/** One thing that a panel shows, fetched by its id, and again when what `wanted` reads changes. */
export class Fetched<T> {
  value = $state.raw<T | null>(null)
  failure = $state.raw<Failure | null>(null)
  /** The id that `value` belongs to: another one may have been asked for since. */
  id = $state('')
  #wanted: () => string

  /** To be made while a component is, whose end cancels what is under way. */
  constructor(host: Host, wanted: () => string, ask: (id: string, call: string) => Promise<T>) {
    this.#wanted = wanted
    $effect(() => {
      const id = wanted()
      const call = randomId()
      let open = true
      let stale = false
      ask(id, call)
        .then(
          (value) => {
            if (stale) return
            this.value = value
            this.id = id
            this.failure = null
          },
          (cause: unknown) => {
            if (stale) return
            this.failure = Failure.from(cause)
          },
        )
        .finally(() => (open = false))
      return () => {
        stale = true
        if (open) void host.rpc('cancel', { call }).catch(() => undefined)
      }
    })
  }

  /** The value, unless it is of another id than the one that failed. */
  get shown(): T | null {
    return this.failure && this.id !== this.#wanted() ? null : this.value
  }

  get loading(): boolean {
    return !this.failure && this.id !== this.#wanted()
  }
}
