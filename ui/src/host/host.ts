import type { Commands, ErrorBody, Event } from '../bindings'

/** An event sent to every window; named differently from the DOM's `Event`. */
export type HostEvent = Event

/** The event stream: `refused` if the server has another key than this page. */
export type Connection = 'connected' | 'lost' | 'refused'

/** What the UI needs from its environment: commands, events, images, and file dialogs. */
export interface Host {
  /** For messages: `browser` or `window`. */
  readonly name: string
  /** This window's id. Events name the client that caused them. */
  readonly client: string
  /** Whether `choose` can open a system dialog. */
  readonly chooses: boolean
  /** Runs a command. Rejects with a `Failure` and nothing else. */
  rpc<K extends keyof Commands>(cmd: K, args: Commands[K][0], call?: string): Promise<Commands[K][1]>
  /** As `rpc`, for large arguments: `progress` is told how much of them was sent, from 0 to 1. */
  send<K extends keyof Commands>(
    cmd: K,
    args: Commands[K][0],
    progress: (part: number) => void,
  ): Promise<Commands[K][1]>
  /** Calls `listener` on every event until the returned function is called. */
  events(listener: (event: HostEvent) => void): () => void
  /** Reports the state of the event stream: at once, and on every change. */
  connection(listener: (state: Connection) => void): () => void
  /** Draws a card or an attachment in an image, which fires `load` or `error`. Null removes what it shows. */
  show(image: HTMLImageElement, path: string | null): void
  /** Paths chosen by the user, or null. */
  choose(kind: 'folder' | 'files'): Promise<string[] | null>
  /** Zooms the whole window by a factor; missing where the browser does that. */
  zoom?(factor: number): void
  /** Answers `ask_closing`: the user is being asked, or the window closes, is minimised, or stays open. */
  closing(answer: 'asking' | 'close' | 'keep' | 'stay'): Promise<void>
}

/** A failed command: what happened, and what to do about it. */
export class Failure extends Error implements ErrorBody {
  constructor(
    readonly code: ErrorBody['code'],
    message: string,
    readonly hint: string,
  ) {
    super(message)
    this.name = 'Failure'
  }

  /** Converts anything thrown into a failure that can be shown. */
  static from(cause: unknown): Failure {
    if (cause instanceof Failure) return cause
    if (isErrorBody(cause)) return new Failure(cause.code, cause.message, cause.hint)
    if (cause instanceof Error) return new Failure('internal', cause.message || cause.name, '')
    return new Failure('internal', typeof cause === 'string' ? cause : 'Unknown error', '')
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

/** A random id. `crypto.randomUUID` is missing on plain HTTP, over which a cloud workspace may serve the UI. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
