import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { markdown } from '@codemirror/lang-markdown'
import { defaultHighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { EditorState } from '@codemirror/state'
import { drawSelection, EditorView, keymap } from '@codemirror/view'

/** CodeMirror without anything of ours, for comparison. scripts/bench/typing.mjs builds it. */
export function bare(parent: HTMLElement, doc: string): EditorView {
  return new EditorView({
    parent,
    state: EditorState.create({
      doc,
      extensions: [
        history(),
        drawSelection(),
        EditorView.lineWrapping,
        markdown(),
        syntaxHighlighting(defaultHighlightStyle),
        keymap.of([...defaultKeymap, ...historyKeymap]),
        EditorView.theme({
          '&': { height: '100%' },
          '.cm-scroller': {
            fontFamily: 'sans-serif',
            fontSize: '16px',
            lineHeight: '1.65',
            overflow: 'auto',
          },
          '.cm-content': {
            maxWidth: '48rem',
            margin: '0 auto',
            padding: '1.25rem 2rem 40vh',
            flexShrink: '1',
          },
        }),
      ],
    }),
  })
}

Object.assign(window, { bare })
