import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Commands, ErrorBody } from '../bindings'
import type { HostEvent } from '../host/host'

/** The response to a command, and the events that it caused. */
export interface Result<K extends keyof Commands> {
  answer?: Commands[K][1]
  error?: ErrorBody
  events?: HostEvent[]
}

/** A command with its response. */
export type Exchange = {
  [K in keyof Commands]: { cmd: K; args: Commands[K][0] } & Result<K>
}[keyof Commands]

/** The exchanges of a test file, by test name, in order. In `common.json` there is only `reads`. */
export type Recordings = Record<string, Exchange[]>

/** Where a host gets its answers from. */
export interface Source {
  ask<K extends keyof Commands>(cmd: K, args: Commands[K][0], client: string): Result<K>
  /** Returns the commands that had no answer. */
  close(): string[]
}

/** Commands that change the answers to other commands, or that cause events. All others are reads. */
export const changes: ReadonlySet<keyof Commands> = new Set([
  'entry_new',
  'entry_write',
  'entry_rename',
  'entry_cut',
  'entry_delete',
  'entry_restore',
  'slot_dismiss',
  'source_set',
  'secret_set',
  'query_save',
  'query_forget',
  'relay_set',
  'capture',
  'evidence_delete',
  'evidence_restore',
  'live_card_new',
  'live_card_set',
  'live_card_look',
  'live_card_freeze',
  'import',
])

/** One file for each test file, and `common.json` for the reads that tests share. */
export const folder = join(import.meta.dirname, 'recordings')

/** The name of a test file's recording: its path below `src`, without the extension. */
export const nameOf = (testPath: string) => testPath.replace(/^.*\/ui\/src\//, '').replace(/\.test\.ts$/, '')

/** Identifies a command with its arguments, in whatever order the arguments are written. */
export const keyOf = (cmd: string, args: object) => `${cmd} ${JSON.stringify(args, sorted)}`

const sorted = (_: string, value: unknown) =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    : value

const loaded = new Map<string, Recordings>()

function load(name: string): Recordings {
  const path = join(folder, `${name}.json`)
  const recordings =
    loaded.get(name) ?? ((existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}) as Recordings)
  loaded.set(name, recordings)
  return recordings
}

/**
 * Answers from the recording of a test. Each recorded change is used once, in order. A read gets the last answer that
 * was recorded before the next unused change, so the number and order of reads may differ from the recording.
 */
export class Recording implements Source {
  readonly #exchanges: Exchange[]
  readonly #used = new Set<Exchange>()
  readonly #missing: string[] = []

  constructor(exchanges: Exchange[]) {
    this.#exchanges = exchanges
  }

  static of(file: string, test: string) {
    return new Recording(load(file)[test] ?? [])
  }

  ask<K extends keyof Commands>(cmd: K, args: Commands[K][0]): Result<K> {
    const key = keyOf(cmd, args)
    const same = this.#exchanges.filter((one) => keyOf(one.cmd, one.args) === key)
    const found = changes.has(cmd) ? this.#change(same) : (this.#read(same) ?? common(key))
    if (found) return structuredClone(found) as Result<K>
    this.#missing.push(key)
    return { error: { code: 'internal', message: `No recorded answer to ${key}`, hint: 'make recordings' } }
  }

  close(): string[] {
    return this.#missing
  }

  /**
   * The first unused one. A change that is sent more often than recorded gets the last answer again, without
   * events.
   */
  #change(same: Exchange[]): Exchange | undefined {
    const next = same.find((one) => !this.#used.has(one))
    if (next) this.#used.add(next)
    const last = same.at(-1)
    return next ?? (last && { ...last, events: [] })
  }

  #read(same: Exchange[]): Exchange | undefined {
    const next = this.#exchanges.findIndex((one) => changes.has(one.cmd) && !this.#used.has(one))
    return same.findLast((one) => next < 0 || this.#exchanges.indexOf(one) < next)
  }
}

function common(key: string): Exchange | undefined {
  return load('common').reads?.find((one) => keyOf(one.cmd, one.args) === key)
}
