import type { SyntaxNode, SyntaxNodeRef } from '@lezer/common'
import type { EditorView } from '@codemirror/view'
import { syntaxTree } from '@codemirror/language'
import { languageName, languageOf } from '../languages'
import type { Sheet } from './sheet'
import { CodeHead, TaskBox, Words } from './widgets'

export function heading(sheet: Sheet, node: SyntaxNodeRef) {
  const level = node.name.slice(-1)
  for (const line of sheet.lines(node)) sheet.line(line.from, `md-heading md-h${level}`)
}

/** `#`, `##`, … and the underline of a heading. */
export function headingMark(sheet: Sheet, node: SyntaxNodeRef) {
  const line = sheet.doc.lineAt(node.from)
  if (node.node.parent?.name.startsWith('Setext')) {
    sheet.line(line.from, 'md-underline')
    return
  }
  if (sheet.shown(node.from)) return
  const opens = line.text.slice(0, node.from - line.from).trim() === ''
  if (opens) {
    let to = node.to
    while (to < line.to && /[ \t]/.test(sheet.doc.sliceString(to, to + 1))) to++
    // A heading without text stays a line that can be clicked.
    if (to < line.to) sheet.hide(node.from, to)
  } else {
    let from = node.from
    while (from > line.from && /[ \t]/.test(sheet.doc.sliceString(from - 1, from))) from--
    sheet.hide(from, node.to)
  }
}

const ALERT = /^\s*>\s*\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*\r?$/i

export function quote(sheet: Sheet, node: SyntaxNodeRef) {
  const first = sheet.doc.lineAt(node.from)
  const alert = ALERT.exec(sheet.doc.sliceString(node.from, first.to))
  const kind = alert?.[1]?.toLowerCase()
  const nested = node.node.parent?.name === 'Blockquote'
  for (const line of sheet.lines(node)) {
    sheet.line(line.from, 'md-quote')
    if (nested) sheet.line(line.from, 'md-quote-2')
    if (kind) sheet.line(line.from, `md-alert md-alert-${kind}`)
  }
  if (!alert || !kind || first.to < sheet.from) return
  const from = node.from + alert[0].indexOf('[')
  const to = from + kind.length + 3
  sheet.take(from, to)
  sheet.line(first.from, 'md-alert-title')
  if (!sheet.shown(from))
    sheet.replace(from, to, new Words(kind.charAt(0).toUpperCase() + kind.slice(1), 'md-alert-name'))
}

export function quoteMark(sheet: Sheet, node: SyntaxNodeRef) {
  if (sheet.shown(node.from)) return
  const space = sheet.doc.sliceString(node.to, node.to + 1) === ' ' ? 1 : 0
  sheet.hide(node.from, node.to + space)
}

export function rule(sheet: Sheet, node: SyntaxNodeRef) {
  const line = sheet.doc.lineAt(node.from)
  sheet.line(line.from, 'md-rule')
  if (!sheet.shown(node.from)) sheet.replace(node.from, node.to, new Words('', 'md-rule-line'))
}

export function fencedCode(sheet: Sheet, node: SyntaxNodeRef) {
  const marks = node.node.getChildren('CodeMark')
  const info = node.node.getChild('CodeInfo')
  const last = sheet.doc.lineAt(node.to).from
  for (const line of sheet.lines(node)) {
    sheet.line(line.from, 'md-code')
    if (line.from <= node.from) sheet.line(line.from, 'md-code-first')
    if (line.from === last) sheet.line(line.from, 'md-code-last')
  }
  const [open, close] = marks
  if (open && open.from >= sheet.from && !sheet.shown(open.from)) {
    const written = info ? sheet.doc.sliceString(info.from, info.to) : ''
    const label = languageOf(written)?.name ?? languageName(written)
    // Attributes after the language go with it.
    sheet.replace(open.from, sheet.doc.lineAt(open.from).to, new CodeHead(label, codeAt))
  }
  if (close && close.to <= sheet.to && !sheet.shown(close.from)) sheet.hide(close.from, close.to)
}

/** The code of the block at a position, without the indent of what contains it. */
function codeAt(view: EditorView, pos: number): string {
  let node: SyntaxNode | null = syntaxTree(view.state).resolveInner(pos, 1)
  while (node && node.name !== 'FencedCode') node = node.parent
  const parts = node?.getChildren('CodeText') ?? []
  return parts.map(({ from, to }) => view.state.sliceDoc(from, to)).join('')
}

export function indentedCode(sheet: Sheet, node: SyntaxNodeRef) {
  for (const line of sheet.lines(node)) sheet.line(line.from, 'md-code')
}

export function listItem(sheet: Sheet, node: SyntaxNodeRef, depth: number) {
  const first = sheet.doc.lineAt(node.from)
  const mark = node.node.firstChild
  if (!mark || mark.name !== 'ListMark') return
  const task = node.node.getChild('Task')?.getChild('TaskMarker')
  const gap = /^[ \t]*/.exec(sheet.doc.sliceString(mark.to, mark.to + 4))?.[0].length ?? 0
  const spaces = /[ \t]*$/.exec(sheet.doc.sliceString(first.from, node.from))?.[0].length ?? 0
  const width = node.from - first.from + (mark.to - mark.from) + Math.max(1, gap)
  for (const line of sheet.lines(node)) {
    if (line.from === first.from) {
      const boxed = task && sheet.doc.lineAt(task.from).from === first.from
      const to = boxed ? Math.min(task.to + 1, first.to) : mark.to + gap
      sheet.indent(line.from, { depth, prefix: { from: node.from - spaces, to } })
      continue
    }
    const blank = /^[ \t]*/.exec(line.text)?.[0].length ?? 0
    if (blank === line.length) continue
    const to = line.from + Math.min(blank, width)
    sheet.indent(line.from, { depth, prefix: to > line.from ? { from: line.from, to } : null })
  }
}

export function listMark(sheet: Sheet, node: SyntaxNodeRef) {
  const item = node.node.parent
  const ordered = item?.parent?.name === 'OrderedList'
  if (ordered) return sheet.mark(node.from, node.to, 'md-number')
  const task = item?.getChild('Task')?.getChild('TaskMarker')
  if (!task) return sheet.mark(node.from, node.to, `md-bullet md-bullet-${bulletOf(node.node)}`)
  if (!editing(sheet, node.from, task.to)) sheet.hide(node.from, task.from)
}

/** Which of the three bullets a list has: they alternate by how many lists of bullets it is in. */
function bulletOf(mark: SyntaxNode): number {
  let depth = 0
  for (let at: SyntaxNode | null = mark; at; at = at.parent) if (at.name === 'BulletList') depth++
  return ((depth - 1) % 3) + 1
}

export function taskMarker(sheet: Sheet, node: SyntaxNodeRef) {
  const mark = node.node.parent?.parent?.firstChild
  const checked = /[xX]/.test(sheet.doc.sliceString(node.from, node.to))
  const line = sheet.doc.lineAt(node.from)
  if (checked) sheet.mark(Math.min(node.to + 1, line.to), line.to, 'md-done')
  if (!editing(sheet, mark?.from ?? node.from, node.to))
    sheet.replace(node.from, node.to, new TaskBox(checked))
}

/** Whether a cursor is between the marker of a task and its box. */
function editing(sheet: Sheet, from: number, to: number): boolean {
  return sheet.shown(from) && sheet.state.selection.ranges.some(({ head }) => head > from && head < to)
}
