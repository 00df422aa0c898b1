import { describe, expect, test } from 'vitest'
import { below } from './link'

// The same cases as in crates/render/tests/writing.rs.
describe('below', () => {
  test.each([
    ['assets/a.png', 'journal/assets/a.png'],
    ['./assets//a.png', 'journal/assets/a.png'],
    ['/docs/a.png', 'docs/a.png'],
    ['../docs/a.png', 'docs/a.png'],
    ['../../a.png', '../a.png'],
    ['a%20b.png?raw=true', 'journal/a b.png'],
    ['a.png#b', 'journal/a.png'],
    ['50%25.png', 'journal/50%.png'],
    ['50%zz.png', 'journal/50%zz.png'],
    ['%ff.png', 'journal/%ff.png'],
    ['gr%C3%B6%C3%9Fe.png', 'journal/größe.png'],
    ['images\\a.png', 'journal/images/a.png'],
    ['日本.png', 'journal/日本.png'],
    ['assets/', null],
    ['?raw=true', null],
    ['#a', null],
    ['', null],
    ['https://example.org/a.png', null],
    ['//example.org/a.png', null],
    ['evidence:01J', null],
  ])('%s', (destination, expected) => expect(below(destination)).toBe(expected))
})
