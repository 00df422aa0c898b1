import { ViewPlugin, type EditorView, type ViewUpdate } from '@codemirror/view'
import type { Extension } from '@codemirror/state'

/** Draws the picture at a path in an image, or removes it. */
export type Show = (image: HTMLImageElement, path: string | null) => void

/** Cards are drawn again only when the column's width has changed by this much, in CSS pixels. */
const STEP = 20
/** Milliseconds of rest before they are, since a splitter is dragged for a while. */
const REST = 200

/** What is drawn in each image, without the width. */
const paths = new WeakMap<HTMLImageElement, string>()
/** The width that cards are drawn for; 0 before the editor is laid out. */
let column = 0

function sized(path: string) {
  return column === 0 ? path : `${path}${path.includes('?') ? '&' : '?'}width=${column}`
}

/** Shows pictures that are drawn for the width of the column, so that their type is as large as the text's. */
export function atColumnWidth(show: Show): Show {
  return (image, path) => {
    if (path === null) paths.delete(image)
    else paths.set(image, path)
    show(image, path === null ? null : sized(path))
  }
}

function measured(view: EditorView) {
  const style = getComputedStyle(view.contentDOM)
  const padding = (parseFloat(style.paddingLeft) || 0) + (parseFloat(style.paddingRight) || 0)
  return Math.max(0, Math.floor((view.contentDOM.clientWidth - padding) / STEP) * STEP)
}

/** Draws the cards of an editor again when the width of its column has changed. */
export function columnWidth(show: Show): Extension {
  return ViewPlugin.fromClass(
    class {
      private rest: ReturnType<typeof setTimeout> | undefined

      constructor(private readonly view: EditorView) {
        this.measure()
      }

      update(update: ViewUpdate) {
        if (!update.geometryChanged) return
        clearTimeout(this.rest)
        if (column === 0) this.measure()
        else this.rest = setTimeout(() => this.measure(), REST)
      }

      destroy() {
        clearTimeout(this.rest)
      }

      private measure() {
        this.view.requestMeasure({
          key: this,
          read: measured,
          write: (width, view) => {
            if (width === 0 || width === column) return
            column = width
            for (const image of view.contentDOM.querySelectorAll<HTMLImageElement>('img.evidence-card')) {
              const path = paths.get(image)
              if (path !== undefined) show(image, sized(path))
            }
          },
        })
      }
    },
  )
}
