import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { markdown } from '@codemirror/lang-markdown'
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { EditorState, Prec, type Extension } from '@codemirror/state'
import { drawSelection, EditorView, highlightSpecialChars, keymap, type ViewUpdate } from '@codemirror/view'
import { cards, stepIntoCard, type CardDoor } from './cards'
import { endings } from './endings'
import { marks } from './markup'
import { slots, type SlotDoor } from './slots'
import { theme } from './theme'

export interface EditorDoor extends CardDoor, SlotDoor {
  changed(update: ViewUpdate): void
}

// As CodeMirror's own, without "\r" and the byte order mark: endings.ts draws those.
/* eslint-disable no-control-regex -- control characters are what this looks for */
const SPECIAL =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028\u2029\u202d\u202e\u2066-\u2069\ufff9-\ufffc]/g
/* eslint-enable no-control-regex */

/** A state for one text. Its bytes come out as they went in. */
export function editorState(text: string, door: EditorDoor): EditorState {
  const extensions: Extension[] = [
    endings(text),
    history(),
    drawSelection(),
    highlightSpecialChars({ specialChars: SPECIAL }),
    EditorView.lineWrapping,
    markdown({ addKeymap: true }),
    search({ top: true }),
    highlightSelectionMatches({ minSelectionLength: 3 }),
    marks,
    cards(door),
    slots(door),
    theme,
    EditorView.contentAttributes.of({
      'aria-label': 'Entry',
      spellcheck: 'true',
      autocapitalize: 'sentences',
    }),
    EditorView.updateListener.of((update) => door.changed(update)),
    Prec.high(
      keymap.of([
        { key: 'ArrowDown', run: (view) => stepIntoCard(view, 1) },
        { key: 'ArrowUp', run: (view) => stepIntoCard(view, -1) },
      ]),
    ),
    keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap]),
  ]
  // Split here: given a text, a state would split it at every kind of line end before it knows better.
  const doc = EditorState.create({ extensions: EditorState.lineSeparator.of('\n') }).toText(text)
  // Typing begins after a byte order mark.
  return EditorState.create({ doc, extensions, selection: { anchor: text.startsWith('\ufeff') ? 1 : 0 } })
}
