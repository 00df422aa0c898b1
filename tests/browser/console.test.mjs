// The output of a watched command (`serve --watch`), live in the Console tab.
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { open, until } from './harness.mjs'

let app
let folder
let output
let command
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tracebook-watched-'))
  output = join(folder, 'output')
  writeFileSync(output, '')
  command = `tail -n +1 -f ${output}`
  app = await open({ watch: [command] })
  await app.page.getByRole('tab', { name: 'Console', exact: true }).click()
})
afterEach(async () => {
  await app?.close()
  rmSync(folder, { recursive: true, force: true })
})

const print = (...lines) => appendFileSync(output, lines.map((line) => `${line}\n`).join(''))
const line = (text) => app.page.getByTestId('console-line').filter({ hasText: text })

test('lines appear as they are printed, are filtered, and matching lines are captured', async () => {
  const { page } = app
  const entry = await app.rpc('entry_new', { week: '2', title: null, body: '# Two\n\nImage of Console Logging Here\n' })
  await page.locator(`[data-testid=entries] [data-entry="${entry.slug}"] .title`).click()
  await page.getByText('Nothing has arrived yet.').waitFor()

  print('backend-flask-1  |  * Running on http://127.0.0.1:4567', '\u001b[31mxray-daemon-1 | [Error] no batch\u001b[0m')
  await line('Running on').waitFor()
  await page.locator('.fg-1', { hasText: 'no batch' }).waitFor()
  await page.getByRole('region', { name: 'Console lines' }).getByText(command).waitFor()
  const started = Date.now()
  print('xray-daemon-1 | [Info] Successfully sent batch of 1 segments (0.058 seconds)')
  await line('Successfully sent').waitFor()
  assert.ok(Date.now() - started < 2000, `in the tab after ${Date.now() - started} ms`)

  await page.getByTestId('filter').fill('"sent batch"')
  await line('Running on').waitFor({ state: 'detached' })
  assert.equal(await page.getByTestId('console-line').count(), 1)
  print('xray-daemon-1 | [Info] Successfully sent batch of 2 segments (0.061 seconds)', 'GET /api/health 200')
  await line('batch of 2').waitFor()
  assert.equal(await line('health').count(), 0, 'the filter holds for what comes later')

  await page.getByRole('button', { name: /Capture into slot: Image of Console/ }).click()
  await page.getByTestId('capture-these').filter({ hasText: 'Capture these 2' }).click()
  const { body } = await until(
    () => app.rpc('entry_get', { entry: entry.id }),
    (stored) => stored.body.includes('](evidence:'),
    'the reference is stored',
  )
  const [, id] = /evidence:(\w+)/.exec(body)
  const { data } = await app.rpc('evidence_get', { id })
  assert.deepEqual(
    data.body.lines.map((shown) => /batch of \d/.exec(shown.text)[0]),
    ['batch of 1', 'batch of 2'],
  )
  const card = page.locator('img.evidence-card')
  await until(
    () => card.evaluate((image) => image.naturalWidth),
    (width) => width > 100,
    'the card is a picture',
  )
  assert.deepEqual(app.complaints, [])
})

test('the list does not scroll while older lines are read, and a click returns to the end', async () => {
  const { page } = app
  print(...Array.from({ length: 80 }, (_, n) => `line ${n}.`))
  await line('line 79.').waitFor()
  const box = page.getByRole('region', { name: 'Console lines' })
  const atEnd = () => box.evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight < 24)
  await until(atEnd, (end) => end, 'the newest line is in view')
  await box.evaluate((el) => (el.scrollTop = 40))
  await until(atEnd, (end) => !end, 'further up')
  print('line 80.', 'line 81.')
  const more = page.getByRole('button', { name: 'Show 2 more at the end' })
  await more.waitFor()
  assert.equal(await box.evaluate((el) => el.scrollTop), 40)
  await more.click()
  await line('line 81.').waitFor()
  await until(atEnd, (end) => end, 'the newest line is in view again')
  assert.deepEqual(app.complaints, [])
})
