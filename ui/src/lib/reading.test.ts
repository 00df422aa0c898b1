import { expect, it } from 'vitest'
import { slotted } from './reading'

it('takes the addresses of pictures out before they are loaded', () => {
  const { body, pictures } = slotted(
    '<p><img src="evidence:01J?size=compact" alt="a"><img src="live:01K"><img src="assets/b.png" srcset="c.png 2x"></p>',
  )
  expect(body.innerHTML).toBe('<p><img alt="a"><img><img></p>')
  expect(pictures.map(({ kind, id, path, size }) => [kind, id, path, size])).toEqual([
    ['evidence', '01J', 'evidence:01J?size=compact', 'compact'],
    ['live', '01K', 'live:01K', ''],
    ['file', '', 'assets/b.png', ''],
  ])
})
