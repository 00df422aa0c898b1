import { Facet, StateEffect } from '@codemirror/state'
import { WidgetType, type EditorView } from '@codemirror/view'

/**
 * The address of a picture, given its path as it is written in the text; undefined if there is none. An address with
 * a scheme or a leading slash is shown as it is, any other is a path of the host.
 */
export type PictureResolver = (path: string) => string | undefined

/** Finds pictures. Without a resolver, every picture is shown as missing. */
export const pictureResolver = Facet.define<PictureResolver, PictureResolver>({
  combine: (resolvers) => (path) => {
    for (const resolve of resolvers) {
      const url = resolve(path)
      if (url !== undefined) return url
    }
    return undefined
  },
})

/** How the host shows one of its pictures in an image. */
export const pictureShow = Facet.define<
  (image: HTMLImageElement, path: string | null) => void,
  (image: HTMLImageElement, path: string | null) => void
>({
  combine: ([show]) => show ?? ((image, path) => (image.src = path ?? '')),
})

/** To be dispatched when pictures have come or gone: all are looked up again. */
export const picturesChanged = StateEffect.define<null>()

/** Heights as drawn, so that a picture that is drawn again does not move the text. */
const heights = new Map<string, number>()

export interface PictureLook {
  path: string
  alt: string
  /** In CSS pixels or per cent, as `<img width>` has it; empty if it has none. */
  width: string
  /** Alone on its line. */
  alone: boolean
}

/** A picture of the text. */
export class Picture extends WidgetType {
  private readonly url: string | undefined

  constructor(
    private readonly look: PictureLook,
    resolve: PictureResolver,
  ) {
    super()
    this.url = resolve(look.path)
  }

  override eq(other: Picture) {
    const [a, b] = [this.look, other.look]
    return (
      this.url === other.url &&
      a.path === b.path &&
      a.alt === b.alt &&
      a.width === b.width &&
      a.alone === b.alone
    )
  }

  toDOM(view: EditorView) {
    const { path, alt, width, alone } = this.look
    const box = document.createElement('span')
    box.className = alone ? 'md-picture md-picture-alone' : 'md-picture'
    const { url } = this
    if (url === undefined) {
      box.classList.add('md-picture-missing')
      box.textContent = missingText(path, alt)
      return box
    }
    const image = document.createElement('img')
    image.alt = alt
    image.title = alt
    image.draggable = false
    const known = heights.get(url)
    if (known) image.style.minHeight = `${known}px`
    if (/^\d+(px)?$/.test(width)) image.width = parseInt(width, 10)
    else if (/^\d+%$/.test(width)) image.style.width = width
    image.addEventListener('load', () => {
      image.style.minHeight = ''
      heights.set(url, image.offsetHeight)
      view.requestMeasure()
    })
    image.addEventListener('error', () => {
      box.classList.add('md-picture-missing')
      box.textContent = missingText(path, alt)
      view.requestMeasure()
    })
    if (/^([a-z][a-z0-9+.-]*:|\/)/i.test(url)) image.src = url
    else view.state.facet(pictureShow)(image, url)
    box.append(image)
    return box
  }

  override ignoreEvent() {
    return false
  }
}

function missingText(path: string, alt: string): string {
  const remote = /^https?:/i.test(path)
  return `${remote ? 'Picture on the web' : 'Missing picture'}: ${alt ? `${alt} (${path})` : path}`
}

const ATTRIBUTE = /\b(src|alt|width)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi

/** What an `<img>` tag shows; null if it has no source. */
export function imageTag(tag: string): Omit<PictureLook, 'alone'> | null {
  if (!/^<img\b/i.test(tag)) return null
  const found: Record<string, string> = {}
  for (const [, name = '', double, single, bare] of tag.matchAll(ATTRIBUTE))
    found[name.toLowerCase()] ??= double ?? single ?? bare ?? ''
  return found.src ? { path: found.src, alt: found.alt ?? '', width: found.width ?? '' } : null
}

/** The target of a Markdown link or image without its angle brackets and escapes. */
export function target(written: string): string {
  const inner = /^<(.*)>$/.exec(written)?.[1] ?? written
  return inner.replace(/\\([!-/:-@[-`{-~])/g, '$1')
}
