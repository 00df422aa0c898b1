import { forceParsing } from '@codemirror/language'
import type { Decoration } from '@codemirror/view'
import { EditorView } from '@codemirror/view'
import { afterEach, expect, it } from 'vitest'
import { noActions } from '../../test/editor-actions'
import { editorState } from '../setup'
import { sameParse, sameVisible } from './unchanged'

const TEXT = [
  'First **bold** words.',
  '',
  '## A heading',
  '',
  'Second **strong** words.',
  '',
  '- one',
  '  - two',
  '',
  '```',
  'const a = 1',
  '```',
  '',
].join('\n')

let view: EditorView
afterEach(() => view.destroy())

function shown(text = TEXT) {
  view = new EditorView({ state: editorState(text, noActions), parent: document.body })
  forceParsing(view, text.length, 5000)
  return view
}

/** The marks that are drawn of a word. */
function marksOf(word: string): Decoration[] {
  const at = view.state.doc.toString().indexOf(word)
  const found: Decoration[] = []
  for (const set of view.state.facet(EditorView.decorations)) {
    const ranges = typeof set === 'function' ? set(view) : set
    ranges.between(at, at, (_from, _to, value) => void found.push(value))
  }
  return found
}

it('draws only the block again in which a letter is typed', () => {
  shown()
  const [heading, button] = [marksOf('## A heading'), marksOf('- one')]
  expect(heading.length).toBeGreaterThan(0)
  view.dispatch({ changes: { from: 5, insert: 'x' }, selection: { anchor: 6 }, userEvent: 'input.type' })
  expect(marksOf('## A heading')).toEqual(heading)
  marksOf('## A heading').forEach((mark, i) => expect(mark).toBe(heading[i]))
  marksOf('- one').forEach((mark, i) => expect(mark).toBe(button[i]))
})

it('draws everything again when a change moves what follows into another block', () => {
  shown('Words.\n\n> quoted\n\n## A heading\n')
  const before = marksOf('## A heading')
  view.dispatch({ changes: { from: 0, insert: '```\n' }, userEvent: 'input.type' })
  forceParsing(view, view.state.doc.length, 5000)
  expect(view.dom.querySelectorAll('.md-heading')).toHaveLength(0)
  expect(marksOf('## A heading')).not.toEqual(before)
})

it('folds what a typed heading begins', () => {
  shown('Words.\n\nHeading\n\nMore words.\n')
  expect(view.dom.querySelectorAll('.md-fold')).toHaveLength(0)
  view.dispatch({ changes: { from: 8, insert: '## ' }, userEvent: 'input.type' })
  expect(view.dom.querySelectorAll('.md-fold')).toHaveLength(1)
})

it('knows whether the same part is visible after a change', () => {
  const { state } = shown()
  const typed = state.update({ changes: { from: 5, insert: 'ab' } }).changes
  expect(sameVisible([{ from: 0, to: 40 }], typed, [{ from: 0, to: 42 }])).toBe(true)
  expect(sameVisible([{ from: 0, to: 40 }], typed, [{ from: 0, to: 41 }])).toBe(false)
  expect(sameVisible([{ from: 10, to: 40 }], typed, [{ from: 12, to: 42 }])).toBe(true)
  expect(sameVisible([{ from: 0, to: 40 }], typed, [])).toBe(false)
})

it('compares two parses where the text is visible', () => {
  // The parser reads short texts again as a whole.
  const { state } = shown(TEXT.repeat(40))
  const all = { from: 0, to: state.doc.length }
  expect(sameParse(state, state, all)).toBe(true)
  const other = state.update({ changes: { from: state.doc.length, insert: '\nmore\n' } }).state
  expect(sameParse(state, other, { from: 0, to: 20 })).toBe(true)
  expect(sameParse(state, other, { from: 0, to: other.doc.length })).toBe(false)
  const quoted = state.update({ changes: { from: 0, to: 1, insert: '>' } }).state
  expect(sameParse(state, quoted, { from: 0, to: 20 })).toBe(false)
})
