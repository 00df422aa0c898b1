// Pictures that are pasted, dropped and picked, in a real browser.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { open, root, until } from './harness.mjs'

const fixture = (name) => readFileSync(join(root, 'tests/fixtures/pictures', name))

let app
let entry
beforeEach(async () => {
  app = await open()
  entry = await app.rpc('entry_new', { week: '2', title: null, body: '# Two\n\nFirst words.\n\nLast words.\n' })
  await app.page.locator('[data-testid=entries] [data-entry="week-2"] .title').click()
  await app.page.locator('.cm-content', { hasText: 'Last words.' }).waitFor()
})
afterEach(async () => {
  await app?.close()
})

const stored = async () => (await app.rpc('entry_get', { entry: entry.id })).body

/** Sends files to an element as a paste or a drop would. Returns whether the browser's own action was prevented. */
const give = (target, kind, files, text = '') =>
  app.page.locator(target).evaluate(
    (element, { kind, files, text }) => {
      const transfer = new DataTransfer()
      for (const { name, type, bytes } of files)
        transfer.items.add(new File([new Uint8Array(bytes)], name, { type }))
      if (text) transfer.setData('text/plain', text)
      const { x, y } = element.getBoundingClientRect()
      const at = { bubbles: true, cancelable: true, clientX: x + 40, clientY: y + 8 }
      const event =
        kind === 'paste'
          ? new ClipboardEvent('paste', { ...at, clipboardData: transfer })
          : new DragEvent(kind, { ...at, dataTransfer: transfer })
      return !element.dispatchEvent(event)
    },
    { kind, files, text },
  )

const file = (name, type, bytes) => ({ name, type, bytes: [...bytes] })

/** The line that the cursor is on, by clicking into it. */
async function cursorIn(words) {
  await app.page.locator('.cm-line', { hasText: words }).click()
}

test('a pasted screenshot becomes an attachment without metadata, and its alternative text is typed in place', async () => {
  const { page } = app
  await cursorIn('First words.')
  assert.equal(await give('.cm-content', 'paste', [file('image.png', 'image/png', fixture('screenshot.png'))]), true)
  await page.locator('.cm-content', { hasText: 'assets/week2/picture-' }).waitFor()
  await page.keyboard.type('the trace of a login')
  const text = await until(stored, (body) => body.includes('the trace of a login'), 'the text is saved')
  assert.match(
    text,
    /^# Two\n\nFirst words\.\n\n!\[the trace of a login\]\(assets\/week2\/picture-\d{4}-\d\d-\d\d\.png\)\n\nLast words\.\n$/,
  )
  const [row] = await app.rpc('attachment_list', { entry: entry.id })
  assert.deepEqual([row.width, row.height, row.media], [24, 16, 'image/png'])
  // One undo step.
  await page.keyboard.press('ControlOrMeta+z')
  await page.keyboard.press('ControlOrMeta+z')
  await until(stored, (body) => body === '# Two\n\nFirst words.\n\nLast words.\n', 'undone')
  assert.deepEqual(app.complaints, [])
})

test('pictures are dropped at a place of the text, several in their order', async () => {
  await give('.cm-line >> nth=0', 'drop', [
    file('login page.jpg', 'image/jpeg', fixture('phone.jpg')),
    file('moving.gif', 'image/gif', fixture('moving.gif')),
  ])
  const text = await until(stored, (body) => body.includes('.gif'), 'both are there')
  assert.match(
    text,
    /^# Two\n\n!\[login page\]\(assets\/week2\/login-page\.jpg\)\n\n!\[moving\]\(assets\/week2\/moving\.gif\)\n\nFirst/,
  )
  const selected = await app.page.evaluate(() => String(getSelection()))
  assert.equal(selected, 'login page', 'the first alternative text is selected')
})

test('a file that is dropped on the sidebar is added, and the page stays', async () => {
  const url = app.page.url()
  await cursorIn('Last words.')
  const png = file('a.png', 'image/png', fixture('screenshot.png'))
  for (const kind of ['dragover', 'drop'])
    assert.equal(await give('nav.sidebar', kind, [png]), true, `${kind}: the browser would open the file`)
  await until(stored, (body) => body.includes('](assets/week2/a.png)'), 'it is in the text')
  assert.equal(app.page.url(), url)
  // Markdown is imported instead.
  await give('nav.sidebar', 'drop', [file('week3.md', 'text/markdown', Buffer.from('# Week 3\n'))])
  await app.page.locator('[data-testid=entries] [data-entry="week-3"]').waitFor()
})

test('what cannot be added is named, and the rest is added', async () => {
  const { page } = app
  await give('.cm-content', 'paste', [
    file('notes.pdf', 'application/pdf', Buffer.from('%PDF-1.7')),
    file('b.png', 'image/png', fixture('turned.png')),
  ])
  await page.getByTestId('toast').filter({ hasText: 'Could not add notes.pdf: notes.pdf is not a picture' }).waitFor()
  await until(stored, (body) => body.includes('](assets/week2/b.png)'), 'the other is there')
})

test('text with a picture of it beside it is pasted as text', async () => {
  await cursorIn('Last words.')
  const prevented = await give(
    '.cm-content',
    'paste',
    [file('image.png', 'image/png', fixture('screenshot.png'))],
    'a cell',
  )
  assert.equal(prevented, true, 'CodeMirror pastes it')
  const text = await until(stored, (body) => body.includes('a cell'), 'the text is there')
  assert.ok(!text.includes('assets/'))
  assert.deepEqual(await app.rpc('attachment_list', {}), [])
})

test('a large picture is picked, and typing goes on meanwhile', async () => {
  const { page } = app
  await cursorIn('Last words.')
  await page.keyboard.press('End')
  // A picture of 8 MiB: the pixels of a PNG are not read.
  const png = fixture('screenshot.png')
  const idat = Buffer.alloc(8 * 1024 * 1024 + 12)
  idat.writeUInt32BE(8 * 1024 * 1024, 0)
  idat.write('IDAT', 4)
  const large = Buffer.concat([png.subarray(0, 33), idat, png.subarray(33)])
  let send
  const wait = new Promise((resolve) => (send = resolve))
  await page.route('**/rpc', async (route) => {
    if (route.request().postDataJSON().cmd === 'attachment_add') await wait
    await route.continue()
  })
  await page
    .getByTestId('pick-pictures')
    .setInputFiles({ name: 'large.png', mimeType: 'image/png', buffer: large })
  await page.getByTestId('adding').getByText('Adding large.png').waitFor()
  await page.locator('.cm-content').focus()
  await page.keyboard.type(' More.')
  send()
  const text = await until(stored, (body) => body.includes('large.png') && body.includes('More.'), 'both')
  assert.ok(text.endsWith('Last words. More.\n\n![large](assets/week2/large.png)\n'), text)
  await page.getByTestId('adding').waitFor({ state: 'detached' })
})
