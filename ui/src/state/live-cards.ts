import { isolateHistory } from '@codemirror/commands'
import type { LiveCardView, LiveLook } from '../bindings'
import type { LiveDoor } from '../editor/live'
import { marks, type PlacedReference } from '../editor/markup'
import type { Host } from '../host/host'
import { insertReference, settle } from './capture'
import type { Pin, Session } from './session.svelte'
import type { Toasts } from './toasts.svelte'

/** What live cards ask of the window. */
interface Window {
  host: Host
  toasts: Toasts
  /** Shows a card's question. */
  edit(id: string): void
  /** Something was frozen. */
  frozen(): void
}

/** A freezing that goes on. */
interface Freezing {
  session: Session
  pin: Pin
  done: Promise<void>
}

/** The live cards of all open entries: who looks is told of answers, and an answer becomes evidence. */
export class LiveCards {
  #window: Window
  #watchers = new Map<string, Set<() => void>>()
  #freezing = new Set<Freezing>()

  constructor(window: Window) {
    this.#window = window
  }

  /** What the cards of one text can ask. */
  door(session: () => Session): LiveDoor {
    return {
      look: (id, now) => this.look(id, now),
      watch: (id, told) => this.watch(id, told),
      freeze: (reference, askedAt) => this.freeze(session(), reference, askedAt),
      edit: (id) => this.#window.edit(id),
    }
  }

  look(id: string, now = false): Promise<LiveLook> {
    return this.#window.host.rpc('live_card_look', { id, now })
  }

  watch(id: string, told: () => void): () => void {
    const watchers = this.#watchers.get(id) ?? new Set()
    this.#watchers.set(id, watchers.add(told))
    return () => {
      watchers.delete(told)
      if (watchers.size === 0 && this.#watchers.get(id) === watchers) this.#watchers.delete(id)
    }
  }

  /** A card was answered or changed; without an id all of them may have been. */
  hear(id: string) {
    for (const [known, watchers] of this.#watchers)
      if (known === id || id === '') for (const told of [...watchers]) told()
  }

  /** Puts a live card into an entry as one undo step. */
  async place(session: Session, card: LiveCardView) {
    const undo = insertReference(session, card.reference)
    await settle(this.#window.host, this.#window.toasts, session, card.reference, {
      said: 'Live card added to',
      hint: card.warnings.join('. '),
      undo,
    })
  }

  /** Makes evidence of the answer that is shown: its reference takes the live one's place, as one undo step. */
  freeze(session: Session, reference: PlacedReference, askedAt: string | null): Promise<void> {
    // A card that was drawn anew meanwhile does not know that it is being frozen.
    const same = [...this.#freezing].find(
      (other) => other.session === session && other.pin.place?.from === reference.from,
    )
    if (same) return same.done
    // Before anything is waited for: the text may change under every wait.
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
    const { host, toasts } = this.#window
    try {
      await session.autosave.flush()
      // A revision before a capture is a comfort: the capture itself must not wait for it.
      await session.cut('capture').catch((cause: unknown) => toasts.fail(cause, 'Could not save a revision'))
      const captured = await host.rpc('live_card_freeze', {
        id: reference.id,
        asked_at: askedAt ?? undefined,
        alt: reference.alt,
        caption: reference.caption || undefined,
        size: reference.size,
      })
      this.#window.frozen()
      const hint = captured.warnings.join('. ')
      const at = pin.place
      // The place may be written over with something else, and another reference to the card is not the one that was clicked.
      const place = session.state
        .field(marks)
        .live.find((other) => other.id === reference.id && other.from === at?.from && other.to === at.to)
      if (!place) {
        toasts.say(`Frozen: ${captured.title}`, {
          hint: `The live card is no longer in the text: insert the evidence from the Evidence tab. ${hint}`,
        })
        return
      }
      const undo = replaceReference(session, place, captured.reference)
      await settle(host, toasts, session, captured.reference, { said: 'Frozen into', hint, undo })
    } catch (cause) {
      toasts.fail(cause, 'Could not freeze the live card')
    }
  }
}

/** Writes one reference in another's place, and returns what takes that back. */
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
