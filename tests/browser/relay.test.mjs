// Forwarding to the real services, in the window: switched on, waiting for a token, sent, loops refused.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { open, until } from './harness.mjs'

const shots = join(fileURLToPath(new URL('../../', import.meta.url)), 'tests/screenshots')
const TOKEN = 'post-0123456789abcdef0123456789ab'
const heard = []
let rollbar, app

before(async () => {
  // Rollbar's response to an accepted item: docs.rollbar.com/reference/create-item
  rollbar = createServer((request, answer) => {
    heard.push(request.headers['x-rollbar-access-token'])
    answer.end(JSON.stringify({ err: 0, result: { id: null, uuid: 'u' } }))
  })
  rollbar.listen(0, '127.0.0.1')
  await once(rollbar, 'listening')
  app = await open({
    env: {
      AWS_CONFIG_FILE: '/nonexistent/config',
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
      AWS_REGION: 'us-east-1',
      DBUS_SESSION_BUS_ADDRESS: 'disabled:',
    },
    prepare: (data) => {
      const at = `http://127.0.0.1:${rollbar.address().port}/api/1`
      writeFileSync(join(data, 'tracebook.toml'), `[rollbar]\nendpoint = "${at}"\n`)
    },
  })
  mkdirSync(shots, { recursive: true })
})

after(async () => {
  await app?.close()
  rollbar?.close()
  rollbar?.closeAllConnections()
})

async function receiver() {
  const { receivers } = await app.rpc('status', {})
  return receivers.find(({ name }) => name === 'http').address
}

/** As the service's own SDK posts it, with the service's own token. */
async function post(words) {
  const item = { access_token: 'the-service-s', data: { environment: 'test', body: { message: { body: words } } } }
  const answer = await fetch(`http://${await receiver()}/api/1/item/`, { method: 'POST', body: JSON.stringify(item) })
  assert.equal(answer.status, 200)
}

const row = (name) => app.page.getByTestId(`relay-${name}`)
const counts = (name) => row(name).getByTestId('relay-counts').textContent()

test('it is off by default, and shows that it waits for a token once switched on', async () => {
  const { page } = app
  await page.getByTestId('receiving').click()
  await page.getByTestId('relay').click()
  await page.getByTestId('relay-panel').waitFor()
  for (const name of ['otlp', 'xray', 'logs', 'rollbar']) {
    assert.equal(await row(name).getByRole('switch').isChecked(), false, name)
  }
  await row('rollbar').getByRole('switch').click()
  await until(() => row('rollbar').getByRole('switch').isChecked(), Boolean, 'it is on')
  await post('hello')
  await row('rollbar').getByText('there is no Rollbar token').waitFor()
  await until(() => counts('rollbar'), (text) => text.includes('1 queued'), 'one waits')
  await until(
    () => page.getByTestId('relay-waits').textContent(),
    (text) => text.trim() === '1 queued',
    'the sidebar counts it too',
  )
  await row('xray').getByRole('switch').click()
  await until(() => row('xray').getByRole('switch').isChecked(), Boolean, 'it is on')
})

test('the panel is readable in dark, light and on a narrow screen', async () => {
  const { page } = app
  for (const colorScheme of ['dark', 'light']) {
    for (const width of [700, 1280]) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height: 800 })
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      assert.ok(wide <= 0, `${wide} px are cut off at ${width}`)
      const panel = page.getByTestId('relay-panel')
      const inner = await panel.evaluate((node) => node.scrollWidth - node.clientWidth)
      assert.ok(inner <= 0, `${inner} px of the panel are cut off at ${width}`)
      await page.screenshot({ path: join(shots, `relay-${colorScheme}-${width}.png`) })
    }
  }
})

test('with a token the item is sent, and the token is not shown', async () => {
  const { page } = app
  await page.getByLabel('Rollbar: post token').fill(TOKEN)
  await row('rollbar').getByRole('button', { name: 'Save' }).click()
  await until(() => counts('rollbar'), (text) => text.includes('0 queued') && text.includes('1 sent'), 'it is sent')
  assert.deepEqual(heard, [TOKEN])
  await until(() => page.getByTestId('relay-waits').count(), (n) => n === 0, 'nothing waits in the sidebar')
  await row('rollbar').getByText('in memory until Tracebook exits').waitFor()
  assert.equal(await row('rollbar').getByText('there is no Rollbar token').count(), 0)
  assert.ok(!(await page.content()).includes(TOKEN))
})

test('an endpoint that is this app is rejected, and nothing changes', async () => {
  const { page } = app
  await row('otlp').getByRole('switch').click()
  const field = page.getByLabel('Endpoint')
  await field.fill(`http://${await receiver()}`)
  await row('otlp').getByRole('button', { name: 'Set' }).click()
  await page.getByRole('alert').getByText('own receiver').waitFor()
  await page.screenshot({ path: join(shots, 'relay-refused.png') })
  const { rows } = await app.rpc('relay_status', {})
  assert.equal(rows[0].endpoint, 'https://api.honeycomb.io')
  await row('otlp').getByRole('switch').click()
  const expected = /status of 5\d\d/
  assert.deepEqual(app.complaints.filter((text) => !expected.test(text)), [])
})
