import { syntaxTree } from '@codemirror/language'
import type { EditorState } from '@codemirror/state'
import { Decoration, type DecorationSet } from '@codemirror/view'
import { IterMode, type SyntaxNodeRef } from '@lezer/common'
import * as block from './block'
import { frontMatterEnd } from './frontmatter'
import * as html from './html'
import * as inline from './inline'
import { Sheet, type Span } from './sheet'
import { table } from './table'

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

/** What is drawn of a text. */
export interface Drawn {
  inner: DecorationSet
  /** What contains all others: cells of tables, and markers of list items. */
  cells: DecorationSet
  /** What the cursor passes over as one. */
  atomic: DecorationSet
}

/** How the visible part of a text is drawn. Marks are shown on the open lines. */
export function drawn(state: EditorState, visible: readonly Span[], open: readonly Span[]): Drawn {
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
  for (let lines = state.doc.iterLines(); !lines.next().done;) {
    const match = lines.value.startsWith('[') && /^\[([^\]^][^\]]*)\]:\s*(\S+)/.exec(lines.value)
    if (match) found.set(fold(match[1] ?? ''), match[2] ?? '')
  }
  definitions.set(state.doc, found)
  return found
}
