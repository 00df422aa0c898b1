// Homework that ticks itself, links between entries, and panes that are moved and reached with the keyboard.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { open, until } from './harness.mjs'

const COURSE = `
[[week]]
number = 1
title = "First"
[[week.homework]]
title = "Show a trace"
needs = [{ kind = "trace", from = "otlp", with = "attribute", slot = "Trace" }]
[[week.homework]]
title = "Say why"
needs = [{ words = 3 }]
[[week]]
number = 2
title = "Second"
`

let app
before(async () => {
  const prepare = (data) => writeFileSync(join(data, 'course.toml'), COURSE)
  app = await open({ viewport: { width: 1280, height: 800 }, prepare })
  await app.rpc('entry_new', { week: '1' })
  await app.rpc('entry_new', { week: '2' })
  await app.page.locator('[data-entry=week-1] .title').click()
})
after(() => app?.close())

const items = () => app.page.getByTestId('homework-item')
const met = (n) =>
  until(
    () => items().nth(n).getAttribute('data-met'),
    (value) => value === 'true',
    `homework ${n} is met`,
  )

test('homework is met by a capture and by text, without a reload', async () => {
  const { page } = app
  await page.getByTestId('homework').locator('summary').click()
  assert.deepEqual(await items().evaluateAll((list) => list.map((item) => item.dataset.met)), [
    'false',
    'false',
  ])
  await items().first().getByText('the entry shows no trace from OTLP with a custom attribute').waitFor()
  await app.send()
  await page.getByTestId('trace-row').first().focus()
  await page.keyboard.press('Enter')
  await met(0)
  await items().first().getByRole('button', { name: 'GET /api/activities/home' }).waitFor()
  await page
    .locator('[data-entry=week-1]')
    .getByTestId('progress')
    .filter({ hasText: '1 of 2 slots, 1 of 2 homework' })
    .waitFor()

  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('\n\n## Say why\n\nIt was slow.\n')
  await met(1)
  await page.getByTestId('homework').getByRole('status').filter({ hasText: 'Homework: 2 of 2' }).waitFor()
  await page.getByTestId('homework').locator('summary').click()
})

test('a link to an entry is inserted from the palette, and opens it', async () => {
  const { page } = app
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.press('Control+Shift+p')
  await page.getByTestId('palette').getByRole('combobox').fill('link to an entry')
  await page.keyboard.press('Enter')
  await page
    .getByTestId('palette')
    .getByRole('option', { name: /Second/ })
    .click()
  const text = () => app.rpc('entry_get', { entry: 'week-1' }).then(({ body }) => body)
  await until(text, (body) => body.endsWith('[Week 2 — Second](week2.md)'), 'the link is in the text')
  await page.keyboard.press('Control+Enter')
  await page.locator('[data-entry=week-2] [aria-current=page]').waitFor()
})

test('F6 goes through the panes, and ? lists the keys', async () => {
  const { page } = app
  await page.locator('.cm-content').click()
  const pane = () =>
    page.evaluate(() => document.activeElement?.closest('[data-pane]')?.getAttribute('data-pane'))
  assert.equal(await pane(), 'text')
  for (const expected of ['tray', 'journal', 'text']) {
    await page.keyboard.press('F6')
    assert.equal(await pane(), expected)
  }
  await page.keyboard.press('Shift+F6')
  assert.equal(await pane(), 'journal')
  await page.keyboard.press('?')
  await page.getByTestId('shortcuts').waitFor()
  await page.keyboard.press('Escape')
  // In the text it is a letter.
  await page.locator('.cm-content').click()
  await page.keyboard.type('?')
  assert.equal(await page.getByTestId('shortcuts').count(), 0)
})

test('a pane is sized with the keyboard and the pointer, and keeps its size', async () => {
  const { page } = app
  const width = async () => Math.round((await page.locator('aside.tray').boundingBox()).width)
  const splitter = page.getByRole('separator', { name: 'Width of the tray' })
  const usual = await width()
  await splitter.focus()
  await page.keyboard.press('ArrowLeft')
  assert.equal(await width(), usual + 16)
  const box = await splitter.boundingBox()
  await page.mouse.move(box.x + 3, box.y + 300)
  await page.mouse.down()
  await page.mouse.move(box.x - 47, box.y + 300)
  await page.mouse.up()
  assert.equal(await width(), usual + 66)
  await page.reload()
  await page.getByTestId('status-bar').getByText('Saved').waitFor()
  assert.equal(await width(), usual + 66)
  await splitter.focus()
  await page.keyboard.press('Enter')
  assert.equal(await width(), usual)
  assert.deepEqual(app.complaints, [])
})
