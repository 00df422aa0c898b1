import { EditorState, type ChangeDesc, type Extension, type Text, type ChangeSet } from '@codemirror/state'
import { after, marks, type Placed } from './markup'

interface Break {
  from: number
  insert: string
}

const BLANK = /^\ufeff?[ \t]*\r?$/

/** The line breaks that are missing before and after a reference for it to be a paragraph of its own. */
function missing(doc: Text, { from, to }: Placed): { before: number; after: number } {
  const first = doc.lineAt(from)
  const last = doc.lineAt(to)
  const above = first.number > 1 ? doc.line(first.number - 1).text : ''
  const below = last.number < doc.lines ? doc.line(last.number + 1).text : ''
  const side = (own: string, other: string) => (!BLANK.test(own) ? 2 : !BLANK.test(other) ? 1 : 0)
  return {
    before: side(doc.sliceString(first.from, from), above),
    after: side(doc.sliceString(to, last.to), below),
  }
}

/** The line breaks that keep references apart from text that a change put next to them. */
export function separation(state: EditorState, changes: ChangeDesc, doc: Text): Break[] {
  const { references, live } = state.field(marks)
  const breaks: Break[] = []
  for (const reference of [...references, ...live]) {
    if (!reference.alone) continue
    const { from, to } = reference
    const near = changes.touchesRange(state.doc.lineAt(from).from - 1, state.doc.lineAt(to).to + 1)
    if (!near || changes.touchesRange(from + 1, to - 1)) continue
    const now = after(reference, changes)
    if (!now) continue
    const was = missing(state.doc, reference)
    const is = missing(doc, now)
    // Text that was next to a reference before the change is left as it is.
    if (is.before > was.before) breaks.push({ from: now.from, insert: '\n'.repeat(is.before - was.before) })
    if (is.after > was.after) breaks.push({ from: now.to, insert: '\n'.repeat(is.after - was.after) })
  }
  return breaks
}

/** The parts of `![alt](target "caption")` in which people write, and what would end them. */
const PARTS = /^!\[((?:[^\]\\]|\\.)*)\]\([^\s)]+(?:\s+"((?:[^"\\]|\\.)*)")?\s*\)$/

/** The backslashes that keep quotes in a caption, and brackets in alternative text, from ending them. */
export function escapes(state: EditorState, changes: ChangeSet, doc: Text): Break[] {
  const { references, live } = state.field(marks)
  const all = [...references, ...live]
  const found: Break[] = []
  changes.iterChanges((fromA, toA, fromB, _toB, inserted) => {
    const reference = all.find((r) => r.from < fromA && toA < r.to)
    const parts = reference && PARTS.exec(state.sliceDoc(reference.from, reference.to))
    if (!parts) return
    const [whole, alt = '', caption] = parts
    const at = fromA - reference.from
    const end = toA - reference.from
    const captionStart = caption === undefined ? -1 : whole.lastIndexOf('"') - caption.length
    const ending =
      at >= 2 && end <= 2 + alt.length
        ? /[[\]]/
        : captionStart >= 0 && at >= captionStart && end <= captionStart + (caption ?? '').length
          ? /"/
          : null
    if (!ending) return
    const typed = inserted.toString()
    for (let i = 0; i < typed.length; i++) {
      const before = doc.sliceString(Math.max(0, fromB + i - 64), fromB + i).match(/\\*$/)?.[0].length ?? 0
      if (ending.test(typed.charAt(i)) && before % 2 === 0) found.push({ from: fromB + i, insert: '\\' })
    }
  })
  return found
}

/**
 * Keeps a reference that stands alone a paragraph of its own, whatever is typed, pasted or deleted next to it: in a
 * paragraph with other text it would be a picture in a line, without caption and provenance in the export.
 */
export const blocks: Extension = EditorState.transactionFilter.of((tr) => {
  const byUser = tr.isUserEvent('input') || tr.isUserEvent('delete') || tr.isUserEvent('move')
  if (!tr.docChanged || !byUser) return tr
  const changes = [
    ...separation(tr.startState, tr.changes, tr.newDoc),
    ...escapes(tr.startState, tr.changes, tr.newDoc),
  ]
  return changes.length > 0 ? [tr, { changes, sequential: true }] : tr
})
