import { Text } from '@codemirror/state'
import { describe, expect, it } from 'vitest'
import { languageName, languageOf } from './languages'
import { slugOf } from './links'
import { amountOf, wordsOf } from './words'

describe('words', () => {
  const cases: [string, number][] = [
    ['', 0],
    ['one two-three', 2],
    ['# **Bold** and `code`', 3],
    ['[a link](https://example.com/a/b) end', 3],
    ['![alt text](evidence:01JD4Z "caption")', 2],
    ['see https://example.com/x', 2],
    ['<img src="a b.png"> x', 1],
    ['日本語', 3],
    ["don't", 1],
    ['| a | b |', 2],
    ['---', 0],
  ]
  it.each(cases)('of %j are %i', (line, wanted) => {
    expect(wordsOf(line)).toBe(wanted)
  })

  it('take a minute to read at least', () => {
    expect(amountOf(Text.of(['one', 'two']))).toEqual({ words: 2, characters: 7, minutes: 1 })
    expect(amountOf(Text.of(['']))).toEqual({ words: 0, characters: 0, minutes: 0 })
    expect(amountOf(Text.of(Array.from({ length: 460 }, () => 'word'))).minutes).toBe(2)
  })
})

describe('the language of a fence', () => {
  const cases: [string, string, string | null][] = [
    ['python', 'python', 'Python'],
    ['Python title="x"', 'Python', 'Python'],
    ['{.js .numbered}', 'js', 'JavaScript'],
    ['c', 'c', null],
    ['text', 'text', null],
    ['', '', null],
    ['yml', 'yml', 'YAML'],
    ['dockerfile', 'dockerfile', 'Dockerfile'],
    ['sh', 'sh', 'Shell'],
  ]
  it.each(cases)('%j', (info, name, language) => {
    expect(languageName(info)).toBe(name)
    expect(languageOf(info)?.name ?? null).toBe(language)
  })
})

it('headings have the addresses that code hosts give them', () => {
  expect(slugOf('Week 2 — Distributed Tracing!')).toBe('week-2--distributed-tracing')
  expect(slugOf('Über `X-Ray`')).toBe('über-x-ray')
})
