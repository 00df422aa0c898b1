// The examples of the CommonMark and GFM specifications, and pages in a form that can be compared.
//
//   node spec.mjs examples FOLDER   prints [{name, markdown, html}]. CommonMark's are those of the package
//                                   commonmark-spec, GFM's those that pulldown-cmark, whose source is in FOLDER, has
//                                   for the extensions: its tests are made from the specification.
//   node spec.mjs github            stdin: an array of Markdown texts; prints the page that GitHub's cmark-gfm makes of
//                                   each, with its links of bare addresses.
//   node spec.mjs normal            stdin: an array of HTML texts; prints what they say, in one spelling. These do not
//                                   count: whitespace between blocks, the order of attributes, closing slashes, and
//                                   what reading mode adds on purpose: ids of headings, and `rel` of links.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { tests } from 'commonmark-spec'
import { parseFragment } from 'parse5'

function commonmark() {
  return tests.map(({ number, markdown, html }) => ({
    name: `CommonMark ${number}`,
    markdown: markdown.replaceAll('→', '\t'),
    html: html.replaceAll('→', '\t'),
  }))
}

function gfm(folder) {
  return ['table', 'strikethrough', 'tasklist'].flatMap((extension) => {
    const source = readFileSync(join(folder, `tests/suite/gfm_${extension}.rs`), 'utf8')
    const found = source.matchAll(/let original = r##"(.*?)"##;\s+let expected = r##"(.*?)"##;/gs)
    return [...found].map(([, markdown, html], i) => ({ name: `GFM ${extension} ${i + 1}`, markdown, html }))
  })
}

const BLOCKS = new Set(
  'address blockquote dd details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 hr li ol p pre section summary table tbody td th thead tr ul'.split(
    ' ',
  ),
)

const added = (tag, { name, value }) =>
  (/^h[1-6]$/.test(tag) && name === 'id' && value.startsWith('reading-')) ||
  (tag === 'a' && name === 'rel' && value === 'noopener noreferrer')

function normal(html) {
  let out = ''
  const visit = (node, kept) => {
    if (node.nodeName === '#text') {
      out += kept ? node.value : node.value.replace(/[ \t\r\n]+/g, ' ')
      return
    }
    if (node.nodeName === '#comment') {
      out += `<!--${node.data}-->`
      return
    }
    const block = BLOCKS.has(node.tagName)
    const edge = () => {
      if (block) out = `${out.replace(/ $/, '')}\u0001`
    }
    if (node.tagName) {
      edge()
      const attributes = node.attrs
        .filter((attribute) => !added(node.tagName, attribute))
        .map(({ name, value }) => ` ${name}=${JSON.stringify(value)}`).sort()
      out += `<${node.tagName}${attributes.join('')}>`
      edge()
    }
    for (const child of (node.content ?? node).childNodes ?? []) visit(child, kept || node.tagName === 'pre')
    if (node.tagName) {
      edge()
      out += `</${node.tagName}>`
      edge()
    }
  }
  visit(parseFragment(html), false)
  return out.replace(/ ?\u0001[ \u0001]*/g, '\n').trim()
}

const [what, folder] = process.argv.slice(2)
const input = () => JSON.parse(readFileSync(0, 'utf8'))
const github = (text) => execFileSync('cmark-gfm', ['--unsafe', '-e', 'autolink'], { input: text, encoding: 'utf8' })
const answers = {
  examples: () => [...commonmark(), ...gfm(folder)],
  github: () => input().map(github),
  normal: () => input().map(normal),
}
process.stdout.write(JSON.stringify(answers[what]()))
