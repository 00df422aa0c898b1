// What the window shows before an export: problems that lead to their place, and what will be masked.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { open } from './harness.mjs'

const TEXT = `# Two

The queue is arn:aws:sqs:ca-central-1:387543059434:jobs.

Ask andrew.brown@cloudproject.co, or [the notes](#nowhere).
`
const MAIL = 'andrew.brown@cloudproject.co'
let app, out

before(async () => {
  out = mkdtempSync(join(tmpdir(), 'tracebook-publish-'))
  app = await open()
  const entry = await app.rpc('entry_new', { week: '2', body: TEXT })
  await app.page.locator(`[data-testid=entries] [data-entry="${entry.slug}"] .title`).click()
  await app.page.locator('.cm-content').waitFor()
})
after(async () => {
  await app?.close()
  if (out) rmSync(out, { recursive: true, force: true })
})

const review = () => app.page.getByTestId('review')

async function openPanel() {
  const { page } = app
  await page.getByTestId('export').first().click()
  await page.getByTestId('export-folder').fill(out)
}

test('a problem leads to its line', async () => {
  const { page } = app
  await openPanel()
  await review().getByTestId('review-problems').locator('summary').click()
  await review().getByText('nowhere').waitFor()
  await review().getByRole('button', { name: 'week-2, line 5' }).click()
  await review().waitFor({ state: 'detached' })
  await page.locator('.cm-activeLine, .cm-line', { hasText: 'Ask andrew' }).first().waitFor()
  await page.keyboard.type('Q: ')
  await page.locator('.cm-line', { hasText: 'Q: Ask andrew' }).waitFor()
  assert.deepEqual(app.complaints, [])
})

test('values are masked, unless they are left as they are', async () => {
  await openPanel()
  const masks = review().getByTestId('masks')
  await masks.locator('summary').filter({ hasText: '2 values in the text will be masked' }).click()
  const row = (text) => masks.getByTestId('mask').filter({ hasText: text })
  await row('387543059434').filter({ hasText: '<ACCOUNT_ID_1>' }).waitFor()
  await row(MAIL).getByRole('button', { name: /^Leave / }).click()
  await masks.getByRole('button', { name: `Mask ${MAIL} again` }).waitFor()
  assert.equal(await row(MAIL).count(), 0)
  await app.page.getByTestId('export-run').click()
  await app.page.getByTestId('masked').filter({ hasText: '1 value masked.' }).waitFor()
  const text = readFileSync(join(out, 'journal/week2.md'), 'utf8')
  assert.ok(text.includes('arn:aws:sqs:ca-central-1:<ACCOUNT_ID_1>:jobs'), text)
  assert.ok(text.includes(MAIL), text)

  await masks.getByRole('button', { name: `Mask ${MAIL} again` }).click()
  await row(MAIL).waitFor()
  await app.page.getByTestId('export-run').click()
  await app.page.getByTestId('masked').filter({ hasText: '2 values masked.' }).waitFor()
  assert.ok(!readFileSync(join(out, 'journal/week2.md'), 'utf8').includes(MAIL))
  assert.deepEqual(app.complaints, [])
})
