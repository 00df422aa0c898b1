import { ensureSyntaxTree } from '@codemirror/language'
import type { EditorState } from '@codemirror/state'
import { EditorView, runScopeHandlers } from '@codemirror/view'
import { describe, expect, it } from 'vitest'
import { noActions } from '../test/editor-actions'
import { toggleTasks } from './lists'
import { editorState } from './setup'

/** An editor for a text in which `|` is the cursor, or two are the selection. */
function editor(marked: string): EditorView {
  const anchor = marked.indexOf('|')
  const last = marked.lastIndexOf('|')
  const state: EditorState = editorState(marked.replaceAll('|', ''), noActions)
  const view = new EditorView({ state, parent: document.body })
  view.dispatch({ selection: { anchor, head: last === anchor ? anchor : last - 1 } })
  ensureSyntaxTree(view.state, view.state.doc.length, 5000)
  return view
}
const press = (view: EditorView, key: string, more: KeyboardEventInit = {}) =>
  runScopeHandlers(view, new KeyboardEvent('keydown', { key, ...more }), 'editor')

describe('Tab and Shift+Tab', () => {
  const nested: [string, string][] = [
    ['- a\n- b|', '- a\n  - b'],
    ['1. a\n2. b|\n3. c', '1. a\n   1. b\n2. c'],
    ['10. a\n11. b|', '10. a\n    1. b'],
    ['- [ ] a\n- [ ] b|', '- [ ] a\n  - [ ] b'],
    ['- a\n- b|\n  - c\n- d', '- a\n  - b\n    - c\n- d'],
    ['- a\n- |b\n- c|', '- a\n  - b\n  - c'],
    ['- a|', '- a'],
    ['> - a\n> - b|', '> - a\n>   - b'],
    ['- a\r\n- b|\r\n', '- a\r\n  - b\r\n'],
  ]
  it.each(nested)('nest %j', (given, wanted) => {
    const view = editor(given)
    press(view, 'Tab')
    expect(view.state.sliceDoc()).toBe(wanted)
  })

  const taken: [string, string][] = [
    ['- a\n  - b|', '- a\n- b'],
    ['1. a\n   1. b|\n2. c', '1. a\n2. b\n3. c'],
    ['- a\n  - b|\n    - c', '- a\n- b\n  - c'],
    ['- a|', '- a'],
  ]
  it.each(taken)('take back %j', (given, wanted) => {
    const view = editor(given)
    press(view, 'Tab', { shiftKey: true })
    expect(view.state.sliceDoc()).toBe(wanted)
  })
})

it('tasks are ticked together, and unticked only if all are done', () => {
  const view = editor('- [x] a|\n- [ ] b\ntext\n1. [ ] c|')
  toggleTasks(view)
  expect(view.state.sliceDoc()).toBe('- [x] a\n- [x] b\ntext\n1. [x] c')
  toggleTasks(view)
  expect(view.state.sliceDoc()).toBe('- [ ] a\n- [ ] b\ntext\n1. [ ] c')
})
