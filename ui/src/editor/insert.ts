import { isolateHistory } from '@codemirror/commands'
import { syntaxTree } from '@codemirror/language'
import type { EditorState, Line, TransactionSpec } from '@codemirror/state'
import { endingOf } from './endings'

interface Range {
  from: number
  to: number
}

/** What goes in, and where the cursor then stands, counted from the end of the reference. */
interface Insert extends Range {
  before: string
  after: string
  /** Off the reference's line, so that its card shows at once. */
  step: number
}

const blank = (text: string) => text.trim() === ''
/** The end of a line's text: a "\r" belongs to the line break. */
const textEnd = (line: Line) => line.to - (line.text.endsWith('\r') ? 1 : 0)

/** The transaction that puts a reference in: into the slot where one is chosen, else at the cursor. One undo step. */
export function insertion(state: EditorState, reference: string, slot: Range | null): TransactionSpec {
  const { from, to, before, after, step } = slot ? inSlot(state, slot) : atCursor(state)
  return {
    changes: { from, to, insert: before + reference + after },
    selection: { anchor: from + before.length + reference.length + step },
    annotations: isolateHistory.of('full'),
    userEvent: 'capture',
    scrollIntoView: true,
  }
}

function inSlot(state: EditorState, slot: Range): Insert {
  const line = state.doc.lineAt(slot.to)
  const first = state.doc.lineAt(slot.from)
  const whole = blank(state.sliceDoc(first.from, slot.from)) && blank(state.sliceDoc(slot.to, line.to))
  if (!whole) return { ...slot, before: '', after: '', step: 0 }
  const eol = endingOf(state.sliceDoc())
  if (line.number === state.doc.lines) return { ...slot, before: '', after: eol, step: eol.length }
  return { ...slot, before: '', after: '', step: line.to + 1 - slot.to }
}

function atCursor(state: EditorState): Insert {
  const eol = endingOf(state.sliceDoc())
  const head = state.selection.main.head
  const outer = blockEnd(state, head)
  const line = state.doc.lineAt(outer ?? head)
  const end = textEnd(line)
  const lineBlank = blank(line.text)
  // In the middle of a sentence it stays in the sentence.
  if (outer === null && !lineBlank && head > line.from && head < end) {
    return { from: head, to: head, before: '', after: '', step: 0 }
  }
  const above = line.number > 1 && !blank(state.doc.line(line.number - 1).text)
  const atStart = !lineBlank && outer === null && head === line.from
  if (atStart) {
    const after = eol + eol
    return { from: head, to: head, before: above ? eol : '', after, step: after.length }
  }
  const last = line.number === state.doc.lines
  const below = !last && !blank(state.doc.line(line.number + 1).text)
  const after = last ? eol + eol : below ? eol : ''
  // Where nothing comes after it here, the line break that is there already is stepped over.
  const step = after ? after.length : line.to + 1 - end
  return lineBlank
    ? { from: line.from, to: end, before: above ? eol : '', after, step }
    : { from: end, to: end, before: eol + eol, after, step }
}

/**
 * The end of the code block or heading that a position is in: a reference would be mere text there, so it goes
 * below.
 */
function blockEnd(state: EditorState, pos: number): number | null {
  for (let node = syntaxTree(state).resolveInner(pos, -1); node.parent; node = node.parent) {
    const inside = pos > node.from && pos <= node.to
    if (inside && /^(FencedCode|CodeBlock|HTMLBlock|ATXHeading\d|SetextHeading\d)$/.test(node.name))
      return node.to
  }
  return null
}
