// Starts and asks a `tracebook serve` for live.ts, in a thread of its own because that one is blocked meanwhile.
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'
import { serve } from './service.mjs'

/** The server looks for changes five times a second. */
const QUIET_MS = 350

const { port, signal, binary, data, env, client } = workerData
let service, folder
let events = []
let arrived = () => undefined

/** Returns the events, once none has arrived for a while. */
async function settle() {
  for (let before = -1; before !== events.length;) {
    before = events.length
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, QUIET_MS)
      arrived = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  return events.splice(0)
}

const commands = {
  async start() {
    folder = mkdtempSync(join(tmpdir(), 'tracebook-recording-'))
    cpSync(data, folder, { recursive: true })
    service = await serve(binary, folder, { env })
    await service.events(client, (event) => {
      events.push(event)
      arrived()
    })
    return { folder, ready: service.ready }
  },
  async ask({ cmd, args, client, settles }) {
    events = []
    const response = await service.rpc(cmd, args, client)
    return { ...response, events: settles ? await settle() : [] }
  },
  async stop() {
    await service?.stop('SIGKILL')
    if (folder) rmSync(folder, { recursive: true, force: true })
    return null
  },
}

port.on('message', async ({ name, args }) => {
  try {
    port.postMessage({ value: await commands[name](args) })
  } catch (cause) {
    port.postMessage({ failure: String(cause?.stack ?? cause) })
  }
  Atomics.store(signal, 0, 1)
  Atomics.notify(signal, 0)
})
