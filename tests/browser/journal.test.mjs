// The UI over the web host: real binary, real telemetry, real browser.
// Run: node --test tests/browser/
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { open, until } from './harness.mjs'

let app
beforeEach(async () => {
  app = await open()
})
afterEach(async () => {
  await app?.close()
})

const BOM = '\ufeff'

async function newEntry(week, body) {
  return app.rpc('entry_new', { week, title: null, body })
}

async function openEntry(entry) {
  await app.page.locator(`[data-testid=entries] [data-entry="${entry.slug}"] .title`).click()
  await app.page.locator('.cm-content').waitFor()
}

const stored = async (entry) => (await app.rpc('entry_get', { entry: entry.id })).body
const saved = () => app.page.locator('[data-testid=save-status][data-state=saved]').waitFor()

test('a new entry is created from the week’s template', async () => {
  const { page } = app
  await page.getByTestId('new-entry').first().click()
  await page.getByTestId('entry-week').selectOption('2')
  await page.getByTestId('entry-submit').click()
  await page.locator('[data-testid=entries] [data-entry="week-2"]').waitFor()
  await page.locator('.cm-content', { hasText: 'Required Homework' }).waitFor()
  await page.locator('.slot').first().waitFor()
  assert.deepEqual(app.complaints, [])
})

