import type {
  CaptureInfo,
  Catalog,
  FilterInfo,
  Kind,
  KindInfo,
  Source,
  SourceInfo,
  Vendor,
  VendorInfo,
} from '../bindings'

/** A position of the switch above the lists: local telemetry, or a vendor. */
export type Place = 'local' | Vendor

/** The sources and kinds that the program knows. They do not change while it runs; empty until they are loaded. */
export class CatalogView {
  #catalog = $state.raw<Catalog>({ vendors: [], sources: [], kinds: [], filters: [] })

  get loaded(): boolean {
    return this.#catalog.sources.length > 0
  }

  get sources(): readonly SourceInfo[] {
    return this.#catalog.sources
  }

  get vendors(): readonly VendorInfo[] {
    return this.#catalog.vendors
  }

  /** The kinds of evidence, in the order in which they are offered. */
  get kinds(): readonly KindInfo[] {
    return this.#catalog.kinds
  }

  set(catalog: Catalog) {
    this.#catalog = catalog
  }

  at(place: Place): SourceInfo[] {
    return this.sources.filter((row) => (row.vendor ?? 'local') === place)
  }

  source(source: Source): SourceInfo | undefined {
    return this.sources.find((row) => row.source === source)
  }

  kind(kind: Kind): KindInfo | undefined {
    return this.kinds.find((row) => row.kind === kind)
  }

  /** The sources from which a kind can be captured. */
  with(kind: Kind): SourceInfo[] {
    return this.sources.filter((row) => row.captures.some((capture) => capture.kind === kind))
  }

  capture(source: Source, kind: Kind): CaptureInfo | undefined {
    return this.source(source)?.captures.find((capture) => capture.kind === kind)
  }

  /** How a filter for a kind is written; undefined if the source takes none. */
  filter(source: Source, kind: Kind): FilterInfo | undefined {
    const form = this.capture(source, kind)?.filter ?? 'none'
    return form === 'none' ? undefined : this.#catalog.filters.find((row) => row.form === form)
  }
}
