import { expect, it } from 'vitest'
import { ansi, classes } from './ansi'

const looks = (line: string) => ansi(line).map(({ text, look }) => [text, classes(look)])

it('leaves plain text as it is', () => {
  expect(looks('a <b> & "c"\ttab')).toEqual([['a <b> & "c"\ttab', '']])
  expect(looks('')).toEqual([])
})

it('reads colours, bright ones, backgrounds and their end', () => {
  expect(looks('\x1b[31mred\x1b[0m plain \x1b[1;92mgreen\x1b[22;39m \x1b[97;41mon red\x1b[m.')).toEqual([
    ['red', 'fg-1'],
    [' plain ', ''],
    ['green', 'fg-10 bold'],
    [' ', ''],
    ['on red', 'fg-15 bg-1'],
    ['.', ''],
  ])
})

it('maps 256 colours and true colour to the nearest of sixteen', () => {
  expect(looks('\x1b[38;5;9ma\x1b[38;5;196mb\x1b[38;2;0;0;200mc\x1b[48:2::0:180:0md\x1b[38;5;244me')).toEqual(
    [
      ['a', 'fg-9'],
      ['b', 'fg-1'],
      ['c', 'fg-4'],
      ['d', 'fg-4 bg-2'],
      ['e', 'fg-8 bg-2'],
    ],
  )
})

it('continues after an extended colour with the codes that follow', () => {
  expect(looks('\x1b[38;5;2;1mx')).toEqual([['x', 'fg-2 bold']])
  expect(looks('\x1b[48;2;200;0;0;4mx')).toEqual([['x', 'bg-1 underline']])
  expect(looks('\x1b[38mx')).toEqual([['x', '']])
  expect(looks('\x1b[38;5;999mx')).toEqual([['x', '']])
})

it('inverts colours, also if none is set', () => {
  expect(looks('\x1b[7mx\x1b[31my\x1b[27mz')).toEqual([
    ['x', 'inverse'],
    ['y', 'bg-1'],
    ['z', 'fg-1'],
  ])
})

it('leaves out every other sequence and control character', () => {
  const line =
    '\x1b[2K\x1b[1Ga\x1b]0;title\x07b\x1b]8;;https://x\x1b\\c\x1b]8;;\x1b\\d\x1b(Be\x07f\x08\x9b\rg\x1b'
  expect(looks(line)).toEqual([['abcdefg', '']])
  expect(looks('\x1b[?25lx\x1b[>4mx\x1b[31')).toEqual([['xx31', '']])
})

it('never hides text', () => {
  expect(looks('\x1b[8mshown')).toEqual([['shown', '']])
})

it('is fast on hostile input', () => {
  const began = performance.now()
  ansi('\x1b]'.repeat(50_000))
  ansi('\x1b[' + '1;'.repeat(50_000) + 'm')
  expect(performance.now() - began).toBeLessThan(2000)
})
