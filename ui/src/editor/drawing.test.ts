import { redo, undo } from '@codemirror/commands'
import { StateEffect } from '@codemirror/state'
import { EditorView, runScopeHandlers } from '@codemirror/view'
import { expect, it } from 'vitest'
import { noActions } from '../test/editor-actions'
import { editorState } from './setup'

const PIECES = [
  ...[
    'a',
    ' ',
    '\n',
    '\n\n',
    '\r\n',
    '*',
    '**',
    '_',
    '~~',
    '`',
    '```',
    '```js\n',
    '#',
    '## ',
    '- ',
    '- [ ] ',
    '1. ',
  ],
  ...[
    '> ',
    '> [!NOTE]\n',
    '|',
    '| a | b |\n|---|---|\n',
    '[',
    '](',
    ')',
    '![',
    '[^1]',
    '[^1]: ',
    '<',
    '<img src=x>',
  ],
  ...[
    '<details>\n<summary>',
    '</summary>',
    '---\n',
    '    ',
    '\t',
    '\\',
    'https://a.example',
    '<!--',
    '-->',
    '\ufeff',
    '😀',
  ],
]
const KEYS = [
  'Enter',
  'Backspace',
  'Delete',
  'Tab',
  'ArrowUp',
  'ArrowDown',
  'ArrowLeft',
  'ArrowRight',
  'Home',
  'End',
]

// Decorations that a view does not take end a plugin for good, so one bad input would end the drawing.
it('no input ends the drawing', () => {
  let seed = 11
  const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below
  for (let round = 0; round < 25; round++) {
    const view = new EditorView({ state: editorState('', noActions), parent: document.body })
    const failures: unknown[] = []
    const sink = EditorView.exceptionSink.of((cause) => failures.push(cause))
    view.dispatch({ effects: StateEffect.appendConfig.of(sink) })
    view.focus()
    for (let n = 0; n < 80; n++) {
      const { length } = view.state.doc
      const dice = random(10)
      if (dice < 6) {
        const from = random(2) ? view.state.selection.main.from : random(length + 1)
        const to = random(4) ? from : Math.min(length, from + random(12))
        const insert = PIECES[random(PIECES.length)] ?? ''
        view.dispatch({ changes: { from, to, insert }, userEvent: 'input.type', selection: { anchor: from } })
      } else if (dice < 9) {
        const key = KEYS[random(KEYS.length)] ?? 'Enter'
        runScopeHandlers(view, new KeyboardEvent('keydown', { key, shiftKey: random(4) === 0 }), 'editor')
      } else if (random(2)) undo(view)
      else redo(view)
      expect(failures.map(String), JSON.stringify(view.state.sliceDoc())).toEqual([])
    }
    view.destroy()
  }
}, 120_000)
