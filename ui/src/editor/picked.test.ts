import { undo } from '@codemirror/commands'
import { ensureSyntaxTree } from '@codemirror/language'
import { EditorView, runScopeHandlers } from '@codemirror/view'
import { describe, expect, it } from 'vitest'
import type { Markup, Reference } from '../bindings'
import { noActions } from '../test/editor-actions'
import { setMarkup } from './markup'
import { pickedReference } from './picked'
import { editorState } from './setup'

const ID = '01JD4ZA000000000000000000'
const reference = (n: number) => `![Trace](evidence:${ID}${n})`

/** An editor for a text in which `1`, `2`, … are cards and `|` is the cursor. */
function editor(marked: string, opened: string[] = []): EditorView {
  const text = marked.replace(/\d/g, (n) => reference(Number(n)))
  const cursor = text.indexOf('|')
  const doc = text.replace('|', '')
  const actions = { ...noActions, open: (id: string) => void opened.push(id) }
  const view = new EditorView({ state: editorState(doc, actions), parent: document.body })
  const references = [...doc.matchAll(/!\[Trace\]\(evidence:(\w+)\)/g)].map((match) => {
    const place = { start: match.index, end: match.index + match[0].length }
    return { id: match[1], alt: 'Trace', caption: '', size: '', alone: true, generated: false, place }
  })
  const markup = { references: references as Reference[], live: [], slots: [] } as Markup
  view.dispatch({ effects: setMarkup.of({ markup }) })
  view.dispatch({ selection: { anchor: cursor } })
  ensureSyntaxTree(view.state, doc.length, 5000)
  return view
}

const text = (view: EditorView) => view.state.sliceDoc().replace(/!\[Trace\]\(evidence:\w+(\d)\)/g, '$1')
const picked = (view: EditorView) => pickedReference(view.state)?.id.slice(-1) ?? null
const press = (view: EditorView, key: string, more: KeyboardEventInit = {}) =>
  runScopeHandlers(view, new KeyboardEvent('keydown', { key, ...more }), 'editor')
const alt = { altKey: true }

