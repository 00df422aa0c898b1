// Log events, errors, console output and data derived from traces, over the web host: sent as SDKs send them, shown in
// the tray, captured into the entry.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, test } from 'node:test'
import { open, until } from './harness.mjs'

let app
let http
beforeEach(async () => {
  app = await open()
  const { receivers } = await app.rpc('status', {})
  http = `http://${receivers.find((receiver) => receiver.name === 'http').address}`
})
afterEach(async () => {
  await app?.close()
})

async function post(path, body, headers = {}) {
  const answer = await fetch(http + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
  const text = await answer.text()
  assert.equal(answer.status, 200, `${path}: ${text}`)
}

/** As an OpenTelemetry SDK's log exporter does, over OTLP/HTTP as JSON. */
async function sendOtlpLog(message, { severity = 'INFO', number = 9, traceId } = {}) {
  const string = (key, value) => ({ key, value: { stringValue: value } })
  const record = {
    timeUnixNano: String(BigInt(Date.now()) * 1_000_000n),
    severityText: severity,
    severityNumber: number,
    body: { stringValue: message },
    attributes: [string('code.function', 'run')],
    ...(traceId && { traceId, spanId: '00f067aa0ba902b7' }),
  }
  const resource = { attributes: [string('service.name', 'backend-flask')] }
  const scopeLogs = [{ scope: { name: 'app.home' }, logRecords: [record] }]
  await post('/v1/logs', { resourceLogs: [{ resource, scopeLogs }] })
}

/** As watchtower does with boto3, in the JSON 1.1 protocol. */
async function sendCloudWatch(...messages) {
  const call = (operation, body) =>
    post('/', body, {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `Logs_20140328.${operation}`,
    })
  const names = { logGroupName: 'cruddur', logStreamName: 'backend-flask' }
  await call('CreateLogGroup', { logGroupName: names.logGroupName })
  await call('CreateLogStream', names)
  const logEvents = messages.map((message, n) => ({ timestamp: Date.now() + n, message }))
  await call('PutLogEvents', { ...names, logEvents })
}

/** As pyrollbar does. */
async function sendItem(data) {
  const item = {
    timestamp: Math.floor(Date.now() / 1000),
    environment: 'development',
    level: 'error',
    language: 'python 3.11.7',
    notifier: { name: 'pyrollbar', version: '1.5.0' },
    ...data,
  }
  await post('/api/1/item/', { access_token: 'post_server_item', data: item })
}

const helloWorld = { level: 'warning', body: { message: { body: 'Hello World!' } } }
const typeError = {
  context: '/api/activities/notifications',
  person: { id: '7', username: 'andrewbrown' },
  request: { method: 'GET', url: 'http://127.0.0.1:4567/api/activities/notifications' },
  custom: { week: 2 },
  body: {
    trace: {
      frames: [
        { filename: 'flask/app.py', lineno: 2525, method: 'wsgi_app', code: 'response = self.full_dispatch_request()' },
        { filename: '/backend-flask/app.py', lineno: 141, method: 'data_notifications', code: 'return None' },
      ],
      exception: { class: 'TypeError', message: 'The view function did not return a valid response' },
    },
  },
}

async function openEntry(body) {
  const entry = await app.rpc('entry_new', { week: '2', title: null, body })
  await app.page.locator(`[data-testid=entries] [data-entry="${entry.slug}"] .title`).click()
  await app.page.locator('.cm-content').waitFor()
  return entry
}

const tab = (name) => app.page.getByRole('tab', { name, exact: true })
const stored = async (entry) => (await app.rpc('entry_get', { entry: entry.id })).body
const references = (text) => text.match(/!\[[^\n]*?\]\(evidence:\w+[^)\n]*\)/g) ?? []

/** Waits until the entry has so many references, and until the editor shows a card of each. */
async function placed(entry, wanted) {
  const text = await until(
    () => stored(entry),
    (now) => references(now).length === wanted,
    `${wanted} references are stored`,
  )
  await until(
    () => app.page.locator('img.evidence-card').evaluateAll((all) => all.filter((i) => i.naturalWidth > 50).length),
    (drawn) => drawn === wanted,
    `${wanted} cards are pictures`,
  )
  return text
}

