// Starts the real binary on free ports with its own journal, and a browser that shows it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))
const { chromium } = createRequire(join(root, 'ui/package.json'))('playwright-core')

export const binary = process.env.TRACEBOOK_BIN ?? join(root, 'target/debug/tracebook')
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell'

/** A browser with one page, and what the page complains of. */
export async function browse(viewport) {
  assert.ok(
    existsSync(browserPath),
    `${browserPath} is not there: apt-get install chromium-headless-shell, or set CHROMIUM`,
  )
  const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] })
  const context = await browser.newContext({ viewport })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const complaints = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  return { browser, page, complaints }
}

/** A served journal with a window on it, that watches commands if wanted. Everything is taken down by `close`. */
export async function open({
  viewport = { width: 1280, height: 800 },
  watch = [],
  env = {},
  /** What is done to the journal before it is served. */
  prepare = (_data) => {},
} = {}) {
  assert.ok(existsSync(binary), `${binary} is not there: build it first (cargo build --workspace --locked --bin tracebook)`)
  const data = mkdtempSync(join(tmpdir(), 'tracebook-browser-'))
  prepare(data)
  const any = '127.0.0.1:0'
  const args = ['--json', '--data', data, 'serve', '--http', any, '--grpc', any, '--xray', any, '--ui', any]
  for (const command of watch) args.push('--watch', command)
  const server = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let said = ''
  server.stderr.on('data', (chunk) => (said += chunk))
  const ready = await new Promise((resolve, reject) => {
    createInterface({ input: server.stdout }).once('line', (line) => resolve(JSON.parse(line)))
    server.once('exit', (code) => reject(new Error(`tracebook serve ended with ${code}: ${said}`)))
  })
  const { browser, page, complaints } = await browse(viewport)
  await page.goto(ready.ui.url)
  const base = new URL(ready.ui.url).origin
  const headers = keyOf(ready.ui.url)

  return {
    page,
    server,
    data,
    complaints,
    /** Another client of the same journal. */
    async rpc(cmd, args, client = 'another') {
      const answer = await page.request.post(`${base}/rpc`, { headers, data: { cmd, args, client, call: '' } })
      const body = await answer.json()
      assert.ok(answer.ok(), `${cmd}: ${JSON.stringify(body)}`)
      return body
    },
    /** The SVG that an image shows. */
    async svg(image) {
      const path = await image.getAttribute('data-path')
      return path ? (await page.request.get(`${base}/${path}`, { headers })).text() : ''
    },
    send: (trace) => sendTrace(ready.http, trace),
    async close() {
      await browser.close()
      const ended = new Promise((resolve) => server.once('exit', resolve))
      if (server.exitCode === null && server.signalCode === null) {
        server.kill('SIGTERM')
        await ended
      }
      rmSync(data, { recursive: true, force: true })
    },
  }
}

/** The header that lets a request in, from the URL that was printed. */
export const keyOf = (url) => ({ 'x-tracebook-key': new URL(url).hash.slice('#key='.length) })

let count = 0

/** Sends a request with a child span as an OpenTelemetry SDK does, over OTLP/HTTP as JSON. */
async function sendTrace(http, { path = '/api/activities/home', status = 200 } = {}) {
  count += 1
  const traceId = `4bf92f3577b34da6a3ce929d0e${String(count).padStart(6, '0')}`
  const start = BigInt(Date.now() - 50) * 1_000_000n
  const attribute = (key, value) => ({ key, value })
  const span = (spanId, name, from, to, more) => ({
    traceId,
    spanId,
    name,
    startTimeUnixNano: String(start + from),
    endTimeUnixNano: String(start + to),
    ...more,
  })
  const spans = [
    span('00f067aa0ba902b7', 'GET', 0n, 12_400_000n, {
      kind: 2,
      attributes: [
        attribute('http.request.method', { stringValue: 'GET' }),
        attribute('url.path', { stringValue: path }),
        attribute('http.response.status_code', { intValue: String(status) }),
      ],
      status: { code: status >= 500 ? 2 : 0 },
    }),
    span('00f067aa0ba902b8', 'home-activities-mock-data', 2_000_000n, 9_000_000n, {
      kind: 1,
      parentSpanId: '00f067aa0ba902b7',
      attributes: [attribute('app.result_length', { intValue: '3' })],
      events: [{ timeUnixNano: String(start + 3_000_000n), name: 'cache miss' }],
    }),
  ]
  const resource = { attributes: [attribute('service.name', { stringValue: 'backend-flask' })] }
  const body = { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'browser-test' }, spans }] }] }
  const answer = await fetch(`http://${http}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert.equal(answer.status, 200, 'the receiver takes the trace')
  return traceId
}

/** Waits until a question has the wanted answer; says what the last one was if it never has. */
export async function until(ask, wanted, what) {
  const end = Date.now() + 8000
  let last
  do {
    last = await ask()
    if (wanted(last)) return last
    await new Promise((resolve) => setTimeout(resolve, 50))
  } while (Date.now() < end)
  assert.fail(`${what}; it is ${JSON.stringify(last)}`)
}
