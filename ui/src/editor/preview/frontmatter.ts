import type { Text } from '@codemirror/state'

/** Lines within which front matter has to end. */
const MOST = 200

/** Where the front matter of a text ends, `---` included; 0 if it has none. */
export function frontMatterEnd(doc: Text): number {
  if (!/^\ufeff?---[ \t]*\r?$/.test(doc.line(1).text)) return 0
  const last = Math.min(doc.lines, MOST)
  for (let number = 2; number <= last; number++) {
    const line = doc.line(number)
    if (/^(---|\.\.\.)[ \t]*\r?$/.test(line.text)) return line.to
    // A blank line below the first mark: that was a rule.
    if (number === 2 && line.text.trim() === '') return 0
  }
  return 0
}
