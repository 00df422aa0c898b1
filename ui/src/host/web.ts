import type { Commands } from '../bindings'
import { Failure, randomId, type Connection, type Host, type HostEvent } from './host'
import { HEADER, introduce, storedKey, takeKey, WrongKey } from './key'

const GONE =
  'Is “tracebook serve” still running? Your changes stay in this window and are saved once it answers.'

const JSON_TYPE = { 'content-type': 'application/json' }

/** Milliseconds before the first and between later attempts to connect. */
const FIRST_RETRY = 500
const LAST_RETRY = 5000

/** A browser at `tracebook serve --ui`. */
export class WebHost implements Host {
  readonly name = 'browser'
  readonly client = `browser-${randomId()}`
  readonly chooses = false

  #listeners = new Set<(event: HostEvent) => void>()
  #watchers = new Set<(state: Connection) => void>()
  #state: Connection = 'connected'
  /** What is sent as the key during this run of the server; null until the server has proven that it has the key. */
  #key: string | null = null
  #introducing: Promise<string> | null = null
  /** How often another key was stored. */
  #changes = 0
  #stream: AbortController | null = null
  /** Ends the pause before the next attempt to connect. */
  #wake: () => void = () => undefined
  #drawing = new WeakMap<HTMLImageElement, AbortController>()
  /** Draws the pictures that could not be fetched, once the connection is back. */
  #undrawn = new Set<() => void>()

  constructor() {
    takeKey()
    // The URL with the key may be opened in this tab or, with the same origin, in another one.
    window.addEventListener('hashchange', () => takeKey() && this.#keyChanged())
    window.addEventListener('storage', () => this.#keyChanged())
  }

  async rpc<K extends keyof Commands>(cmd: K, args: Commands[K][0], call = ''): Promise<Commands[K][1]> {
    let response: Response
    try {
      response = await this.#send('/rpc', {
        method: 'POST',
        headers: JSON_TYPE,
        body: JSON.stringify({ cmd, args, client: this.client, call }),
      })
    } catch (cause) {
      if (cause instanceof WrongKey) throw refusal(401, '')
      throw new Failure('unreachable', 'Tracebook does not answer', GONE)
    }
    return answerOf(response.status, await response.text()) as Commands[K][1]
  }

