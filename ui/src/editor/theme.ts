import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

const markdownStyle = HighlightStyle.define([
  { tag: tags.heading1, fontSize: '1.55em', fontWeight: '650', lineHeight: '1.35' },
  { tag: tags.heading2, fontSize: '1.28em', fontWeight: '650', lineHeight: '1.4' },
  { tag: tags.heading3, fontSize: '1.1em', fontWeight: '650' },
  { tag: tags.heading, fontWeight: '650' },
  { tag: tags.strong, fontWeight: '650' },
  { tag: tags.emphasis, fontStyle: 'italic' },
  { tag: tags.strikethrough, textDecoration: 'line-through' },
  { tag: tags.link, color: 'var(--accent)' },
  { tag: tags.url, color: 'var(--muted)' },
  { tag: tags.monospace, fontFamily: 'var(--mono)', fontSize: '0.9em' },
  { tag: tags.quote, color: 'var(--muted)' },
  { tag: [tags.processingInstruction, tags.meta, tags.contentSeparator], color: 'var(--faint)' },
])

const look = EditorView.theme({
  '&': { height: '100%', color: 'var(--text)', backgroundColor: 'transparent' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--sans)', fontSize: '16px', lineHeight: '1.65', overflow: 'auto' },
  '.cm-content': {
    maxWidth: '48rem',
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
  '.cm-panel.cm-search': { padding: '8px 28px 8px 12px', fontFamily: 'var(--sans)', fontSize: '13px' },
  '.cm-panel.cm-search label': { fontSize: '13px', color: 'var(--text)' },
  '.cm-panel.cm-search [name=close]': { color: 'var(--muted)', fontSize: '18px', cursor: 'pointer' },
  '.cm-textfield': {
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius)',
    fontSize: '13px',
    padding: '3px 8px',
  },
  '.cm-button': {
    backgroundImage: 'none',
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
    border: '1px solid var(--line-strong)',
    borderRadius: 'var(--radius)',
    fontSize: '13px',
    padding: '3px 10px',
    cursor: 'pointer',
    '&:active': { backgroundImage: 'none', backgroundColor: 'var(--selection)' },
  },
  '.cm-selectionMatch': { backgroundColor: 'var(--match)' },
  '.cm-searchMatch': { backgroundColor: 'var(--match)' },
  '.cm-searchMatch-selected': { backgroundColor: 'var(--match-now)' },
})

export const theme = [look, syntaxHighlighting(markdownStyle)]
