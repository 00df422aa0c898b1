import type { AttachmentRow } from '../bindings'
import { Failure, type Host } from '../host/host'
import { below } from '../lib/link'
import { Throttle } from '../lib/throttle'

/** The pictures of the journal: which one a text shows, and the bin. They are read when they are first needed. */
export class Pictures {
  rows = $state.raw<readonly AttachmentRow[]>([])
  failure = $state.raw<Failure | null>(null)
  loaded = $state(false)
  #host: Host
  #throttle: Throttle
  #wanted = false
  #listeners = new Set<() => void>()
  /** Attachments by entry and link, and by link alone. */
  #places = new Map<string, string>()

  constructor(host: Host) {
    this.#host = host
    this.#throttle = new Throttle(300, () => this.#load())
  }

  /**
   * What `Host.show` draws for a picture's target in an entry (an id); undefined for one that is no attachment, or
   * before the list is loaded. `changed` says when the answer may be another.
   */
  resolve(entry: string, destination: string): string | undefined {
    this.want()
    const link = below(destination)
    if (link === null) return undefined
    const id = this.#places.get(`${entry} ${link}`) ?? this.#places.get(link)
    return id && `attachment/${id}`
  }

  /** Calls a listener after every change of the list until the returned function is called. */
  changed(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Loads the list once. */
  want() {
    if (this.#wanted) return
    this.#wanted = true
    this.#throttle.request()
  }

  /** Loads the list again if it was needed before. */
  refresh() {
    if (this.#wanted) this.#throttle.request()
  }

  /** Knows a picture that was just added, before the list is loaded again. */
  know(row: AttachmentRow) {
    this.#add(row)
    this.#tell()
    this.refresh()
  }

  stop() {
    this.#throttle.stop()
  }

  async #load() {
    try {
      this.rows = await this.#host.rpc('attachment_list', {})
      this.failure = null
      this.#places.clear()
      // Newest last, so that it decides about a link that several entries have.
      for (const row of [...this.rows].reverse()) this.#add(row)
    } catch (cause) {
      this.failure = Failure.from(cause)
    }
    this.loaded = true
    this.#tell()
  }

  #add(row: AttachmentRow) {
    for (const { entry, link } of row.places) {
      this.#places.set(`${entry} ${link}`, row.id)
      this.#places.set(link, row.id)
    }
  }

  #tell() {
    for (const listener of this.#listeners) listener()
  }
}
