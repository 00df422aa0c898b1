// Typing while the server's answer with the places of references is on its way.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { open, until } from './harness.mjs'

let app
let release
let reference
let entry

const stored = async () => (await app.rpc('entry_get', { entry: entry.id })).body.replaceAll(reference, '@')
const shown = (text) => app.page.locator('.cm-line', { hasText: text })

beforeEach(async () => {
  app = await open()
  const { page } = app
  reference = (await app.rpc('capture', { kind: 'trace', id: await app.send({}) })).reference
  // Answers with places wait until the test has typed.
  const held = new Promise((resolve) => (release = resolve))
  await page.route('**/rpc', async (route) => {
    if (['markup', 'entry_markup'].includes(route.request().postDataJSON().cmd)) await held
    await route.continue()
  })
})
afterEach(async () => {
  release?.()
  await app?.page.unrouteAll({ behavior: 'ignoreErrors' })
  await app?.close()
})

/** Opens an entry with a text in which `@` is the reference, and puts the cursor at the end of a line. */
async function openAt(text, line) {
  entry = await app.rpc('entry_new', { week: null, title: 'One', body: text.replaceAll('@', reference) })
  await app.page.locator('[data-testid=entries] [data-entry="one"] .title').click()
  await shown(line).click()
  // Twice, for lines that are wrapped.
  await app.page.keyboard.press('End')
  await app.page.keyboard.press('End')
}

test('keys before and after a reference, and its card once the answer is there', async () => {
  const { page } = app
  await openAt('First\n\n@\n\nLast\n', 'First')
  const { keyboard } = page
  await keyboard.press('Delete')
  await keyboard.press('Delete')
  await keyboard.type(' more', { delay: 10 })
  await shown('Last').click()
  await keyboard.press('Home')
  await keyboard.press('Backspace')
  await keyboard.press('Backspace')
  await keyboard.press('Enter')
  await keyboard.type('between', { delay: 10 })
  const wanted = /^First more\n\n+@\n\n+.*between.*\n$/s
  await until(stored, (text) => wanted.test(text), 'the reference is a block')
  release()
  await page.locator('.card-block .evidence-card').waitFor()
  assert.equal(await page.locator('.card-inline').count(), 0)
  assert.deepEqual(app.complaints, [])
})

test('at the ends of the line of the reference, and back', async () => {
  const { page } = app
  await openAt('First\n\n@\n\nLast\n', 'evidence:')
  const { keyboard } = page
  await keyboard.type('after', { delay: 10 })
  await until(stored, (text) => text === 'First\n\n@\n\nafter\n\nLast\n', 'typed behind it')
  await keyboard.press('Control+z')
  await until(stored, (text) => text === 'First\n\n@\n\nLast\n', 'undone')
  await shown('evidence:').click()
  await keyboard.press('Home')
  await keyboard.press('Home')
  await page.evaluate(() => {
    const data = new DataTransfer()
    data.setData('text/plain', 'pasted')
    const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
    document.querySelector('.cm-content').dispatchEvent(event)
  })
  await until(stored, (text) => /^First\n\npasted\n\n@\n\nLast\n$/.test(text), 'pasted before it')
  release()
  await page.locator('.card-block .evidence-card').waitFor()
})

test('directly after a capture', async () => {
  const { page } = app
  await openAt('First\n', 'First')
  await page.keyboard.press('Enter')
  const captured = await app.send({ path: '/api/captured' })
  await page.locator(`[data-trace-id="${captured}"]`).getByTestId('capture').click()
  await shown('evidence:').waitFor()
  await page.locator('.cm-line').last().click()
  await page.keyboard.type('typed', { delay: 10 })
  const text = async () => (await app.rpc('entry_get', { entry: entry.id })).body
  await until(text, (body) => /\]\(evidence:[^\n]*\)\n\ntyped/.test(body), 'a paragraph of its own')
  release()
  await page.locator('.card-block .evidence-card').waitFor()
})
