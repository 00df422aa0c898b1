import { deleteCharBackward, insertNewline, redo, undo } from '@codemirror/commands'
import { EditorSelection } from '@codemirror/state'
import { EditorView, runScopeHandlers } from '@codemirror/view'
import { describe, expect, it } from 'vitest'
import type { Reference } from '../bindings'
import { noActions } from '../test/editor-actions'
import { setMarkup } from './markup'
import { editorState } from './setup'

/** An editor for a text in which `|` is the cursor, or two are the selection. */
function editor(marked: string): EditorView {
  const text = marked.replaceAll('|', '')
  const anchor = marked.indexOf('|')
  const last = marked.lastIndexOf('|')
  const view = new EditorView({ state: editorState(text, noActions), parent: document.body })
  if (anchor >= 0)
    view.dispatch({ selection: EditorSelection.range(anchor, last === anchor ? anchor : last - 1) })
  return view
}

const REFERENCE = '![Trace](evidence:01JD4ZA0000000000000000001)'

/** The same, in which `@` is a reference on its own that Rust has found. */
function withCard(marked: string): EditorView {
  const view = editor(marked.replace('@', REFERENCE))
  const start = view.state.sliceDoc().indexOf(REFERENCE)
  const reference: Reference = {
    id: '01JD4ZA0000000000000000001',
    alt: 'Trace',
    caption: '',
    size: '',
    alone: true,
    generated: false,
    place: { start, end: start + REFERENCE.length },
  } as Reference
  const markup = { references: [reference], live: [], slots: [] }
  view.dispatch({ effects: setMarkup.of({ markup }) } as never)
  return view
}

const text = (view: EditorView) => view.state.sliceDoc().replace(REFERENCE, '@')
const type = (view: EditorView, typed: string) => {
  for (const letter of typed) {
    const { from, to } = view.state.selection.main
    view.dispatch({
      changes: { from, to, insert: letter },
      selection: { anchor: from + letter.length },
      userEvent: 'input.type',
    })
  }
}
const press = (view: EditorView, key: string, more: KeyboardEventInit = {}) =>
  runScopeHandlers(view, new KeyboardEvent('keydown', { key, ...more }), 'editor')
const ctrl = { ctrlKey: true }

describe('a reference stays a paragraph of its own', () => {
  const cases: [string, string, string][] = [
    ['One\n\n@\n|', 'typed', 'One\n\n@\n\ntyped'],
    ['One\n\n@|', 'typed', 'One\n\n@\n\ntyped'],
    ['|@\n', 'typed', 'typed\n\n@\n'],
    ['|\n@\n', 'typed', 'typed\n\n@\n'],
    ['One\n\n@\n|\nTwo', 'typed', 'One\n\n@\n\ntyped\nTwo'],
    ['One|\n\n@\n\nTwo', ' more', 'One more\n\n@\n\nTwo'],
    ['a\r\n\r\n@\r\n|', 'typed', 'a\r\n\r\n@\r\n\r\ntyped'],
  ]
  it.each(cases)('%j and %s', (given, typed, expected) => {
    const view = withCard(given)
    type(view, typed)
    expect(text(view)).toBe(expected)
  })

  it('when the line between is deleted', () => {
    const view = withCard('@\n\n|Two')
    deleteCharBackward(view)
    expect(text(view)).toBe('@\n\nTwo')
    const before = withCard('One\n\n|@\n')
    deleteCharBackward(before)
    expect(text(before)).toBe('One\n\n@\n')
  })

  it('with Enter, undo and redo', () => {
    const view = withCard('@\n|')
    type(view, 'a')
    insertNewline(view)
    type(view, 'b')
    expect(text(view)).toBe('@\n\na\nb')
    while (undo(view));
    expect(text(view)).toBe('@\n')
    while (redo(view));
    expect(text(view)).toBe('@\n\na\nb')
  })

  it('and text that stood next to it stays there', () => {
    const view = withCard('before\n@\nafter|')
    type(view, '!')
    expect(text(view)).toBe('before\n@\nafter!')
  })
})

