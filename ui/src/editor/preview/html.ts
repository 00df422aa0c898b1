import type { SyntaxNodeRef } from '@lezer/common'
import { imageTag } from '../pictures'
import { picture } from './inline'
import type { Sheet } from './sheet'

export function htmlTag(sheet: Sheet, node: SyntaxNodeRef) {
  const tag = sheet.doc.sliceString(node.from, node.to)
  const look = imageTag(tag)
  if (look) picture(sheet, node, look)
  else sheet.mark(node.from, node.to, 'md-html')
}

const TAG = /<(\/?)([a-z][a-z0-9-]*)\b[^>]*>/gi

/** A block of HTML: its pictures are drawn, and summaries are shown as such; the rest stays text. */
export function htmlBlock(sheet: Sheet, node: SyntaxNodeRef) {
  for (const line of sheet.lines(node)) {
    let summary = -1
    for (const match of line.text.matchAll(TAG)) {
      const [tag, closes = '', written = ''] = match
      const from = line.from + match.index
      const to = from + tag.length
      const name = written.toLowerCase()
      const look = name === 'img' ? imageTag(tag) : null
      if (look) {
        picture(sheet, { from, to }, look)
        continue
      }
      if (name === 'summary') {
        if (!closes) summary = to
        else if (summary >= 0) sheet.mark(summary, from, 'md-summary')
        if (!sheet.shown(from)) {
          sheet.hide(from, to)
          continue
        }
      }
      sheet.mark(from, to, 'md-html')
    }
    if (/^\s*<\/?details\b/i.test(line.text)) sheet.line(line.from, 'md-details')
  }
}

export function comment(sheet: Sheet, node: SyntaxNodeRef) {
  sheet.mark(node.from, node.to, 'md-html')
}
