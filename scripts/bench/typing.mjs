// Measures typing in Tracebook's editor beside a bare CodeMirror with the same text, in turns, in one Chromium.
//
//     node scripts/bench/typing.mjs [PATH/TO/tracebook] [--quick]
//
// For a text of 4,500 lines with 50 cards and one of 50 lines: time from the key's event to after the next paint, CPU
// time of the main thread per key, and bytes posted for 100 letters. Prints JSON. The bare editor has Markdown's syntax
// highlighting, line wrapping and undo, and nothing of ours (ui/src/test/bare-editor.ts).
import { createServer } from 'node:http'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [binary] = process.argv.slice(2).filter((arg) => !arg.startsWith('--'))
if (binary) process.env.TRACEBOOK_BIN = binary
const quick = process.argv.includes('--quick')
const { open, root } = await import('../../tests/browser/harness.mjs')

const KEYS = 25
const ROUNDS = quick ? 4 : 10
/** Milliseconds between two keys, as fast typing has them. */
const PAUSE = 90
const MARK = 'Type here:'

/** A week's entry, grown to a number of lines; `reference` makes the Markdown of a card. */
export function entryText(lines, cards, reference) {
  const out = []
  const each = cards ? Math.floor(lines / cards) : Infinity
  for (let section = 1; out.length < lines; section++) {
    out.push(
      `## ${section}. Instrument the service`,
      '',
      `I added **spans** to \`home_activities.py\`, as [the docs](https://example.com/${section}) say, and *checked* that they arrive. It took a while to see that the region was wrong, and ~~restarts~~ a new container helped.`,
      '',
      '- [x] Instrument the backend',
      '- [ ] Create a group with a filter',
      '  - which needs `service("backend-flask")`',
      '1. Start the daemon',
      '2. Send a request',
      '',
      '> The daemon listens on UDP.',
      '',
      '```python',
      'with tracer.start_as_current_span("home") as span:',
      `    span.set_attribute("app.now", ${section})`,
      '```',
      '',
      '| Service | Spans |',
      '|---|---|',
      `| backend | ${section} |`,
      '',
    )
    while (cards && out.length / each > out.filter((line) => line.startsWith('![')).length + 1)
      out.push(reference(section), '')
  }
  out.length = lines
  out.splice(Math.floor(lines / 2), 0, '', MARK, '')
  return out.join('\n')
}

/** The bare editor, built by Vite, as a page of its own. */
async function bareServer(text) {
  const require = createRequire(join(root, 'ui/package.json'))
  const { build } = await import(pathToFileURL(require.resolve('vite')).href)
  const outDir = mkdtempSync(join(tmpdir(), 'tracebook-bare-'))
  await build({
    root: join(root, 'ui'),
    configFile: false,
    logLevel: 'error',
    build: { outDir, emptyOutDir: true, rollupOptions: { input: join(root, 'ui/src/test/bare-editor.ts') } },
  })
  const [script] = readdirSync(join(outDir, 'assets')).filter((name) => name.endsWith('.js') && name.startsWith('bare'))
  const files = {
    '/': [
      'text/html; charset=utf-8',
      '<!doctype html><style>html,body,#e{height:100%;margin:0}</style><div id=e></div><script type=module src=/start.js></script>',
    ],
    '/start.js': [
      'text/javascript',
      `import './assets/${script}'; window.bare(document.getElementById('e'), await (await fetch('/text')).text())`,
    ],
    '/text': ['text/plain; charset=utf-8', text],
  }
  const server = createServer((request, response) => {
    const path = new URL(request.url, 'http://x').pathname
    const [type, body] = files[path] ?? ['text/javascript', readFileSync(join(outDir, path))]
    response.setHeader('content-type', type)
    response.end(body)
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close() {
      server.close()
      rmSync(outDir, { recursive: true, force: true })
    },
  }
}

/** Puts the cursor behind the mark, and notes for every key when it has been painted. */
async function prepare(page) {
  await page.evaluate(() => {
    // The window's page is used for every text.
    if (window.painted) return
    window.painted = []
    const channel = new MessageChannel()
    const waiting = []
    channel.port1.onmessage = () => {
      const now = performance.now()
      for (const at of waiting.splice(0)) window.painted.push(now - at)
    }
    window.addEventListener(
      'keydown',
      (event) => {
        waiting.push(event.timeStamp)
        requestAnimationFrame(() => channel.port2.postMessage(0))
      },
      true,
    )
  })
  const content = page.locator('.cm-content')
  await content.click({ position: { x: 80, y: 40 } })
  // CodeMirror draws only what is visible: scroll until the mark is.
  for (let tries = 0; tries < 40; tries++) {
    const line = page.locator('.cm-line', { hasText: MARK })
    if (await line.count()) {
      await line.scrollIntoViewIfNeeded()
      await line.click()
      await page.keyboard.press('End')
      return
    }
    await page.locator('.cm-scroller').evaluate((box, share) => {
      box.scrollTop = (box.scrollHeight - box.clientHeight) * share
    }, 0.5 + ((tries % 2 ? 1 : -1) * Math.ceil(tries / 2)) / 80)
    await page.waitForTimeout(150)
  }
  throw new Error('the place to type at was not found')
}

async function typeSome(page, session, keys) {
  await page.bringToFront()
  const work = async () =>
    (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value
  const before = await work()
  await page.evaluate(() => (window.painted.length = 0))
  for (let n = 0; n < keys; n++) {
    await page.keyboard.press('abcdefghij klmnopqrstuv'[n % 23] === ' ' ? 'Space' : 'abcdefghij klmnopqrstuv'[n % 23])
    await page.waitForTimeout(PAUSE)
  }
  const after = await work()
  return { painted: await page.evaluate(() => [...window.painted]), work: ((after - before) * 1000) / keys }
}

const share = (values, part) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))]

