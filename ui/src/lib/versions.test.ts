import { Text } from '@codemirror/state'
import { describe, expect, it } from 'vitest'
import { compare, merged, pieces, places, type Choice } from './versions'

const text = (body: string) => Text.of(body.split('\n'))
const versions = (base: string, mine: string, theirs: string) => compare(text(base), text(mine), text(theirs))

describe('two versions of a text', () => {
  it('differ where both changed the same lines, and take what one of them changed', () => {
    const found = versions('a\nb\nc\nd\ne\n', 'A\nb\nc, mine\nd\ne\n', 'a\nb\nc, theirs\nd\nE\n')
    expect(places(found)).toEqual([
      { mine: 'A\n', theirs: 'a\n', changed: 'mine', line: 1 },
      { mine: 'c, mine\n', theirs: 'c, theirs\n', changed: 'both', line: 3 },
      { mine: 'e\n', theirs: 'E\n', changed: 'theirs', line: 5 },
    ])
    expect(merged(found, ['mine', 'theirs', 'theirs'])).toBe('A\nb\nc, theirs\nd\nE\n')
    expect(merged(found, ['mine', 'mine', 'theirs'])).toBe('A\nb\nc, mine\nd\nE\n')
    expect(merged(found, ['mine', 'both', 'theirs'])).toBe('A\nb\nc, mine\n\nc, theirs\nd\nE\n')
  })

  it('share what both changed in the same way', () => {
    const found = versions('a\nb\n', 'x\nb\n', 'x\nb\n')
    expect(places(found)).toEqual([])
    expect(merged(found, [])).toBe('x\nb\n')
  })

  const both: [string, string, string, string][] = [
    ['paragraphs', 'one\n', 'two\n', 'one\n\ntwo\n'],
    ['items', '- one\n', '- two\n', '- one\n- two\n'],
    ['rows of a table', '| a |\n', '| b |\n', '| a |\n| b |\n'],
    ['CRLF', 'one\r\n', 'two\r\n', 'one\r\n\r\ntwo\r\n'],
    ['what one of them removed', '', 'two\n', 'two\n'],
    ['the last line', 'one', 'two', 'one\n\ntwo'],
  ]
  it.each(both)('both of %s', (_what, mine, theirs, expected) => {
    const found = versions('# x\nbase\n', `# x\n${mine}`, `# x\n${theirs}`)
    expect(merged(found, ['both'])).toBe(`# x\n${expected}`)
    expect(merged(found, ['mine'])).toBe(`# x\n${mine}`)
    expect(merged(found, ['theirs'])).toBe(`# x\n${theirs}`)
  })

  it('of more lines than there are codes are one place', () => {
    const long = Array.from({ length: 60_000 }, (_, n) => String(n)).join('\n')
    const found = versions(long, `${long}\na`, `${long}\nb`)
    expect(places(found)).toHaveLength(1)
    expect(merged(found, ['theirs'])).toBe(`${long}\nb`)
  })

  it('make one of them as a whole, whatever they are', () => {
    const lines = ['a', 'b', '', '- c', '😀', 'd\r', '# e', '']
    let seed = 7
    const next = (most: number) => (seed = (seed * 48271) % 2147483647) % most
    for (let round = 0; round < 400; round++) {
      const random = () => Array.from({ length: next(9) }, () => lines[next(lines.length)]).join('\n')
      const base = random()
      const change = () => {
        const out = base.split('\n')
        for (let n = next(4); n >= 0; n--)
          out.splice(next(out.length + 1), next(3), ...random().split('\n').slice(0, next(3)))
        return out.join('\n')
      }
      const [mine, theirs] = [change(), change()]
      const found = versions(base, mine, theirs)
      const all = (choice: Choice) =>
        merged(
          found,
          places(found).map(() => choice),
        )
      expect(all('mine')).toBe(mine)
      expect(all('theirs')).toBe(theirs)
      for (const line of [...mine.split('\n'), ...theirs.split('\n')]) expect(all('both')).toContain(line)
    }
  })

  it('in pieces, with the words that differ', () => {
    const place = places(versions('the cat\n', 'the black cat sat\n', 'the cat slept\n'))[0]
    expect(place).toBeDefined()
    const found = pieces(place ?? { mine: '', theirs: '', changed: 'both', line: 1 })
    expect(found.mine.map(({ text }) => text).join('')).toBe('the black cat sat\n')
    expect(found.theirs.map(({ text }) => text).join('')).toBe('the cat slept\n')
    expect(found.mine.filter(({ differs }) => differs).map(({ text }) => text.trim())).toContain('black')
  })
})
