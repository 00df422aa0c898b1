/** A picture of a rendered text, whose address the page has to find. */
export interface Picture {
  image: HTMLImageElement
  kind: 'evidence' | 'live' | 'file'
  /** Of the evidence or the live card; empty for a file. */
  id: string
  /** As written in the text. */
  path: string
  size: string
}

/**
 * Takes the addresses of pictures out of HTML that Rust rendered, before it becomes part of the page: the page would
 * load them as they are written.
 */
export function slotted(html: string): { body: HTMLElement; pictures: Picture[] } {
  const { body } = new DOMParser().parseFromString(html, 'text/html')
  const pictures = [...body.querySelectorAll('img')].map((image): Picture => {
    const path = image.getAttribute('src') ?? ''
    image.removeAttribute('src')
    image.removeAttribute('srcset')
    const reference = /^(evidence|live):([^?]+)(?:\?(?:.*&)?size=(\w+))?/i.exec(path)
    if (!reference) return { image, kind: 'file', id: '', path, size: '' }
    const [, kind = '', id = '', size = ''] = reference
    return { image, kind: kind.toLowerCase() === 'live' ? 'live' : 'evidence', id, path, size }
  })
  return { body, pictures }
}
