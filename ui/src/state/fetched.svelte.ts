import { Failure, randomId, type Host } from '../host/host'

/** An item that a panel shows, fetched by id, and again when the state that `wanted` reads changes. */
export class Fetched<T> {
  value = $state.raw<T | null>(null)
  failure = $state.raw<Failure | null>(null)
  /** The id of `value`; another one may be on its way. */
  id = $state('')
  #wanted: () => string

  /** To be called while a component is initialised; the request is cancelled when it is destroyed. */
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

  /** The value, or null if the wanted id could not be fetched. */
  get shown(): T | null {
    return this.failure && this.id !== this.#wanted() ? null : this.value
  }

  get loading(): boolean {
    return !this.failure && this.id !== this.#wanted()
  }
}