test('one click captures a trace into the selected slot, and its card is drawn', async () => {
  const { page } = app
  const entry = await newEntry('2', '# Two\n\nInsert image of Traces\n\nThe end.\n')
  await openEntry(entry)
  const traceId = await app.send({ path: '/api/activities/home' })
  const row = page.locator(`[data-testid=trace-row][data-trace-id="${traceId}"]`)
  await row.waitFor()
  await page.getByRole('button', { name: /Capture into slot: Insert image of Traces/ }).click()
  await page.getByTestId('slot-target').getByText('Captures go into slot:').waitFor()
  await row.getByTestId('capture').click()
  await page.getByTestId('toast').filter({ hasText: 'Added to Week 2' }).waitFor()

  const text = await stored(entry)
  assert.match(text, /^# Two\n\n!\[[^\n]*\]\(evidence:[^\n]*\)\n\nThe end\.\n$/)
  const card = page.locator('img.evidence-card')
  await card.waitFor()
  await until(
    () => card.evaluate((image) => image.naturalWidth),
    (width) => width > 100,
    'the card is a picture',
  )
  assert.match(await card.getAttribute('alt'), /activities\/home/)
  assert.equal(await page.locator('.slot').count(), 0)

  await page.locator('.cm-content').click({ position: { x: 60, y: 40 } })
  await page.keyboard.press('Control+z')
  await until(
    () => stored(entry),
    (now) => now.includes('Insert image of Traces'),
    'one undo brings the slot back',
  )
  assert.deepEqual(app.complaints, [])
})

test('the newest trace is captured from the keyboard, and a focused row by Enter', async () => {
  const { page } = app
  const entry = await newEntry(null, 'Text\n')
  await openEntry(entry)
  const traceId = await app.send({ path: '/api/messages' })
  const row = page.locator(`[data-testid=trace-row][data-trace-id="${traceId}"]`)
  await row.waitFor()
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+Shift+C')
  await until(
    () => stored(entry),
    (text) => text.split('evidence:').length === 2,
    'the shortcut captures',
  )
  // The same trace is not captured twice at a time.
  await until(() => row.getByTestId('capture').isEnabled(), (enabled) => enabled, 'the first capture has ended')
  await row.focus()
  await page.keyboard.press('Enter')
  await until(
    () => stored(entry),
    (text) => text.split('evidence:').length === 3,
    'Enter captures',
  )
})

test('the preview shows the live card and every attribute, and Escape closes it', async () => {
  const { page } = app
  const traceId = await app.send({ path: '/api/activities/home' })
  await page.locator(`[data-testid=trace-row][data-trace-id="${traceId}"] .name`).click()
  const panel = page.getByTestId('trace-panel')
  const live = panel.locator('img')
  await until(
    () => live.evaluate((image) => image.naturalWidth),
    (width) => width > 100,
    'the live card is a picture',
  )
  await panel.getByLabel('Search in this trace').fill('result_length')
  await panel.getByText('app.result_length').waitFor()
  assert.equal(await panel.getByTestId('span').count(), 1)
  await page.keyboard.press('Escape')
  await panel.waitFor({ state: 'detached' })
  assert.deepEqual(app.complaints, [])
})

test('typed text is saved automatically and present after a reload', async () => {
  const { page } = app
  const entry = await newEntry('1', 'Start\n')
  await openEntry(entry)
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('Written by hand.')
  await until(
    () => stored(entry),
    (text) => text === 'Start\nWritten by hand.',
    'the text is stored',
  )
  await saved()
  await page.reload()
  await page.locator('.cm-content', { hasText: 'Written by hand.' }).waitFor()
  assert.deepEqual(app.complaints, [])
})

test('CRLF, mixed line endings and a byte order mark survive typing elsewhere', async () => {
  const { page } = app
  const body = `${BOM}# One\r\n\r\nTwo\nthree\r\nfour\r\n`
  const entry = await newEntry(null, body)
  await openEntry(entry)
  await page.locator('.cm-line', { hasText: 'three' }).click()
  await page.keyboard.press('End')
  await page.keyboard.type('!')
  await page.keyboard.press('Enter')
  await page.keyboard.type('new')
  const wanted = `${BOM}# One\r\n\r\nTwo\nthree!\r\nnew\r\nfour\r\n`
  await until(
    () => stored(entry),
    (text) => text === wanted,
    'only what was typed is different',
  )
})

test('another client’s text is shown if nothing is unsaved here', async () => {
  const { page } = app
  const entry = await newEntry(null, 'one\n')
  await openEntry(entry)
  await page.locator('.cm-content', { hasText: 'one' }).waitFor()
  await app.rpc('entry_write', { entry: entry.id, base: entry.revision, body: 'one\nby another\n' })
  await page.locator('.cm-line', { hasText: 'by another' }).waitFor()
  await page.locator('.cm-line', { hasText: 'by another' }).click()
  await page.keyboard.press('End')
  await page.keyboard.type(', and me')
  await until(
    () => stored(entry),
    (text) => text === 'one\nby another, and me\n',
    'the next write is made on it',
  )
  assert.equal(await page.getByTestId('conflict').count(), 0)
})

test('two concurrent writers: both texts are kept and the conflict is shown', async () => {
  const { page } = app
  const entry = await newEntry(null, 'base\n')
  await openEntry(entry)
  await page.locator('.cm-content', { hasText: 'base' }).waitFor()
  // The window's write is held back until another client has written.
  let held = true
  await page.route('**/rpc', async (route) => {
    if (held && /^entry_(write|edit)$/.test(route.request().postDataJSON().cmd)) {
      held = false
      await app.rpc('entry_write', { entry: entry.id, base: entry.revision, body: 'theirs\n' })
    }
    await route.continue()
  })
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+Home')
  await page.keyboard.type('mine ')
  const banner = page.getByTestId('conflict')
  await banner.waitFor()
  assert.equal(await stored(entry), 'theirs\n', 'an older base never overwrites')
  assert.match(await page.locator('.cm-content').innerText(), /mine base/)

  await banner.getByRole('button', { name: 'Overwrite with mine' }).click()
  await banner.waitFor({ state: 'detached' })
  // The banner disappears when a version is chosen; the write follows, later on a busy machine.
  await until(() => stored(entry), (text) => text === 'mine base\n', 'mine is stored')
  const history = await app.rpc('entry_history', { entry: entry.id })
  const texts = await Promise.all(
    history.map(({ revision }) => app.rpc('entry_revision', { entry: entry.id, revision })),
  )
  assert.ok(texts.includes('theirs\n'), 'the other text can be read back')
})

test('an older text is restored from the history as an edit', async () => {
  const { page } = app
  const entry = await newEntry(null, 'first\n')
  await app.rpc('entry_cut', { entry: entry.id, reason: 'pause' })
  await app.rpc('entry_write', { entry: entry.id, base: entry.revision, body: 'second\n' })
  await openEntry(entry)
  await page.locator('.cm-content', { hasText: 'second' }).waitFor()
  await page.getByRole('button', { name: 'History' }).click()
  const dialog = page.getByRole('dialog')
  const texts = dialog.getByLabel('Revision text')
  for (const revision of await dialog.locator('li button').all()) {
    const read = page.waitForResponse((answer) => answer.request().postData()?.includes('"entry_revision"'))
    await revision.click()
    const text = await (await read).json()
    await until(() => texts.inputValue(), (shown) => shown === text, 'the revision is shown')
    if (text === 'first\n') break
  }
  await dialog.getByRole('button', { name: 'Restore this text' }).click()
  await until(
    () => stored(entry),
    (text) => text === 'first\n',
    'the older text is stored again',
  )
})

test('a failed write is shown, retried, and completed', async () => {
  const { page } = app
  const entry = await newEntry(null, 'safe\n')
  await openEntry(entry)
  let broken = true
  await page.route('**/rpc', async (route) => {
    if (broken && /^entry_(write|edit)$/.test(route.request().postDataJSON().cmd)) {
      const error = { code: 'storage', message: 'The disk is full', hint: 'Make room.' }
      return route.fulfill({ status: 500, json: { error } })
    }
    return route.continue()
  })
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('typed')
  await page
    .getByTestId('save-status')
    .filter({ hasText: 'Not saved: The disk is full. Make room.' })
    .waitFor()
  broken = false
  await saved()
  assert.equal(await stored(entry), 'safe\ntyped')
})

test('a lost server is reported, and the text stays in the window', async () => {
  const { page } = app
  const entry = await newEntry(null, 'kept\n')
  await openEntry(entry)
  app.server.kill('SIGKILL')
  await page.getByRole('alert').filter({ hasText: 'Disconnected' }).waitFor()
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('still here')
  await page.getByTestId('save-status').filter({ hasText: 'Not saved' }).waitFor()
  assert.match(await page.locator('.cm-content').innerText(), /still here/)
})

test('an entry is imported from a file and exported to a folder with its evidence', async () => {
  const { page } = app
  const out = mkdtempSync(join(tmpdir(), 'tracebook-export-'))
  try {
    await page.getByTestId('import').first().click()
    const buffer = Buffer.from('# Week two\r\n\r\nInsert image of Traces\r\n')
    await page
      .getByTestId('import-files')
      .setInputFiles({ name: 'week2.md', mimeType: 'text/markdown', buffer })
    await page.getByTestId('import-result').getByText('1 entry').waitFor()
    await page.keyboard.press('Escape')
    await page.locator('.cm-content', { hasText: 'Week two' }).waitFor()

    const traceId = await app.send({})
    await page
      .getByRole('button', { name: /Capture into slot/ })
      .first()
      .click()
    await page.locator(`[data-testid=trace-row][data-trace-id="${traceId}"]`).getByTestId('capture').click()
    await page.getByTestId('toast').filter({ hasText: 'Added to' }).waitFor()

    await page.getByTestId('export').first().click()
    await page.getByTestId('export-folder').fill(out)
    await page.getByTestId('export-run').click()
    await page
      .getByTestId('export-result')
      .getByText(/written/)
      .first()
      .waitFor()
    const files = readdirSync(join(out, 'journal'))
    const name = files.find((file) => file.endsWith('.md'))
    assert.ok(name, `a markdown file among ${files}`)
    const text = readFileSync(join(out, 'journal', name), 'utf8')
    assert.ok(text.startsWith('# Week two\r\n\r\n'), 'the file’s own line ends')
    assert.match(text, /!\[[^\n]*\]\([^\n]*\.svg/)
    assert.deepEqual(app.complaints, [])
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
})

test('credentials in a text are exported only after each was allowed', async () => {
  const { page } = app
  const out = mkdtempSync(join(tmpdir(), 'tracebook-leaks-'))
  const files = () => (existsSync(join(out, 'journal')) ? readdirSync(join(out, 'journal')) : [])
  try {
    const token = `ghp_${'a1B2c3'.repeat(6)}`
    const entry = await newEntry(null, `# Leaks\n\nexport TOKEN=${token}\n\npassword=hunter2x\n`)
    await openEntry(entry)
    await page.getByTestId('export').first().click()
    await page.getByTestId('export-folder').fill(out)
    await page.getByTestId('export-run').click()
    const leaks = page.getByTestId('leaks')
    await leaks.getByText('2 possible credentials').waitFor()
    assert.doesNotMatch(await leaks.innerText(), /ghp_|hunter2x/)
    assert.match(await leaks.innerText(), /line 3[^]*export TOKEN=…[^]*line 5[^]*password=…/)
    const run = page.getByTestId('export-run')
    assert.equal(await run.isDisabled(), true, 'nothing is allowed')
    await leaks.getByRole('checkbox').first().check()
    assert.equal(await run.isDisabled(), true, 'one is not allowed')
    await leaks.getByRole('checkbox').nth(1).check()
    assert.deepEqual(files(), [], 'nothing was written')
    await run.filter({ hasText: 'Export anyway' }).click()
    const result = page.getByTestId('export-result')
    await result.getByText('line 3 of the entry looks like it contains a credential').waitFor()
    const [file] = files().filter((name) => name.endsWith('.md'))
    assert.match(readFileSync(join(out, 'journal', file), 'utf8'), new RegExp(token))
    await page.keyboard.press('Escape')
    // The browser reports the refused export.
    assert.deepEqual(app.complaints.filter((complaint) => !complaint.includes('409 (Conflict)')), [])
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
})

test('an invalid filter shows what to write instead', async () => {
  const { page } = app
  await page.getByTestId('filter').fill('duration>soon')
  await page.locator('.tray').getByRole('alert').waitFor()
  await page.getByTestId('filter').fill('')
  await page.locator('.tray').getByRole('alert').waitFor({ state: 'detached' })
})
