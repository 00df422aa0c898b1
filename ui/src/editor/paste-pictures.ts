import type { Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'

export interface PictureActions {
  /** Adds files that were pasted or dropped at a position of the text. */
  addFiles(files: File[], at: number): void
}

/** The files of a transfer; empty where it is text: office programs put a picture of it beside it. */
export function filesOf(transfer: DataTransfer | null): File[] {
  if (!transfer || transfer.getData('text/plain') !== '') return []
  return [...transfer.files]
}

/** Pictures that are pasted or dropped become attachments, wherever in the editor that happens. */
export function pastePictures(actions: PictureActions): Extension {
  return EditorView.domEventHandlers({
    paste(event, view) {
      const files = filesOf(event.clipboardData)
      if (files.length === 0 || view.state.readOnly) return false
      event.preventDefault()
      actions.addFiles(files, view.state.selection.main.to)
      return true
    },
    dragover(event) {
      if (!event.dataTransfer?.types.includes('Files')) return false
      event.preventDefault()
      event.dataTransfer.dropEffect = 'copy'
      return true
    },
    drop(event, view) {
      const files = [...(event.dataTransfer?.files ?? [])]
      if (files.length === 0 || view.state.readOnly) return false
      event.preventDefault()
      // The window's own handler is for what is dropped elsewhere.
      event.stopPropagation()
      actions.addFiles(files, view.posAtCoords({ x: event.clientX, y: event.clientY }, false))
      return true
    },
  })
}

/** Where a picture is inserted: below the line of a position if it is within that line. */
export function blockPosition(text: string, at: number): number {
  const start = text.lastIndexOf('\n', at - 1) + 1
  const end = text.indexOf('\n', at)
  const line = text.slice(start, end < 0 ? text.length : end)
  return line.trim() === '' || at === start ? at : start + line.replace(/\r$/, '').length
}

/** The alternative text of a reference in a text, to be selected; null if the reference is not there. */
export function altRange(text: string, reference: string, near: number): { from: number; to: number } | null {
  const at = text.indexOf(reference, Math.max(0, near - reference.length))
  if (at < 0) return null
  return { from: at + 2, to: at + reference.lastIndexOf('](') }
}
