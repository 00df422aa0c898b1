import { EditorState, type ChangeDesc, type ChangeSet, type Extension, type Text } from '@codemirror/state'
import { after, type Placed } from './markup'
import { referencesNear, type Near } from './references'

interface Break {
  from: number
  insert: string
}

const QUOTE = /^ {0,3}>[ \t]?/
const MARKER = /^[ \t]*(?:[-*+]|(\d{1,9})[.)])(?=[ \t]|$)[ \t]*/
/** What stands before a reference that begins a paragraph: quote signs and markers of lists. */
const CONTAINERS = /^\ufeff?(?:[ \t]|>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))*$/
/** Lines that are blocks of their own also without a blank line before or after them. */
const BLOCK =
  /^ {0,3}(?:#{1,6}(?:[ \t]|$)|(?:`{3,}|~{3,})|(?:\*[ \t]*){3,}$|(?:_[ \t]*){3,}$|(?:-[ \t]+){2,}-[ \t]*$)/
/** Between two paragraphs, a line of these ends the one above as a heading, or is a rule. */
const UNDERLINE = /^ {0,3}(?:=+|-+)[ \t]*$/

const bare = (text: string) => text.replace(/^\ufeff/, '').replace(/\r$/, '')
const isBlank = (text: string) => text.trim() === ''
const quotes = (text: string) => text.split('>').length - 1
/** The beginning of a line that continues the paragraph of a line with this beginning. */
const continued = (own: string) =>
  own.replace(/^\ufeff/, '').replace(/(?:[-*+]|\d{1,9}[.)])(?=[ \t])/g, (marker) => ' '.repeat(marker.length))

/** A line without its quote signs, up to a number of them, and whether it has more. */
function unquoted(line: string, most: number): { text: string; depth: number } {
  let text = line
  let depth = 0
  for (; QUOTE.test(text) && depth < most; depth++) text = text.replace(QUOTE, '')
  return { text, depth }
}

/** Whether a line above belongs to the paragraph of a reference whose line begins with `own`. */
function joinsAbove(line: string, own: string): boolean {
  const marker = own.replace(/^.*>/, '').match(MARKER)
  const above = unquoted(bare(line), Infinity)
  // A quote or a list begins a paragraph; a list with another number than 1 only where there is a list.
  if (above.depth < quotes(own)) return false
  let { text } = above
  const listed = MARKER.test(text)
  if (marker && (marker[1] === undefined || marker[1] === '1' || listed || /^[ \t]{2,}/.test(text)))
    return false
  while (MARKER.test(text)) text = text.replace(MARKER, '')
  return !isBlank(text) && !BLOCK.test(text) && !UNDERLINE.test(text)
}

/** Whether a line below belongs to the paragraph of a reference whose line begins with `own`. */
function joinsBelow(line: string, own: string): boolean {
  const { text } = unquoted(bare(line), quotes(own))
  if (isBlank(text) || QUOTE.test(text) || BLOCK.test(text)) return false
  const marker = MARKER.exec(text)
  if (!marker) return true
  const inList = MARKER.test(own.replace(/^.*>/, ''))
  const empty = marker[0].length === text.length
  return !inList && (empty || (marker[1] !== undefined && marker[1] !== '1'))
}

/** The line breaks that are missing before and after a reference for it to be a paragraph of its own. */
function missing(doc: Text, { from, to }: Placed): { before: number; after: number; own: string } {
  const first = doc.lineAt(from)
  const last = doc.lineAt(to)
  const text = doc.sliceString(first.from, from)
  const alone = CONTAINERS.test(text)
  const own = alone ? text : (/^\ufeff?(?:[ \t]|>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]))*/.exec(text)?.[0] ?? '')
  const above = first.number > 1 && joinsAbove(doc.line(first.number - 1).text, own)
  const below = last.number < doc.lines && joinsBelow(doc.line(last.number + 1).text, own)
  return {
    before: !alone ? 2 : above ? 1 : 0,
    after: !isBlank(doc.sliceString(to, last.to)) ? 2 : below ? 1 : 0,
    own,
  }
}

/** The line breaks that keep references apart from text that a change put next to them. */
function separation(state: EditorState, changes: ChangeDesc, doc: Text, near: Near[]): Break[] {
  const breaks: Break[] = []
  /** Where the line ends that was separated from the one below. */
  let separated = -1
  for (const reference of near) {
    const { from, to } = reference
    if (changes.touchesRange(from + 1, to - 1)) continue
    const now = after(reference, changes)
    if (!now) continue
    const was = missing(state.doc, reference)
    // Text that was next to a reference before the change is left as it is.
    if (!reference.alone && was.before + was.after > 0) continue
    const is = missing(doc, now)
    const next = continued(is.own)
    const blank = next.trimEnd()
    const line = doc.lineAt(now.from)
    if (is.before > was.before && is.before === 2)
      breaks.push({ from: now.from, insert: `\n${blank}\n${next}` })
    else if (is.before > was.before && separated !== line.from - 1)
      breaks.push({ from: line.from, insert: `${blank}\n` })
    if (is.after > was.after) {
      breaks.push({ from: now.to, insert: is.after === 2 ? `\n${blank}\n${next}` : `\n${blank}` })
      separated = doc.lineAt(now.to).to
    }
  }
  return breaks
}

/** The parts of `![alt](target "caption")` in which people write, and what would end them. */
const PARTS = /^!\[((?:[^\]\\]|\\.)*)\]\([^\s)]+(?:\s+"((?:[^"\\]|\\.)*)")?\s*\)$/

/** The backslashes that keep quotes in a caption, and brackets in alternative text, from ending them. */
function escapes(state: EditorState, changes: ChangeSet, doc: Text, all: Near[]): Break[] {
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
  const near = referencesNear(tr.startState, tr.changes)
  if (near.length === 0) return tr
  const changes = [
    ...separation(tr.startState, tr.changes, tr.newDoc, near),
    ...escapes(tr.startState, tr.changes, tr.newDoc, near),
  ]
  return changes.length > 0 ? [tr, { changes, sequential: true }] : tr
})
