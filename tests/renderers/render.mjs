// Renders Markdown with the renderers that readers of an export use, and prints what is in the HTML.
//
// stdin: a JSON array of Markdown texts. stdout: a JSON array with an object per text, which has a page per renderer:
//   elements  every element in document order, with its attributes except alt and title: `img src=a.svg`
//   images    [alternative text, title] of each image
//   cells     the text of each table cell
//   emphases  the text of each <em> and <sub>
//   text      the text of the whole page
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import MarkdownIt from 'markdown-it'
import { marked } from 'marked'
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { parseFragment } from 'parse5'

const EXTENSIONS = ['table', 'autolink', 'strikethrough', 'tagfilter', 'tasklist', 'footnotes']
const markdownIt = new MarkdownIt({ html: true, linkify: true })
const fuzzy = new MarkdownIt({ html: true, linkify: true })
fuzzy.linkify.set({ fuzzyLink: true, fuzzyEmail: true, fuzzyIP: true })

/** GitHub's own renderer, one process for each text. A shell starts them, since starting them from here is slow. */
function cmarkGfm(texts) {
  const folder = mkdtempSync(join(tmpdir(), 'tracebook-renderers-'))
  try {
    texts.forEach((text, i) => writeFileSync(join(folder, `${i}.md`), text))
    const options = EXTENSIONS.map((name) => `-e ${name}`).join(' ')
    const loop = `for file in *.md; do cmark-gfm --unsafe ${options} "$file" > "$file.html" || exit 1; done`
    execFileSync('sh', ['-c', loop], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] })
    return texts.map((_, i) => readFileSync(join(folder, `${i}.md.html`), 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const RENDERERS = {
  marked: (text) => marked.parse(text, { gfm: true }),
  'markdown-it': (text) => markdownIt.render(text),
  'markdown-it, fuzzy links': (text) => fuzzy.render(text),
  micromark: (text) => micromark(text, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] }),
}

function textOf(node) {
  if (node.nodeName === '#text') return node.value
  return (node.childNodes ?? []).map(textOf).join('')
}

function read(html) {
  const page = { elements: [], images: [], cells: [], emphases: [], text: '' }
  const visit = (node) => {
    if (node.tagName) {
      const attribute = (name) => node.attrs.find((a) => a.name === name)?.value ?? ''
      const shown = node.attrs.filter((a) => a.name !== 'alt' && a.name !== 'title')
      page.elements.push([node.tagName, ...shown.map((a) => `${a.name}=${a.value}`)].join(' '))
      if (node.tagName === 'img') page.images.push([attribute('alt'), attribute('title')])
      if (node.tagName === 'td' || node.tagName === 'th') page.cells.push(textOf(node))
      if (node.tagName === 'em' || node.tagName === 'sub') page.emphases.push(textOf(node))
    }
    for (const child of node.childNodes ?? []) visit(child)
  }
  const fragment = parseFragment(html)
  visit(fragment)
  page.text = textOf(fragment)
  return page
}

const texts = JSON.parse(readFileSync(0, 'utf8'))
const github = cmarkGfm(texts)
const answers = texts.map((text, i) => {
  const others = Object.entries(RENDERERS).map(([name, render]) => [name, read(render(text))])
  return Object.fromEntries([['cmark-gfm', read(github[i])], ...others])
})
process.stdout.write(JSON.stringify(answers))