  /** With XMLHttpRequest, since `fetch` does not report what was sent. */
  async send<K extends keyof Commands>(
    cmd: K,
    args: Commands[K][0],
    progress: (part: number) => void,
  ): Promise<Commands[K][1]> {
    let key: string
    try {
      key = this.#key ?? (await this.#introduce())
    } catch (cause) {
      if (cause instanceof WrongKey) throw refusal(401, '')
      throw new Failure('unreachable', 'Tracebook does not answer', GONE)
    }
    const request = new XMLHttpRequest()
    request.open('POST', '/rpc')
    request.setRequestHeader(HEADER, key)
    for (const [name, value] of Object.entries(JSON_TYPE)) request.setRequestHeader(name, value)
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) progress(event.loaded / event.total)
    }
    await new Promise<void>((resolve, reject) => {
      request.onload = () => resolve()
      request.onerror = () => reject(new Failure('unreachable', 'Tracebook does not answer', GONE))
      request.send(JSON.stringify({ cmd, args, client: this.client, call: '' }))
    })
    if (request.status !== 401) return answerOf(request.status, request.responseText) as Commands[K][1]
    // The server was started again: once more, with its new nonce.
    if (this.#key === key) this.#key = null
    return this.rpc(cmd, args)
  }

  events(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener)
    if (!this.#stream) {
      this.#stream = new AbortController()
      void this.#listen(this.#stream.signal)
    }
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#stream?.abort()
      this.#stream = null
      this.#wake()
    }
  }

  connection(listener: (state: Connection) => void): () => void {
    this.#watchers.add(listener)
    listener(this.#state)
    return () => this.#watchers.delete(listener)
  }

  /** An image cannot send a header, so its bytes are fetched. */
  show(image: HTMLImageElement, path: string | null) {
    this.#drawing.get(image)?.abort()
    this.#drawing.delete(image)
    if (path === null) {
      delete image.dataset.path
      image.removeAttribute('src')
      return
    }
    image.dataset.path = path
    const drawing = new AbortController()
    this.#drawing.set(image, drawing)
    void this.#draw(image, path, drawing.signal)
  }

  choose(): Promise<string[] | null> {
    return Promise.resolve(null)
  }

  /** Closing a tab stops no receiver, so there is no question to answer. */
  closing(): Promise<void> {
    return Promise.resolve()
  }

  /** Fetches with the key. */
  async #send(path: string, init: RequestInit): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      // Without a pause if it is known: a page that is being closed has no time for one.
      const key = this.#key ?? (await this.#introduce())
      let response: Response
      try {
        response = await fetch(path, {
          ...init,
          credentials: 'omit',
          redirect: 'error',
          headers: { ...(init.headers as Record<string, string>), [HEADER]: key },
        })
      } catch (cause) {
        // Another server may answer next.
        if (!init.signal?.aborted) this.#key = null
        throw cause
      }
      if (response.status !== 401) return response
      // The server was started again, or has another key now.
      if (this.#key === key) this.#key = null
      if (attempt === 2) throw new WrongKey()
    }
  }

  #introduce(): Promise<string> {
    const key = storedKey()
    if (key === null) return Promise.reject(new WrongKey())
    this.#introducing ??= introduce(key)
      .then((sent) => (this.#key = sent))
      .finally(() => (this.#introducing = null))
    return this.#introducing
  }

  #keyChanged() {
    this.#changes++
    this.#key = null
    this.#wake()
  }

  /** Reads events until it is stopped, and connects again after every loss. */
  async #listen(stopped: AbortSignal) {
    let pause = FIRST_RETRY
    while (!stopped.aborted) {
      const changes = this.#changes
      try {
        const response = await this.#send(`/events?client=${this.client}`, { signal: stopped })
        if (!response.ok || !response.body) throw new TypeError(`no events: ${response.status}`)
        pause = FIRST_RETRY
        // Changes made before the stream was open are not in it. After a loss, `connection` has everything read again.
        if (this.#state === 'connected') this.#tell({ event: 'changed', topic: 'all', id: '', by: '' })
        this.#say('connected')
        for await (const event of messages(response.body)) this.#tell(JSON.parse(event) as HostEvent)
        throw new TypeError('the stream has ended')
      } catch (cause) {
        if (stopped.aborted) return
        this.#key = null
        this.#say(cause instanceof WrongKey ? 'refused' : 'lost')
      }
      if (changes !== this.#changes) {
        pause = FIRST_RETRY
        continue
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pause)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
      pause = Math.min(pause * 2, LAST_RETRY)
    }
  }

  async #draw(image: HTMLImageElement, path: string, signal: AbortSignal) {
    try {
      const response = await this.#send(`/${path}`, { signal })
      const blob = response.ok ? await response.blob() : null
      if (signal.aborted) return
      if (!blob) {
        image.dispatchEvent(new Event('error'))
        return
      }
      const url = URL.createObjectURL(blob)
      for (const end of ['load', 'error'])
        image.addEventListener(end, () => URL.revokeObjectURL(url), { once: true })
      image.src = url
    } catch {
      if (signal.aborted) return
      const again = () => !signal.aborted && void this.#draw(image, path, signal)
      this.#undrawn.add(again)
      signal.addEventListener('abort', () => this.#undrawn.delete(again))
      image.dispatchEvent(new Event('error'))
    }
  }

  #tell(event: HostEvent) {
    for (const listener of this.#listeners) listener(event)
  }

  #say(state: Connection) {
    if (state === this.#state) return
    this.#state = state
    for (const watcher of this.#watchers) watcher(state)
    if (state !== 'connected') return
    const undrawn = [...this.#undrawn]
    this.#undrawn.clear()
    for (const draw of undrawn) draw()
  }
}

/** The data of server-sent events, of which each is one line here. */
async function* messages(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line.startsWith('data:')) yield line.slice('data:'.length)
  }
}

/** What the server answered, or a failure. */
function answerOf(status: number, text: string): unknown {
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch {
    answer = undefined
  }
  if (status >= 200 && status < 300 && answer !== undefined) return answer
  const error = (answer as { error?: unknown } | undefined)?.error
  if (error) throw Failure.from(error)
  throw refusal(status, text)
}

function refusal(status: number, text: string): Failure {
  if (status === 401 || status === 403)
    return new Failure(
      'refused',
      'This page does not have the key of this server',
      'Open the URL that “tracebook serve --ui” prints.',
    )
  if (status === 413)
    return new Failure('usage', 'That is too large to send', 'Split the text or import it as a file.')
  return new Failure('internal', `The server answered ${status}`, text.slice(0, 200))
}
