import {
  EditorState,
  type ChangeDesc,
  type Extension,
  type Text,
  type TransactionSpec,
} from '@codemirror/state'
import { after, marks, type Placed } from './markup'

const BLANK = /^[ \t]*\r?$/

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
export function separation(state: EditorState, changes: ChangeDesc, doc: Text): TransactionSpec['changes'] {
  const { references, live } = state.field(marks)
  const breaks: { from: number; insert: string }[] = []
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

/**
 * Keeps a reference that stands alone a paragraph of its own, whatever is typed, pasted or deleted next to it: in a
 * paragraph with other text it would be a picture in a line, without caption and provenance in the export.
 */
export const blocks: Extension = EditorState.transactionFilter.of((tr) => {
  const byUser = tr.isUserEvent('input') || tr.isUserEvent('delete') || tr.isUserEvent('move')
  if (!tr.docChanged || !byUser) return tr
  const changes = separation(tr.startState, tr.changes, tr.newDoc)
  return Array.isArray(changes) && changes.length > 0 ? [tr, { changes, sequential: true }] : tr
})
