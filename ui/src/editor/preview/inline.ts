import type { SyntaxNode, SyntaxNodeRef } from '@lezer/common'
import { Picture, pictureResolver, target } from '../pictures'
import type { Sheet } from './sheet'

/** Marks of emphasis, strong, strikethrough and code. */
export function inlineMark(sheet: Sheet, node: SyntaxNodeRef) {
  if (node.node.parent?.name === 'FencedCode') return
  if (!sheet.shown(node.from)) sheet.hide(node.from, node.to)
}

export function inlineCode(sheet: Sheet, node: SyntaxNodeRef) {
  sheet.mark(node.from, node.to, 'md-inline-code')
}

/** The backslash that keeps a character from being a mark. */
export function escape(sheet: Sheet, node: SyntaxNodeRef) {
  if (!sheet.shown(node.from)) sheet.hide(node.from, node.from + 1)
}

const hint = (url: string) => `${url}\nCtrl+click opens it`

export function link(sheet: Sheet, node: SyntaxNodeRef) {
  if (sheet.taken(node)) return
  const [open, close] = node.node.getChildren('LinkMark')
  const url = node.node.getChild('URL')
  const label = node.node.getChild('LinkLabel')
  if (!open || !close) return
  const address = url
    ? target(sheet.doc.sliceString(url.from, url.to))
    : definition(sheet, sheet.doc.sliceString(label?.from ?? node.from, label?.to ?? node.to))
  if (address === null) return
  sheet.mark(open.to, close.from, 'md-link', { 'data-href': address, title: hint(address) })
  // Without a text there would be nothing to see.
  if (open.to === close.from) return
  if (!sheet.shown(open.from)) sheet.hide(open.from, open.to)
  if (!sheet.shown(close.from)) sheet.hide(close.from, node.to)
}

/** The target of `[label]`, if the text defines it. */
function definition(sheet: Sheet, bracketed: string): string | null {
  const label = bracketed.slice(1, -1).trim()
  if (!label || !sheet.definitions) return null
  return sheet.definitions(label)
}

export function autolink(sheet: Sheet, node: SyntaxNodeRef) {
  const url = node.node.getChild('URL')
  if (!url) return
  address(sheet, url)
  for (const mark of node.node.getChildren('LinkMark'))
    if (!sheet.shown(mark.from)) sheet.hide(mark.from, mark.to)
}

/** An address that stands in the text as it is. */
export function bareAddress(sheet: Sheet, node: SyntaxNodeRef) {
  const parent = node.node.parent?.name ?? ''
  if (parent === 'Link' || parent === 'Image' || parent === 'LinkReference' || parent === 'Autolink') return
  address(sheet, node)
}

function address(sheet: Sheet, { from, to }: { from: number; to: number }) {
  const text = sheet.doc.sliceString(from, to)
  const url = /^[a-z][a-z0-9+.-]*:/i.test(text)
    ? text
    : text.includes('@')
      ? `mailto:${text}`
      : `https://${text}`
  sheet.mark(from, to, 'md-link', { 'data-href': url, title: hint(url) })
}

export function image(sheet: Sheet, node: SyntaxNodeRef) {
  const url = node.node.getChild('URL')
  if (!url) return
  const path = target(sheet.doc.sliceString(url.from, url.to))
  // Evidence and live cards are drawn by cards.ts.
  if (path === '' || /^(evidence|live):/i.test(path)) return
  const [open, close] = node.node.getChildren('LinkMark')
  const alt = open && close ? sheet.doc.sliceString(open.to, close.from) : ''
  picture(sheet, node, { path, alt, width: '' })
}

/** Draws a picture in place of its text, and below it while the cursor is on its line. */
export function picture(
  sheet: Sheet,
  { from, to }: { from: number; to: number },
  look: { path: string; alt: string; width: string },
) {
  const line = sheet.doc.lineAt(from)
  if (to > line.to) return
  const around = sheet.doc.sliceString(line.from, from) + sheet.doc.sliceString(to, line.to)
  // In a list or a quote, its mark does not count.
  const alone = /^[\s>]*(?:[-*+]|\d+[.)])?\s*$/.test(around)
  const widget = new Picture({ ...look, alone }, sheet.state.facet(pictureResolver))
  if (sheet.shown(from, to)) {
    sheet.mark(from, to, 'md-picture-text')
    if (alone) sheet.widget(line.to, widget)
  } else {
    sheet.replace(from, to, widget)
  }
}

export function footnote(sheet: Sheet, node: SyntaxNodeRef) {
  const line = sheet.doc.lineAt(node.from)
  const defines = line.from === node.from && sheet.doc.sliceString(node.to, node.to + 1) === ':'
  const label = sheet.doc.sliceString(node.from + 2, node.to - 1)
  if (defines) {
    sheet.line(line.from, 'md-note')
    sheet.mark(node.from, node.to + 1, 'md-note-label')
  } else {
    sheet.mark(node.from, node.to, 'md-note-mark', { 'data-note': label, title: `Footnote ${label}` })
  }
  if (sheet.shown(node.from)) return
  sheet.hide(node.from, node.from + 2)
  sheet.hide(node.to - 1, node.to)
}

/** `[label]: address` */
export function linkReference(sheet: Sheet, node: SyntaxNodeRef) {
  const label: SyntaxNode | null = node.node.getChild('LinkLabel')
  const note = label && sheet.doc.sliceString(label.from, label.from + 2) === '[^'
  for (const line of sheet.lines(node)) sheet.line(line.from, note ? 'md-note' : 'md-definition')
}
