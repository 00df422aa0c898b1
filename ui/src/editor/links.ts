import { syntaxTree } from '@codemirror/language'
import type { EditorState, Extension } from '@codemirror/state'
import { EditorView, type Command } from '@codemirror/view'
import { toggleTaskAt } from './lists'

/** The heading that `#some-heading` leads to, as code hosts name them; -1 if there is none. */
export function headingFor(state: EditorState, fragment: string): number {
  const wanted = decode(fragment).toLowerCase()
  const counts = new Map<string, number>()
  for (const { from, text } of headings(state)) {
    const slug = slugOf(text)
    const n = counts.get(slug) ?? 0
    counts.set(slug, n + 1)
    if ((n ? `${slug}-${n}` : slug) === wanted) return from
  }
  return -1
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** As code hosts make it: lower case, without punctuation, spaces as hyphens. */
export function slugOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replace(/ /g, '-')
}

export interface Heading {
  from: number
  level: number
  text: string
}

/** The headings of a text, in order, as far as it has been parsed. */
export function headings(state: EditorState): Heading[] {
  const found: Heading[] = []
  for (let node = syntaxTree(state).topNode.firstChild; node; node = node.nextSibling) {
    const match = /^(?:ATX|Setext)Heading(\d)$/.exec(node.name)
    if (!match) continue
    const written = state.sliceDoc(node.from, node.to)
    const text = node.name.startsWith('ATX')
      ? written.replace(/^\s*#{1,6}[ \t]*/, '').replace(/[ \t]+#*[ \t]*\r?$/, '')
      : written.replace(/\r?\n[ \t]*(=+|-+)[ \t]*\r?$/, '')
    found.push({ from: node.from, level: Number(match[1]), text: plain(text) })
  }
  return found
}

/** A heading's text without marks. */
function plain(text: string): string {
  return text
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(\*\*|__|~~|`)/g, '')
    .replace(/(^|\W)[*_](\S(?:.*?\S)?)[*_](?=\W|$)/g, '$1$2')
    .trim()
}

/** The event of a link to a file, whose address is its detail. */
export const FOLLOW_FILE = 'tracebook:follow-file'

/** Follows a link: a heading of the text, or a page in the browser. A file may be an entry, which the window knows. */
export function follow(view: EditorView | null, href: string) {
  if (view && href.startsWith('#')) {
    const at = headingFor(view.state, href.slice(1))
    if (at >= 0) jump(view, at)
    return
  }
  if (!/^(https?|mailto):/i.test(href)) {
    if (/\.md(?:[?#]|$)/i.test(href) && !/^[a-z][a-z0-9+.-]*:/i.test(href))
      window.dispatchEvent(new CustomEvent(FOLLOW_FILE, { detail: href }))
    return
  }
  const link = document.createElement('a')
  link.href = href
  link.target = '_blank'
  link.rel = 'noreferrer noopener'
  link.click()
}

/** Moves the cursor to a position, with its line near the top. */
export function jump(view: EditorView, pos: number) {
  view.dispatch({
    selection: { anchor: view.state.doc.lineAt(pos).to },
    effects: EditorView.scrollIntoView(pos, { y: 'start', yMargin: 24 }),
  })
  view.focus()
}

/** The address that the cursor is in. */
function addressAt(state: EditorState, pos: number): string | null {
  for (const side of [1, -1] as const) {
    for (let node = syntaxTree(state).resolveInner(pos, side); node.parent; node = node.parent) {
      const url = node.name === 'URL' ? node : node.name === 'Link' ? node.getChild('URL') : null
      if (url) return state.sliceDoc(url.from, url.to).replace(/^<|>$/g, '')
    }
  }
  return null
}

/** Opens the link at the cursor. */
export const followLink: Command = (view) => {
  const href = addressAt(view.state, view.state.selection.main.head)
  if (href === null) return false
  follow(view, href)
  return true
}

/** A footnote's other end: from the reference to its text, and back. */
function otherEnd(state: EditorState, label: string, from: number): number {
  const text = state.doc.toString()
  const defined = new RegExp(`^\\[\\^${label.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\]:`, 'm').exec(text)
  return defined && defined.index !== from ? defined.index : text.indexOf(`[^${label}]`)
}

/** Clicks on what is drawn: Ctrl or Cmd and a link, boxes of tasks, footnotes. */
export const clicks: Extension = [
  EditorView.domEventHandlers({
    mousedown(event, view) {
      const element = event.target instanceof Element ? event.target : null
      if (!element || event.button !== 0) return false
      if (element.matches('.md-task')) {
        event.preventDefault()
        return toggleTaskAt(view, view.posAtDOM(element))
      }
      const link = element.closest<HTMLElement>('[data-href]')
      if (link && (event.ctrlKey || event.metaKey)) {
        event.preventDefault()
        follow(view, link.dataset.href ?? '')
        return true
      }
      const note = element.closest<HTMLElement>('[data-note]')
      if (note && (event.ctrlKey || event.metaKey)) {
        event.preventDefault()
        const at = otherEnd(view.state, note.dataset.note ?? '', view.posAtDOM(note))
        if (at >= 0) jump(view, at)
        return true
      }
      return false
    },
    keydown: (event, view) => following(event, view),
    keyup: (event, view) => following(event, view),
    mousemove: (event, view) => following(event, view),
  }),
]

/** The pointer says that a click would open a link. */
function following(event: KeyboardEvent | MouseEvent, view: EditorView): boolean {
  const on = event.ctrlKey || event.metaKey
  if (view.dom.classList.contains('md-follow') !== on) view.dom.classList.toggle('md-follow', on)
  return false
}
