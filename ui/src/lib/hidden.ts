/** Shows characters of data that cannot be seen, or that change how others are shown, as marks. */

/**
 * The characters that `is_hidden` of crates/core/src/text.rs names, without line feeds, carriage returns and tabs,
 * which a page collapses or a `<pre>` needs. A test of that file compares the two.
 */
const RANGES: [number, number][] = [
  [0x0, 0x8],
  [0xb, 0xc],
  [0xe, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180e, 0x180e],
  [0x200b, 0x200b],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfdd0, 0xfdef],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff9, 0xfffb],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe00ff],
  [0xe01f0, 0xe0fff],
]
// The last two of every plane are noncharacters.
for (let plane = 0; plane <= 0x10; plane++) RANGES.push([plane * 0x10000 + 0xfffe, plane * 0x10000 + 0xffff])

const escaped = (code: number) => `\\u{${code.toString(16)}}`
const HIDDEN = new RegExp(
  `[${RANGES.map(([first, last]) => `${escaped(first)}-${escaped(last)}`).join('')}]`,
  'gu',
)

/** The text with a mark in place of each hidden character: the picture of a control character, else U+FFFD. */
export function marked(text: string): string {
  return text.replace(HIDDEN, (character) => {
    const code = character.codePointAt(0) ?? 0
    if (code < 0x20) return String.fromCodePoint(0x2400 + code)
    return code === 0x7f ? '\u2421' : '\ufffd'
  })
}

const ATTRIBUTES = ['title', 'aria-label', 'alt', 'placeholder']

/**
 * Marks hidden characters in every text and label below a node, now and whenever one changes, before it is painted. The
 * editor is left alone: it shows its own marks, and reads its text back from the page.
 */
export function markHidden(root: Node): void {
  const mark = (node: Node) => {
    const element = node instanceof Element ? node : node.parentElement
    if (element?.closest('.cm-editor')) return
    if (node instanceof Text) {
      const text = marked(node.data)
      if (text !== node.data) node.data = text
    } else if (element) {
      for (const name of ATTRIBUTES) {
        const value = element.getAttribute(name)
        if (value === null) continue
        const text = marked(value)
        if (text !== value) element.setAttribute(name, text)
      }
    }
  }
  const all = (node: Node) => {
    mark(node)
    for (const child of node.childNodes) all(child)
  }
  all(root)
  new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === 'childList') change.addedNodes.forEach(all)
      else mark(change.target)
    }
  }).observe(root, {
    subtree: true,
    childList: true,
    characterData: true,
    attributes: true,
    attributeFilter: ATTRIBUTES,
  })
}
