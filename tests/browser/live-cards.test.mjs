// Live cards in the window: inserted, refreshed while visible, frozen, undone, exported.
// Run: node --test tests/browser/
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
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

const SHOTS = process.env.TRACEBOOK_SHOTS

async function shot(name) {
  if (SHOTS) await app.page.screenshot({ path: join(SHOTS, `live-card-${name}.png`) })
}

async function openEntry(entry) {
  await app.page.locator(`[data-testid=entries] [data-entry="${entry.slug}"] .title`).click()
  await app.page.locator('.cm-content').waitFor()
}

const stored = async (entry) => (await app.rpc('entry_get', { entry: entry.id })).body
const looks = (cards) => cards.evaluateAll((all) => all.map((card) => card.querySelector('img')?.dataset.path ?? ''))

test('a live card is inserted, follows incoming data, is frozen, and restored by one undo', async () => {
  const { page } = app
  const entry = await app.rpc('entry_new', { week: '2', title: null, body: '# Two\n\nInsert image of Traces\n\nThe end.\n' })
  await openEntry(entry)
  const first = await app.send({ path: '/api/first' })
  await page.locator(`[data-testid=trace-row][data-trace-id="${first}"]`).waitFor()

  // Into the selected slot, with the filter of the list.
  await page.getByRole('button', { name: /Capture into slot: Insert image of Traces/ }).click()
  await page.getByRole('button', { name: /^More/ }).click()
  await page.getByRole('menuitem', { name: /Live card…/ }).click()
  const panel = page.getByTestId('live-card-panel')
  await panel.waitFor()
  await panel.getByTestId('live-filter').fill('service:backend-flask')
  await panel.getByTestId('live-since').selectOption('15m')
  await panel.getByTestId('live-pace').fill('1')
  await shot('question')
  await panel.getByTestId('live-submit').click()
  await page.getByTestId('toast').filter({ hasText: 'Live card added to Week 2' }).waitFor()
  const text = await stored(entry)
  assert.match(text, /^# Two\n\n!\[newest trace of local telemetry, [^\n]*\]\(live:\w{26}\)\n\nThe end\.\n$/)

  // It shows the newest trace, then the next one once it has arrived.
  const card = page.locator('.live-card')
  const picture = card.locator('img')
  await until(
    () => picture.evaluate((image) => image.naturalWidth),
    (width) => width > 100,
    'the answer is a picture',
  )
  await card.getByText(/^Live · .*refreshes every 1 s$/).waitFor()
  const answered = await picture.getAttribute('data-path')
  assert.match(await app.svg(picture), /api\/first/)
  await app.send({ path: '/api/second' })
  await until(() => app.svg(picture), (now) => now.includes('api/second'), 'the card shows the new trace')
  assert.notEqual(await picture.getAttribute('data-path'), answered)
  assert.match(await app.svg(picture), /LIVE, NOT EVIDENCE/)
  assert.match(await picture.getAttribute('alt'), /^Live: newest trace of local telemetry, .*\. Result: GET \/api\/second/)
  await shot('live')
  assert.equal((await app.rpc('evidence_list', {})).length, 0, 'looking freezes nothing')

  // Frozen: the reference points at evidence, and one undo makes it live again.
  await card.getByRole('button', { name: /^Freeze/ }).click()
  await page.getByTestId('toast').filter({ hasText: 'Frozen into Week 2' }).waitFor()
  await page.locator('img.evidence-card[data-path^="card/"][src]').first().waitFor()
  const frozen = await stored(entry)
  assert.match(frozen, /^# Two\n\n!\[GET \/api\/second[^\n]*\]\(evidence:[^\n]*\)\n\nThe end\.\n$/)
  assert.equal(await card.count(), 0)
  await shot('frozen')
  await page.locator('.cm-content').click({ position: { x: 60, y: 40 } })
  await page.keyboard.press('Control+z')
  await until(() => stored(entry), (now) => now === text, 'one undo brings the live card back')
  await card.waitFor()
  await app.send({ path: '/api/third' })
  await until(() => app.svg(picture), (now) => now.includes('api/third'), 'and it lives')

  // The export shows what was frozen last, without a query.
  const to = mkdtempSync(join(tmpdir(), 'tracebook-export-'))
  try {
    const done = await app.rpc('export', { entries: [entry.slug], to })
    assert.deepEqual(done.warnings, [])
    const md = readFileSync(join(to, 'journal/week2.md'), 'utf8')
    assert.match(md, /<!-- tracebook:live \w{26} \w{26} -->/)
    assert.match(md, /live card, frozen 20/)
    assert.ok(md.includes('/api/second') && !md.includes('/api/third'), md)
    const about = JSON.parse(readFileSync(join(to, 'journal/assets/week2/entry.json'), 'utf8'))
    assert.equal(about.live[0].question.filter, 'service:backend-flask')
  } finally {
    rmSync(to, { recursive: true, force: true })
  }
  assert.deepEqual(app.complaints, [])
})

test('two cards with the same query share its results, and only the frozen one becomes evidence', async () => {
  const { page } = app
  const made = await app.rpc('live_card_new', {
    question: { kind: 'trace', filter: 'service:backend-flask' },
    pace_seconds: 1,
  })
  await app.send({ path: '/api/shared' })
  const body = `# Two\n\n${made.reference}\n\nBetween.\n\n- ![mine](live:${made.id}?size=compact "kept")\n`
  const entry = await app.rpc('entry_new', { week: null, title: 'Shared', body })
  await openEntry(entry)
  const cards = page.locator('.live-card')
  await until(
    () => looks(cards),
    (all) => all.length === 2 && all.every((src) => src.includes('livecard/')),
    'both show the answer',
  )
  await shot('two')
  await cards.nth(1).getByRole('button', { name: /^Freeze/ }).click()
  await until(
    () => stored(entry),
    (text) => /!\[mine\]\(evidence:\w{26}\?size=compact "kept"\)/.test(text),
    'its own words and size stay',
  )
  assert.ok((await stored(entry)).includes(made.reference), 'the other one stays live')

  // Its query can be changed, and a paused card does not run it.
  await cards.first().getByRole('button', { name: /^Settings of/ }).click()
  const panel = page.getByTestId('live-card-panel')
  await panel.getByText(/Last frozen/).waitFor()
  await panel.getByTestId('live-filter').fill('name:nothing-like-it')
  await panel.getByTestId('live-submit').click()
  await cards.first().getByText(/no trace/).waitFor()
  await shot('no-answer')
  assert.ok(await cards.first().locator('img').isHidden(), 'the old answer does not stand under the new question')
  await app.rpc('live_card_set', { id: made.id, paused: true })
  await cards.first().getByText(/paused/).waitFor()
  assert.deepEqual(app.complaints, [])
})

test('exactly the clicked card is frozen, once, whatever is typed and clicked during a slow freeze', async () => {
  const { page } = app
  await app.send({ path: '/api/slow' })
  const made = await app.rpc('live_card_new', { question: { kind: 'trace' }, pace_seconds: 1 })
  const body = `# Slow\n\n![first](live:${made.id})\n\nBetween.\n\n![second](live:${made.id})\n\nEnd\n`
  const entry = await app.rpc('entry_new', { week: null, title: 'Slow', body })
  await openEntry(entry)
  const cards = page.locator('.live-card')
  await until(
    () => looks(cards),
    (all) => all.length === 2 && all.every((src) => src.includes('livecard/')),
    'both show the answer',
  )
  let letGo
  const held = new Promise((done) => (letGo = done))
  let freezes = 0
  await page.route('**/rpc', async (route) => {
    const asked = route.request().postData() ?? ''
    // Saving is slow, so that freezing has to wait for it first.
    if (/"entry_(write|edit)"/.test(asked)) await new Promise((done) => setTimeout(done, 700))
    if (asked.includes('"live_card_freeze"')) {
      freezes += 1
      await held
    }
    await route.continue()
  })
  await page.locator('.cm-content').click({ position: { x: 60, y: 20 } })
  await page.keyboard.press('Control+Home')
  await page.keyboard.press('End')
  await page.keyboard.type(' typed')
  const freeze = cards.first().getByRole('button', { name: 'Freeze first' })
  await freeze.click()
  await page.locator('.cm-content').focus()
  await page.keyboard.type(' more words')
  await until(() => freezes, (count) => count === 1, 'it is being frozen')
  // Meanwhile, one refresh happens.
  const before = await cards.first().locator('img').getAttribute('data-path')
  await until(
    () => cards.first().locator('img').getAttribute('data-path'),
    (src) => src !== before,
    'the card is answered meanwhile',
  )
  assert.ok(await freeze.isDisabled(), 'it cannot be clicked again')
  letGo()
  await until(() => stored(entry), (text) => text.includes('evidence:'), 'it is frozen')
  assert.match(
    await stored(entry),
    /^# Slow typed more words\n\n!\[first\]\(evidence:[^\n]*\n\nBetween\.\n\n!\[second\]\(live:\w+\)\n\nEnd\n$/,
  )
  assert.equal(freezes, 1)
  assert.equal((await app.rpc('evidence_list', {})).length, 1)
  assert.deepEqual(app.complaints, [])
})

test('a hidden window does not refresh, and a card that failed to load is loaded again', async () => {
  const { page } = app
  await app.send({ path: '/api/hidden' })
  const made = await app.rpc('live_card_new', { question: { kind: 'trace' }, pace_seconds: 60 })
  const entry = await app.rpc('entry_new', { week: null, title: 'Hidden', body: `# H\n\n${made.reference}\n` })
  let broken = 0
  await page.route('**/livecard/**', (route) => {
    broken += 1
    return broken === 1 ? route.abort() : route.continue()
  })
  await openEntry(entry)
  const picture = page.locator('.live-card img')
  await until(
    () => picture.evaluate((image) => image.naturalWidth),
    (width) => width > 100,
    'the picture is there long before the next answer',
  )
  assert.ok(broken >= 2)
  await app.rpc('live_card_set', { id: made.id, pace_seconds: 1 })
  await page.locator('.live-card').getByText(/refreshes every 1 s$/).waitFor()

  const hide = (hidden) =>
    page.evaluate((is) => {
      Object.defineProperty(document, 'hidden', { get: () => is, configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    }, hidden)
  let asked = 0
  page.on('request', (request) => {
    if (request.postData()?.includes('"live_card_look"')) asked += 1
  })
  await hide(true)
  // Queries from before it was hidden.
  await page.waitForTimeout(1000)
  const before = asked
  // Nor does a change event cause a refresh.
  await app.rpc('live_card_set', { id: made.id, title: 'Other' })
  await page.waitForTimeout(2500)
  assert.equal(asked, before)
  await hide(false)
  await until(() => asked, (count) => count > before, 'it asks again when it is seen')
})

test('an unknown card shows an error, and the rest of the text works', async () => {
  const { page } = app
  const strange = '01JD4ZZZZZZZZZZZZZZZZZZZZZ'
  const body = `# Strange\n\n![x](live:${strange})\n\nEnd\n`
  const entry = await app.rpc('entry_new', { week: null, title: 'Strange', body })
  await openEntry(entry)
  await shot('strange')
  await page.locator('.live-card').getByText(/There is no live card|there is no live card/).waitFor()
  await page.locator('.cm-content').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('More.')
  await until(() => stored(entry), (text) => text.endsWith('End\nMore.'), 'what is typed is stored')
})
