import { Text } from '@codemirror/state'
import { expect, it } from 'vitest'
import { checkOf } from './check'

// The same values are in crates/app/src/journal/edits.rs.
it('is the checksum that the journal computes', () => {
  const of = (text: string) => checkOf(Text.of(text.split('\n')))
  expect(of('')).toBe(2_166_136_261)
  expect(of('a')).toBe(3_826_002_220)
  expect(of('Week 2 — é😀\r\n')).toBe(2_584_542_446)
  expect(of('a\nb')).not.toBe(of('b\na'))
})
