import { StateEffect, StateField, type ChangeDesc, type EditorState } from '@codemirror/state'
import type { Markup, Reference, Slot } from '../bindings'

export interface Placed {
  from: number
  to: number
}
export type PlacedReference = Reference & Placed
export type PlacedSlot = Slot & Placed

/** References and slots as Rust parsed them, mapped through every change until it parses again. */
export interface Marks {
  references: readonly PlacedReference[]
  /** References to live cards. */
  live: readonly PlacedReference[]
  slots: readonly PlacedSlot[]
  /** The slot that captures go into. */
  target: PlacedSlot | null
}

/** Rust's answer for a text, and the changes since that text, if there are any. */
export const setMarkup = StateEffect.define<{ markup: Markup; since?: ChangeDesc }>()
export const setTarget = StateEffect.define<PlacedSlot | null>()

export const marks = StateField.define<Marks>({
  create: () => ({ references: [], live: [], slots: [], target: null }),
  update(value, tr) {
    let next = value
    if (tr.docChanged) {
      next = {
        references: move(next.references, tr.changes),
        live: move(next.live, tr.changes),
        slots: move(next.slots, tr.changes),
        target: next.target && (move([next.target], tr.changes)[0] ?? null),
      }
    }
    for (const effect of tr.effects) {
      if (effect.is(setMarkup)) {
        const { markup, since } = effect.value
        const references = place(markup.references, since, tr.state.doc.length)
        const live = place(markup.live, since, tr.state.doc.length)
        const slots = place(markup.slots, since, tr.state.doc.length)
        const old = next.target
        next = {
          references,
          live,
          slots,
          target: old && (slots.find((slot) => slot.from < old.to && slot.to > old.from) ?? null),
        }
      } else if (effect.is(setTarget)) {
        next = { ...next, target: effect.value }
      }
    }
    return next
  },
})

function place<T extends { place: { start: number; end: number } }>(
  found: readonly T[],
  since: ChangeDesc | undefined,
  length: number,
): (T & Placed)[] {
  const placed = found.map((item) => ({ ...item, from: item.place.start, to: item.place.end }))
  const moved = since && !since.empty ? move(placed, since) : placed
  return moved.filter((item) => item.from < item.to && item.to <= length)
}

function move<T extends Placed>(items: readonly T[], changes: ChangeDesc): T[] {
  const moved: T[] = []
  for (const item of items) {
    // A change inside may have made it something else: it shows as text until Rust has parsed it again.
    if (item.to - item.from > 2 && changes.touchesRange(item.from + 1, item.to - 1)) continue
    const now = after(item, changes)
    if (now) moved.push(now.from === item.from && now.to === item.to ? item : { ...item, ...now })
  }
  return moved
}

/** A range mapped through changes; null if nothing is left of it. */
export function after(place: Placed, changes: ChangeDesc): Placed | null {
  const from = changes.mapPos(place.from, 1)
  const to = changes.mapPos(place.to, -1)
  return from < to ? { from, to } : null
}

/** Whether the selection overlaps a range: there, the text is shown instead of the card. */
export function inside(state: EditorState, range: Placed): boolean {
  return state.selection.ranges.some((selected) => selected.from < range.to && selected.to > range.from)
}

/** As `inside`, including the edges: for cards on their own lines. */
export function touched(state: EditorState, range: Placed): boolean {
  return state.selection.ranges.some((selected) => selected.from <= range.to && selected.to >= range.from)
}
