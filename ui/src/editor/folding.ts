import {
  codeFolding,
  foldable,
  foldAll,
  foldCode,
  foldedRanges,
  foldEffect,
  foldService,
  syntaxTree,
  unfoldAll,
  unfoldCode,
  unfoldEffect,
} from '@codemirror/language'
import type { EditorState, Extension, Line, Range } from '@codemirror/state'
import type { EditorView } from '@codemirror/view'
import { Decoration, keymap, ViewPlugin, type DecorationSet, type ViewUpdate } from '@codemirror/view'
import { IterMode } from '@lezer/common'
import type { Span } from './preview/sheet'
import { sameParse, sameVisible } from './preview/unchanged'
import { TextButton } from './preview/widgets'

/** Lines within which `<details>` has to end to be folded. */
const MOST = 2000

/** From a summary to the end of its `<details>`. */
const details = foldService.of((state, from, to) => {
  if (!/^\s*<details\b/i.test(state.sliceDoc(from, to))) return null
  let depth = 0
  const first = state.doc.lineAt(from)
  const last = Math.min(state.doc.lines, first.number + MOST)
  for (let number = first.number; number <= last; number++) {
    const { text, to: end } = state.doc.line(number)
    depth += (text.match(/<details\b/gi)?.length ?? 0) - (text.match(/<\/details>/gi)?.length ?? 0)
    if (depth > 0) continue
    const start = summaryEnd(state, first)
    return end > start ? { from: start, to: end } : null
  }
  return null
})

/** The end of the line with the summary, which stays visible. */
function summaryEnd(state: EditorState, first: Line): number {
  const next = first.number < state.doc.lines ? state.doc.line(first.number + 1) : null
  return !/<summary/i.test(first.text) && next && /<summary/i.test(next.text) ? next.to : first.to
}

/** What a fold in the text stands for. */
function placeholder(view: EditorView, onclick: (event: Event) => void, lines: number | null) {
  const button = document.createElement('span')
  button.className = 'cm-foldPlaceholder'
  button.textContent = lines === null ? '…' : `… ${lines} ${lines === 1 ? 'line' : 'lines'}`
  button.title = 'Unfold'
  button.setAttribute('role', 'button')
  button.setAttribute('aria-label', 'folded text')
  button.onclick = onclick
  return button
}

function foldedAt(state: EditorState, line: Line) {
  let found: { from: number; to: number } | null = null
  foldedRanges(state).between(line.from, line.to, (from, to) => {
    if (from >= line.from && from <= line.to) found = { from, to }
  })
  return found as { from: number; to: number } | null
}

function toggleAt(view: EditorView, pos: number) {
  const line = view.state.doc.lineAt(pos)
  const folded = foldedAt(view.state, line)
  if (folded) return view.dispatch({ effects: unfoldEffect.of(folded) })
  const range = foldable(view.state, line.from, line.to)
  if (range) view.dispatch({ effects: foldEffect.of(range) })
}

function buttons(view: EditorView): DecorationSet {
  const { state } = view
  const found: Range<Decoration>[] = []
  const offer = (pos: number) => {
    const line = state.doc.lineAt(pos)
    if (found.some((one) => one.from === line.from)) return
    const closed = foldedAt(state, line) !== null
    const widget = new TextButton(
      '',
      closed ? 'Unfold (Ctrl+Shift+])' : 'Fold (Ctrl+Shift+[)',
      closed ? 'md-fold md-fold-closed' : 'md-fold',
      toggleAt,
    )
    found.push(Decoration.widget({ widget, side: -1 }).range(line.from))
  }
  for (const { from, to } of view.visibleRanges) {
    syntaxTree(state).iterate({
      from,
      to,
      mode: IterMode.IgnoreMounts | IterMode.IgnoreOverlays,
      enter(node) {
        const heading = node.name.startsWith('ATXHeading') || node.name.startsWith('SetextHeading')
        if (heading && node.node.nextSibling && node.from >= from) offer(node.from)
        if (node.name === 'HTMLBlock' && /^\s*<details/i.test(state.sliceDoc(node.from, node.from + 12)))
          offer(node.from)
        if (node.name === 'ListItem' && node.from >= from) {
          const inner = node.node.getChild('BulletList') ?? node.node.getChild('OrderedList')
          if (inner) offer(node.from)
        }
      },
    })
  }
  return Decoration.set(found, true)
}

/** Whether a change can begin or end what folds: not while a line of text is being typed. */
function structural({ startState, state, changes }: ViewUpdate): boolean {
  if (startState.doc.lines !== state.doc.lines) return true
  let found = false
  changes.iterChangedRanges((fromA, _toA, fromB) => {
    const marks = /^\s*(?:[#<>*+-]|\d)/
    found ||= marks.test(startState.doc.lineAt(fromA).text) || marks.test(state.doc.lineAt(fromB).text)
  })
  return found
}

const foldButtons = ViewPlugin.fromClass(
  class {
    drawn: DecorationSet
    #visible: readonly Span[]
    constructor(view: EditorView) {
      this.#visible = view.visibleRanges
      this.drawn = buttons(view)
    }
    update(update: ViewUpdate) {
      const { state, startState, view } = update
      const seen = this.#visible
      this.#visible = view.visibleRanges
      const moved = !sameVisible(seen, update.changes, this.#visible)
      const folded = foldedRanges(state) !== foldedRanges(startState)
      const typed = update.docChanged && !moved && !folded && !structural(update)
      if (typed) this.drawn = this.drawn.map(update.changes)
      else if (
        folded ||
        moved ||
        update.docChanged ||
        !seen.every((part) => sameParse(startState, state, part))
      )
        this.drawn = buttons(view)
    }
  },
  { decorations: (plugin) => plugin.drawn },
)

/** Folding of sections, lists, code and `<details>`. */
export const folding: Extension = [
  details,
  codeFolding({
    preparePlaceholder: (state, { from, to }) => state.doc.lineAt(to).number - state.doc.lineAt(from).number,
    placeholderDOM: placeholder,
  }),
  foldButtons,
  keymap.of([
    { key: 'Ctrl-Shift-[', mac: 'Cmd-Alt-[', run: foldCode },
    { key: 'Ctrl-Shift-]', mac: 'Cmd-Alt-]', run: unfoldCode },
    { key: 'Ctrl-Alt-[', run: foldAll },
    { key: 'Ctrl-Alt-]', run: unfoldAll },
  ]),
]
