import { expect, it } from 'vitest'
import { classes } from './ansi'

it('names every style', () => {
  expect(classes({ text: 'x' })).toBe('')
  expect(classes({ text: 'x', fg: 10, bold: true })).toBe('fg-10 bold')
  expect(classes({ text: 'x', fg: 15, bg: 1 })).toBe('fg-15 bg-1')
  expect(classes({ text: 'x', dim: true, italic: true, underline: true, strike: true })).toBe(
    'dim italic underline strike',
  )
})

it('inverts colours, also if none is set', () => {
  expect(classes({ text: 'x', inverse: true })).toBe('inverse')
  expect(classes({ text: 'x', inverse: true, fg: 1 })).toBe('bg-1')
  expect(classes({ text: 'x', inverse: true, bg: 2 })).toBe('fg-2 bg-8')
})
