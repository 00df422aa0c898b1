import { indentLess, indentMore } from '@codemirror/commands'
import { selectNextOccurrence } from '@codemirror/search'
import { EditorSelection, type ChangeSpec, type EditorState, type SelectionRange } from '@codemirror/state'
import type { EditorView, KeyBinding } from '@codemirror/view'
import { followLink } from './links'
import { nest, toggleTasks, unnest } from './lists'
import { toggleSource } from './modes'

/** Puts marks around each selection, or takes them away where they are. With nothing selected, around the word. */
export function toggle(mark: string): (view: EditorView) => boolean {
  return (view) => {
    const { state } = view
    if (state.readOnly) return false
    view.dispatch(
      state.changeByRange((range) => marked(state, range, mark)),
      { userEvent: 'input.format', scrollIntoView: true },
    )
    return true
  }
}

function marked(state: EditorState, range: SelectionRange, mark: string) {
  const { from, to } = (range.empty && state.wordAt(range.head)) || range
  const doc = state.doc
  const text = doc.sliceString(from, to)
  const moved = (by: number, changes: ChangeSpec) => ({
    changes,
    range: EditorSelection.range(range.anchor + by, range.head + by),
  })
  if (outside(doc.sliceString(Math.max(0, from - 3), from), doc.sliceString(to, to + 3), mark)) {
    return moved(-mark.length, [
      { from: from - mark.length, to: from },
      { from: to, to: to + mark.length },
    ])
  }
  if (text.length > 2 * mark.length && outside(text.slice(0, 3), reversed(text).slice(0, 3), mark, true)) {
    const inner = text.slice(mark.length, -mark.length)
    return {
      changes: { from, to, insert: inner },
      range: EditorSelection.range(from, from + inner.length),
    }
  }
  return moved(mark.length, [
    { from, insert: mark },
    { from: to, insert: mark },
  ])
}

const reversed = (text: string) => text.split('').reverse().join('')

/** Whether a text between two others is marked: `***` is both `*` and `**`, but `**` is not `*`. */
function outside(left: string, right: string, mark: string, fromStart = false): boolean {
  const char = mark.charAt(0)
  const run = (text: string, end: boolean) => {
    const chars = end ? reversed(text) : text
    return chars.length - chars.replace(new RegExp(`^\\${char}+`), '').length
  }
  const count = Math.min(run(left, !fromStart), run(right, false))
  return char === '*' ? count === mark.length || count === 3 : count >= mark.length
}

const URL_TEXT = /^(?:https?:\/\/|mailto:)\S+$/

/** Makes a link of the selection, with the cursor where the address or the text is missing. */
export function link(view: EditorView): boolean {
  const { state } = view
  if (state.readOnly) return false
  view.dispatch(
    state.changeByRange((range) => {
      const { from, to } = (range.empty && state.wordAt(range.head)) || range
      const text = state.doc.sliceString(from, to)
      const isAddress = URL_TEXT.test(text)
      const insert = isAddress ? `[](${text})` : `[${text}]()`
      const cursor = from + (isAddress || text === '' ? 1 : insert.length - 1)
      return { changes: { from, to, insert }, range: EditorSelection.cursor(cursor) }
    }),
    { userEvent: 'input.format', scrollIntoView: true },
  )
  return true
}

/** Tab nests list items and moves other text by an indent; Escape first lets it leave the editor. */
function indent(view: EditorView): boolean {
  const { state } = view
  if (nest(view)) return true
  if (!state.selection.main.empty) return indentMore(view)
  view.dispatch(state.replaceSelection('  '), { userEvent: 'input', scrollIntoView: true })
  return true
}

function dedent(view: EditorView): boolean {
  return unnest(view) || indentLess(view)
}

/** The keys of other editors, before CodeMirror's, of which some mean something else. */
export const writingKeys: readonly KeyBinding[] = [
  { key: 'Mod-b', run: toggle('**'), preventDefault: true },
  { key: 'Mod-i', run: toggle('*'), preventDefault: true },
  { key: 'Mod-e', run: toggle('`'), preventDefault: true },
  { key: 'Mod-Shift-x', run: toggle('~~'), preventDefault: true },
  { key: 'Mod-k', run: link, preventDefault: true },
  { key: 'Tab', run: indent, shift: dedent },
  // Ctrl+Enter would insert a line otherwise; where there is no task or link, it still does.
  { key: 'Mod-Enter', run: (view) => toggleTasks(view) || followLink(view) },
  { key: 'Mod-d', run: selectNextOccurrence, preventDefault: true },
  // CodeMirror's would make the paragraph an HTML comment.
  { key: 'Mod-/', run: toggleSource, preventDefault: true },
]
