import {
  commonmarkLanguage,
  deleteMarkupBackward,
  insertNewlineContinueMarkup,
  markdown,
} from '@codemirror/lang-markdown'
import { Prec, type Extension } from '@codemirror/state'
import { keymap } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import {
  Autolink,
  Strikethrough,
  Table,
  TaskList,
  type BlockContext,
  type LeafBlock,
  type Line,
  type MarkdownConfig,
} from '@lezer/markdown'
import { languageOf } from './languages'

const OPEN = '['.charCodeAt(0)
const CLOSE = ']'.charCodeAt(0)
const CARET = '^'.charCodeAt(0)

/** `[^1]`, as a reference and as the label of a definition. */
const Footnotes: MarkdownConfig = {
  defineNodes: [
    { name: 'Footnote', style: tags.link },
    { name: 'FootnoteMark', style: tags.processingInstruction },
  ],
  parseInline: [
    {
      name: 'Footnote',
      before: 'Link',
      parse(cx, next, pos) {
        if (next !== OPEN || cx.char(pos + 1) !== CARET) return -1
        let end = pos + 2
        while (end < cx.end && cx.char(end) !== CLOSE) {
          // A label has no spaces and no brackets.
          if (cx.char(end) <= 32 || cx.char(end) === OPEN) return -1
          end++
        }
        if (end >= cx.end || end === pos + 2) return -1
        return cx.addElement(
          cx.elt('Footnote', pos, end + 1, [
            cx.elt('FootnoteMark', pos, pos + 2),
            cx.elt('FootnoteMark', end, end + 1),
          ]),
        )
      },
    },
  ],
}

const trimmed = (text: string) => text.replace(/\s+$/, '')
const lineOf = (line: Line): Line => Object.create(line, { text: { value: trimmed(line.text) } }) as Line

/**
 * GFM's tables whose lines may end in spaces, as the code host reads them. A "\r" before a line break is one, too: the
 * editor keeps it as a character of the line.
 */
const Tables: MarkdownConfig = {
  ...Table,
  parseBlock: (Table.parseBlock ?? []).map((parser) => ({
    ...parser,
    leaf(cx: BlockContext, leaf: LeafBlock) {
      const found = parser.leaf?.(cx, leaf) ?? null
      if (!found) return null
      const next = found.nextLine.bind(found)
      found.nextLine = (context, line, block) => {
        const content = { content: { value: trimmed(block.content) } }
        return next(context, lineOf(line), Object.create(block, content) as LeafBlock)
      }
      return found
    },
    endLeaf(cx: BlockContext, line: Line, leaf: LeafBlock) {
      const peekLine = { peekLine: { value: () => trimmed(cx.peekLine()) } }
      return parser.endLeaf?.(Object.create(cx, peekLine) as BlockContext, lineOf(line), leaf) ?? false
    },
  })),
}

/** Markdown as the code host reads it: CommonMark, GFM and footnotes. Code is parsed in its own language. */
export function syntax(): Extension {
  return [
    markdown({
      base: commonmarkLanguage,
      extensions: [Tables, TaskList, Strikethrough, Autolink, Footnotes],
      codeLanguages: languageOf,
      addKeymap: false,
      completeHTMLTags: false,
    }),
    Prec.high(
      keymap.of([
        { key: 'Enter', run: insertNewlineContinueMarkup },
        { key: 'Backspace', run: deleteMarkupBackward },
      ]),
    ),
  ]
}
