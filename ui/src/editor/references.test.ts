// References stay blocks of their own while Rust's answer for the text is on its way, and after it has come.
import {
  deleteCharBackward,
  deleteCharForward,
  deleteLine,
  insertNewline,
  redo,
  undo,
} from '@codemirror/commands'
import { EditorSelection } from '@codemirror/state'
import { EditorView, runScopeHandlers } from '@codemirror/view'
import { describe, expect, it } from 'vitest'
import type { Reference } from '../bindings'
import { noActions } from '../test/editor-actions'
import { setMarkup } from './markup'
import { editorState } from './setup'

const ID = '01JD4ZA0000000000000000001'
const REFERENCE = `![GET /home, 2 spans](evidence:${ID} "The \\"home\\" page")`

/** An editor in which `@` is a reference and `|` the cursor, or two are the selection. */
function editor(marked: string, answered: boolean): EditorView {
  const text = marked.replaceAll('|', '').replaceAll('@', REFERENCE)
  const at = (n: number) => marked.split('|').slice(0, n).join('').replaceAll('@', REFERENCE).length
  const view = new EditorView({ state: editorState(text, noActions), parent: document.body })
  const parts = marked.split('|').length
  if (parts > 1) view.dispatch({ selection: EditorSelection.range(at(1), at(parts - 1)) })
  if (answered) {
    const references = [...text.matchAll(/!\[GET[^)]*\)/g)].map(({ index }) => ({
      id: ID,
      alt: 'GET /home, 2 spans',
      caption: '',
      size: '',
      alone: true,
      generated: false,
      place: { start: index, end: index + REFERENCE.length },
    })) as Reference[]
    view.dispatch({ effects: setMarkup.of({ markup: { references, live: [], slots: [] } }) } as never)
  }
  return view
}

const text = (view: EditorView) => view.state.sliceDoc().replaceAll(REFERENCE, '@')

function insert(view: EditorView, typed: string, userEvent = 'input.type') {
  view.dispatch(view.state.replaceSelection(typed), { userEvent })
}

function type(view: EditorView, typed: string) {
  for (const letter of typed) insert(view, letter)
}

/** A key that the editor has a binding for. */
const press = (view: EditorView, key: string) =>
  runScopeHandlers(view, new KeyboardEvent('keydown', { key }), 'editor')

