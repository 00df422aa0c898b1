import { syntaxTree } from '@codemirror/language'
import type { ChangeDesc, EditorState } from '@codemirror/state'
import type { Span } from './sheet'

/**
 * Whether the same part of a text is visible as before a change. CodeMirror says of every change in the visible part
 * that its viewport changed, since its end moves.
 */
export function sameVisible(before: readonly Span[], changes: ChangeDesc, now: readonly Span[]): boolean {
  return (
    before.length === now.length &&
    before.every(({ from, to }, i) => {
      const span = now[i]
      return span?.from === changes.mapPos(from, -1) && span.to === changes.mapPos(to, 1)
    })
  )
}

/**
 * Whether two parses of one text are the same in a part of it: the parser keeps the blocks that it does not read again,
 * and after every pause it reads on behind what is visible.
 */
export function sameParse(before: EditorState, now: EditorState, { from, to }: Span): boolean {
  const a = syntaxTree(before)
  const b = syntaxTree(now)
  if (a.length < to || b.length < to) return false
  let old = a.topNode.childAfter(from - 1)
  let own = b.topNode.childAfter(from - 1)
  for (; old && own && own.from <= to; old = old.nextSibling, own = own.nextSibling) {
    if (old.from !== own.from || old.to !== own.to || old.type !== own.type) return false
    if (old.tree !== own.tree) return false
  }
  return (!old || old.from > to) && (!own || own.from > to)
}
