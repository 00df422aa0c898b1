import type { Capture, FilterForm, Kind, Source } from '../bindings'
import type { Failure } from '../host/host'

/** What is listed: the filter, and for a cloud source where and how far back it was asked. */
export type Asked = Pick<Capture, 'filter' | 'since' | 'source'>

/** Rows of one kind from one source. A `Feed` follows what arrives here; a `CloudList` asks when it is told to. */
export abstract class Listing<R> {
  rows = $state.raw<readonly R[]>([])
  /** What has to be known about the rows: left out, sampled, not looked at. */
  notes = $state.raw<readonly string[]>([])
  filter = $state('')
  /** Examples of filters, and what they find. */
  forms = $state.raw<readonly FilterForm[]>([])
  /** What is wrong with the filter, found before the source is asked. */
  wrong = $state('')
  failure = $state.raw<Failure | null>(null)
  readonly source: Source
  readonly key: (row: R) => string

  constructor(source: Source, key: (row: R) => string) {
    this.source = source
    this.key = key
  }

  /** Whether the rows are the answer to the last question, however few. */
  abstract get answered(): boolean

  abstract get asked(): Asked

  /** Shows the list until the returned function is called. */
  abstract watch(): () => void

  /** Takes the filter as it is typed. */
  abstract setFilter(text: string): void

  /** Asks with the filter as it is. */
  abstract submit(): void
}

/** A capture of one thing that a source knows by its id. */
export function captureOf(kind: Kind, id: string, source: Source): Capture {
  return source === 'local' ? { kind, id } : { kind, id, source }
}
