import { ensureSyntaxTree, syntaxTree } from '@codemirror/language'
import type { ChangeSpec, EditorState, Line } from '@codemirror/state'
import type { Command, EditorView } from '@codemirror/view'
import type { SyntaxNode } from '@lezer/common'

const ITEM = /^([ \t]*(?:>[ \t]?)*[ \t]*)([-*+]|\d{1,9}[.)])([ \t]+|$)/

/** The item that a line begins, as the parser reads it; its number of columns before and behind the marker. */
interface Item {
  line: Line
  node: SyntaxNode
  /** Columns before the marker. */
  before: number
  /** Columns before the text. */
  content: number
}

/** Milliseconds that a key may wait for the parser, which has not read everything on a busy machine. */
const PATIENCE = 200

function parsed(state: EditorState, to: number) {
  return ensureSyntaxTree(state, to, PATIENCE) ?? syntaxTree(state)
}

function itemAt(state: EditorState, line: Line): Item | null {
  const match = ITEM.exec(line.text)
  if (!match) return null
  const [whole, before = '', mark = ''] = match
  for (
    let node: SyntaxNode | null = parsed(state, line.to).resolveInner(line.from + before.length, 1);
    node;
    node = node.parent
  ) {
    if (node.name !== 'ListItem') continue
    const gap = whole.length - before.length - mark.length
    return { line, node, before: before.length, content: before.length + mark.length + Math.max(1, gap) }
  }
  return null
}

/** The lines of the selections that begin an item, and all lines that the items contain. */
function selected(state: EditorState): Item[] {
  const items: Item[] = []
  let done = -1
  for (const range of state.selection.ranges) {
    for (let pos = range.from; pos <= range.to;) {
      const line = state.doc.lineAt(pos)
      if (line.from > done) {
        const item = itemAt(state, line)
        if (item) {
          items.push(item)
          // What it contains moves with it.
          done = state.doc.lineAt(item.node.to).from
        }
      }
      pos = line.to + 1
    }
  }
  return items
}

/** Whether a cursor is in a list. */
export function inList(state: EditorState): boolean {
  return selected(state).length > 0
}

function shift(state: EditorState, { node, line }: Item, by: number, changes: ChangeSpec[]) {
  const last = state.doc.lineAt(node.to)
  const quote = /^[ \t]*(?:>[ \t]?)*/.exec(line.text)?.[0].replace(/[ \t]+$/, '').length ?? 0
  for (let number = line.number; number <= last.number; number++) {
    const at = state.doc.line(number)
    if (at.text.slice(quote).trim() === '') continue
    const from = at.from + quote
    if (by > 0) changes.push({ from, insert: ' '.repeat(by) })
    else {
      const room = /^[ \t]*/.exec(at.text.slice(quote))?.[0].length ?? 0
      changes.push({ from, to: from + Math.min(room, -by) })
    }
  }
}

/** Makes the selected items part of the item above them. */
export const nest: Command = (view) => {
  const { state } = view
  const items = selected(state)
  if (state.readOnly || items.length === 0) return false
  const changes: ChangeSpec[] = []
  // All go as far as the first, so that they stay on one level.
  let depth: number | null = null
  for (const item of items) {
    if (depth === null) {
      let above = item.node.prevSibling
      // In a quote, its marks are between the items.
      while (above?.name === 'QuoteMark') above = above.prevSibling
      if (above?.name !== 'ListItem') continue
      const parent = itemAt(state, state.doc.lineAt(above.from))
      if (!parent) continue
      depth = parent.content - item.before
    }
    if (depth > 0) shift(state, item, depth, changes)
  }
  if (changes.length) change(view, changes, 'input.indent', true)
  return true
}

/** Changes lists and numbers them, as one step. A list that has just been nested starts with 1. */
function change(view: EditorView, changes: ChangeSpec[], userEvent: string, nested: boolean) {
  const { state } = view.state.update({ changes })
  const numbers = numbering(state, nested)
  view.dispatch({ changes, userEvent, scrollIntoView: true }, { changes: numbers, sequential: true })
}

/** Takes the selected items out of the item that contains them. */
export const unnest: Command = (view) => {
  const { state } = view
  const items = selected(state)
  if (state.readOnly || items.length === 0) return false
  const changes: ChangeSpec[] = []
  for (const item of items) {
    const outer = item.node.parent?.parent
    const parent = outer?.name === 'ListItem' ? itemAt(state, state.doc.lineAt(outer.from)) : null
    const by = parent ? item.before - parent.before : item.before
    if (by > 0) shift(state, item, -by, changes)
  }
  if (changes.length) change(view, changes, 'delete.dedent', false)
  return true
}

/** The changes that number the ordered lists at the cursors from their first item on. */
function numbering(state: EditorState, nested: boolean): ChangeSpec[] {
  const changes: ChangeSpec[] = []
  const seen = new Set<number>()
  const number = (list: SyntaxNode) => {
    if (seen.has(list.from)) return
    seen.add(list.from)
    let next = nested && list.parent?.name === 'ListItem' ? 1 : null
    for (const item of list.getChildren('ListItem')) {
      const written = /^(\d+)[.)]/.exec(state.sliceDoc(item.from, item.from + 11))?.[1]
      if (written === undefined) return
      next ??= Number(written)
      if (Number(written) !== next)
        changes.push({ from: item.from, to: item.from + written.length, insert: String(next) })
      next++
    }
  }
  for (const { head } of state.selection.ranges) {
    for (let node: SyntaxNode | null = parsed(state, head).resolveInner(head, -1); node; node = node.parent)
      if (node.name === 'OrderedList') number(node)
  }
  return changes
}

/** Ticks the tasks of the selected lines, or unticks them if all are done. */
export const toggleTasks: Command = (view) => {
  const { state } = view
  const boxes: { from: number; done: boolean }[] = []
  for (const range of state.selection.ranges) {
    for (let pos = range.from; pos <= range.to;) {
      const line = state.doc.lineAt(pos)
      const match = /^[ \t>]*(?:[-*+]|\d+[.)])[ \t]+\[([ xX])\](?=\s|$)/.exec(line.text)
      if (match) boxes.push({ from: line.from + match[0].length - 2, done: match[1] !== ' ' })
      pos = line.to + 1
    }
  }
  if (state.readOnly || boxes.length === 0) return false
  const done = boxes.every((box) => box.done)
  view.dispatch({
    changes: boxes.map(({ from }) => ({ from, to: from + 1, insert: done ? ' ' : 'x' })),
    userEvent: 'input.task',
  })
  return true
}

/** Ticks the task whose box is at a position. */
export function toggleTaskAt(view: EditorView, pos: number): boolean {
  const line = view.state.doc.lineAt(pos)
  const match = /^[ \t>]*(?:[-*+]|\d+[.)])[ \t]+\[([ xX])\]/.exec(line.text)
  if (!match || view.state.readOnly) return false
  const from = line.from + match[0].length - 2
  view.dispatch({
    changes: { from, to: from + 1, insert: match[1] === ' ' ? 'x' : ' ' },
    userEvent: 'input.task',
  })
  return true
}
