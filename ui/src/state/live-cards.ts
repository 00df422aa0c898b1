import { isolateHistory } from '@codemirror/commands'
import type { LiveCardView, LiveLook } from '../bindings'
import type { LiveCardActions } from '../editor/live'
import { marks, type PlacedReference } from '../editor/markup'
import type { Host } from '../host/host'
import { confirmStored, insertReference } from './capture'
import type { Pin, Session } from './session.svelte'
import type { Toasts } from './toasts.svelte'

/** What live cards need from the workspace. */
interface Context {
  host: Host
  toasts: Toasts
  /** Opens a card's settings. */
  edit(id: string): void
  /** Called after a card was frozen. */
  frozen(): void
}

/** A freeze in progress. */
interface Freezing {
  session: Session
  pin: Pin
  done: Promise<void>
}

/** The live cards of all open entries: notifies them of new results, and freezes a result into evidence. */
export class LiveCards {
  #context: Context
  #watchers = new Map<string, Set<() => void>>()
  #freezing = new Set<Freezing>()

  constructor(context: Context) {
    this.#context = context
  }

  /** What the cards of one text can do. */
  actions(session: () => Session): LiveCardActions {
    return {
      look: (id, now) => this.look(id, now),
      watch: (id, callback) => this.watch(id, callback),
      freeze: (reference, askedAt) => this.freeze(session(), reference, askedAt),
      edit: (id) => this.#context.edit(id),
    }
  }

  look(id: string, now = false): Promise<LiveLook> {
    return this.#context.host.rpc('live_card_look', { id, now })
  }

  watch(id: string, callback: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set()
    this.#watchers.set(id, watchers.add(callback))
    return () => {
      watchers.delete(callback)
      if (watchers.size === 0 && this.#watchers.get(id) === watchers) this.#watchers.delete(id)
    }
  }

  /** Notifies the watchers of a card that has a new result or was changed; an empty id means every card. */
  notify(id: string) {
    for (const [known, watchers] of this.#watchers)
      if (known === id || id === '') for (const callback of [...watchers]) callback()
  }

  /** Inserts a live card into an entry as one undo step. */
  async place(session: Session, card: LiveCardView) {
    const undo = await insertReference(this.#context.host, session, card.reference)
    await confirmStored(this.#context.host, this.#context.toasts, session, card.reference, {
      done: 'Live card added to',
      hint: card.warnings.join('. '),
      undo,
    })
  }

  /** Makes evidence of the result that is shown, and replaces the live card's reference, as one undo step. */
  freeze(session: Session, reference: PlacedReference, askedAt: string | null): Promise<void> {
    // The card may have been redrawn since the freeze began, and would start a second one.
    const same = [...this.#freezing].find(
      (other) => other.session === session && other.pin.place?.from === reference.from,
    )
    if (same) return same.done
    // Pinned before the first await: the text may change during each.
    const pin = session.pin(reference)
    const done = this.#freeze(session, reference, askedAt, pin).finally(() => {
      pin.release()
      this.#freezing.delete(freezing)
    })
    const freezing = { session, pin, done }
    this.#freezing.add(freezing)
    return done
  }

  async #freeze(session: Session, reference: PlacedReference, askedAt: string | null, pin: Pin) {
    const { host, toasts } = this.#context
    try {
      await session.autosave.flush()
      // The freeze does not depend on the revision before it.
      await session.cut('capture').catch((cause: unknown) => toasts.fail(cause, 'Could not save a revision'))
      const captured = await host.rpc('live_card_freeze', {
        id: reference.id,
        asked_at: askedAt ?? undefined,
        alt: reference.alt,
        caption: reference.caption || undefined,
        size: reference.size,
      })
      this.#context.frozen()
      const hint = captured.warnings.join('. ')
      const at = pin.place
      // The range may hold something else by now, and another reference to the card is not the one that was clicked.
      const place = session.state
        .field(marks)
        .live.find((other) => other.id === reference.id && other.from === at?.from && other.to === at.to)
      if (!place) {
        toasts.show(`Frozen: ${captured.title}`, {
          hint: `The live card is no longer in the text: insert the evidence from the Evidence tab. ${hint}`,
        })
        return
      }
      const undo = replaceReference(session, place, captured.reference)
      await confirmStored(host, toasts, session, captured.reference, { done: 'Frozen into', hint, undo })
    } catch (cause) {
      toasts.fail(cause, 'Could not freeze the live card')
    }
  }
}

/** Replaces a reference, and returns the undo. */
function replaceReference(session: Session, place: PlacedReference, reference: string): () => void {
  const before = session.state
  const replaced = before.sliceDoc(place.from, place.to)
  session.dispatch({
    changes: { from: place.from, to: place.to, insert: reference },
    annotations: isolateHistory.of('full'),
    userEvent: 'capture',
  })
  const after = session.text
  return () => {
    const now = session.text
    if (now === after) return session.replace(before.sliceDoc())
    const at = now.indexOf(reference)
    if (at >= 0) session.dispatch({ changes: { from: at, to: at + reference.length, insert: replaced } })
  }
}
