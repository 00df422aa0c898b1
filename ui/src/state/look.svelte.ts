import { storedNumber, storeNumber } from '../lib/stored'

/** The faces that text can be written and read in; both are bundled. */
export const FACES = ['text', 'mono'] as const
/** Widths of the text. */
export const WIDTHS = ['narrow', 'usual', 'wide', 'full'] as const
export type Face = (typeof FACES)[number]
export type TextWidth = (typeof WIDTHS)[number]

/** Sizes of the text, in CSS pixels. */
export const SIZES = { least: 12, usual: 16, most: 28 }
/** Steps of the zoom, in percent. */
export const ZOOMS = [50, 67, 80, 90, 100, 110, 125, 150, 175, 200, 250, 300] as const

const KEYS = {
  face: 'tracebook.text.face',
  width: 'tracebook.text.width',
  size: 'tracebook.text.size',
  zoom: 'tracebook.zoom',
}

/** How the window looks, as the user has chosen it. It is kept across restarts, as the widths of the panes are. */
export class Look {
  face = $state<Face>('text')
  width = $state<TextWidth>('usual')
  size = $state(SIZES.usual)
  /** In percent. */
  zoom = $state(100)

  /** `setZoom` zooms the whole window by a factor; a browser does that itself. */
  constructor(private readonly setZoom: ((factor: number) => void) | undefined) {
    // Numbers begin at 1: 0 is not kept.
    this.face = FACES[storedNumber(KEYS.face, 1) - 1] ?? 'text'
    this.width = WIDTHS[storedNumber(KEYS.width, 2) - 1] ?? 'usual'
    this.size = within(storedNumber(KEYS.size, SIZES.usual))
    const zoom = storedNumber(KEYS.zoom, 100)
    this.zoom = ZOOMS.find((step) => step === zoom) ?? 100
    if (this.zoom !== 100) setZoom?.(this.zoom / 100)
    this.#show()
  }

  /** What the text looks like, as one value. */
  get text(): string {
    return `${this.face} ${this.width} ${this.size}`
  }

  get zooms(): boolean {
    return this.setZoom !== undefined
  }

  choose(change: { face?: Face; width?: TextWidth; size?: number }) {
    this.face = change.face ?? this.face
    this.width = change.width ?? this.width
    this.size = within(change.size ?? this.size)
    storeNumber(KEYS.face, FACES.indexOf(this.face) + 1)
    storeNumber(KEYS.width, WIDTHS.indexOf(this.width) + 1)
    storeNumber(KEYS.size, this.size)
    this.#show()
  }

  /** Zooms in or out by one step, or back to 100 %. Returns false where the browser does that. */
  zoomBy(by: 1 | -1 | 0): boolean {
    if (!this.setZoom) return false
    const at = ZOOMS.findIndex((step) => step === this.zoom)
    this.zoom = by === 0 ? 100 : (ZOOMS[at + by] ?? this.zoom)
    storeNumber(KEYS.zoom, this.zoom)
    this.setZoom(this.zoom / 100)
    return true
  }

  reset() {
    this.choose({ face: 'text', width: 'usual', size: SIZES.usual })
    this.zoomBy(0)
  }

  /** Styles are by attributes and variables of the page. */
  #show() {
    const { dataset, style } = document.documentElement
    dataset.textFace = this.face
    dataset.textWidth = this.width
    style.setProperty('--editor-size', `${this.size}px`)
  }
}

function within(size: number): number {
  return Math.max(SIZES.least, Math.min(SIZES.most, Math.round(size)))
}
