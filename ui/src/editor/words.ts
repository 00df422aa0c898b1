import type { Text } from '@codemirror/state'

/** How much text there is. */
export interface Amount {
  words: number
  characters: number
  /** Minutes that reading takes, at 230 words a minute; at least one if there are words. */
  minutes: number
}

const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}'’._-]*/gu
/** Scripts that are written without spaces: each character counts as a word. */
const DENSE = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/gu

/** The words of a line as it is read: without targets of links, tags, and marks. */
export function wordsOf(line: string): number {
  const read = line
    .replace(/!?\[((?:[^\]\\]|\\.)*)\]\([^)]*\)/g, '$1')
    .replace(/<[^>]+>/g, ' ')
    .replace(/https?:\/\/\S+/g, 'address')
  const dense = read.match(DENSE)?.length ?? 0
  return dense + (read.replace(DENSE, ' ').match(WORD)?.length ?? 0)
}

/** Counts a text. */
export function amountOf(doc: Text): Amount {
  let words = 0
  for (const lines = doc.iterLines(); !lines.next().done;) words += wordsOf(lines.value)
  return { words, characters: doc.length, minutes: words ? Math.max(1, Math.round(words / 230)) : 0 }
}
