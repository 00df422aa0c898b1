// `make dev` and `make dev-window`: the UI with hot reload, against a `tracebook serve` or in the window.
//
//   node scripts/dev.mjs serve|window PROGRAM [ARGS…]
//
// Prints the address to open. Ends everything that it started when it is ended itself. DEV_PORT is Vite's port, 1420 by
// default; DEV_UI is another folder than ui/, for the test.
import { spawn } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ui = process.env.DEV_UI ?? join(fileURLToPath(new URL('..', import.meta.url)), 'ui')
const [host, program, ...args] = process.argv.slice(2)

/** The URL, with its key, of a `serve` on any port. */
async function serve() {
  const server = spawn(program, ['--json', 'serve', '--ui', '127.0.0.1:0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  process.on('exit', () => server.kill('SIGTERM'))
  const ready = new Promise((resolve) => createInterface({ input: server.stdout }).once('line', resolve))
  server.once('exit', (code) => {
    console.error(`tracebook serve ended with ${code}`)
    process.exit(1)
  })
  return new URL(JSON.parse(await ready).ui.url)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(0))

const url = host === 'serve' ? await serve() : undefined
if (url) process.env.TRACEBOOK_URL = url.origin
const vite = createRequire(join(ui, 'package.json')).resolve('vite')
const { createServer } = await import(pathToFileURL(vite))
const dev = await createServer({
  root: ui,
  configFile: join(ui, 'vite.config.ts'),
  server: {
    port: Number(process.env.DEV_PORT ?? 1420),
    fs: { allow: [ui, realpathSync(join(ui, 'node_modules'))] }, // which may be a link
  },
})
await dev.listen()
const address = dev.resolvedUrls.local[0]
if (url) {
  console.log(`Open ${address}${url.hash}\nThe pages follow ui/src; Ctrl-C ends both.`)
} else {
  console.log(`The window shows ${address} and follows ui/src; closing it ends both.`)
  const env = { ...process.env, TRACEBOOK_DEV_URL: address }
  const window = spawn(program, args, { stdio: 'inherit', env })
  process.on('exit', () => window.kill('SIGTERM'))
  window.once('exit', (code) => process.exit(code ?? 1))
}
