import type { Commands, ErrorBody, Event } from '../bindings'

/** What every window is told while it runs; the name keeps it apart from the DOM's. */
export type HostEvent = Event

/** Everything the window needs from the outside: commands, events, pictures, and a way to choose files. */
export interface Host {
  /** Which host it is, for people. */
  readonly name: string
  /** This window's id: its own changes come back marked with it. */
  readonly client: string
  /** Whether `choose` can open a system dialog. */
  readonly chooses: boolean
  /** Carries out a command; rejects with a `Failure` and nothing else. */
  rpc<K extends keyof Commands>(cmd: K, args: Commands[K][0], call?: string): Promise<Commands[K][1]>
  /** Calls back on every event until the returned function is called. */
  events(listener: (event: HostEvent) => void): () => void
  /** Says whether events arrive; calls back at once and at every change. */
  connection(listener: (up: boolean) => void): () => void
  /** Where a card or an attachment is shown from. */
  url(path: string): string
  /** Paths chosen by the user; null where nothing was chosen. */
  choose(kind: 'folder' | 'files'): Promise<string[] | null>
  /** Answers `ask_closing`: the user is being asked, or the window closes, goes out of the way, or stays. */
  closing(answer: 'asking' | 'close' | 'keep' | 'stay'): Promise<void>
}

/** A command that failed: what happened and what to do. */
export class Failure extends Error implements ErrorBody {
  constructor(
    readonly code: ErrorBody['code'],
    message: string,
    readonly hint: string,
  ) {
    super(message)
    this.name = 'Failure'
  }

  /** Whatever was thrown, as a failure that can be shown. */
  static from(cause: unknown): Failure {
    if (cause instanceof Failure) return cause
    if (isErrorBody(cause)) return new Failure(cause.code, cause.message, cause.hint)
    if (cause instanceof Error) return new Failure('internal', cause.message || cause.name, '')
    return new Failure(
      'internal',
      typeof cause === 'string' ? cause : 'Something failed without a reason',
      '',
    )
  }
}

function isErrorBody(value: unknown): value is ErrorBody {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as ErrorBody).message === 'string' &&
    typeof (value as ErrorBody).code === 'string'
  )
}

/** A random id. `crypto.randomUUID` is missing on plain http, where a cloud workspace may serve us. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
