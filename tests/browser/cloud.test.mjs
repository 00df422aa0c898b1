// The cloud sources in the window: each is listed, filtered, previewed and captured; errors are shown with a solution.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { binary, open, until } from './harness.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const python = process.env.TRACEBOOK_TEST_PYTHON ?? join(root, '.setup/venv/bin/python')
const shots = join(root, 'tests/screenshots')
let cloud, port, app

/** Nobody's own account, config or keychain. */
const env = {
  AWS_CONFIG_FILE: '/nonexistent/config',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7TESTING',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
  HONEYCOMB_API_KEY: 'hcaik_01testtesttesttesttesttest',
  DBUS_SESSION_BUS_ADDRESS: 'disabled:',
}
const READ = 'read-0123456789abcdef0123456789ab'

before(async () => {
  assert.ok(existsSync(python), `${python} is not there: scripts/setup.sh test`)
  cloud = spawn(python, [join(root, 'tests/service/cloud.py')], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: cloud.stdout }), 'line')
  port = line.split(' ')[1]
  const url = `http://127.0.0.1:${port}`
  app = await open({
    env,
    prepare: (data) => {
      const set = ['source', 'set', '--aws-endpoint', url, '--rollbar-endpoint', `${url}/api/1`]
      execFileSync(binary, ['--data', data, ...set, '--honeycomb-endpoint', url], { env: { ...process.env, ...env } })
      execFileSync(binary, ['--data', data, 'entry', 'new', '--week', '2'], { env: { ...process.env, ...env } })
    },
  })
  mkdirSync(shots, { recursive: true })
})

after(async () => {
  await app?.close()
  cloud?.kill()
})

const mode = (name) =>
  fetch(`http://127.0.0.1:${port}/__cloud`, { method: 'POST', body: JSON.stringify({ mode: name }) })
const place = (name) => app.page.click(`[data-place=${name}]`)
const tab = (name) => app.page.getByRole('tab', { name }).click()
const shot = (name) => app.page.screenshot({ path: join(shots, `cloud-${name}.png`) })
const evidence = () => app.rpc('evidence_list', {})

/**
 * Clicks, and waits until one more evidence of a kind stands in the entry: its text is saved a moment after the
 * freezing.
 */
async function captures(click, kind) {
  const placed = (rows) => rows.filter((row) => row.kind === kind && row.entries.includes('week-2')).length
  const had = placed(await evidence())
  await click()
  await until(evidence, (rows) => placed(rows) > had, `a ${kind} is captured into the entry`)
}

test('X-Ray: traces are listed, filtered, previewed and captured', async () => {
  const { page } = app
  await place('aws')
  const rows = page.getByTestId('trace-row')
  await rows.nth(20).waitFor()
  await page.getByTestId('filter').fill('fault AND')
  await page.getByTestId('filter-wrong').waitFor()
  await page.getByTestId('filter').fill('fault')
  await page.keyboard.press('Enter')
  await until(
    () => rows.evaluateAll((all) => all.map((row) => row.textContent)),
    (all) => all.length > 0 && all.every((text) => text.includes('500')),
    'only faults are left',
  )
  await rows.first().click()
  await page.getByTestId('trace-panel').getByText('mock-data').first().waitFor()
  await shot('trace')
  await page.keyboard.press('Escape')
  await captures(() => page.getByTestId('capture').first().click(), 'trace')
  await captures(async () => {
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('menuitem', { name: 'Capture X-Ray sampling rules' }).click()
  }, 'sampling-rules')
})

test('CloudWatch: a group is selected; events are listed, captured and followed', async () => {
  const { page } = app
  await place('aws')
  await tab('Logs')
  await page.getByTestId('log-group').fill('cruddur')
  await page.keyboard.press('Tab')
  await page.getByTestId('log-row').nth(10).waitFor()
  await captures(() => page.getByTestId('capture-these').click(), 'logs')
  await page.getByRole('button', { name: 'More', exact: true }).click()
  await page.getByTestId('tail').click()
  await page.getByTestId('tail-state').getByText('polling').waitFor()
  await fetch(`http://127.0.0.1:${port}/__cloud`, {
    method: 'POST',
    body: JSON.stringify({ log: ['ERROR it just happened'] }),
  })
  await page.getByText('it just happened').waitFor()
  await shot('tail')
  await page.getByText('Stop following').click()
  await tab('Queries')
  await page.getByTestId('saved-query').first().click()
  await page.getByTestId('run-query').click()
  await captures(() => page.getByTestId('capture-query').click(), 'query')
})