describe('a card', () => {
  it('is selected by the arrows, and left by them', () => {
    const view = editor('above|\n1\n\nbelow')
    press(view, 'ArrowDown')
    expect(picked(view)).toBe('1')
    press(view, 'ArrowDown')
    expect(picked(view)).toBeNull()
    expect(view.state.doc.lineAt(view.state.selection.main.head).number).toBe(3)
    press(view, 'ArrowUp')
    expect(picked(view)).toBe('1')
    press(view, 'ArrowUp')
    expect(picked(view)).toBeNull()
    expect(view.state.selection.main.head).toBe(5)
  })

  it('is followed by the next card', () => {
    const view = editor('|\n1\n2\n')
    press(view, 'ArrowDown')
    press(view, 'ArrowDown')
    expect(picked(view)).toBe('2')
    press(view, 'ArrowUp')
    expect(picked(view)).toBe('1')
  })

  const deleted: [string, string][] = [
    ['a\n|\n1\n\nb', 'a\n\nb'],
    ['a\n|\n1\n', 'a\n\n'],
    ['a\n|\n1', 'a\n\n'],
    ['|\n1\n\nb', '\nb'],
    ['a\r\n|\r\n1\r\n\r\nb', 'a\r\n\r\nb'],
    ['- a\n|\n1\n\n# b\n', '- a\n\n# b\n'],
  ]
  it.each(deleted)('of %j is deleted with one undo', (given, wanted) => {
    for (const key of ['Delete', 'Backspace']) {
      const view = editor(given)
      const before = text(view)
      press(view, 'ArrowDown')
      expect(picked(view)).toBe('1')
      press(view, key)
      expect(text(view)).toBe(wanted)
      undo(view)
      expect(text(view)).toBe(before)
    }
  })

  it('moves past whole blocks, and stays selected', () => {
    const view = editor('a\n|\n1\n\n- b\n- c\n\n```\nd\n\ne\n```\n')
    press(view, 'ArrowDown')
    press(view, 'ArrowDown', alt)
    expect(text(view)).toBe('a\n\n- b\n- c\n\n1\n\n```\nd\n\ne\n```\n')
    expect(picked(view)).toBe('1')
    press(view, 'ArrowDown', alt)
    expect(text(view)).toBe('a\n\n- b\n- c\n\n```\nd\n\ne\n```\n\n1\n')
    press(view, 'ArrowDown', alt)
    expect(text(view)).toBe('a\n\n- b\n- c\n\n```\nd\n\ne\n```\n\n1\n')
    for (let n = 0; n < 5; n++) press(view, 'ArrowUp', alt)
    expect(text(view)).toBe('1\n\na\n\n- b\n- c\n\n```\nd\n\ne\n```\n')
    expect(picked(view)).toBe('1')
    undo(view)
    expect(text(view)).toBe('a\n\n1\n\n- b\n- c\n\n```\nd\n\ne\n```\n')
  })

  it('is opened by Enter, and shows its text by F2', () => {
    const opened: string[] = []
    const view = editor('a\n|\n1\n', opened)
    press(view, 'ArrowDown')
    press(view, 'Enter')
    expect(opened).toEqual([`${ID}1`])
    expect(text(view)).toBe('a\n\n1\n')
    expect(view.dom.querySelectorAll('.card').length).toBe(1)
    press(view, 'F2')
    expect(picked(view)).toBeNull()
    expect(view.dom.querySelectorAll('.card').length).toBe(0)
  })

  it('at an end of the text lets one write beyond it', () => {
    const last = editor('a\n|\n1')
    press(last, 'ArrowDown')
    press(last, 'ArrowDown')
    expect(text(last)).toBe('a\n\n1\n\n')
    expect(last.state.selection.main.head).toBe(last.state.doc.length)
    const first = editor('1\n|\nb')
    press(first, 'ArrowUp')
    press(first, 'ArrowUp')
    expect(text(first)).toBe('\n\n1\n\nb')
    expect(first.state.selection.main.head).toBe(0)
  })
})

describe('before a card that begins the text', () => {
  const type = (view: EditorView, insert: string) => {
    const at = view.state.selection.main.head
    const selection = { anchor: at + insert.length }
    view.dispatch({ changes: { from: at, insert }, selection, userEvent: 'input.type' })
  }
  const drawn = (view: EditorView) => view.dom.querySelectorAll('.card').length

  it.each(['|1\n\nb', '|1', '\ufeff|1\n'])(
    'of %j the card stays drawn, and what is typed goes above it',
    (given) => {
      const view = editor(given)
      expect(drawn(view)).toBe(1)
      expect(picked(view)).toBeNull()
      type(view, 'a')
      type(view, 'b')
      expect(text(view)).toBe(given.replace('|', 'ab\n\n'))
      expect(drawn(view)).toBe(1)
      undo(view)
      expect(text(view)).toBe(given.replace('|', ''))
    },
  )

  it('Enter makes a line to write on', () => {
    const view = editor('|1\n\nb')
    press(view, 'Enter')
    expect(text(view)).toBe('\n\n1\n\nb')
    expect(view.state.selection.main.head).toBe(0)
    expect(drawn(view)).toBe(1)
  })

  it.each(['Delete', 'ArrowDown', 'ArrowRight'])('%s selects the card', (key) => {
    const view = editor('|1\n\nb')
    press(view, key)
    expect(picked(view)).toBe('1')
    expect(text(view)).toBe('1\n\nb')
  })

  it('Backspace does nothing', () => {
    const view = editor('|1\n\nb')
    press(view, 'Backspace')
    expect(text(view)).toBe('1\n\nb')
  })

  it('F2 on the card shows its text', () => {
    const view = editor('|1\n\nb')
    press(view, 'ArrowDown')
    press(view, 'F2')
    expect(drawn(view)).toBe(0)
    expect(text(view)).toBe('1\n\nb')
  })
})
