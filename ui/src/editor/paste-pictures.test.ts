import { describe, expect, test } from 'vitest'
import { altRange, blockPosition } from './paste-pictures'

describe('blockPosition', () => {
  test.each([
    ['one\ntwo', 1, 3],
    ['one\r\ntwo', 1, 3],
    ['one\ntwo', 3, 3],
    ['one\ntwo', 4, 4],
    ['one\ntwo', 6, 7],
    ['one\n\ntwo', 4, 4],
    ['one\n  \ntwo', 5, 5],
    ['', 0, 0],
  ])('%j at %i', (text, at, expected) => expect(blockPosition(text, at)).toBe(expected))
})

describe('altRange', () => {
  test('is the alternative text, also where the end of the text before looks the same', () => {
    const reference = '![a &#91;b&#93;](x.png)'
    const text = `One\n\n!\n${reference}\n`
    const alt = altRange(text, reference, 6)
    expect(alt && text.slice(alt.from, alt.to)).toBe('a &#91;b&#93;')
    expect(altRange('![](x.png)', '![](x.png)', 0)).toEqual({ from: 2, to: 2 })
    expect(altRange('nothing', reference, 0)).toBeNull()
  })
})
