import type { Commands } from '../bindings'
import { Failure, randomId, type Host, type HostEvent } from './host'

const GONE =
  'Is “tracebook serve” still running? Your changes stay in this window and are saved once it answers.'

/** A browser at `tracebook serve --ui`. */
export class WebHost implements Host {
  readonly name = 'browser'
  readonly client = `browser-${randomId()}`
  readonly chooses = false

  #listeners = new Set<(event: HostEvent) => void>()
  #watchers = new Set<(up: boolean) => void>()
  #up = true
  #source: EventSource | null = null
  #retry: ReturnType<typeof setTimeout> | undefined
  #wait = 500

  async rpc<K extends keyof Commands>(cmd: K, args: Commands[K][0], call = ''): Promise<Commands[K][1]> {
    let response: Response
    try {
      response = await fetch('/rpc', {
        method: 'POST',
        credentials: 'same-origin',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ cmd, args, client: this.client, call }),
      })
    } catch {
      throw new Failure('unreachable', 'Tracebook does not answer', GONE)
    }
    const text = await response.text()
    let answer: unknown
    try {
      answer = JSON.parse(text)
    } catch {
      answer = undefined
    }
    if (response.ok && answer !== undefined) return answer as Commands[K][1]
    const error = (answer as { error?: unknown } | undefined)?.error
    if (error) throw Failure.from(error)
    throw refusal(response.status, text)
  }

  events(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener)
    if (!this.#source) this.#connect()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#disconnect()
    }
  }

  connection(listener: (up: boolean) => void): () => void {
    this.#watchers.add(listener)
    listener(this.#up)
    return () => this.#watchers.delete(listener)
  }

  url(path: string): string {
    return `/${path}`
  }

  choose(): Promise<string[] | null> {
    return Promise.resolve(null)
  }

  /** Closing a tab stops no receiver, so there is no question to answer. */
  closing(): Promise<void> {
    return Promise.resolve()
  }

  #connect() {
    const source = new EventSource(`/events?client=${this.client}`)
    this.#source = source
    source.onopen = () => {
      this.#wait = 500
      // Changes made before the stream was open are not in it. After a loss, `connection` has everything read again.
      if (this.#up) this.#tell({ event: 'changed', topic: 'all', id: '', by: '' })
      this.#say(true)
    }
    source.onmessage = (message: MessageEvent<string>) => {
      this.#tell(JSON.parse(message.data) as HostEvent)
    }
    // EventSource gives up after an HTTP error, so it is retried here.
    source.onerror = () => {
      source.close()
      this.#say(false)
      this.#retry = setTimeout(() => this.#connect(), this.#wait)
      this.#wait = Math.min(this.#wait * 2, 10_000)
    }
  }

  #disconnect() {
    clearTimeout(this.#retry)
    this.#source?.close()
    this.#source = null
  }

  #tell(event: HostEvent) {
    for (const listener of this.#listeners) listener(event)
  }

  #say(up: boolean) {
    if (up === this.#up) return
    this.#up = up
    for (const watcher of this.#watchers) watcher(up)
  }
}

function refusal(status: number, text: string): Failure {
  if (status === 401 || status === 403)
    return new Failure(
      'refused',
      'This window is not signed in',
      'Open the address that “tracebook serve --ui” printed.',
    )
  if (status === 413)
    return new Failure('usage', 'That is too large to send', 'Split the text or import it as a file.')
  return new Failure('internal', `The server answered ${status}`, text.slice(0, 200))
}
