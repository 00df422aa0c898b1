import { join } from 'node:path'
import { MessageChannel, Worker, receiveMessageOnPort, type MessagePort } from 'node:worker_threads'
import { inject } from 'vitest'
import type { Commands } from '../../bindings'
import { changes, type Exchange, type Result, type Source } from '../recording'
import { Normaliser } from './normalise'

const TIMEOUT_MS = 60_000

declare module 'vitest' {
  export interface ProvidedContext {
    /** Provided by `setup.ts` while recording. */
    recording: {
      binary: string
      /** The journal that every test starts with a copy of. */
      data: string
      env: Record<string, string>
      cloudPort: number
      /** Milliseconds since 1970; every later time is replaced in the recording. */
      began: number
      /** The directory for the exchanges, one file for each test file. */
      raw: string
    }
  }
}

/** A real `tracebook serve` with a journal of its own, whose answers are kept. */
export class Live implements Source {
  readonly exchanges: Exchange[] = []
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #signal = new Int32Array(new SharedArrayBuffer(4))
  readonly #normaliser: Normaliser

  constructor(client: string) {
    const { binary, data, env, cloudPort, began } = inject('recording')
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#worker = new Worker(join(import.meta.dirname, 'worker.mjs'), {
      workerData: { port: port2, signal: this.#signal, binary, data, env, client },
      transferList: [port2],
    })
    const { folder, ready } = this.#call('start') as {
      folder: string
      ready: { http: string; grpc: string; xray: string; ui: { url: string } }
    }
    const port = (address: string) => address.split(':').at(-1) ?? ''
    this.#normaliser = new Normaliser({
      began,
      folder,
      ports: {
        [port(ready.http)]: 4318,
        [port(ready.grpc)]: 4317,
        [port(ready.xray)]: 2000,
        [new URL(ready.ui.url).port]: 4320,
        [cloudPort]: 9001,
      },
    })
  }

  ask<K extends keyof Commands>(cmd: K, args: Commands[K][0], client: string): Result<K> {
    const request = { cmd, args: this.#normaliser.real(args), client, settles: changes.has(cmd) }
    const { events, ...response } = this.#normaliser.stable(this.#call('ask', request) as Result<K>)
    const exchange = { cmd, args, ...response, ...(events?.length && { events }) } as Exchange
    this.exchanges.push(structuredClone(exchange))
    return exchange as Result<K>
  }

  close(): string[] {
    this.#call('stop')
    void this.#worker.terminate()
    return []
  }

  /** Blocks this thread until the worker has answered: the fake timers of a test must not run ahead. */
  #call(name: string, args?: unknown): unknown {
    Atomics.store(this.#signal, 0, 0)
    this.#port.postMessage({ name, args })
    if (Atomics.wait(this.#signal, 0, 0, TIMEOUT_MS) === 'timed-out')
      throw new Error(`the recorder's worker did not answer ${name}`)
    const { value, failure } = receiveMessageOnPort(this.#port)?.message as {
      value: unknown
      failure?: string
    }
    if (failure) throw new Error(failure)
    return value
  }
}
