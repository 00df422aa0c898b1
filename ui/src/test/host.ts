import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject } from 'vitest'
import type { Commands, Topic } from '../bindings'
import { Failure, type Connection, type Host, type HostEvent } from '../host/host'
import { Live } from './recorder/live'
import { nameOf, Recording, type Recordings, type Source } from './recording'

const CLIENT = 'test-window'
const live = Boolean(process.env.TRACEBOOK_RECORD)
let hosts: { test: string; source: Source }[] = []
let recorded: Recordings = {}

/**
 * A host for unit tests. Its answers were recorded from a real `tracebook serve`, for each test; a test states the
 * exceptions itself: `failures`, `delay` and `script`. A question without a recorded answer fails the test.
 */
export class ReplayHost implements Host {
  readonly name = 'replay'
  readonly client = CLIENT
  readonly chooses = false
  /** Every command that the window sent, in order. */
  readonly calls: { cmd: keyof Commands; args: unknown; call: string }[] = []
  /** Commands that fail until they are removed from here. */
  readonly failures = new Map<keyof Commands, Failure>()
  /** What the window responded to `ask_closing`. */
  readonly answers: Parameters<Host['closing']>[0][] = []
  /** Time until a command is answered, in milliseconds. */
  delay = 0
  readonly #scripts = new Map<keyof Commands, (recorded: () => unknown) => unknown>()
  readonly #listeners = new Set<(event: HostEvent) => void>()
  readonly #source: Source

  constructor() {
    const { testPath = '', currentTestName: test = '' } = expect.getState()
    this.#source = live ? new Live(CLIENT) : Recording.of(nameOf(testPath), test)
    hosts.push({ test, source: this.#source })
  }

  async rpc<K extends keyof Commands>(cmd: K, args: Commands[K][0], call = ''): Promise<Commands[K][1]> {
    this.calls.push({ cmd, args: structuredClone(args), call })
    await (this.delay ? new Promise((done) => setTimeout(done, this.delay)) : Promise.resolve())
    const failure = this.failures.get(cmd)
    if (failure) throw failure
    // The source answers at once, so there is never a running command to cancel.
    const recorded = () => (cmd === 'cancel' ? false : this.#ask(cmd, args, this.client))
    const script = this.#scripts.get(cmd)
    return (script ? script(recorded) : recorded()) as Commands[K][1]
  }

  send<K extends keyof Commands>(
    cmd: K,
    args: Commands[K][0],
    progress: (part: number) => void,
  ): Promise<Commands[K][1]> {
    progress(1)
    return this.rpc(cmd, args)
  }

  /** Sends a command as another client: not in `calls`, and without `failures`, `delay` and `script`. */
  async ask<K extends keyof Commands>(cmd: K, args: Commands[K][0]): Promise<Commands[K][1]> {
    return this.#ask(cmd, args, 'another-window')
  }

  /** Replaces the answer to a command from now on. `recorded` returns the recorded one. */
  script<K extends keyof Commands>(cmd: K, answer: (recorded: () => Commands[K][1]) => Commands[K][1]) {
    this.#scripts.set(cmd, answer as (recorded: () => unknown) => unknown)
  }

  events(listener: (event: HostEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  connection(listener: (state: Connection) => void): () => void {
    listener('connected')
    return () => undefined
  }

  show(image: HTMLImageElement, path: string | null) {
    if (path === null) image.removeAttribute('src')
    else image.src = `/${path}`
  }

  choose(): Promise<string[] | null> {
    return Promise.resolve(null)
  }

  closing(answer: Parameters<Host['closing']>[0]): Promise<void> {
    this.answers.push(answer)
    return Promise.resolve()
  }

  /** Sends a `changed` event. */
  tell(topic: Topic, id = '', by = '') {
    this.say({ event: 'changed', topic, id, by })
  }

  say(event: HostEvent) {
    for (const listener of this.#listeners) listener(event)
  }

  #ask<K extends keyof Commands>(cmd: K, args: Commands[K][0], client: string): Commands[K][1] {
    const { answer, error, events = [] } = this.#source.ask(cmd, args, client)
    for (const event of events) setTimeout(() => this.say(event))
    if (error) throw Failure.from(error)
    return answer as Commands[K][1]
  }
}

/** Closes the hosts of the test that ended. Fails if a command had no recorded answer. */
export function closeHosts() {
  const ended = hosts
  hosts = []
  const missing = new Set(ended.flatMap(({ source }) => source.close()))
  for (const { test, source } of ended)
    if (source instanceof Live) (recorded[test] ??= []).push(...source.exchanges)
  if (missing.size)
    throw new Error(
      `No recorded answer to:\n${[...missing].join('\n')}\nRun \`make recordings\` to record it.`,
    )
}

/** Hands the exchanges of a test file over to the recorder. */
export function saveExchanges() {
  if (!Object.keys(recorded).length) return
  const name = encodeURIComponent(nameOf(expect.getState().testPath ?? ''))
  writeFileSync(join(inject('recording').raw, `${name}.json`), JSON.stringify(recorded))
  recorded = {}
}

/** Every way to write a text fails, until `failures` is cleared. */
export function failWrites(host: ReplayHost, failure: Failure) {
  host.failures.set('entry_write', failure)
  host.failures.set('entry_edit', failure)
}
