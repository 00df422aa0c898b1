import { expect, test, vi } from 'vitest'
import type { AttachmentRow } from '../bindings'
import type { Host } from '../host/host'
import { matches } from './palette.svelte'
import { Pictures } from './pictures.svelte'

const row = (id: string, ...places: [entry: string, link: string][]): AttachmentRow => ({
  id,
  name: 'a.png',
  bytes: 1,
  sha256: '',
  entries: [],
  media: 'image/png',
  created_at: '',
  places: places.map(([entry, link]) => ({ entry, link, path: link })),
})

test('a picture is found by its entry, else by its path in another one; the list is read when it is needed', async () => {
  let asked = 0
  const rows = [
    row('NEW', ['one', 'journal/a.png']),
    row('OLD', ['two', 'journal/a.png'], ['two', 'docs/b c.png']),
  ]
  const host = { rpc: () => Promise.resolve((asked++, rows)) } as unknown as Host
  const pictures = new Pictures(host)
  pictures.refresh()
  expect(asked).toBe(0)
  const changed = vi.fn()
  pictures.changed(changed)
  expect(pictures.resolve('one', 'a.png')).toBeUndefined()
  await vi.waitFor(() => expect(changed).toHaveBeenCalled())
  expect(pictures.resolve('one', './a.png?raw=true')).toBe('attachment/NEW')
  expect(pictures.resolve('two', 'a.png')).toBe('attachment/OLD')
  expect(pictures.resolve('three', 'a.png')).toBe('attachment/NEW')
  expect(pictures.resolve('one', '/docs/b%20c.png')).toBe('attachment/OLD')
  for (const other of ['b.png', 'https://example.org/a.png', 'evidence:01J', ''])
    expect(pictures.resolve('one', other)).toBeUndefined()
  pictures.know(row('ADDED', ['one', 'journal/b.png']))
  expect(pictures.resolve('one', 'b.png')).toBe('attachment/ADDED')
  pictures.stop()
})

test('the palette finds titles by all words, in any order', () => {
  expect(matches('Week 2 — Distributed Tracing', 'trac week')).toBe(true)
  expect(matches('Week 2', 'week 3')).toBe(false)
  expect(matches('Week 2', '  ')).toBe(true)
})