async function measure(app, lines, cards) {
  let reference = () => ''
  if (cards) {
    const ids = []
    for (let n = 0; n < 5; n++) {
      const traceId = await app.send({ path: `/api/activities/${n}` })
      const captured = await app.rpc('capture', { kind: 'trace', id: traceId })
      ids.push(captured.reference)
    }
    reference = (n) => ids[n % ids.length]
  }
  const text = entryText(lines, cards, reference)
  const entry = await app.rpc('entry_new', { week: null, title: `Typing ${lines}`, body: text })
  const { page } = app
  await page.locator(`[data-testid=entries] [data-entry="${entry.slug}"] .title`).click()
  await page.locator('.cm-content', { hasText: 'Instrument the service' }).waitFor()
  const server = await bareServer(text)
  const other = await page.context().newPage()
  await other.goto(server.url)
  await other.locator('.cm-content').waitFor()
  try {
    const sides = {}
    for (const [name, one] of [['tracebook', page], ['bare', other]]) {
      await one.bringToFront()
      await prepare(one)
      const session = await one.context().newCDPSession(one)
      // CPU time: the time on the clock contains the waits for other processes, such as the server that saves.
      await session.send('Performance.enable', { timeDomain: 'threadTicks' })
      sides[name] = { page: one, session, painted: [], work: [] }
      await typeSome(one, session, 10)
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const side of Object.values(sides)) {
        const { painted, work } = await typeSome(side.page, side.session, KEYS)
        side.painted.push(...painted)
        side.work.push(work)
      }
    }
    await page.bringToFront()
    let bytes = 0
    const posts = {}
    const count = (request) => {
      const body = request.postData()
      if (!body) return
      bytes += body.length
      const { cmd } = JSON.parse(body)
      posts[cmd] = (posts[cmd] ?? 0) + 1
    }
    page.on('request', count)
    await typeSome(page, sides.tracebook.session, 100)
    await page.waitForTimeout(2500)
    page.off('request', count)
    const figures = ({ painted, work }) => ({
      p50_ms: share(painted, 0.5),
      p95_ms: share(painted, 0.95),
      work_ms: work.reduce((sum, one) => sum + one, 0) / work.length,
      keys: painted.length,
    })
    return {
      lines,
      cards,
      tracebook: figures(sides.tracebook),
      bare: figures(sides.bare),
      posted_bytes: bytes,
      posts,
    }
  } finally {
    await other.close()
    server.close()
  }
}

const app = await open({ viewport: { width: 1280, height: 800 } })
try {
  const found = [await measure(app, 4500, 50), await measure(app, 50, 0)]
  console.log(JSON.stringify(found))
} finally {
  await app.close()
}
