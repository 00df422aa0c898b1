import { expect, it } from 'vitest'
import { typedPath } from './path'

it.each([
  ['/srv/out', '/srv/out'],
  ['~/out', '~/out'],
  [' out ', '~/out'],
  ['./out', '~/out'],
  ['../out', '~/../out'],
  ['C:\\out', 'C:\\out'],
  ['\\\\host\\out', '\\\\host\\out'],
  ['', ''],
])('%j means %j', (given, path) => {
  expect(typedPath(given)).toBe(path)
})
