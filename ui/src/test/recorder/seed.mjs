// The journal that every recorded test starts with. Its telemetry is sent to the receivers: the fixtures of the real
// SDKs, and what is in traffic/.
import { execFileSync, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { serve } from './service.mjs'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const traffic = fileURLToPath(new URL('./traffic/', import.meta.url))
const fixtures = join(root, 'tests/fixtures')
/** The time in the cloud, in seconds since 1970: a constant, so that its answers are the same each time. */
const CLOUD_NOW = '1795478400'
const OTLP = ['abort404', 'boom', 'home', 'notifications', 'boom-logs', 'home-logs']
const XRAY = ['users', 'notifications']

/** Nobody's real account, configuration or keychain. */
const ENV = {
  AWS_CONFIG_FILE: '/nonexistent/config',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent/credentials',
  AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7TESTING',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_REGION: 'us-east-1',
  ROLLBAR_READ_TOKEN: 'read-0123456789abcdef0123456789ab',
  HONEYCOMB_API_KEY: 'hcaik_01testtesttesttesttesttest',
  DBUS_SESSION_BUS_ADDRESS: 'disabled:',
}

/** Makes the journal, and starts the cloud that its settings name. `stop` ends the cloud and removes the journal. */
export async function seed(binary, python) {
  const folder = mkdtempSync(join(tmpdir(), 'tracebook-seed-'))
  const data = join(folder, 'data')
  const cloud = spawn(python, [join(root, 'tests/service/cloud.py'), '--now', CLOUD_NOW], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const stop = () => {
    cloud.kill()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const [line] = await once(createInterface({ input: cloud.stdout }), 'line')
    const cloudPort = Number(line.split(' ')[1])
    configure(binary, data, `http://127.0.0.1:${cloudPort}`)
    // The watched commands have the names that users know.
    const commands = join(folder, 'bin')
    cpSync(join(traffic, 'commands'), commands, { recursive: true })
    for (const name of readdirSync(commands)) chmodSync(join(commands, name), 0o755)
    const service = await serve(binary, data, {
      watch: ['docker compose up', 'npm start'],
      env: { ...ENV, PATH: `${commands}:${process.env.PATH}`, TURNS: folder },
    })
    try {
      await send(service)
    } finally {
      // Killed: otherwise the console would end with two lines that say that the watched commands were stopped.
      await service.stop('SIGKILL')
    }
    return { data, env: ENV, cloudPort, stop }
  } catch (cause) {
    stop()
    throw cause
  }
}

function configure(binary, data, cloud) {
  mkdirSync(data)
  const tracebook = (...args) =>
    execFileSync(binary, ['--data', data, ...args], { env: { ...process.env, ...ENV }, stdio: 'pipe' })
  const rollbar = `${cloud}/api/1`
  tracebook(
    'source',
    'set',
    '--aws-endpoint',
    cloud,
    '--rollbar-endpoint',
    rollbar,
    '--honeycomb-endpoint',
    cloud,
  )
  tracebook('relay', 'set', 'xray', '--on')
  tracebook('relay', 'set', 'rollbar', '--on')
}

/** Sends everything, in an order that gives each row the same id each time. */
async function send(service) {
  const rows = async (cmd) => (await service.rpc(cmd, {}, 'seed')).answer.rows
  await until('8 console lines', async () => (await rows('live_console')).length === 8)
  for (const name of OTLP) {
    const { path, headers } = JSON.parse(readFileSync(join(fixtures, `otlp-${name}.headers.json`), 'utf8'))
    const sent = Object.entries(headers).filter(([header]) => /^(content-type|user-agent)$/i.test(header))
    await post(service, path, readFileSync(join(fixtures, `otlp-${name}.bin`)), Object.fromEntries(sent))
  }
  for (const name of XRAY) await datagram(service, readFileSync(join(fixtures, `xray-01-${name}.bin`)))
  for (const { headers, bodies } of read('cloudwatch.json'))
    for (const body of bodies) {
      // CloudWatch rejects events older than 14 days, so the file has times relative to now.
      for (const event of body.logEvents ?? []) event.timestamp += Date.now()
      await post(service, '/', JSON.stringify(body), headers)
    }
  for (const [path, body] of Object.entries(read('xray.json')))
    await post(service, path, JSON.stringify(body))
  for (const body of read('rollbar.json')) await post(service, '/api/1/item/', JSON.stringify(body))
  await until('two X-Ray traces', async () => {
    const xray = (await rows('live_traces')).filter((row) => row.protocols.includes('xray'))
    return xray.length === XRAY.length
  })
  await until('forwarded segments, and Rollbar items that wait for a token', async () => {
    const relays = Object.fromEntries((await rows('relay_status')).map((row) => [row.name, row]))
    return relays.xray.sent === XRAY.length && relays.rollbar.problem
  })
}

async function until(what, reached) {
  const end = Date.now() + 20_000
  while (!(await reached())) {
    if (Date.now() > end) throw new Error(`the journal for the recordings never had ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const read = (name) => JSON.parse(readFileSync(join(traffic, name), 'utf8'))

async function post(service, path, body, headers = { 'content-type': 'application/json' }) {
  const response = await fetch(`http://${service.ready.http}${path}`, { method: 'POST', headers, body })
  if (!response.ok) throw new Error(`${path}: status ${response.status}, ${await response.text()}`)
}

async function datagram(service, bytes) {
  const [host, port] = service.ready.xray.split(':')
  const socket = createSocket('udp4')
  await new Promise((resolve, reject) =>
    socket.send(bytes, Number(port), host, (cause) => (cause ? reject(cause) : resolve(undefined))),
  )
  socket.close()
}
