import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const SOURCE = join(import.meta.dirname, '..')
/** Colours, sizes of type, spaces and radii that are written as values. Spaces in em follow the text around them. */
const RAW = [
  /#[0-9a-f]{3,8}(?=[;\s,)'"])/i,
  /\b(?:rgba?|hsla?|oklch)\(/,
  /\bfont(?:-size|Size)?:\s*'?(?:[^;'}]*\s)?[0-9.]+(?:px|pt)\b/,
  /(?<![\w-])(?:padding|margin|gap|row-?gap|column-?gap)[\w-]*:\s*'?[^;']*(?<![\w.])-?[0-9.]+(?:px|pt)\b/i,
  /\bborder-?radius:\s*'?[^;']*\b[1-9][0-9.]*(?:px|%|em)/i,
]

export function rawValues(text: string): string[] {
  return text.split('\n').filter((line) => RAW.some((raw) => raw.test(line.replace(/&#|this\.#\w+/g, ''))))
}

function styles(): [string, string][] {
  return readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:css|svelte)$/.test(name) || /^editor\/.*\.ts$/.test(name))
    .filter((name) => name !== 'tokens.css' && !name.endsWith('.test.ts'))
    .map((name) => [name, readFileSync(join(SOURCE, name), 'utf8')])
    .map(
      ([name, text]) =>
        [name, name?.endsWith('.svelte') ? (text?.split('<style')[1] ?? '') : (text ?? '')] as [
          string,
          string,
        ],
    )
}

test('colours, sizes of type, spaces and radii are in tokens.css only', () => {
  expect(styles().length).toBeGreaterThan(50)
  for (const [name, text] of styles()) expect(rawValues(text), name).toEqual([])
})

test('raw values are recognised', () => {
  for (const raw of [
    'color: #fff;',
    'a: rgb(0 0 0 / 3%)',
    'font-size: 13px;',
    "fontSize: '13px',",
    'font: 600 12px/1 x',
    'border-radius: 4px;',
    "borderRadius: '0 0 6px 6px',",
    'padding: 3px',
    'margin: 0 auto -4px',
    'row-gap: 2px;',
    'padding-inline-start: calc(1em + 6px);',
    "paddingTop: '3px',",
  ])
    expect(rawValues(raw), raw).toHaveLength(1)
  for (const fine of [
    'padding: var(--space-1) 0 0.5em',
    'inset: 3px; border-radius: 0;',
    "borderRadius: 'var(--radius) var(--radius) 0 0', paddingTop: 'var(--space-1)'",
    'font: var(--type-small)/1.5 var(--mono)',
    'this.#add(row)',
    'font-size: 0.8em',
  ])
    expect(rawValues(fine), fine).toHaveLength(0)
})

test('light and dark have the same colours', () => {
  const [light, dark] = readFileSync(join(SOURCE, 'tokens.css'), 'utf8').split('@media')
  const colours = (css = '') => [...css.matchAll(/--([a-z0-9-]+): (?:#|rgb|0 )/g)].map((match) => match[1])
  expect(colours(dark)).toEqual(colours(light))
})