describe.each([
  ['before the markup has come', false],
  ['after the markup has come', true],
])('%s, a reference stays a block', (_when, answered) => {
  const typed: [string, string, string][] = [
    ['One\n\n@\n|', 'typed', 'One\n\n@\n\ntyped'],
    ['One\n\n@|', 'typed', 'One\n\n@\n\ntyped'],
    ['One\n\n@|\n\nTwo', 'typed', 'One\n\n@\n\ntyped\n\nTwo'],
    ['|@\n', 'typed', 'typed\n\n@\n'],
    ['|\n@\n', 'typed', 'typed\n\n@\n'],
    ['One\n\n@\n|\nTwo', 'typed', 'One\n\n@\n\ntyped\nTwo'],
    ['One|\n\n@\n\nTwo', ' more', 'One more\n\n@\n\nTwo'],
    ['a\r\n\r\n@\r\n|', 'typed', 'a\r\n\r\n@\r\n\r\ntyped'],
    ['  @\n|', 'typed', '  @\n\ntyped'],
    // Underlines, which would make it a heading.
    ['@\n|', '---', '@\n\n---'],
    ['@\n|', '===', '@\n\n==='],
    // Blocks of their own need no blank line, and get one as soon as they are words.
    ['@\n|', '# Two', '@\n# Two'],
    ['@\n|', '#two', '@\n\n#two'],
    ['@\n|', '> said', '@\n> said'],
    // In quotes and lists.
    ['> @\n> |', 'typed', '> @\n>\n> typed'],
    ['> @|', 'typed', '> @\n>\n> typed'],
    ['> |\n> @', 'typed', '> typed\n>\n> @'],
    ['- @|', 'typed', '- @\n\n  typed'],
    ['- |@', 'typed', '- typed\n\n  @'],
    ['- @\n  |', 'typed', '- @\n\n  typed'],
    ['- one\n- @\n|', 'typed', '- one\n- @\n\ntyped'],
  ]
  it.each(typed)('%j and %s typed', (given, keys, expected) => {
    // Where a card begins the text, a key first makes room above it.
    const view = editor(given, answered)
    type(view, keys)
    expect(text(view)).toBe(expected)
  })

  const pasted: [string, string, string][] = [
    ['One\n\n@|', 'a\nb', 'One\n\n@\n\na\nb'],
    ['One\n\n@\n|\nTwo', 'a\n\nb', 'One\n\n@\n\na\n\nb\nTwo'],
    ['|@\n', 'a\n', 'a\n\n@\n'],
    ['One|\n\nTwo|\n\n@', 'a', 'Onea\n\n@'],
    ['One|\n\n|@', 'a', 'Onea\n\n@'],
    ['@|\n\n|Two', 'a', '@\n\naTwo'],
    // Another reference.
    ['@\n|', REFERENCE, '@\n\n@'],
    ['@|\n\n|@', '\n', '@\n\n@'],
  ]
  it.each(pasted)('%j and %j pasted', (given, clip, expected) => {
    const view = editor(given, answered)
    insert(view, clip, 'input.paste')
    expect(text(view)).toBe(expected)
  })

  const deleted: [string, string, (view: EditorView) => unknown, string][] = [
    ['Backspace', '@\n\n|Two', deleteCharBackward, '@\n\nTwo'],
    ['Backspace', 'One\n\n|@\n', deleteCharBackward, 'One\n\n@\n'],
    ['Backspace', '@\r\n\r\n|Two', deleteCharBackward, '@\r\n\r\nTwo'],
    ['Backspace', '@\n\n|@\n', deleteCharBackward, '@\n\n@\n'],
    ['Backspace', '@\n# |Two', (view) => (deleteCharBackward(view), deleteCharBackward(view)), '@\n\nTwo'],
    ['Delete', '@|\n\nTwo', deleteCharForward, '@\n\nTwo'],
    ['Delete', 'One|\n\n@', deleteCharForward, 'One\n\n@'],
    ['Delete', '@\n|\nTwo', deleteCharForward, '@\n\nTwo'],
    [
      'Delete',
      '> @\n|>\n> Two',
      (view) => (deleteCharForward(view), deleteCharForward(view)),
      '> @\n>\n> Two',
    ],
    ['Ctrl+Shift+K', 'One\n|\n@', deleteLine, 'One\n\n@'],
    ['Backspace in a list', '- @\n- |two', (view) => press(view, 'Backspace'), '- @\n\n  two'],
  ]
  it.each(deleted)('%s in %j', (_key, given, run, expected) => {
    const view = editor(given, answered)
    run(view)
    expect(text(view)).toBe(expected)
  })

  it('with Enter, undo and redo', () => {
    const view = editor('@\n|', answered)
    type(view, 'a')
    insertNewline(view)
    type(view, 'b')
    expect(text(view)).toBe('@\n\na\nb')
    while (undo(view));
    expect(text(view)).toBe('@\n')
    while (redo(view));
    expect(text(view)).toBe('@\n\na\nb')
  })

  it('that was just inserted, or came back by undo', () => {
    const view = editor('One\n\n|', answered)
    insert(view, `${REFERENCE}\n`, 'capture')
    type(view, 'a')
    expect(text(view)).toBe('One\n\n@\n\na')
    while (undo(view));
    expect(text(view)).toBe('One\n\n')
    redo(view)
    view.dispatch({ selection: { anchor: view.state.doc.length } })
    type(view, 'b')
    expect(text(view)).toContain('@\n\n')
    expect(text(view)).toMatch(/b$/)
  })

  it('while its caption is written', () => {
    const view = editor('One\n\n@\nTwo'.replace('\nTwo', '\n'), answered)
    const end = view.state.sliceDoc().indexOf(' page')
    view.dispatch({ selection: { anchor: end } })
    type(view, ', the "start" ')
    expect(view.state.sliceDoc()).toContain('home\\", the \\"start\\"  page")')
    view.dispatch({ selection: { anchor: view.state.doc.length } })
    type(view, 'x')
    expect(view.state.sliceDoc()).toMatch(/page"\)\n\nx$/)
  })
})

describe('before the markup has come', () => {
  it.each([
    ['```\n@\n|\n```', 'x', '```\n@\nx\n```'],
    ['One @\n|', 'x', 'One @\nx'],
    ['`@`\n|', 'x', '`@`\nx'],
    ['before\n@\nafter|', '!', 'before\n@\nafter!'],
    ['![a picture](two.png)\n|', 'x', '![a picture](two.png)\nx'],
  ])('%j is no block of its own', (given, keys, expected) => {
    const view = editor(given, false)
    type(view, keys)
    expect(text(view)).toBe(expected)
  })

  it.each([
    `![A](<evidence:${ID}?size=compact> 'caption')`,
    `![A [b] \\] c](live:${ID})`,
    `![two\nlines](evidence:${ID} "of\nwords")`,
    `![](evidence:${ID} (caption))`,
  ])('%j is one', (reference) => {
    const state = editorState(`One\n\n${reference}\n`, noActions)
    const view = new EditorView({ state, parent: document.body })
    view.dispatch({ selection: { anchor: view.state.doc.length } })
    type(view, 'x')
    expect(view.state.sliceDoc()).toBe(`One\n\n${reference}\n\nx`)
  })
})
