import { ensureSyntaxTree } from '@codemirror/language'
import type { ChangeDesc, EditorState, Line, Text } from '@codemirror/state'
import { marks, type Placed } from './markup'

/** An inline image whose target is evidence or a live card, as `render::markdown` writes and reads it. */
const REFERENCE =
  /!\[(?:[^\\[\]]|\\[^]|\[(?:[^\\[\]]|\\[^])*\])*\]\(\s*<?(?:evidence|live):[^\s()<>]*>?(?:\s+(?:"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|\((?:[^()\\]|\\[^])*\)))?\s*\)/g
/** A reference can be written over several lines, but not over more than its paragraph has. */
const LINES = 40
/** UTF-16 units. No paragraph that somebody writes is longer, and a longer one would be searched at every key. */
const LONGEST = 20_000
/** Milliseconds that the parser may take for the text up to a change, if it has not come there yet. */
const PARSING = 20

const blank = (line: Line) => line.text.trim() === ''

/** The paragraph around a line and the lines next to it. */
function around(doc: Text, at: Line): Placed {
  let first = at.number > 1 ? doc.line(at.number - 1) : at
  let last = at.number < doc.lines ? doc.line(at.number + 1) : at
  for (let n = 0; n < LINES && first.number > 1 && !blank(first); n++) first = doc.line(first.number - 1)
  for (let n = 0; n < LINES && last.number < doc.lines && !blank(last); n++) last = doc.line(last.number + 1)
  return { from: first.from, to: last.to }
}

/** Whether a range is drawn as an image, and not part of code or HTML. */
function isImage(state: EditorState, { from, to }: Placed): boolean {
  const tree = ensureSyntaxTree(state, to, PARSING)
  // A reference that is taken for code is lost; code that is taken for a reference gets a line break.
  if (!tree) return true
  for (let node = tree.resolveInner(from + 1, 1) as typeof tree.topNode | null; node; node = node.parent)
    if (node.name === 'Image') return true
  return false
}

/** A reference next to a change. */
export interface Near extends Placed {
  /** Whether Rust has found that it is a paragraph of its own. */
  alone: boolean
}

/**
 * The references next to a change, in the text before it. Those that Rust has not reported yet are found in the text:
 * after a capture, an undo or a paste, and when an entry has just been opened, its answer takes a moment.
 */
export function referencesNear(state: EditorState, changes: ChangeDesc): Near[] {
  const { references, live } = state.field(marks)
  const known = [...references, ...live]
  const found = new Map<number, Near>()
  const { doc } = state
  /** What was changed, and the lines next to it. */
  const lines: Placed[] = []
  const search = (pos: number) => {
    const { from, to } = around(doc, doc.lineAt(pos))
    if (to - from > LONGEST) return
    const text = doc.sliceString(from, to)
    if (!text.includes('](')) return
    for (const match of text.matchAll(REFERENCE)) {
      const place = { from: from + match.index, to: from + match.index + match[0].length, alone: false }
      if (known.some((one) => one.from < place.to && one.to > place.from)) continue
      if (isImage(state, place)) found.set(place.from, place)
    }
  }
  changes.iterChangedRanges((from, to) => {
    const above = doc.lineAt(Math.max(0, doc.lineAt(from).from - 1))
    const below = doc.lineAt(Math.min(doc.length, doc.lineAt(to).to + 1))
    lines.push({ from: above.from, to: below.to })
    search(from)
    if (to > from) search(to)
  })
  const near = known.filter(({ from, to }) => lines.some((line) => from <= line.to && to >= line.from))
  return [...near, ...found.values()].sort((a, b) => a.from - b.from)
}
