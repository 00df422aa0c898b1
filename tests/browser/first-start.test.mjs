// The first start: steps that tick themselves, and the demo.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { open, until } from './harness.mjs'

let app

before(async () => {
  app = await open({ viewport: { width: 1440, height: 900 } })
})
after(() => app?.close())

const steps = () =>
  app.page.getByTestId('first-step').evaluateAll((all) => all.map((one) => one.dataset.done).join(' '))

test('the steps tick themselves, and the list goes when all are done', async () => {
  const { page } = app
  await until(steps, (now) => now === 'false false false', 'nothing is done in a new journal')
  await page.getByTestId('first-steps').getByRole('button', { name: 'New entry' }).click()
  await page.getByRole('button', { name: 'Create' }).click()
  await until(steps, (now) => now === 'true false false', 'the entry ticks its step')
  const trace = await app.send({ path: '/api/activities/home' })
  await until(steps, (now) => now === 'true true false', 'what arrives ticks its step')
  await page.reload()
  await until(steps, (now) => now === 'true true false', 'a reload keeps them')
  const row = page.locator(`[data-testid=trace-row][data-trace-id="${trace}"]`)
  await row.hover()
  await row.getByTestId('capture').click()
  await page.locator('.card img.evidence-card').waitFor()
  await page.getByTestId('first-steps').waitFor({ state: 'detached' })
  await page.reload()
  await page.locator('.card img.evidence-card').waitFor()
  await page.waitForTimeout(500)
  assert.equal(await page.getByTestId('first-steps').count(), 0)
  assert.deepEqual(app.complaints, [])
})

test('the demo sends telemetry and makes an entry with slots for it', async () => {
  const other = await open({ viewport: { width: 1440, height: 900 } })
  try {
    const { page } = other
    await page.getByTestId('try-demo').click()
    await page.locator('.cm-content', { hasText: 'Fill the slots below' }).waitFor({ timeout: 20_000 })
    await until(() => page.locator('.slot').count(), (count) => count === 4, 'the entry has four slots')
    const listed = await other.rpc('live_traces', { filter: 'service:demo-xray status:fault' })
    assert.ok(listed.rows.length > 0, 'the failed request is listed')
    await page.getByRole('button', { name: 'Dismiss the first steps' }).click()
    await page.reload()
    await page.locator('.cm-content', { hasText: 'Fill the slots below' }).waitFor()
    assert.equal(await page.getByTestId('first-steps').count(), 0)
    assert.deepEqual(other.complaints, [])
  } finally {
    await other.close()
  }
})
