import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const SOURCE = join(import.meta.dirname, '..')

// Svelte listens at the root for such attributes. After a listener, the browser runs what waits, which is the editor's
// update of the page: in the middle of the browser's own command, which then computes style and layout again.
test('no component listens to input events at the root: bind:value listens at the element', () => {
  const components = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.svelte'),
  )
  expect(components.length).toBeGreaterThan(50)
  for (const name of components)
    expect(readFileSync(join(SOURCE, name), 'utf8'), name).not.toMatch(/\bon(?:before)?input=/)
})