test('Rollbar: a missing token is named; with it, items are listed and captured', async () => {
  const { page } = app
  await place('rollbar')
  await page.getByRole('alert').getByText('ROLLBAR_READ_TOKEN').waitFor()
  await shot('no-token')
  await page.getByText('Open sources…').click()
  await page.getByTestId('token-rollbar').fill(READ)
  await page.getByRole('button', { name: 'Keep until exit' }).first().click()
  await page.getByTestId('sources').getByText('project').first().waitFor()
  await page.getByTestId('who-aws').click()
  await page.getByText('••••••••9012').waitFor()
  await shot('sources')
  assert.ok(!(await page.content()).includes(READ), 'a token never comes back')
  await page.keyboard.press('Escape')
  await page.getByTestId('cloud-ask').click()
  await page.getByTestId('error-row').first().click()
  await page.getByTestId('error-panel').getByText('andrewbrown').first().waitFor()
  await page.keyboard.press('Escape')
  await captures(() => page.getByTestId('capture').first().click(), 'error')
})

test('Rollbar: an item’s occurrences are paged, and the selected one is shown and captured', async () => {
  const { page } = app
  await page.getByTestId('error-row').filter({ hasText: '21 times' }).click()
  const list = page.getByTestId('occurrences')
  await list.getByText('20 of 21').waitFor()
  await page.getByRole('button', { name: 'Show older' }).click()
  await list.getByText('21 of 21').waitFor()
  await list.getByRole('button', { name: 'Show' }).last().click()
  const oldest = '00000003-0000-4000-8000-000000000014'
  await page.getByTestId('error-panel').getByText(oldest).waitFor()
  const first = page.getByTestId('frames').locator('li').first()
  await first.getByText('wsgi_app').waitFor()
  await page.getByRole('button', { name: 'Most recent call last' }).click()
  await first.getByText('data_notifications').waitFor()
  await shot('occurrences')
  await captures(() => page.getByTestId('error-panel').getByRole('button', { name: 'Capture' }).click(), 'error')
  const frozen = await Promise.all((await evidence()).map(({ id }) => app.rpc('evidence_get', { id })))
  assert.ok(JSON.stringify(frozen).includes(oldest), 'that one is frozen')
})

test('Honeycomb: a board’s query is run and captured', async () => {
  const { page } = app
  await place('honeycomb')
  await page.getByTestId('saved-query').first().click()
  await page.getByTestId('run-query').click()
  await page.getByText('P90(duration_ms)').first().waitFor()
  await captures(() => page.getByTestId('capture-query').click(), 'query')
})

test('a live card queries X-Ray with the list’s filter and time range, and is frozen', async () => {
  const { page } = app
  await place('aws')
  await tab('Traces')
  await page.getByTestId('trace-row').first().waitFor()
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Live card…' }).click()
  const panel = page.getByTestId('live-card-panel')
  assert.equal(await panel.getByTestId('live-source').inputValue(), 'xray')
  assert.equal(await panel.getByTestId('live-filter').inputValue(), 'fault')
  assert.equal(await panel.getByTestId('live-since').inputValue(), '1h')
  await panel.getByTestId('live-submit').click()
  const card = page.locator('.live-card')
  await card.getByText(/refreshes every 30 s/).waitFor()
  await card.locator('img').waitFor()
  await card.scrollIntoViewIfNeeded()
  await shot('live-card')
  await captures(() => card.getByRole('button', { name: /^Freeze/ }).click(), 'trace')
  await until(() => card.count(), (n) => n === 0, 'evidence stands in its place')
})

test('expired credentials and throttling are shown with a solution, and the list stays', async () => {
  const { page } = app
  await place('aws')
  await tab('Traces')
  await page.getByTestId('trace-row').first().waitFor()
  await mode('expired')
  await page.getByTestId('cloud-ask').click()
  await page.getByRole('alert').getByText('expired').first().waitFor()
  assert.ok((await page.getByTestId('trace-row').count()) > 0, 'the list stays')
  await shot('expired')
  await mode('throttled-once')
  await page.getByTestId('cloud-ask').click()
  await until(() => page.getByRole('alert').count(), (n) => n === 0, 'asked again, and answered')
  await mode('ok')
  const expected = /status of (400|401|403|429|500|502)/
  assert.deepEqual(app.complaints.filter((text) => !expected.test(text)), [])
})
