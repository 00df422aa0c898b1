// Long commands report their progress and can be cancelled.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { open, until } from './harness.mjs'

const MANY = 300
/** Long enough that somebody can still say no. */
const LONG = 'Text, and more of it.\n\n'.repeat(300)

test('an export shows its progress, is cancelled, and succeeds when repeated', async () => {
  const app = await open()
  const out = mkdtempSync(join(tmpdir(), 'tracebook-long-'))
  try {
    const { page } = app
    for (let n = 0; n < MANY; n++) await app.rpc('entry_new', { week: null, title: `Note ${n}`, body: LONG })
    const written = () => readdirSync(join(out, 'journal')).filter((name) => name.endsWith('.md')).length

    await page.getByTestId('export').first().click()
    await page.getByTestId('export-folder').fill(out)
    await page.getByLabel('All entries').check()
    await page.getByTestId('export-run').click()
    const progress = page.getByTestId('progress')
    // Every text is searched first, which takes a while beside a compiler.
    await progress.filter({ hasText: /Writing Note \d+\s*\d+ of 300/ }).waitFor({ timeout: 60_000 })
    const bar = await until(
      () => progress.locator('progress').evaluate(({ value, max }) => ({ value, max })),
      ({ value }) => value > 0,
      'some are written',
    )
    assert.equal(bar.max, MANY)
    assert.ok(bar.value < MANY, JSON.stringify(bar))
    await page.getByTestId('progress-cancel').click()
    await page.getByRole('dialog').getByText('Cancelled.').waitFor()
    await progress.waitFor({ state: 'detached' })
    const before = written()
    assert.ok(before > 0 && before < MANY, `${before} files`)

    await page.getByTestId('export-run').click()
    await page.getByTestId('export-result').waitFor({ timeout: 60_000 })
    assert.equal(written(), MANY, 'files written before stay, and the rest is written')
    assert.equal(await page.getByRole('dialog').getByText('Cancelled.').count(), 0)
    // The browser reports the cancelled request; nothing else failed.
    assert.deepEqual(
      app.complaints.filter((text) => !text.includes('status of 500')),
      [],
    )
  } finally {
    await app.close()
    rmSync(out, { recursive: true, force: true })
  }
})
