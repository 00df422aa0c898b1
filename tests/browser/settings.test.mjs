// The settings of the text, and what is kept of them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { open, until } from './harness.mjs'

let app

before(async () => {
  app = await open()
  await app.rpc('entry_new', { week: '2', title: null, body: '# Two\n\nWords of a text.\n' })
  await app.page.reload()
  await app.page.locator('.cm-line', { hasText: 'Words of a text' }).waitFor()
})
after(() => app?.close())

const styles = () =>
  app.page.locator('.cm-line', { hasText: 'Words of a text' }).evaluate((line) => {
    const { fontFamily, fontSize } = getComputedStyle(line)
    const { maxWidth } = getComputedStyle(line.closest('.cm-content'))
    return [fontFamily.split(',')[0].replaceAll('"', ''), fontSize, maxWidth].join(' ')
  })

test('face, width and size of the text are chosen, and kept over a reload', async () => {
  const { page } = app
  assert.equal(await styles(), 'Inter Variable 16px 768px')
  await page.keyboard.press('Control+,')
  const panel = page.getByTestId('settings')
  await panel.getByLabel('JetBrains Mono').check()
  await panel.getByLabel('Narrow').check()
  await panel.getByRole('button', { name: 'Size of the text: larger' }).click()
  await until(styles, (now) => now === 'JetBrains Mono Variable 17px 640px', 'the text has the chosen look')
  await page.reload()
  await page.locator('.cm-line', { hasText: 'Words of a text' }).waitFor()
  assert.equal(await styles(), 'JetBrains Mono Variable 17px 640px')

  await page.getByTestId('open-settings').click()
  await page.getByTestId('settings').getByRole('button', { name: 'Reset' }).click()
  await until(styles, (now) => now === 'Inter Variable 16px 768px', 'the text has its usual look')
  await page.getByTestId('settings').getByRole('button', { name: 'Keyboard shortcuts…' }).click()
  await page.getByTestId('shortcuts').filter({ hasText: 'Settings of the text' }).waitFor()
  await page.keyboard.press('Escape')
  assert.deepEqual(app.complaints, [])
})

test('a click lands in the line that it is on, at another size', async () => {
  const { page } = app
  await page.keyboard.press('Control+,')
  for (let n = 0; n < 8; n++) await page.getByRole('button', { name: 'Size of the text: larger' }).click()
  await page.keyboard.press('Escape')
  await page.getByTestId('settings').waitFor({ state: 'detached' })
  await page.locator('.cm-line', { hasText: 'Words of a text' }).click()
  await page.keyboard.press('End')
  await page.keyboard.type(' More.')
  await page.locator('.cm-line', { hasText: 'Words of a text. More.' }).waitFor()
})
