import { syntaxTree } from '@codemirror/language'
import { Prec, RangeSet, StateEffect, type EditorState, type Extension } from '@codemirror/state'
import { Decoration, EditorView, ViewPlugin, type DecorationSet, type ViewUpdate } from '@codemirror/view'
import { IterMode, type SyntaxNodeRef } from '@lezer/common'
import { pictureResolver, picturesChanged } from '../pictures'
import * as block from './block'
import { frontMatterEnd } from './frontmatter'
import * as html from './html'
import * as inline from './inline'
import { cursorLines, Sheet, type Span } from './sheet'
import { table, tableTexts } from './table'

type Handler = (sheet: Sheet, node: SyntaxNodeRef) => unknown

const handlers: Record<string, Handler> = {
  HeaderMark: block.headingMark,
  Blockquote: block.quote,
  QuoteMark: block.quoteMark,
  HorizontalRule: block.rule,
  FencedCode: block.fencedCode,
  CodeBlock: block.indentedCode,
  ListMark: block.listMark,
  TaskMarker: block.taskMarker,
  EmphasisMark: inline.inlineMark,
  StrikethroughMark: inline.inlineMark,
  CodeMark: inline.inlineMark,
  InlineCode: inline.inlineCode,
  Escape: inline.escape,
  Link: inline.link,
  Autolink: inline.autolink,
  URL: inline.bareAddress,
  Image: inline.image,
  Footnote: inline.footnote,
  LinkReference: inline.linkReference,
  HTMLTag: html.htmlTag,
  HTMLBlock: html.htmlBlock,
  Comment: html.comment,
  CommentBlock: html.comment,
  Table: table,
}
for (let level = 1; level <= 6; level++) handlers[`ATXHeading${level}`] = block.heading
for (let level = 1; level <= 2; level++) handlers[`SetextHeading${level}`] = block.heading

/** How the visible part of a text is drawn. */
export function drawn(state: EditorState, visible: readonly Span[], open: readonly Span[]) {
  const found = []
  const cells = []
  const atomic = []
  const front = frontMatterEnd(state.doc)
  for (const { from, to } of visible) {
    const sheet = new Sheet(state, from, to, open)
    sheet.definitions = (label) => definitionOf(state, label)
    if (front > 0 && from <= front) {
      for (const line of sheet.lines({ from: 0, to: front })) sheet.line(line.from, 'md-front')
    }
    walk(sheet, Math.max(from, front))
    found.push(...sheet.ranges())
    cells.push(...sheet.cells)
    atomic.push(...sheet.atomic)
  }
  return {
    inner: Decoration.set(found, true),
    cells: Decoration.set(cells, true),
    atomic: Decoration.set(atomic, true),
  }
}

function walk(sheet: Sheet, from: number) {
  let depth = 0
  syntaxTree(sheet.state).iterate({
    from,
    to: sheet.to,
    mode: IterMode.IgnoreMounts | IterMode.IgnoreOverlays,
    enter(node) {
      // What is parsed of front matter is no heading and no rule.
      if (node.to <= from && from > sheet.from) return
      if (node.name === 'ListItem') block.listItem(sheet, node, ++depth)
      else handlers[node.name]?.(sheet, node)
    },
    leave(node) {
      if (node.name === 'ListItem') depth--
    },
  })
}

/** The target of `[label]: target`, by a search: there are few of these. */
function definitionOf(state: EditorState, label: string): string | null {
  const wanted = fold(label)
  const known = definitions.get(state.doc) ?? readDefinitions(state)
  return known.get(wanted) ?? null
}

const fold = (label: string) => label.replace(/\s+/g, ' ').toLowerCase()
const definitions = new WeakMap<object, Map<string, string>>()

function readDefinitions(state: EditorState): Map<string, string> {
  const found = new Map<string, string>()
  for (let lines = state.doc.iterLines(); !lines.next().done; ) {
    const match = lines.value.startsWith('[') && /^\[([^\]^][^\]]*)\]:\s*(\S+)/.exec(lines.value)
    if (match) found.set(fold(match[1] ?? ''), match[2] ?? '')
  }
  definitions.set(state.doc, found)
  return found
}

const same = (a: readonly Span[], b: readonly Span[]) =>
  a.length === b.length && a.every((one, i) => one.from === b[i]?.from && one.to === b[i]?.to)

/** The pointer was released: marks of the cursor's line may now be shown. */
const released = StateEffect.define<null>()

class Preview {
  inner: DecorationSet = Decoration.none
  cells: DecorationSet = Decoration.none
  atomic: DecorationSet = Decoration.none
  /** While the pointer is down nothing is shown or hidden, so that no text moves under it. */
  held = false
  #open: readonly Span[] = []
  readonly #up: () => void

  constructor(readonly view: EditorView) {
    this.#up = () => {
      if (!this.held) return
      this.held = false
      view.dispatch({ effects: released.of(null) })
    }
    document.addEventListener('pointerup', this.#up)
    document.addEventListener('pointercancel', this.#up)
    this.#draw(view)
  }

  update(update: ViewUpdate) {
    const { state, startState } = update
    const changed =
      update.docChanged ||
      update.viewportChanged ||
      syntaxTree(state) !== syntaxTree(startState) ||
      state.facet(pictureResolver) !== startState.facet(pictureResolver) ||
      state.field(tableTexts, false) !== startState.field(tableTexts, false) ||
      update.transactions.some((tr) => tr.effects.some((effect) => effect.is(picturesChanged)))
    if (!changed && !update.selectionSet && !update.focusChanged && !update.transactions.length) return
    if (!changed && same(this.#open, this.#lines(update.view)) && !this.#inTable(update)) return
    this.#draw(update.view, update)
  }

  destroy() {
    document.removeEventListener('pointerup', this.#up)
    document.removeEventListener('pointercancel', this.#up)
  }

  /** Which marks are shown depends on the cell. */
  #inTable(update: ViewUpdate) {
    return update.selectionSet && this.cells.size > 0
  }

  #lines(view: EditorView): readonly Span[] {
    if (this.held) return this.#open
    return view.hasFocus ? cursorLines(view.state) : []
  }

  #draw(view: EditorView, update?: ViewUpdate) {
    if (this.held && update?.docChanged)
      this.#open = this.#open.map(({ from, to }) => ({
        from: update.changes.mapPos(from, -1),
        to: update.changes.mapPos(to, 1),
      }))
    this.#open = this.#lines(view)
    const { inner, cells, atomic } = drawn(view.state, view.visibleRanges, this.#open)
    this.inner = inner
    this.cells = cells
    this.atomic = atomic
  }
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
      EditorView.decorations.of((view) => view.plugin(plugin)?.inner ?? Decoration.none),
      Prec.highest(EditorView.decorations.of((view) => view.plugin(plugin)?.cells ?? Decoration.none)),
      EditorView.atomicRanges.of((view) => view.plugin(plugin)?.atomic ?? RangeSet.empty),
    ],
  }),
]
