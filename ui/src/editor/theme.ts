import { HighlightStyle } from '@codemirror/language'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

const code = [
  {
    tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.definitionKeyword],
    color: 'var(--code-keyword)',
  },
  { tag: [tags.string, tags.special(tags.string), tags.regexp, tags.inserted], color: 'var(--code-string)' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.unit, tags.color], color: 'var(--code-value)' },
  { tag: [tags.comment, tags.docComment], color: 'var(--faint)', fontStyle: 'italic' },
  {
    tag: [
      tags.function(tags.variableName),
      tags.function(tags.definition(tags.variableName)),
      tags.className,
    ],
    color: 'var(--code-name)',
  },
  { tag: [tags.typeName, tags.tagName, tags.standard(tags.variableName)], color: 'var(--code-name)' },
  {
    tag: [tags.propertyName, tags.attributeName, tags.definition(tags.propertyName)],
    color: 'var(--code-property)',
  },
  { tag: tags.deleted, color: 'var(--bad)' },
]

const words = [
  { tag: tags.strong, fontWeight: '650' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.strikethrough, textDecoration: 'line-through' },
]

/** Where Markdown is drawn: the rest of its look is in preview/look.ts. */
export const liveStyle = HighlightStyle.define([
  ...words,
  { tag: [tags.processingInstruction, tags.meta, tags.contentSeparator], color: 'var(--faint)' },
  ...code,
])

/** Where Markdown is shown as it is written. */
export const sourceStyle = HighlightStyle.define([
  { tag: tags.heading, fontWeight: '650' },
  ...words,
  { tag: tags.link, color: 'var(--accent)' },
  { tag: tags.url, color: 'var(--muted)' },
  { tag: tags.quote, color: 'var(--muted)' },
  { tag: [tags.processingInstruction, tags.meta, tags.contentSeparator], color: 'var(--faint)' },
  ...code,
])

const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)', backgroundColor: 'transparent' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': {
    fontFamily: 'var(--editor-face)',
    fontSize: 'var(--editor-size)',
    lineHeight: '1.65',
    overflow: 'auto',
  },
  '.cm-content': {
    maxWidth: 'var(--editor-width)',
    margin: '0 auto',
    padding: '1.25rem 2rem 40vh',
    caretColor: 'var(--accent)',
    width: '100%',
    flexShrink: '1',
  },
  '.cm-line': { padding: '0' },
  '.cm-cursor': { borderLeftColor: 'var(--accent)', borderLeftWidth: '2px' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
    backgroundColor: 'var(--selection)',
  },
  '.cm-panels': { backgroundColor: 'var(--panel)', color: 'var(--text)', borderColor: 'var(--line)' },
  // CodeMirror's own are drawn for a light page.
  '.cm-panel.cm-search': {
    padding: 'var(--space-2) var(--space-8) var(--space-2) var(--space-3)',
    fontFamily: 'var(--sans)',
    fontSize: 'var(--type-label)',
  },
  '.cm-panel.cm-search label': { fontSize: 'var(--type-label)', color: 'var(--text)' },
  '.cm-panel.cm-search [name=close]': {
    color: 'var(--muted)',
    fontSize: 'var(--type-icon)',
    cursor: 'pointer',
  },
  '.cm-textfield': {
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius)',
    fontSize: 'var(--type-label)',
    padding: 'var(--space-1) var(--space-2)',
  },
  '.cm-button': {
    backgroundImage: 'none',
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius)',
    fontSize: 'var(--type-label)',
    padding: 'var(--space-1) var(--space-25)',
    cursor: 'pointer',
    '&:active': { backgroundImage: 'none', backgroundColor: 'var(--selection)' },
  },
  '.cm-selectionMatch': { backgroundColor: 'var(--match)' },
  '.cm-searchMatch': { backgroundColor: 'var(--match)' },
  '.cm-searchMatch-selected': { backgroundColor: 'var(--match-now)' },
})

export const theme = look
