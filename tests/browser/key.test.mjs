// The key of the web host: where the page keeps it, to whom it is sent, and what happens when the server changes.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { binary, browse, keyOf, until } from './harness.mjs'

const any = '127.0.0.1:0'
const folders = []
const servers = new Set()

/** A server of a journal; on the given port, or any. */
async function serve(data, { port = 0, more = [] } = {}) {
  const args = ['--json', '--data', data, 'serve', '--http', any, '--grpc', any, '--xray', any, '--ui', `127.0.0.1:${port}`]
  const child = spawn(binary, [...args, ...more], { stdio: ['ignore', 'pipe', 'inherit'] })
  servers.add(child)
  const ready = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)))
    child.once('exit', (code) => reject(new Error(`tracebook serve ended with ${code}`)))
  })
  const url = new URL(ready.ui.url)
  return {
    url,
    key: keyOf(ready.ui.url)['x-tracebook-key'],
    http: ready.http,
    async rpc(cmd, args) {
      const headers = { ...keyOf(ready.ui.url), 'content-type': 'application/json' }
      const answer = await fetch(`${url.origin}/rpc`, { method: 'POST', headers, body: JSON.stringify({ cmd, args }) })
      assert.equal(answer.status, 200)
      return answer.json()
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      servers.delete(child)
    },
  }
}

function folder() {
  const made = mkdtempSync(join(tmpdir(), 'tracebook-key-'))
  folders.push(made)
  return made
}

let opened
before(async () => (opened = await browse({ width: 1280, height: 800 })))
after(async () => {
  await opened.browser.close()
  for (const child of servers) child.kill('SIGKILL')
  for (const made of folders) rmSync(made, { recursive: true, force: true })
})

const signedIn = (page) => page.getByTestId('new-entry').waitFor()
const refused = (page) => page.getByTestId('refused')
const shown = (page, title) => page.getByText(title, { exact: true }).first().waitFor()

test('the key leaves the address at once, and a reload and a second tab have it', async () => {
  const server = await serve(folder())
  await server.rpc('entry_new', { week: null, title: 'Kept', body: '# Kept\n' })
  const { page } = opened
  await page.goto(server.url.href)
  await signedIn(page)
  await shown(page, 'Kept')
  assert.equal(page.url(), `${server.url.origin}/`)
  assert.deepEqual(await page.context().cookies(), [])
  await page.reload()
  await shown(page, 'Kept')
  const second = await page.context().newPage()
  await second.goto(`${server.url.origin}/`)
  await shown(second, 'Kept')
  assert.equal(await refused(second).count(), 0)
  await second.goBack()
  assert.ok(!second.url().includes('key='))
  await second.close()
  await server.stop()
})

test('no other port, no request line and no body has the key', async () => {
  const server = await serve(folder())
  const seen = []
  const other = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)}`)
    response.setHeader('access-control-allow-origin', '*')
    response.end('<p>service</p>')
  })
  await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { page } = opened
  const sent = []
  const note = async (request) => {
    const headers = await request.allHeaders()
    sent.push({ url: request.url(), body: request.postData() ?? '', headers })
  }
  page.on('request', (request) => void note(request).catch(() => undefined))
  await page.goto(server.url.href)
  await signedIn(page)
  await page.evaluate(() => document.cookie)
  await page.goto(`http://127.0.0.1:${other.address().port}/`)
  await page.getByText('service').waitFor()
  assert.ok(seen.length > 0)
  assert.ok(!seen.join('\n').includes(server.key.slice(4)), 'the other service')
  assert.ok(!/x-tracebook-key|tbk_/i.test(seen.join('\n')))
  assert.ok(sent.length > 3)
  for (const { url, body, headers } of sent) {
    assert.ok(!(url + body + JSON.stringify(headers)).includes(server.key), `the key itself is not sent: ${url}`)
    assert.ok(!headers.referer?.includes('key='), url)
  }
  other.close()
  await server.stop()
})

test('a page without the key or with a wrong one says what to do, and comes in with the right one', async () => {
  const server = await serve(folder())
  await server.rpc('entry_new', { week: null, title: 'Private', body: '# Private\n' })
  const { page } = await browseAgain()
  for (const hash of ['', '#key=', '#key=tbk_short', `#key=tbk_${'A'.repeat(43)}`]) {
    await page.goto('about:blank')
    await page.goto(`${server.url.origin}/${hash}`)
    await refused(page).waitFor()
    assert.ok(!page.url().includes('key='), hash)
    assert.equal(await page.getByText('Private').count(), 0)
  }
  // Only the fragment differs, so the browser does not load the page again.
  await page.goto(server.url.href)
  await shown(page, 'Private')
  assert.equal(await refused(page).count(), 0)
  await page.context().close()
  await server.stop()
})

