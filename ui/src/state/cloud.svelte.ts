import type {
  ErrorRow,
  Identity,
  LogRow,
  Source,
  SourceSet,
  Sources,
  TraceSummary,
  Vendor,
} from '../bindings'
import type { Host } from '../host/host'
import type { CatalogView, Place } from './catalog.svelte'
import { CloudList } from './cloud-list.svelte'

interface Rows {
  traces: TraceSummary
  logs: LogRow
  errors: ErrorRow
}
type Lists = { [Name in keyof Rows]: Partial<Record<Source, CloudList<Rows[Name]>>> }

/** The cloud sources: their settings, identities and lists. */
export class Cloud {
  place = $state<Place>('local')
  sources = $state.raw<Sources | null>(null)
  #host: Host
  #lists: Lists = { traces: {}, logs: {}, errors: {} }

  constructor(host: Host) {
    this.#host = host
  }

  /** Makes the lists that the catalog names. */
  offer(catalog: CatalogView) {
    const host = this.#host
    for (const { source, vendor, lists, start } of catalog.sources) {
      if (!vendor) continue
      for (const list of lists) {
        if (list === 'traces')
          this.#lists.traces[source] = new CloudList(
            host,
            source,
            (row) => row.trace_id,
            ({ oldest_first: _, ...asked }, call) => host.rpc('live_traces', { ...asked, limit: 100 }, call),
            start ?? undefined,
          )
        else if (list === 'logs')
          this.#lists.logs[source] = new CloudList(
            host,
            source,
            (row) => row.id,
            (asked, call) => host.rpc('live_logs', { ...asked, limit: 200 }, call),
            start ?? undefined,
          )
        else if (list === 'errors')
          this.#lists.errors[source] = new CloudList(
            host,
            source,
            (row) => row.id,
            ({ oldest_first: _, ...asked }, call) => host.rpc('live_errors', { ...asked, limit: 50 }, call),
            start ?? undefined,
          )
      }
    }
  }

  list<Name extends keyof Rows>(name: Name, source: Source): CloudList<Rows[Name]> {
    const list: CloudList<Rows[Name]> | undefined = this.#lists[name][source]
    if (!list) throw new Error(`${source} has no list of ${name}`)
    return list
  }

  get lists() {
    return Object.values(this.#lists).flatMap((lists) => Object.values(lists))
  }

  async load() {
    this.sources = await this.#host.rpc('sources', {})
  }

  async set(change: SourceSet) {
    this.sources = await this.#host.rpc('source_set', change)
    for (const list of this.lists) list.forget()
  }

  async token(vendor: Vendor, token: string, memoryOnly: boolean) {
    this.sources = await this.#host.rpc('secret_set', { vendor, token, memory_only: memoryOnly })
    for (const list of this.lists) list.forget()
  }

  async whoAmI(vendor: Vendor): Promise<Identity> {
    try {
      return await this.#host.rpc('who_am_i', { vendor })
    } finally {
      await this.load()
    }
  }

  onProgress(call: string, done: number, what: string) {
    for (const list of this.lists) list.onProgress(call, done, what)
  }
}
