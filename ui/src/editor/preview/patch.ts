import { syntaxTree } from '@codemirror/language'
import type { ChangeDesc, EditorState } from '@codemirror/state'
import type { DecorationSet } from '@codemirror/view'
import type { SyntaxNode } from '@lezer/common'
import { drawn, type Drawn } from './drawn'
import { frontMatterEnd } from './frontmatter'
import type { Span } from './sheet'

/** The top-level blocks that a range touches; null if there are none, or what they are is not known. */
function blocks(state: EditorState, from: number, to: number): Span | null {
  const { topNode } = syntaxTree(state)
  let node: SyntaxNode | null = topNode.childAfter(from - 1)
  let first: SyntaxNode | null = null
  let last: SyntaxNode | null = null
  for (; node && node.from <= to; node = node.nextSibling) {
    first ??= node
    last = node
  }
  return first && last ? { from: first.from, to: last.to } : null
}

/** The decorations of one block in place of those that were there. */
function replaced(
  old: DecorationSet,
  changes: ChangeDesc,
  { from, to }: Span,
  now: DecorationSet,
): DecorationSet {
  const add: ReturnType<typeof rangesOf> = rangesOf(now)
  return old
    .map(changes)
    .update({ filterFrom: from, filterTo: to, filter: (a, b) => b < from || a > to, add, sort: true })
}

function rangesOf(set: DecorationSet) {
  const ranges = []
  for (const it = set.iter(); it.value; it.next()) ranges.push(it.value.range(it.from, it.to))
  return ranges
}

/**
 * What is drawn after a change, if only one block has to be drawn again: blocks are parsed one after the other, so that
 * all others stay as they are if this one still starts and ends where it did. Null if that is not so.
 */
export function patched(
  old: Drawn,
  change: { startState: EditorState; state: EditorState; changes: ChangeDesc },
  visible: Span,
  open: readonly Span[],
): Drawn | null {
  const { startState, state, changes } = change
  const seen = Math.min(visible.to, startState.doc.length)
  if (syntaxTree(startState).length < seen || syntaxTree(state).length < visible.to) return null
  let [fromA, toA, fromB, toB] = [Infinity, -1, Infinity, -1]
  changes.iterChangedRanges((a, b, c, d) => {
    fromA = Math.min(fromA, a)
    toA = Math.max(toA, b)
    fromB = Math.min(fromB, c)
    toB = Math.max(toB, d)
  })
  const lineA = startState.doc.lineAt(fromA)
  const lineB = state.doc.lineAt(fromB)
  if (toA > lineA.to || toB > lineB.to) return null
  const was = blocks(startState, lineA.from, lineA.to)
  const is = blocks(state, lineB.from, lineB.to)
  if (!was || !is) return null
  // The targets of links elsewhere may be defined here.
  if (/^\[[^\]]*\]:/.test(lineA.text) || /^\[[^\]]*\]:/.test(lineB.text)) return null
  if (was.from !== is.from || changes.mapPos(was.to, 1) !== is.to) return null
  const front = frontMatterEnd(state.doc)
  const frontBefore = frontMatterEnd(startState.doc)
  if ((front || frontBefore) && changes.mapPos(frontBefore, 1) !== front) return null
  if ((front > 0 && is.from <= front) || is.from < visible.from || is.to > visible.to) return null
  // All cursors are there, or marks are shown and hidden elsewhere.
  if (open.some((line) => line.from > is.to || line.to < is.from)) return null
  const region = { from: state.doc.lineAt(is.from).from, to: state.doc.lineAt(is.to).to }
  const now = drawn(state, [region], open)
  return {
    inner: replaced(old.inner, changes, region, now.inner),
    cells: replaced(old.cells, changes, region, now.cells),
    atomic: replaced(old.atomic, changes, region, now.atomic),
  }
}
