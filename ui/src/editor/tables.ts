import { syntaxTree } from '@codemirror/language'
import { EditorSelection, Prec, type EditorState, type Extension } from '@codemirror/state'
import { EditorView, keymap, type Command } from '@codemirror/view'
import type { SyntaxNode } from '@lezer/common'
import { cellsOf, tableTexts, toggleTableText, type Cell } from './preview/table'

interface Place {
  table: SyntaxNode
  rows: SyntaxNode[]
  row: number
  cells: Cell[]
  cell: number
}

function tableAt(state: EditorState, pos: number): SyntaxNode | null {
  for (const side of [-1, 1] as const) {
    for (let node: SyntaxNode | null = syntaxTree(state).resolveInner(pos, side); node; node = node.parent)
      if (node.name === 'Table') return node
  }
  return null
}

function cells(state: EditorState, row: SyntaxNode): Cell[] {
  const line = state.doc.lineAt(row.from)
  const end = line.text.endsWith('\r') ? line.to - 1 : line.to
  return cellsOf(row, (from, to) => state.sliceDoc(from, to), end)
}

/** The cell of a drawn table that the cursor is in. */
function placeOf(state: EditorState): Place | null {
  const { main } = state.selection
  const table = tableAt(state, main.head)
  // Without the field, the text is shown as it is written.
  const texts = state.field(tableTexts, false)
  if (!table || !texts || table.parent?.name !== 'Document') return null
  if (texts.some((pos) => pos >= table.from && pos <= table.to)) return null
  const rows: SyntaxNode[] = []
  for (let row = table.firstChild; row; row = row.nextSibling)
    if (row.name === 'TableRow' || row.name === 'TableHeader') rows.push(row)
  const line = state.doc.lineAt(main.head)
  const row = rows.findIndex(({ from }) => from >= line.from && from <= line.to)
  const own = rows[row]
  if (!own) return null
  const list = cells(state, own)
  const cell = list.findLastIndex(({ from }) => from <= main.head)
  return cell < 0 ? null : { table, rows, row, cells: list, cell }
}

function goTo(view: EditorView, cell: Cell | undefined, whole: boolean): boolean {
  if (!cell) return false
  const { from, to } = cell.text
  view.dispatch({
    selection: whole ? EditorSelection.range(from, to) : EditorSelection.cursor(to),
    scrollIntoView: true,
    userEvent: 'select',
  })
  return true
}

/** The text of an empty row below the table, with as many cells as its head. */
function emptyRow(state: EditorState, table: SyntaxNode): string {
  const head = table.firstChild
  const count = head ? cells(state, head).length : 1
  return `|${'  |'.repeat(count)}`
}

function addRow(view: EditorView, at: Place, cell: number): boolean {
  const { state } = view
  const last = at.rows[at.row]
  if (!last || state.readOnly) return true
  const line = state.doc.lineAt(last.from)
  const end = line.text.endsWith('\r') ? line.to - 1 : line.to
  const row = emptyRow(state, at.table)
  const { lineBreak } = state
  // Below the line that says how columns are aligned, for the head.
  const after = at.row === 0 ? state.doc.line(Math.min(line.number + 1, state.doc.lines)) : line
  const from = at.row === 0 ? (after.text.endsWith('\r') ? after.to - 1 : after.to) : end
  view.dispatch({
    changes: { from, insert: lineBreak + row },
    selection: { anchor: from + lineBreak.length + 2 + cell * 3 },
    scrollIntoView: true,
    userEvent: 'input',
  })
  return true
}

const next =
  (by: 1 | -1): Command =>
  (view) => {
    const at = placeOf(view.state)
    if (!at) return false
    const here = at.cells[at.cell + by]
    if (here) return goTo(view, here, true)
    const row = at.rows[at.row + by]
    if (!row) return by > 0 ? addRow(view, at, 0) : true
    const list = cells(view.state, row)
    return goTo(view, by > 0 ? list[0] : list.at(-1), true)
  }

const below: Command = (view) => {
  const at = placeOf(view.state)
  if (!at) return false
  const row = at.rows[at.row + 1]
  if (!row) {
    // Enter in an empty last row ends the table.
    const empty = at.row > 0 && at.cells.every(({ text }) => text.from === text.to)
    return empty ? endTable(view, at) : addRow(view, at, at.cell)
  }
  return goTo(view, cells(view.state, row)[at.cell], false)
}

function endTable(view: EditorView, at: Place): boolean {
  const row = at.rows[at.row]
  if (!row) return false
  const line = view.state.doc.lineAt(row.from)
  const end = line.text.endsWith('\r') ? line.to - 1 : line.to
  view.dispatch({
    changes: { from: line.from, to: end },
    selection: { anchor: line.from },
    scrollIntoView: true,
    userEvent: 'delete',
  })
  return true
}

/** Nothing beyond the text of a cell is deleted by one key: its bars hold the table together. */
const keepBar =
  (by: 1 | -1): Command =>
  (view) => {
    const { main } = view.state.selection
    const at = main.empty ? placeOf(view.state) : null
    const cell = at?.cells[at.cell]
    if (!cell) return false
    return by < 0 ? main.head <= cell.text.from : main.head >= Math.max(cell.text.to, cell.text.from)
  }

/** Shows the table at the cursor as text, or draws it again. */
export const tableText: Command = (view) => {
  const { state } = view
  const table = tableAt(state, state.selection.main.head)
  const texts = state.field(tableTexts, false)
  if (!table || !texts) return false
  const known = texts.filter((pos) => pos >= table.from && pos <= table.to)
  const effects = (known.length ? known : [table.from]).map((pos) => toggleTableText.of(pos))
  view.dispatch({ effects })
  return true
}

/** Tables that are edited where they are drawn. */
export const tables: Extension = [
  Prec.high(
    keymap.of([
      { key: 'Tab', run: next(1), shift: next(-1) },
      { key: 'Enter', run: below },
      { key: 'Backspace', run: keepBar(-1) },
      { key: 'Delete', run: keepBar(1) },
      { key: 'Alt-Enter', run: tableText },
    ]),
  ),
  // A bar that is typed or a line break that is pasted into a cell is text.
  EditorView.inputHandler.of((view, from, to, text) => {
    if (!/[|\n]/.test(text) || text === '\n' || !placeOf(view.state)) return false
    const insert = text.replace(/\\?\|/g, '\\|').replace(/\s*\n\s*/g, ' ')
    view.dispatch({
      changes: { from, to, insert },
      selection: { anchor: from + insert.length },
      scrollIntoView: true,
      userEvent: 'input.type',
    })
    return true
  }),
]
