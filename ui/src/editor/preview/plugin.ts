import { syntaxTree } from '@codemirror/language'
import { Prec, RangeSet, StateEffect, type Extension } from '@codemirror/state'
import { Decoration, EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view'
import { pictureResolver, picturesChanged } from '../pictures'
import { drawn, type Drawn } from './drawn'
import { patched } from './patch'
import { cursorLines, type Span } from './sheet'
import { tableTexts } from './table'
import { sameParse, sameVisible } from './unchanged'

const same = (a: readonly Span[], b: readonly Span[]) =>
  a.length === b.length && a.every((one, i) => one.from === b[i]?.from && one.to === b[i]?.to)

/** The pointer was released: marks of the cursor's line may now be shown. */
const released = StateEffect.define<null>()

class Preview {
  drawn: Drawn
  /** While the pointer is down nothing is shown or hidden, so that no text moves under it. */
  held = false
  #open: readonly Span[]
  #visible: readonly Span[]
  #gone = false
  readonly #up: () => void

  constructor(readonly view: EditorView) {
    this.#up = () => {
      if (!this.held) return
      // After CodeMirror has seen to the same event, with the text where it was.
      setTimeout(() => {
        this.held = false
        if (!this.#gone) view.dispatch({ effects: released.of(null) })
      })
    }
    document.addEventListener('pointerup', this.#up)
    document.addEventListener('pointercancel', this.#up)
    this.#open = view.hasFocus ? cursorLines(view.state) : []
    this.#visible = view.visibleRanges
    this.drawn = drawn(view.state, this.#visible, this.#open)
  }

  update(update: ViewUpdate) {
    const { state, startState, view } = update
    const before = this.#open
    const moved = update.docChanged ? before.map((line) => mapped(line, update)) : before
    this.#open = this.held ? moved : view.hasFocus ? cursorLines(state) : []
    const seen = this.#visible
    this.#visible = view.visibleRanges
    const other =
      !sameVisible(seen, update.changes, this.#visible) ||
      state.facet(pictureResolver) !== startState.facet(pictureResolver) ||
      state.field(tableTexts, false) !== startState.field(tableTexts, false) ||
      !same(this.#open, moved) ||
      update.transactions.some((tr) => tr.effects.some((effect) => effect.is(picturesChanged)))
    const parsed =
      syntaxTree(state) !== syntaxTree(startState) &&
      (update.docChanged || !seen.every((part) => sameParse(startState, state, part)))
    if (!other && !parsed && !update.docChanged) {
      // Which marks are shown depends on the cell that the cursor is in.
      if (!update.selectionSet || this.drawn.cells.size === 0) return
    }
    const [visible] = this.#visible
    const one = !other && update.docChanged && visible && this.#visible.length === 1
    const patch = one ? patched(this.drawn, update, visible, this.#open) : null
    this.drawn = patch ?? drawn(state, this.#visible, this.#open)
  }

  destroy() {
    this.#gone = true
    document.removeEventListener('pointerup', this.#up)
    document.removeEventListener('pointercancel', this.#up)
  }
}

function mapped({ from, to }: Span, { changes }: ViewUpdate): Span {
  return { from: changes.mapPos(from, -1), to: changes.mapPos(to, 1) }
}

/** Draws Markdown in the editor as it will be read. Marks are shown on the lines of the cursors. */
export const preview: Extension = [
  tableTexts,
  ViewPlugin.fromClass(Preview, {
    eventHandlers: {
      pointerdown(event) {
        if (event.button === 0) this.held = true
      },
    },
    provide: (plugin) => [
      EditorView.decorations.of((view) => view.plugin(plugin)?.drawn.inner ?? Decoration.none),
      // The lowest precedence makes the outermost elements.
      Prec.lowest(EditorView.decorations.of((view) => view.plugin(plugin)?.drawn.cells ?? Decoration.none)),
      EditorView.atomicRanges.of((view) => view.plugin(plugin)?.drawn.atomic ?? RangeSet.empty),
    ],
  }),
]
