// A `tracebook serve --ui` as a child process. JavaScript, because a worker thread loads it without Vite.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const ANY = '127.0.0.1:0'

/**
 * Starts the server on free ports, and waits until it is ready.
 * @param {string} binary
 * @param {string} data
 * @param {{ watch?: string[], env?: Record<string, string | undefined> }} options
 */
export async function serve(binary, data, { watch = [], env = {} } = {}) {
  const args = ['--json', '--data', data, 'serve', '--http', ANY, '--grpc', ANY, '--xray', ANY, '--ui', ANY]
  for (const command of watch) args.push('--watch', command)
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let errors = ''
  child.stderr.on('data', (chunk) => (errors += chunk))
  const ready = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)))
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`tracebook serve ended with ${code}: ${errors}`)))
  })
  const base = new URL(ready.ui.url).origin
  const key = { 'x-tracebook-key': new URL(ready.ui.url).hash.slice('#key='.length) }
  return {
    ready,
    /** Returns `{ answer }` or `{ error }`. */
    async rpc(cmd, args, client) {
      const response = await fetch(`${base}/rpc`, {
        method: 'POST',
        headers: { ...key, 'content-type': 'application/json' },
        body: JSON.stringify({ cmd, args, client, call: '' }),
      })
      const body = await response.json()
      return response.ok ? { answer: body } : { error: body.error }
    },
    /** Calls the listener on every event from now on. */
    async events(client, listener) {
      const stream = await fetch(`${base}/events?client=${client}`, { headers: key })
      const read = async () => {
        let buffer = ''
        for await (const chunk of stream.body.pipeThrough(new TextDecoderStream())) {
          const lines = (buffer + chunk).split('\n')
          buffer = lines.pop()
          for (const line of lines) if (line.startsWith('data:')) listener(JSON.parse(line.slice(5)))
        }
      }
      // Fails when the server is stopped.
      read().catch(() => undefined)
    },
    async stop(signal = 'SIGTERM') {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill(signal)
      await once(child, 'exit')
    },
  }
}
