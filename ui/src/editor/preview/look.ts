import { EditorView } from '@codemirror/view'

/** How drawn Markdown looks. Colours and faces are the window's own. */
export const previewLook = EditorView.theme({
  '.md-heading': { fontWeight: '650' },
  '.md-h1': { fontSize: '1.55em', lineHeight: '1.35', paddingTop: '0.5em !important' },
  '.md-h2': { fontSize: '1.28em', lineHeight: '1.4', paddingTop: '0.55em !important' },
  '.md-h3': { fontSize: '1.1em', paddingTop: '0.4em !important' },
  '.md-h6': { color: 'var(--muted)' },
  '.md-underline, .md-underline span': { color: 'var(--faint)', fontWeight: '400' },

  '.cm-line.md-item, .cm-line.md-quote': {
    paddingLeft: 'calc(var(--md-quote, 0) * 1em + var(--md-depth, 0) * var(--editor-step))',
  },
  '.md-hang': { textIndent: 'calc(var(--md-depth, 0) * -1 * var(--editor-step))' },
  '.md-prefix': {
    display: 'inline-block',
    textIndent: '0',
    textAlign: 'right',
    minWidth: 'calc(var(--md-depth, 0) * var(--editor-step))',
    paddingRight: '0.2em',
  },
  '.md-bullet, .md-bullet span': { color: 'transparent' },
  // Drawn, so that it has the same size and place in every face: in the middle of small letters. As a background, since
  // an element with a position of its own would cost time with every key.
  '.md-bullet': {
    '--md-at': '50% calc(50% + 0.09em)',
    background:
      'radial-gradient(circle at var(--md-at), var(--muted) 0.15em, transparent calc(0.15em + 0.7px))',
  },
  '.md-bullet-2': {
    background:
      'radial-gradient(circle at var(--md-at), transparent 0.1em, var(--muted) calc(0.1em + 0.7px), var(--muted) 0.16em, transparent calc(0.16em + 0.7px))',
  },
  '.md-bullet-3': {
    background: 'linear-gradient(var(--muted), var(--muted)) var(--md-at) / 0.28em 0.28em no-repeat',
  },
  '.md-number': { color: 'var(--muted)', fontVariantNumeric: 'tabular-nums' },
  '.md-task': {
    width: '1em',
    height: '1em',
    margin: '0',
    verticalAlign: '-0.1em',
    accentColor: 'var(--accent)',
    cursor: 'pointer',
  },
  '.md-done': { color: 'var(--muted)', textDecoration: 'line-through' },

  '.cm-line.md-quote': {
    '--md-quote': '1',
    color: 'var(--muted)',
    boxShadow: 'inset 3px 0 0 var(--line-strong)',
  },
  '.cm-line.md-quote-2': {
    '--md-quote': '2',
    boxShadow:
      'inset 3px 0 0 var(--line-strong), inset 1em 0 0 var(--bg), inset calc(1em + 3px) 0 0 var(--line-strong)',
  },
  '.cm-line.md-alert': { color: 'var(--text)', boxShadow: 'inset 3px 0 0 var(--md-alert)' },
  '.md-alert-name': { color: 'var(--md-alert)', fontWeight: '650' },
  '.md-alert-note': { '--md-alert': 'var(--accent)' },
  '.md-alert-tip': { '--md-alert': 'var(--good)' },
  '.md-alert-important': { '--md-alert': 'var(--important)' },
  '.md-alert-warning': { '--md-alert': 'var(--warn)' },
  '.md-alert-caution': { '--md-alert': 'var(--bad)' },

  '.md-rule': { color: 'var(--faint)' },
  '.md-rule-line': {
    display: 'inline-block',
    width: '100%',
    height: '1px',
    verticalAlign: 'middle',
    background: 'color-mix(in srgb, var(--line-strong) 60%, transparent)',
  },

  '.md-link': { color: 'var(--accent)', textDecoration: 'underline', textUnderlineOffset: '2px' },
  '&.md-follow .md-link': { cursor: 'pointer' },
  '.md-inline-code': {
    fontFamily: 'var(--mono)',
    fontSize: '0.875em',
    padding: '0.1em 0.3em',
    borderRadius: 'var(--radius-small)',
    background: 'var(--hover)',
  },
  '.md-html span': { color: 'inherit' },
  '.md-html': { color: 'var(--faint)', fontFamily: 'var(--mono)', fontSize: '0.85em' },
  '.md-summary': { fontWeight: '600' },
  '.md-definition, .md-definition span': { color: 'var(--faint)', fontSize: '0.9em' },
  '.md-note': { color: 'var(--muted)', fontSize: '0.92em' },
  '.md-note-label': { color: 'var(--accent)' },
  '.md-note-mark': {
    color: 'var(--accent)',
    fontSize: '0.75em',
    verticalAlign: '0.35em',
    lineHeight: '1',
    cursor: 'pointer',
  },

  '.cm-line.md-code': {
    fontFamily: 'var(--mono)',
    fontSize: '0.84em',
    lineHeight: '1.5',
    paddingLeft: 'calc(var(--md-quote, 0) * 1em + var(--md-depth, 0) * var(--editor-step) + 1em)',
    paddingRight: '1em',
    background: 'var(--panel)',
    fontVariantLigatures: 'none',
  },
  '.cm-line.md-code.md-hang': { textIndent: 'calc(var(--md-depth, 0) * -1 * var(--editor-step))' },
  '.cm-line.md-code-first': { borderRadius: 'var(--radius) var(--radius) 0 0', paddingTop: 'var(--space-1)' },
  '.cm-line.md-code-last': { borderRadius: '0 0 var(--radius) var(--radius)', lineHeight: '1' },
  '.md-code-head': {
    display: 'inline-flex',
    width: '100%',
    textIndent: '0',
    justifyContent: 'space-between',
    color: 'var(--faint)',
    fontFamily: 'var(--sans)',
    fontSize: '0.9em',
  },
  '.md-code-copy': {
    border: '0',
    background: 'transparent',
    color: 'var(--muted)',
    padding: '0 var(--space-05)',
    fontSize: 'inherit',
    lineHeight: 'inherit',
    visibility: 'hidden',
  },
  '.md-code-first:hover .md-code-copy': { visibility: 'visible' },

  '.cm-line.md-row': { display: 'table-row' },
  '.md-cell': {
    display: 'table-cell',
    padding: '0.25em 0.45em',
    minWidth: '3em',
    borderBottom: '1px solid var(--line)',
    borderRight: '1px solid var(--line)',
    verticalAlign: 'top',
    overflowWrap: 'break-word',
  },
  '.md-cell:first-of-type': { borderLeft: '1px solid var(--line)' },
  '.md-bar': { fontSize: '0' },
  '.md-row-head .md-cell': {
    borderTop: '1px solid var(--line)',
    background: 'var(--panel)',
    fontWeight: '600',
  },
  '.cm-line.md-row-rule': { fontSize: '0', lineHeight: '0' },
  '.md-cell-center': { textAlign: 'center' },
  '.md-cell-right': { textAlign: 'right' },
  '.md-table-text': { fontFamily: 'var(--mono)', fontSize: '0.84em' },

  '.md-picture': { display: 'inline-block', verticalAlign: 'bottom', maxWidth: '100%', textIndent: '0' },
  '.md-picture-alone': { display: 'block', padding: 'var(--space-05) 0' },
  '.md-picture img': {
    display: 'block',
    maxWidth: '100%',
    maxHeight: '70vh',
    objectFit: 'contain',
    objectPosition: 'left',
    borderRadius: 'var(--radius)',
  },
  '.md-picture-missing': {
    border: '1px dashed var(--line-strong)',
    borderRadius: 'var(--radius)',
    padding: '0.15em 0.6em',
    color: 'var(--muted)',
    fontSize: '0.88em',
    overflowWrap: 'anywhere',
  },
  '.md-picture-missing.md-picture-alone': { display: 'inline-block', padding: '0.5em 0.8em' },
  '.md-picture-text': { color: 'var(--muted)', fontSize: '0.9em' },

  '.cm-line.md-front, .cm-line.md-front *': {
    fontFamily: 'var(--mono)',
    fontSize: 'var(--type-label) !important',
    fontWeight: '400 !important',
    lineHeight: '1.5 !important',
    color: 'var(--faint) !important',
  },

  // What is not drawn costs nothing while typing.
  '.md-fold': {
    display: 'none',
    position: 'absolute',
    marginLeft: '-1.35em',
    width: '1.2em',
    textIndent: '0',
    border: '0',
    padding: '0',
    background: 'transparent',
    color: 'var(--faint)',
    fontSize: '0.8rem',
    lineHeight: 'inherit',
  },
  // A chevron of one colour and width on every system.
  '.md-fold::before': {
    content: '""',
    display: 'inline-block',
    padding: 'var(--space-05)',
    borderStyle: 'solid',
    borderWidth: '0 1.5px 1.5px 0',
    transform: 'rotate(45deg)',
    verticalAlign: '3px',
  },
  '.md-fold-closed::before': { transform: 'rotate(-45deg)', verticalAlign: '1px' },
  '.cm-line:hover > .md-fold, .md-fold-closed, .cm-line:hover .md-fold': { display: 'inline-block' },
  '.cm-foldPlaceholder': {
    background: 'var(--hover)',
    border: '0',
    color: 'var(--muted)',
    borderRadius: 'var(--radius-small)',
    padding: '0 0.4em',
    margin: '0 0.3em',
  },
})
