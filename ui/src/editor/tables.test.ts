import { ensureSyntaxTree } from '@codemirror/language'
import { EditorView, runScopeHandlers } from '@codemirror/view'
import { describe, expect, it } from 'vitest'
import { noActions } from '../test/editor-actions'
import { tableTexts } from './preview/table'
import { editorState } from './setup'

/** An editor for a text in which `@` is the cursor. */
function editor(marked: string): EditorView {
  const view = new EditorView({
    state: editorState(marked.replace('@', ''), noActions),
    parent: document.body,
  })
  view.dispatch({ selection: { anchor: marked.indexOf('@') } })
  ensureSyntaxTree(view.state, view.state.doc.length, 5000)
  return view
}
const press = (view: EditorView, key: string, more: KeyboardEventInit = {}) =>
  runScopeHandlers(view, new KeyboardEvent('keydown', { key, ...more }), 'editor')
const chosen = (view: EditorView) => {
  const { from, to } = view.state.selection.main
  return view.state.sliceDoc(from, to)
}
const TABLE = '| A | Bee |\n|---|---|\n| one | two |\n| | x |\n\nend'

describe('in a drawn table', () => {
  it('Tab goes from cell to cell, and makes a row after the last', () => {
    const view = editor(TABLE.replace('A', '@A'))
    const seen = []
    for (let n = 0; n < 5; n++) {
      press(view, 'Tab')
      seen.push(chosen(view))
    }
    expect(seen).toEqual(['Bee', 'one', 'two', '', 'x'])
    press(view, 'Tab')
    expect(view.state.sliceDoc()).toBe('| A | Bee |\n|---|---|\n| one | two |\n| | x |\n|  |  |\n\nend')
    press(view, 'Tab', { shiftKey: true })
    expect(chosen(view)).toBe('x')
  })

  it('Enter goes down, makes a row, and ends the table in an empty one', () => {
    const view = editor(TABLE.replace('Bee', 'B@ee'))
    press(view, 'Enter')
    expect(view.state.doc.lineAt(view.state.selection.main.head).text).toBe('| one | two |')
    press(view, 'Enter')
    press(view, 'Enter')
    expect(view.state.sliceDoc()).toBe('| A | Bee |\n|---|---|\n| one | two |\n| | x |\n|  |  |\n\nend')
    press(view, 'Enter')
    expect(view.state.sliceDoc()).toBe('| A | Bee |\n|---|---|\n| one | two |\n| | x |\n\n\nend')
  })

  it('one key deletes no bar', () => {
    const start = editor(TABLE.replace('one', '@one'))
    expect(press(start, 'Backspace')).toBe(true)
    expect(start.state.sliceDoc()).toBe(TABLE)
    const end = editor(TABLE.replace('one', 'one@'))
    expect(press(end, 'Delete')).toBe(true)
    expect(end.state.sliceDoc()).toBe(TABLE)
  })

  it('line endings are kept', () => {
    const view = editor(TABLE.replaceAll('\n', '\r\n').replace('x |', 'x@ |'))
    press(view, 'Enter')
    expect(view.state.sliceDoc()).toBe(
      '| A | Bee |\r\n|---|---|\r\n| one | two |\r\n| | x |\r\n|  |  |\r\n\r\nend',
    )
  })

  it('Alt+Enter shows the text, where keys do what they do in a text', () => {
    const view = editor(TABLE.replace('one', '@one'))
    press(view, 'Enter', { altKey: true })
    expect(view.state.field(tableTexts).length).toBe(1)
    press(view, 'Backspace')
    expect(view.state.sliceDoc()).toBe(TABLE.replace('| one', '|one'))
    press(view, 'Enter', { altKey: true })
    expect(view.state.field(tableTexts).length).toBe(0)
  })
})
