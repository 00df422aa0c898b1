import { invertedEffects, isolateHistory } from '@codemirror/commands'
import { ensureSyntaxTree } from '@codemirror/language'
import { Prec, StateEffect, StateField, type EditorState, type Extension, type Line } from '@codemirror/state'
import { EditorView, keymap, ViewPlugin, type Command } from '@codemirror/view'
import { after, marks, type Placed, type PlacedReference } from './markup'

/** What keys do with a selected card outside the editor. */
export interface PickActions {
  open(id: string): void
  openLive(id: string): void
}

const pick = StateEffect.define<Placed | null>({
  map: (value, changes) => value && after(value, changes),
})

/** The reference whose card is selected: keys act on the card, and its text stays hidden. */
export const picked: StateField<Placed | null> = StateField.define<Placed | null>({
  create: () => null,
  update(value, tr) {
    let next = value
    if (next && tr.docChanged) {
      const inside = tr.changes.touchesRange(next.from + 1, next.to - 1)
      next = inside ? null : after(next, tr.changes)
    }
    for (const effect of tr.effects) if (effect.is(pick)) return effect.value
    if (!tr.selection) return next
    const { main } = tr.selection
    if (!tr.isUserEvent('select') || !main.empty || tr.selection.ranges.length > 1) return null
    if (next && main.head === next.from) return next
    return tr.docChanged ? null : entered(tr.startState, main.head)
  },
  provide: (field) => [
    EditorView.editorAttributes.compute([field], (state) =>
      state.field(field) ? { class: 'card-is-picked' } : { class: '' },
    ),
  ],
})

/** A removed card is selected again when its removal is undone. */
const pickAgain = invertedEffects.of((tr) =>
  tr.isUserEvent('delete.card') ? [pick.of(tr.startState.field(picked))] : [],
)

/** The card that a cursor has just come to, unless its text is shown already. */
function entered(state: EditorState, head: number): Placed | null {
  const reference = all(state).find((one) => {
    if (!one.alone) return false
    const line = state.doc.lineAt(one.from)
    return head >= line.from && head <= Math.max(line.to, one.to)
  })
  if (!reference) return null
  const line = state.doc.lineAt(reference.from)
  const shown = state.selection.ranges.some(({ head: old }) => old >= line.from && old <= line.to)
  return shown && state.field(picked)?.from !== reference.from ? null : place(reference)
}

const place = ({ from, to }: Placed): Placed => ({ from, to })

function all(state: EditorState): PlacedReference[] {
  const { references, live } = state.field(marks)
  return [...references, ...live]
}

/** The reference of the selected card. */
export function pickedReference(state: EditorState): PlacedReference | null {
  const at = state.field(picked)
  return (at && all(state).find((one) => one.from === at.from)) ?? null
}

/**
 * The card that begins the text, if the cursor stands before it: there is no text to show the cursor in, so the card
 * stays drawn, and what is typed goes above it.
 */
export function beforeFirst(state: EditorState): PlacedReference | null {
  const { main, ranges } = state.selection
  if (ranges.length > 1 || !main.empty || state.field(picked)) return null
  const { to } = state.doc.line(1)
  if (main.head > to) return null
  const first = all(state).find((one) => one.alone && one.from <= to && ownLines(state, one))
  return first && main.head <= first.from ? first : null
}

/** Where the text of a reference shows when the cursor is there. */
export const insideOf = ({ from }: Placed) => from + 2

function choose(view: EditorView, reference: PlacedReference) {
  const name = reference.alt || reference.caption || 'Evidence'
  view.dispatch({
    selection: { anchor: reference.from },
    effects: [
      pick.of(place(reference)),
      EditorView.announce.of(`${name}, selected. Enter opens it, Delete removes it, Alt and arrows move it.`),
    ],
    userEvent: 'select.card',
  })
  view.focus()
}

/** The lines that a reference has to itself; null if it stands among other text. */
function ownLines(state: EditorState, { from, to }: Placed): { first: Line; last: Line } | null {
  const first = state.doc.lineAt(from)
  const last = state.doc.lineAt(to)
  const alone = state.sliceDoc(first.from, from).trim() === '' && state.sliceDoc(to, last.to).trim() === ''
  return alone ? { first, last } : null
}

const blank = (line: Line) => line.text.trim() === ''

