import { expect, test } from 'vitest'
import { isRange, momentsOf, rangeOf, rangeText } from './range'

test('a range has both moments in UTC, and comes back as local ones', () => {
  const range = rangeOf('2026-11-23T15:20', '2026-11-23T15:30:05')
  const [from = '', to = ''] = range.split('/')
  expect(new Date(from).getTime()).toBe(new Date('2026-11-23T15:20').getTime())
  expect(to.endsWith('Z')).toBe(true)
  expect(momentsOf(range)).toEqual(['2026-11-23T15:20:00', '2026-11-23T15:30:05'])
  expect(isRange(range)).toBe(true)
})

test('either end may be missing', () => {
  expect(rangeOf('', '')).toBe('/')
  expect(momentsOf(rangeOf('2026-11-23T15:20', ''))).toEqual(['2026-11-23T15:20:00', ''])
  expect(rangeText(rangeOf('', '2026-11-23T15:20'))).toBe('before 2026-11-23 15:20:00')
  expect(rangeText('15m')).toBe('of the last 15m')
  expect(isRange('15m')).toBe(false)
})
