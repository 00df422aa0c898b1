import { StateEffect, StateField } from '@codemirror/state'
import type { SyntaxNode, SyntaxNodeRef } from '@lezer/common'
import type { Sheet, Span } from './sheet'

/** Shows a table as text, or draws it again: the position is in it. */
export const toggleTableText = StateEffect.define<number>({ map: (pos, changes) => changes.mapPos(pos) })

/** Positions in tables that are shown as text. */
export const tableTexts = StateField.define<readonly number[]>({
  create: () => [],
  update(value, tr) {
    let next = value
    if (tr.docChanged && value.length) next = value.map((pos) => tr.changes.mapPos(pos))
    for (const effect of tr.effects) {
      if (!effect.is(toggleTableText)) continue
      next = next.includes(effect.value)
        ? next.filter((pos) => pos !== effect.value)
        : [...next, effect.value]
    }
    return next
  },
})

/** The row at a position, and whether it is the one that says how columns are aligned. */
export function rowOf(node: SyntaxNode | null): SyntaxNode | null {
  for (let at = node; at; at = at.parent) {
    if (at.name === 'TableRow' || at.name === 'TableHeader') return at
    if (at.name === 'Table') return null
  }
  return null
}

/** A cell of a row, from its bar to before the next. */
export interface Cell extends Span {
  /** What is written in it. */
  text: Span
  /** Where its room for text ends. */
  end: number
}

export function cellsOf(row: SyntaxNode, read: (from: number, to: number) => string, end: number): Cell[] {
  const bars = row.getChildren('TableDelimiter').map((bar) => bar.from)
  const starts = bars[0] === row.from ? bars : [row.from, ...bars]
  const cells: Cell[] = []
  starts.forEach((from, i) => {
    const next = starts[i + 1]
    const opens = bars.includes(from)
    const inner = from + (opens ? 1 : 0)
    if (next === undefined) {
      // A bar at the end closes the row.
      const rest = read(inner, end)
      if (opens && rest.trim() === '' && cells.length) {
        const last = cells[cells.length - 1]
        if (last) last.to = end
        return
      }
      cells.push({ from, to: end, end, text: trimmed(inner, rest) })
      return
    }
    cells.push({ from, to: next, end: next, text: trimmed(inner, read(inner, next)) })
  })
  return cells
}

function trimmed(from: number, text: string): Span {
  const lead = text.length - text.trimStart().length
  if (lead === text.length) {
    // An empty cell: the cursor is behind its first space if there is another.
    const at = from + Math.min(1, Math.max(0, lead - 1))
    return { from: at, to: at }
  }
  return { from: from + lead, to: from + text.trimEnd().length }
}

/** `left`, `center`, `right` or nothing for each column. */
export function alignments(delimiters: string): string[] {
  return delimiters
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => {
      const mark = cell.trim()
      return mark.startsWith(':') && mark.endsWith(':') ? 'center' : mark.endsWith(':') ? 'right' : ''
    })
}

/** Draws a table: its rows stay lines of the text, and become rows of a table by style alone. */
export function table(sheet: Sheet, node: SyntaxNodeRef): boolean {
  const asText = sheet.state.field(tableTexts, false)?.some((pos) => pos >= node.from && pos <= node.to)
  // One in a list or a quote has marks before its rows, which are no cells.
  if (asText || node.node.parent?.name !== 'Document') {
    for (const line of sheet.lines(node)) sheet.line(line.from, 'md-table-text')
    return false
  }
  let align: string[] = []
  const delimiters = node.node.getChild('TableDelimiter')
  if (delimiters) {
    const line = sheet.doc.lineAt(delimiters.from)
    align = alignments(line.text)
    sheet.line(line.from, 'md-row md-row-rule')
    sheet.skip(line.from, line.to)
  }
  const last = sheet.doc.lineAt(node.to).from
  for (let row = node.node.firstChild; row; row = row.nextSibling) {
    if (row.name !== 'TableRow' && row.name !== 'TableHeader') continue
    if (row.to < sheet.from || row.from > sheet.to) continue
    const line = sheet.doc.lineAt(row.from)
    const head = row.name === 'TableHeader'
    sheet.line(line.from, head ? 'md-row md-row-head' : 'md-row')
    if (line.from === last) sheet.line(line.from, 'md-row-last')
    const cells = cellsOf(row, (from, to) => sheet.doc.sliceString(from, to), endOf(line.to, line.text))
    cells.forEach((cell, i) => {
      const at = align[i] ? ` md-cell-${align[i]}` : ''
      sheet.cell(cell.from, cell.to, `md-cell${at}`)
      if (cell.text.from === cell.text.to) return empty(sheet, cell)
      // The spaces beside the text stay, so that a cursor or an input method is within it, not at a hidden part.
      const tail = cursorIn(sheet, cell)
      sheet.hide(cell.from, cell.text.from - (blankAt(sheet, cell.text.from - 1) ? 1 : 0))
      sheet.pass(cell.from, cell.text.from)
      sheet.hide(tail + (tail < cell.end && blankAt(sheet, tail) ? 1 : 0), cell.to)
      sheet.pass(tail, cell.to)
    })
  }
  return true
}

function blankAt(sheet: Sheet, pos: number): boolean {
  return pos >= 0 && /^[ \t]$/.test(sheet.doc.sliceString(pos, pos + 1))
}

/** A cell in which everything was hidden would not be drawn: its bar is there without a width. */
function empty(sheet: Sheet, cell: Cell) {
  const bar = Math.min(cell.from + 1, cell.to)
  sheet.mark(cell.from, bar, 'md-bar')
  sheet.pass(cell.from, cell.text.from)
  sheet.skip(cursorIn(sheet, cell), cell.to)
}

/** The end of a cell's text, or the cursor if that is behind it. */
function cursorIn(sheet: Sheet, { text, end }: Cell): number {
  const heads = sheet.state.selection.ranges.map(({ head }) => head)
  return Math.max(text.to, ...heads.filter((head) => head < end && head >= text.to))
}

/** The end of a line without the "\r" of its line break. */
function endOf(to: number, text: string): number {
  return text.endsWith('\r') ? to - 1 : to
}