describe('a caption and alternative text', () => {
  const captioned = (whole: string) => {
    const view = editor(whole)
    const start = 0
    const reference = {
      id: '01JD4ZA0000000000000000001',
      alt: '',
      caption: '',
      size: '',
      alone: true,
      generated: false,
      place: { start, end: view.state.doc.length },
    } as Reference
    const markup = { references: [reference], live: [], slots: [] }
    view.dispatch({ effects: setMarkup.of({ markup }) } as never)
    return view
  }
  const cases: [string, string, string][] = [
    ['![a](evidence:X "before| after")', '"', '![a](evidence:X "before\\" after")'],
    ['![a](evidence:X "before\\| after")', '"', '![a](evidence:X "before\\" after")'],
    ['![a|b](evidence:X "c")', ']', '![a\\]b](evidence:X "c")'],
    ['![a|b](evidence:X)', '"', '![a"b](evidence:X)'],
    ['![a](evidence:X "|")', 'x[y]', '![a](evidence:X "x[y]")'],
    ['![a](evidence:|X)', '"', '![a](evidence:"X)'],
  ]
  it.each(cases)('%s with %s', (given, typed, expected) => {
    const view = captioned(given)
    const { head } = view.state.selection.main
    view.dispatch({
      changes: { from: head, insert: typed },
      selection: { anchor: head + typed.length },
      userEvent: 'input.paste',
    })
    expect(view.state.sliceDoc()).toBe(expected)
  })
})

describe('keys', () => {
  const marked = (view: EditorView) => {
    const { anchor, head } = view.state.selection.main
    const out = view.state.sliceDoc()
    const [from, to] = [Math.min(anchor, head), Math.max(anchor, head)]
    return from === to
      ? `${out.slice(0, from)}|${out.slice(from)}`
      : `${out.slice(0, from)}|${out.slice(from, to)}|${out.slice(to)}`
  }
  const cases: [string, string, string, string][] = [
    ['b', 'bold', 'a |word| b', 'a **|word|** b'],
    ['b', 'bold again', 'a **|word|** b', 'a |word| b'],
    ['b', 'bold with the marks selected', 'a |**word**| b', 'a |word| b'],
    ['b', 'bold of the word at the cursor', 'a wo|rd b', 'a **wo|rd** b'],
    ['b', 'bold of nothing', 'a | b', 'a **|** b'],
    ['i', 'italic', 'a |word| b', 'a *|word|* b'],
    ['i', 'italic again', 'a *|word|* b', 'a |word| b'],
    ['i', 'italic in bold', 'a **|word|** b', 'a ***|word|*** b'],
    ['b', 'bold out of both', 'a ***|word|*** b', 'a *|word|* b'],
    ['e', 'code', '|x|', '`|x|`'],
    ['k', 'link', 'a |word| b', 'a [word](|) b'],
    ['k', 'link of an address', '|https://example.com/a|', '[|](https://example.com/a)'],
    ['k', 'link of nothing', 'a | b', 'a [|]() b'],
    ['/', 'no comment', 'a |word| b', 'a |word| b'],
  ]
  it.each(cases)('Ctrl+%s: %s', (key, _name, given, expected) => {
    const view = editor(given)
    press(view, key, ctrl)
    expect(marked(view)).toBe(expected)
  })

  it('Tab nests a list item, and Shift+Tab takes it back', () => {
    const view = editor('- one\n- tw|o\n')
    expect(press(view, 'Tab')).toBe(true)
    expect(view.state.sliceDoc()).toBe('- one\n  - two\n')
    expect(press(view, 'Tab', { shiftKey: true })).toBe(true)
    expect(view.state.sliceDoc()).toBe('- one\n- two\n')
  })

  it('formats every selection', () => {
    const view = editor('one two')
    view.dispatch({
      selection: EditorSelection.create([EditorSelection.range(0, 3), EditorSelection.range(4, 7)]),
    })
    press(view, 'b', ctrl)
    expect(view.state.sliceDoc()).toBe('**one** **two**')
  })
})
