import { cursorCharRight, deleteCharBackward, deleteCharForward, insertNewline } from '@codemirror/commands'
import { EditorView, runScopeHandlers } from '@codemirror/view'
import { describe, expect, it } from 'vitest'
import { noActions } from '../test/editor-actions'
import { endingOf } from './endings'
import { editorState } from './setup'

const view = (text: string) => new EditorView({ state: editorState(text, noActions), parent: document.body })
const text = (v: EditorView) => v.state.sliceDoc()

const TEXTS = {
  lf: '# One\n\nTwo\n',
  crlf: '# One\r\n\r\nTwo\r\n',
  cr: '# One\r\rTwo\r',
  mixed: 'a\r\nb\nc\rd\r\n\r\r\ne',
  'byte order mark': '\ufeff# One\r\n\r\nTwo',
  'no last line end': 'a\r\nb',
  'strange characters': 'a\u2028b\u0085c\u000bd\u0000e\ufefff',
  empty: '',
}

describe('a text is unchanged', () => {
  for (const [name, given] of Object.entries(TEXTS)) {
    it(`${name}: as it was when nothing is edited`, () => {
      expect(text(view(given))).toBe(given)
    })

    it(`${name}: as it was elsewhere when something is typed`, () => {
      const v = view(given)
      const at = given.indexOf('Two') >= 0 ? given.indexOf('Two') + 1 : given.length
      v.dispatch({ changes: { from: at, insert: 'new' }, userEvent: 'input.type' })
      expect(text(v)).toBe(`${given.slice(0, at)}new${given.slice(at)}`)
    })
  }
})

describe('a CRLF file', () => {
  it('gets its own ending from the Enter key and pasted text', () => {
    const v = view('one\r\ntwo\r\n')
    v.dispatch({ selection: { anchor: 3 } })
    insertNewline(v)
    expect(text(v)).toBe('one\r\n\r\ntwo\r\n')
    expect(v.state.selection.main.head).toBe(5)
    v.dispatch({ changes: { from: 5, insert: 'x\ny' }, userEvent: 'input.paste' })
    expect(text(v)).toBe('one\r\nx\r\ny\r\ntwo\r\n')
  })

  it('loses a whole line ending to one Backspace or Delete', () => {
    const back = view('one\r\ntwo')
    back.dispatch({ selection: { anchor: 5 } })
    deleteCharBackward(back)
    expect(text(back)).toBe('onetwo')
    const forward = view('one\r\ntwo')
    forward.dispatch({ selection: { anchor: 3 } })
    deleteCharForward(forward)
    expect(text(forward)).toBe('onetwo')
  })

  it('never has the cursor inside a line ending', () => {
    const v = view('one\r\ntwo')
    v.dispatch({ selection: { anchor: 4 } })
    expect(v.state.selection.main.head).toBe(3)
  })

  it('keeps its line ending if the browser replaces a whole line, or all of it is deleted', () => {
    const v = view('one\r\n\r\ntwo')
    v.dispatch({ changes: { from: 5, to: 6, insert: 'new' }, userEvent: 'input.type' })
    expect(text(v)).toBe('one\r\nnew\r\ntwo')
    v.dispatch({ changes: { from: 6, to: 9 }, userEvent: 'delete.forward' })
    expect(text(v)).toBe('one\r\nn\r\ntwo')
  })

  it('is traversed without stopping inside a line ending', () => {
    const v = view('a\r\nb')
    const stops = [0]
    for (let i = 0; i < 3; i++) {
      const right = new KeyboardEvent('keydown', { key: 'ArrowRight', keyCode: 39 })
      if (!runScopeHandlers(v, right, 'editor')) cursorCharRight(v)
      stops.push(v.state.selection.main.head)
    }
    expect(stops).toEqual([0, 1, 3, 4])
  })

  it('keeps its byte order mark at its start', () => {
    const v = view('\ufeffone')
    expect(v.state.selection.main.head).toBe(1)
    deleteCharBackward(v)
    v.dispatch({ selection: { anchor: 0 } })
    v.dispatch({ changes: { from: v.state.selection.main.head, insert: 'x' }, userEvent: 'input.type' })
    expect(text(v)).toBe('\ufeffxone')
  })

  it('does not change an LF file', () => {
    const v = view('one\ntwo')
    v.dispatch({ selection: { anchor: 3 } })
    insertNewline(v)
    expect(text(v)).toBe('one\n\ntwo')
  })
})

it('the ending of a file is that of most of its lines', () => {
  expect(endingOf('a\r\nb\r\nc\n')).toBe('\r\n')
  expect(endingOf('a\nb\r\nc\n')).toBe('\n')
  expect(endingOf('a\rb')).toBe('\r')
  expect(endingOf('')).toBe('\n')
})
