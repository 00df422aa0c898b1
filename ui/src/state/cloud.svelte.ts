import type { ErrorRow, Identity, LogRow, SourceSet, Sources, TraceSummary, Vendor } from '../bindings'
import type { Host } from '../host/host'
import { CloudList } from './cloud-list.svelte'

/** What the tray shows: local telemetry, or a vendor's cloud. */
export type Place = 'local' | Vendor

/** The cloud sources: their settings, identities and lists. */
export class Cloud {
  place = $state<Place>('local')
  sources = $state.raw<Sources | null>(null)
  readonly traces: CloudList<TraceSummary>
  readonly logs: CloudList<LogRow>
  readonly errors: CloudList<ErrorRow>
  #host: Host

  constructor(host: Host) {
    this.#host = host
    this.traces = new CloudList(
      host,
      'xray',
      (row) => row.trace_id,
      ({ oldest_first: _, ...question }, call) => host.rpc('live_traces', { ...question, limit: 100 }, call),
    )
    this.logs = new CloudList(
      host,
      'cloudwatch',
      (row) => row.id,
      (question, call) => host.rpc('live_logs', { ...question, limit: 200 }, call),
    )
    this.errors = new CloudList(
      host,
      'rollbar',
      (row) => row.id,
      ({ oldest_first: _, ...question }, call) => host.rpc('live_errors', { ...question, limit: 50 }, call),
    )
    this.errors.filter = 'status:active'
    this.errors.since = '7d'
  }

  get lists() {
    return [this.traces, this.logs, this.errors]
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