const remove: Command = (view) => {
  const { state } = view
  const reference = pickedReference(state)
  if (!reference || state.readOnly) return false
  const lines = ownLines(state, reference)
  let { from, to } = reference as Placed
  if (lines) {
    // With the blank lines below it, so that the paragraphs around are as far apart as others are.
    from = lines.first.from
    let number = lines.last.number + 1
    while (number <= state.doc.lines && blank(state.doc.line(number)) && number < state.doc.lines) number++
    to = number <= state.doc.lines ? state.doc.line(number).from : lines.last.to
  }
  view.dispatch({
    changes: { from, to },
    selection: { anchor: from },
    effects: [pick.of(null), EditorView.announce.of('Removed from the text')],
    annotations: isolateHistory.of('full'),
    scrollIntoView: true,
    userEvent: 'delete.card',
  })
  return true
}

/** Leaves a card. At an end of the text, a line is made there to write on. */
function leave(by: 1 | -1): Command {
  return (view) => {
    const { state } = view
    const reference = pickedReference(state) ?? (by < 0 ? beforeFirst(state) : null)
    if (!reference) return false
    const lines = ownLines(state, reference)
    if (!lines) {
      view.dispatch({
        selection: { anchor: by > 0 ? reference.to : reference.from },
        effects: pick.of(null),
        userEvent: 'select',
      })
      return true
    }
    const { first, last } = lines
    const atEnd = by > 0 ? last.number === state.doc.lines : first.number === 1
    if (!atEnd) {
      const end = by > 0 ? last.to + 1 : first.from - 1
      // Before the "\r" of a line break.
      const head = by < 0 && state.sliceDoc(end - 1, end) === '\r' ? end - 1 : end
      view.dispatch({
        selection: { anchor: head },
        effects: pick.of(entered(state, head)),
        scrollIntoView: true,
      })
      return true
    }
    if (state.readOnly) return true
    const line = state.lineBreak
    view.dispatch({
      changes: { from: by > 0 ? last.to : first.from, insert: line + line },
      selection: { anchor: by > 0 ? last.to + 2 * line.length : first.from },
      effects: pick.of(null),
      scrollIntoView: true,
      userEvent: 'input',
    })
    return true
  }
}

/** The block of the text above or below a line: its own lines, without the blank ones between. */
function neighbour(view: EditorView, lines: { first: Line; last: Line }, by: 1 | -1): Placed | null {
  const { state } = view
  const { doc } = state
  let number = by > 0 ? lines.last.number + 1 : lines.first.number - 1
  while (number >= 1 && number <= doc.lines && blank(doc.line(number))) number += by
  if (number < 1 || number > doc.lines) return null
  const line = doc.line(number)
  const tree = ensureSyntaxTree(state, Math.min(doc.length, line.to + 10_000), 50)
  const block = tree?.resolveInner(by > 0 ? line.from : line.to, by > 0 ? 1 : -1)
  let node = block ?? null
  while (node?.parent && node.parent.name !== 'Document') node = node.parent
  if (!node || node.name === 'Document') return { from: line.from, to: line.to }
  return { from: doc.lineAt(node.from).from, to: doc.lineAt(node.to).to }
}

/** Moves a card past the block above or below. That block is what moves, so that the card stays drawn. */
function move(by: 1 | -1): Command {
  return (view) => {
    const { state } = view
    const reference = pickedReference(state)
    const lines = reference && ownLines(state, reference)
    if (!reference || !lines || state.readOnly) return Boolean(reference)
    const other = neighbour(view, lines, by)
    if (!other) return true
    const text = state.sliceDoc(other.from, other.to)
    const between =
      by > 0 ? state.sliceDoc(lines.last.to, other.from) : state.sliceDoc(other.to, lines.first.from)
    const changes =
      by > 0
        ? [
            { from: lines.first.from, insert: text + between },
            { from: lines.last.to, to: other.to },
          ]
        : [
            { from: other.from, to: lines.first.from },
            { from: lines.last.to, insert: between + text },
          ]
    const set = state.changes(changes)
    const at = after(reference, set)
    view.dispatch({
      changes: set,
      ...(at && { selection: { anchor: at.from }, effects: pick.of(at) }),
      annotations: isolateHistory.of('full'),
      scrollIntoView: true,
      userEvent: 'card.move',
    })
    return true
  }
}

/** Shows the text of the selected card. */
const editText: Command = (view) => {
  const reference = pickedReference(view.state)
  if (!reference) return false
  view.dispatch({ selection: { anchor: insideOf(reference) }, effects: pick.of(null), scrollIntoView: true })
  return true
}

