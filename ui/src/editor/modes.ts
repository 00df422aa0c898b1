import { syntaxHighlighting } from '@codemirror/language'
import { Compartment, type EditorState, type Extension } from '@codemirror/state'
import type { EditorView } from '@codemirror/view'
import { previewLook } from './preview/look'
import { preview } from './preview/plugin'
import { liveStyle, sourceStyle } from './theme'

const drawing = new Compartment()

const live: Extension = [preview, previewLook, syntaxHighlighting(liveStyle)]
const source: Extension = syntaxHighlighting(sourceStyle)

/** Markdown as it will be read, or as it is written. */
export function drawnText(): Extension {
  return drawing.of(live)
}

export function showsSource(state: EditorState): boolean {
  return drawing.get(state) === source
}

/** Shows the text as it is written, or drawn again. */
export function toggleSource(view: EditorView): boolean {
  view.dispatch({ effects: drawing.reconfigure(showsSource(view.state) ? live : source) })
  return true
}
