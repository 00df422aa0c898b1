// `make dev`: a change of a component is on the page without a reload, and the server's checks hold behind the proxy.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { binary, browse, keyOf, root } from './harness.mjs'

/** Starts what `make dev` starts, on a copy of the UI, and returns the URL that it prints. */
async function dev(folder) {
  const ui = join(folder, 'ui')
  const skipped = ['node_modules', 'dist', '.svelte-kit']
  cpSync(join(root, 'ui'), ui, { recursive: true, filter: (from) => !skipped.includes(basename(from)) })
  symlinkSync(join(root, 'ui/node_modules'), join(ui, 'node_modules'))
  const ports = ['--http', '127.0.0.1:0', '--grpc', '127.0.0.1:0', '--xray', '127.0.0.1:0']
  const child = spawn('node', [join(root, 'scripts/dev.mjs'), 'serve', binary, ...ports], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, DEV_UI: ui, DEV_PORT: '0', TRACEBOOK_DATA: join(folder, 'data') },
  })
  const url = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /http:\S+#key=\S+/.exec(line)
      if (found) resolve(found[0])
    })
    child.once('exit', (code) => reject(new Error(`dev.mjs ended with ${code}`)))
  })
  return { child, url, ui }
}

test('a changed component shows without a reload, and nobody is let in without the key', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tracebook-dev-'))
  const { child, url, ui } = await dev(folder)
  const { browser, page } = await browse({ width: 1280, height: 800 })
  try {
    const { origin } = new URL(url)
    const ask = { headers: { 'content-type': 'application/json' }, data: '{"cmd":"entry_list"}' }
    assert.equal((await page.request.post(`${origin}/rpc`, ask)).status(), 401, 'no key')

    await page.goto(url, { timeout: 60_000 })
    const button = page.getByTestId('new-entry')
    await button.waitFor({ timeout: 60_000 })
    const withKey = { ...ask, headers: { ...ask.headers, ...keyOf(url) } }
    assert.equal((await page.request.post(`${origin}/rpc`, withKey)).status(), 200)
    const foreign = { ...withKey, headers: { ...withKey.headers, origin: 'http://localhost:1' } }
    assert.equal((await page.request.post(`${origin}/rpc`, foreign)).status(), 403, 'another site')

    // The stream of events never ends, so the network is never idle.
    await page.getByText('Nothing has arrived yet.').waitFor()
    await page.evaluate(() => (globalThis.stillThere = true))
    const file = join(ui, 'src/components/journal/Sidebar.svelte')
    const source = readFileSync(file, 'utf8')
    assert.ok(source.includes('>New entry<'), 'the text that is changed is in the sidebar')
    writeFileSync(file, source.replace('>New entry<', '>Fresh entry<'))
    await page.getByText('Fresh entry').waitFor()
    assert.equal(await page.evaluate(() => globalThis.stillThere), true, 'the page was not loaded again')
  } finally {
    await browser.close()
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  }
})