test('log events of OpenTelemetry and CloudWatch are listed, shown in full, and captured', async () => {
  const { page } = app
  const entry = await openEntry('# Two\n\nInser Image of LogEvents\n')
  const traceId = await app.send({})
  await tab('Logs').click()
  await sendOtlpLog('HomeActivities', { traceId })
  await sendCloudWatch('first of watchtower', 'ERROR 500 INTERNAL SERVER ERROR')
  await page.getByTestId('log-row').nth(2).waitFor()

  const row = page.getByTestId('log-row').filter({ hasText: 'HomeActivities' })
  await row.focus()
  await page.keyboard.press('Space')
  const panel = page.getByTestId('log-panel')
  await panel.getByText('code.function').waitFor()
  await panel.getByRole('button', { name: 'Open the trace' }).click()
  await page.getByTestId('trace-panel').getByText(traceId).waitFor()
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: /Capture into slot: Inser Image of LogEvents/ }).click()
  await row.getByTestId('capture').click()
  assert.match(await placed(entry, 1), /^# Two\n\n!\[[^\n]*\]\(evidence:[^\n]*\)\n/)

  await page.getByTestId('filter').fill('group:cruddur')
  const these = page.getByTestId('capture-these')
  await these.filter({ hasText: 'Capture these 2' }).click()
  const text = await placed(entry, 2)
  const ids = references(text).map((reference) => /evidence:(\w+)/.exec(reference)[1])
  const views = await Promise.all(ids.map((id) => app.rpc('evidence_get', { id })))
  const events = views.map((view) => view.data.body.events.map((event) => event.message))
  assert.ok(
    events.some((messages) => messages.length === 1 && messages[0] === 'HomeActivities'),
    JSON.stringify(events),
  )
  assert.ok(
    events.some((messages) => messages.join('; ') === 'first of watchtower; ERROR 500 INTERNAL SERVER ERROR'),
    JSON.stringify(events),
  )
  assert.deepEqual(app.complaints, [])
})

test('an error is counted, shown with its frames, and captured', async () => {
  const { page } = app
  const entry = await openEntry('# Two\n\n![The error]()\n')
  await tab('Errors').click()
  await sendItem(helloWorld)
  await sendItem({ ...typeError, uuid: '9a1f0f6ecb4c4e10a5a1f3f0a0000001' })
  await sendItem({ ...typeError, uuid: '9a1f0f6ecb4c4e10a5a1f3f0a0000002' })
  const row = page.getByTestId('error-row').filter({ hasText: 'TypeError' })
  await row.filter({ hasText: '2 times' }).waitFor()
  await row.filter({ hasText: 'andrewbrown' }).waitFor()
  assert.equal(await page.getByTestId('error-row').count(), 2)

  await row.locator('.title').click()
  const panel = page.getByTestId('error-panel')
  const frames = panel.getByTestId('frames').locator('.where')
  await frames.last().filter({ hasText: 'data_notifications' }).waitFor()
  await panel.getByRole('button', { name: 'Most recent call last' }).click()
  await frames.first().filter({ hasText: 'data_notifications' }).waitFor()
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: /Capture into slot: The error/ }).click()
  await row.getByTestId('capture').click()
  assert.match(await placed(entry, 1), /TypeError/)

  await tab('Evidence').click()
  await page.getByTestId('evidence-row').locator('.open').click()
  await page.getByTestId('evidence-panel').getByText('data_notifications').first().waitFor()
  assert.deepEqual(app.complaints, [])
})

test('pasted console output is captured with its colours', async () => {
  const { page } = app
  const entry = await openEntry('# Two\n\nImage of Console Logging Here\n')
  await page.getByRole('button', { name: /Capture into slot/ }).click()
  await tab('Console').click()
  await page.getByRole('button', { name: 'Paste output…' }).click()
  await page.getByTestId('paste-text').fill('\u001b[31mred\u001b[0m <b>not markup</b>\nsecond line\n')
  await page.getByTestId('paste-run').click()
  await placed(entry, 1)
  await tab('Evidence').click()
  await page.getByTestId('evidence-row').locator('.open').click()
  const panel = page.getByTestId('evidence-panel')
  await panel.locator('.fg-1', { hasText: 'red' }).waitFor()
  await panel.getByText('<b>not markup</b>').first().waitFor()
  assert.deepEqual(app.complaints, [])
})

test('service map, groups and sampling rules are captured from the menu, a dossier from the trace', async () => {
  const { page } = app
  const entry = await openEntry('# Two\n')
  const traceId = await app.send({})
  await sendOtlpLog('HomeActivities', { traceId })
  const row = page.locator(`[data-testid=trace-row][data-trace-id="${traceId}"]`)
  await row.waitFor()
  let wanted = 0
  for (const item of ['Capture service map', 'Capture X-Ray groups', 'Capture X-Ray sampling rules']) {
    const more = page.getByRole('button', { name: 'More' })
    await more.focus()
    await page.keyboard.press('ArrowDown')
    await page.getByRole('menuitem', { name: item }).press('Enter')
    await placed(entry, ++wanted)
  }
  await row.locator('.name').click()
  await page.getByTestId('trace-panel').getByRole('button', { name: 'Capture dossier' }).click()
  const text = await placed(entry, ++wanted)
  const ids = references(text).map((reference) => /evidence:(\w+)/.exec(reference)[1])
  const kinds = await Promise.all(ids.map(async (id) => (await app.rpc('evidence_get', { id })).row.kind))
  assert.deepEqual(kinds.sort(), ['dossier', 'groups', 'sampling-rules', 'service-map'])
  assert.deepEqual(app.complaints, [])
})