/** Puts the cursor before a card that begins the text if a click is above it. */
function above(view: EditorView, y: number): boolean {
  const { state } = view
  const first = all(state).find((one) => ownLines(state, one)?.first.number === 1)
  const box = first && view.contentDOM.querySelector('.card')
  if (!box || y >= box.getBoundingClientRect().top || view.posAtDOM(box) > first.from) return false
  view.dispatch({ selection: { anchor: first.from }, effects: pick.of(null) })
  return true
}

/** Marks the selected card in the page. Cards are drawn once and keep their elements. */
const ring = ViewPlugin.define((view) => {
  let shown: Element | null = null
  const down = (event: MouseEvent) => {
    if (event.button === 0 && event.target === view.contentDOM && above(view, event.clientY)) {
      event.preventDefault()
      view.focus()
      return
    }
    const box = event.target instanceof Element ? event.target.closest('.card') : null
    if (!box || event.button !== 0 || (event.target as Element).closest('button, a, input')) return
    const pos = view.posAtDOM(box)
    const reference = all(view.state).find((one) => {
      const from = ownLines(view.state, one) ? view.state.doc.lineAt(one.from).from : one.from
      return from === pos
    })
    if (!reference) return
    event.preventDefault()
    choose(view, reference)
  }
  view.contentDOM.addEventListener('mousedown', down)
  const show = () => {
    const reference = pickedReference(view.state)
    let next: Element | null = null
    if (reference) {
      for (const box of view.contentDOM.querySelectorAll('.card')) {
        const pos = view.posAtDOM(box)
        if (pos <= reference.from && reference.from <= view.state.doc.lineAt(pos).to) {
          next = box
          if (pos === reference.from) break
        }
      }
    }
    if (next === shown) return
    shown?.classList.remove('card-picked')
    next?.classList.add('card-picked')
    shown = next
  }
  return {
    docViewUpdate: show,
    // With the same decorations as before, the page stays as it is.
    update(update) {
      if (update.state.field(picked) !== update.startState.field(picked))
        update.view.requestMeasure({ read: () => undefined, write: show })
    },
    destroy: () => view.contentDOM.removeEventListener('mousedown', down),
  }
})

const look = EditorView.theme({
  '&.card-is-picked .cm-cursorLayer': { display: 'none' },
  '.card': { cursor: 'default' },
  '.card-picked': {
    outline: '2px solid var(--accent)',
    outlineOffset: '2px',
    borderRadius: 'var(--radius)',
  },
})

/** Cards as things that can be selected, moved, opened and removed. */
export function picking(actions: PickActions): Extension {
  const open: Command = (view) => {
    const reference = pickedReference(view.state)
    if (!reference) return false
    const isLive = view.state.field(marks).live.includes(reference)
    if (isLive) actions.openLive(reference.id)
    else actions.open(reference.id)
    return true
  }
  const onPicked =
    (run: Command): Command =>
    (view) =>
      pickedReference(view.state) !== null && run(view)
  /** From before the card that begins the text onto it. */
  const onto: Command = (view) => {
    const reference = beforeFirst(view.state)
    if (reference) choose(view, reference)
    return reference !== null
  }
  const nothing: Command = (view) => pickedReference(view.state) !== null
  return [
    picked,
    pickAgain,
    ring,
    look,
    // Browsers would type below the card, since they show no cursor before what is not editable.
    EditorView.domEventHandlers({
      keydown({ key, ctrlKey, metaKey, altKey }, view) {
        const types = key.length === 1 || key === 'Process' || key === 'Unidentified'
        if (types && !ctrlKey && !metaKey && !altKey && beforeFirst(view.state)) leave(-1)(view)
        return false
      },
    }),
    Prec.highest(
      keymap.of([
        { key: 'Delete', run: onto },
        { key: 'ArrowDown', run: onto },
        { key: 'ArrowRight', run: onto },
        { key: 'Delete', run: remove },
        { key: 'Backspace', run: remove },
        { key: 'Enter', run: open },
        { key: 'Enter', run: (view) => beforeFirst(view.state) !== null && leave(-1)(view) },
        { key: 'F2', run: editText },
        { key: 'Alt-Enter', run: editText },
        { key: 'Escape', run: leave(1) },
        { key: 'Tab', run: nothing, shift: nothing },
        { key: 'ArrowUp', run: onPicked(leave(-1)) },
        { key: 'ArrowLeft', run: onPicked(leave(-1)) },
        { key: 'ArrowDown', run: leave(1) },
        { key: 'ArrowRight', run: leave(1) },
        { key: 'Alt-ArrowUp', run: move(-1) },
        { key: 'Alt-ArrowDown', run: move(1) },
      ]),
    ),
  ]
}