test('a restart on the same port keeps the page, what was typed is saved, and pictures come back', async () => {
  const data = folder()
  const first = await serve(data)
  const entry = await first.rpc('entry_new', { week: null, title: 'Typed', body: '# Typed\n\n' })
  const { page } = await browseAgain()
  await page.goto(first.url.href)
  await page.locator('[data-testid=entries] [data-entry=typed] .title').click()
  await page.locator('.cm-content').click()
  await first.stop()
  await page.getByText('Disconnected from Tracebook').waitFor()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('while it was away')
  const second = await serve(data, { port: first.url.port })
  assert.equal(second.url.href, first.url.href)
  await until(
    async () => (await second.rpc('entry_get', { entry: entry.id })).body,
    (body) => body.includes('while it was away'),
    'what was typed is saved without a new URL',
  )
  await page.getByText('Disconnected from Tracebook').waitFor({ state: 'detached' })

  // Another key, by the option: the page says so, once.
  await second.stop()
  const third = await serve(data, { port: first.url.port, more: ['--new-key'] })
  await refused(page).waitFor()
  assert.equal(await refused(page).count(), 1)
  await page.goto(third.url.href)
  await refused(page).waitFor({ state: 'detached' })
  await page.context().close()
  await third.stop()
})

test('a service that takes the port gets neither the key nor what was typed', async () => {
  const data = folder()
  const server = await serve(data)
  await server.rpc('entry_new', { week: null, title: 'Secret', body: '# Secret\n\n' })
  const { page } = await browseAgain()
  await page.goto(server.url.href)
  await page.locator('[data-testid=entries] [data-entry=secret] .title').click()
  await page.locator('.cm-content').click()
  await server.stop()
  await page.getByText('Disconnected from Tracebook').waitFor()
  const seen = []
  const flask = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => seen.push(`${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)} ${body}`))
    // It may even answer as if it were Tracebook.
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ nonce: 'abc', proof: 'A'.repeat(43) }))
  })
  await new Promise((resolve) => flask.listen(Number(server.url.port), '127.0.0.1', resolve))
  await page.keyboard.press('Control+End')
  await page.keyboard.type('not for everybody')
  await until(() => seen.length, (count) => count >= 3, 'the page looks for its server')
  const all = seen.join('\n')
  assert.ok(!all.includes('tbk_') && !all.includes('not for everybody') && !/x-tracebook-key/i.test(all), all)
  assert.ok(seen.every((line) => line.startsWith('GET /session?')), all)
  await new Promise((resolve) => {
    flask.close(resolve)
    flask.closeAllConnections()
  })
  const again = await serve(data, { port: server.url.port })
  await until(
    async () => JSON.stringify(await again.rpc('entry_list', {})) && (await again.rpc('entry_get', { entry: 'secret' })).body,
    (body) => body.includes('not for everybody'),
    'the real server gets it',
  )
  await page.context().close()
  await again.stop()
})

test('cards are drawn, cached, and drawn again after a restart', async () => {
  const data = folder()
  const text = join(folder(), 'text')
  writeFileSync(text, 'one\ntwo\n')
  const first = await serve(data)
  const capture = spawn(binary, ['--json', '--data', data, 'capture', 'console', '--file', text], { stdio: ['ignore', 'pipe', 'inherit'] })
  const { id } = await new Promise((resolve) => createInterface({ input: capture.stdout }).once('line', (line) => resolve(JSON.parse(line))))
  await first.rpc('entry_new', { week: null, title: 'Cards', body: `# Cards\n\n![c](evidence:${id})\n\nEnd\n` })
  const { page, complaints } = await browseAgain()
  await page.goto(first.url.href)
  await page.locator('[data-testid=entries] [data-entry=cards] .title').click()
  const card = page.locator('img.evidence-card')
  const width = () => card.evaluate((image) => image.naturalWidth)
  await until(width, (wide) => wide > 100, 'the card is a picture')
  assert.match(await card.getAttribute('src'), /^blob:http:\/\/127\.0\.0\.1:/)
  assert.deepEqual(complaints, [])
  await first.stop()
  const second = await serve(data, { port: first.url.port })
  await page.reload()
  await until(width, (wide) => wide > 100, 'after a restart')
  await page.context().close()
  await second.stop()
})

/** A page of a profile that has no key. */
async function browseAgain() {
  const context = await opened.browser.newContext({ viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const complaints = []
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  return { page, complaints }
}
