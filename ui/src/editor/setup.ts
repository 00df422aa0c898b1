import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search'
import { EditorState, Prec, type Extension } from '@codemirror/state'
import { drawSelection, EditorView, highlightSpecialChars, keymap, type ViewUpdate } from '@codemirror/view'
import { blocks } from './blocks'
import { cards, stepIntoCard, type CardActions } from './cards'
import { endings } from './endings'
import { folding } from './folding'
import { writingKeys } from './keys'
import { clicks } from './links'
import { marks } from './markup'
import { drawnText } from './modes'
import { outline } from './outline'
import { paste } from './paste'
import { picking } from './picked'
import { pastePictures, type PictureActions } from './paste-pictures'
import { pictureResolver, pictureShow } from './pictures'
import { slots, type SlotActions } from './slots'
import { syntax } from './syntax'
import { tables } from './tables'
import { theme } from './theme'

export interface EditorActions extends CardActions, SlotActions, PictureActions {
  changed(update: ViewUpdate): void
  /** Shows the text to be read. */
  read?(): void
  /** What `show` draws for the target of a picture; undefined if the journal does not have it. */
  picture?(target: string): string | undefined
}

// CodeMirror's default, without "\r" and the byte order mark: endings.ts draws those.
/* eslint-disable no-control-regex -- control characters are what this looks for */
const SPECIAL =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufff9-\ufffc]/g
/* eslint-enable no-control-regex */

/** The state for a text. Bytes that are not edited stay unchanged. */
export function editorState(text: string, actions: EditorActions): EditorState {
  const extensions: Extension[] = [
    endings(text),
    history(),
    drawSelection(),
    EditorState.allowMultipleSelections.of(true),
    highlightSpecialChars({ specialChars: SPECIAL }),
    EditorView.lineWrapping,
    syntax(),
    drawnText(),
    folding,
    outline,
    clicks,
    paste,
    tables,
    pictureShow.of((image, path) => actions.show(image, path)),
    pictureResolver.of((target) => actions.picture?.(target)),
    search({ top: true }),
    highlightSelectionMatches({ minSelectionLength: 3 }),
    marks,
    picking({ open: (id) => actions.open(id), openLive: (id) => actions.live.edit(id) }),
    blocks,
    cards(actions),
    slots(actions),
    pastePictures(actions),
    theme,
    EditorView.contentAttributes.of({
      'aria-label': 'Entry',
      spellcheck: 'true',
      autocapitalize: 'sentences',
    }),
    EditorView.updateListener.of((update) => actions.changed(update)),
    Prec.high(
      keymap.of([
        { key: 'ArrowDown', run: (view) => stepIntoCard(view, 1) },
        { key: 'ArrowUp', run: (view) => stepIntoCard(view, -1) },
        {
          key: 'Mod-Shift-e',
          run: () => {
            actions.read?.()
            return true
          },
          preventDefault: true,
        },
        ...writingKeys,
      ]),
    ),
    keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap]),
  ]
  // Split here: EditorState.create would split a string at every kind of line ending before it reads lineSeparator.
  const doc = EditorState.create({ extensions: EditorState.lineSeparator.of('\n') }).toText(text)
  // Typing begins after a byte order mark.
  return EditorState.create({ doc, extensions, selection: { anchor: text.startsWith('\ufeff') ? 1 : 0 } })
}