test('the six slots of a real week 2 are filled in 14 clicks: each selects the next', async () => {
  const { page } = app
  const week = readFileSync(new URL('../entries/week2.md', import.meta.url), 'utf8')
  const entry = await openEntry(week)
  await app.send({})
  await sendCloudWatch('first of watchtower', 'second of watchtower')
  await sendItem(helloWorld)
  await sendItem(typeError)
  await page.getByTestId('trace-row').waitFor()
  let clicks = 0
  const click = async (locator) => {
    await locator.click()
    clicks += 1
  }
  let wanted = 0
  const done = () =>
    until(
      () => stored(entry),
      (text) => references(text).length === wanted,
      `${wanted} references are stored`,
    )
  const slots = (await app.rpc('markup', { entry: entry.id, body: week })).slots.map((slot) => slot.text)
  assert.equal(slots.length, 6, JSON.stringify(slots))
  const slot = (part) => slots.find((text) => text.includes(part))

  const target = () =>
    page
      .getByTestId('slot-target')
      .locator('select')
      .evaluate((select) => select.selectedOptions[0].textContent.trim())
  const fill = async (part, capture) => {
    await until(target, (aimed) => aimed === slot(part), `the target is ${slot(part)}`)
    await capture()
    wanted += 1
    await done()
  }
  const button = (list, text) => page.getByTestId(list).filter({ hasText: text }).first().getByTestId('capture')
  const paste = (text) => async () => {
    await click(page.getByRole('button', { name: 'Paste output…' }))
    await page.getByTestId('paste-text').fill(text)
    await click(page.getByTestId('paste-run'))
  }
  // The first is selected in the tray, since the editor draws only what is in view. Opening a list and choosing are two
  // clicks.
  await page.getByTestId('slot-target').locator('select').selectOption({ label: slots[0] })
  clicks += 2
  await click(tab('Console'))
  await fill('Console Logging', paste('{\n    "name": "HelloWorld"\n}\n'))
  await page.getByTestId('slot-target').getByText('Next capture goes into slot:').waitFor()
  await page.getByTestId('toast').filter({ hasText: `The next capture goes into “${slots[1]}”.` }).waitFor()
  await fill('successful sent', paste('[Info] Successfully sent batch of 1 segments (0.058 seconds)\n'))
  await click(tab('Traces'))
  await fill('Traces', () => click(page.getByTestId('trace-row').getByTestId('capture')))
  await click(tab('Logs'))
  await fill('LogEvents', () => click(page.getByTestId('capture-these')))
  await click(tab('Errors'))
  await fill('HelloWorld', () => click(button('error-row', 'Hello World!')))
  await fill('Type Error', () => click(button('error-row', 'TypeError')))
  await page.getByTestId('slot-target').waitFor({ state: 'detached' })

  const left = await app.rpc('markup', { entry: entry.id, body: await stored(entry) })
  assert.deepEqual(left.slots, [])
  assert.equal(clicks, 14)
  assert.deepEqual(app.complaints, [])
})

test('the tabs can be used with the keyboard', async () => {
  const { page } = app
  await tab('Traces').focus()
  await page.keyboard.press('End')
  assert.equal(await tab('Evidence').getAttribute('aria-selected'), 'true')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowRight')
  assert.equal(await tab('Logs').getAttribute('aria-selected'), 'true')
  await page.getByText('Nothing has arrived yet.').waitFor()
})

test('the doctor checks step by step, and the receivers report what arrived', async () => {
  const { page } = app
  await sendOtlpLog('HomeActivities')
  await page.getByTestId('receiving').click()
  await page.getByTestId('receivers').filter({ hasText: '1 log event' }).waitFor()
  await page.getByTestId('telemetry').filter({ hasText: /of .* days; 0\s+dropped/ }).waitFor()
  await page.getByRole('button', { name: 'No data? Troubleshoot…' }).click()
  const panel = page.getByTestId('doctor-panel')
  await panel.getByTestId('check').first().waitFor()
  await panel.getByRole('button', { name: 'Check again' }).click()
  await panel.getByTestId('check').first().waitFor()
  assert.deepEqual(app.complaints, [])
})
