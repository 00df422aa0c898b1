import type { Capture, FilterExample, Kind, Source } from '../bindings'
import type { Failure } from '../host/host'

/** The list's question, as part of a capture or of a live card's question. */
export type Asked = Pick<Capture, 'filter' | 'since' | 'source'>

/** Rows of one kind from one source. A `Feed` follows local telemetry; a `CloudList` is loaded on demand. */
export abstract class Listing<R> {
  rows = $state.raw<readonly R[]>([])
  /** Caveats: rows that were left out, sampled, or not searched. */
  notes = $state.raw<readonly string[]>([])
  filter = $state('')
  /** Example filters. */
  forms = $state.raw<readonly FilterExample[]>([])
  /** The filter's syntax error, found without asking the source. */
  wrong = $state('')
  failure = $state.raw<Failure | null>(null)
  readonly source: Source
  readonly key: (row: R) => string

  constructor(source: Source, key: (row: R) => string) {
    this.source = source
    this.key = key
  }

  /** Whether the rows are a complete answer, so that an empty list means that there is nothing. */
  abstract get answered(): boolean

  abstract get asked(): Asked

  /** Keeps the list up to date while it is shown, until the returned function is called. */
  abstract watch(): () => void

  abstract setFilter(text: string): void

  /** Applies the filter now. */
  abstract submit(): void
}

/** The request to capture one row by its id. */
export function captureOf(kind: Kind, id: string, source: Source): Capture {
  return source === 'local' ? { kind, id } : { kind, id, source }
}
