import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import type { TestProject } from 'vitest/node'
import { changes, folder, keyOf, type Exchange, type Recordings } from '../recording'
import './live'
import { seed } from './seed.mjs'
import { differences, recordedFiles } from './shapes'

const root = join(import.meta.dirname, '../../../..')
const binary = process.env.TRACEBOOK_BIN ?? join(root, 'target/debug/tracebook')
const python = process.env.TRACEBOOK_TEST_PYTHON ?? 'python3'

const src = join(root, 'ui/src')

/** Recordings by the name of the test file. */
type Files = Record<string, Recordings>

/**
 * Prepares a run of the unit tests against a real `tracebook serve`. With `TRACEBOOK_RECORD=write` its answers become
 * the recordings; with `check` the run fails if their shapes differ from those of the recordings.
 */
export default async function setup(project: TestProject) {
  if (!existsSync(binary)) throw new Error(`${binary} is missing: build it first (scripts/cargo-build.sh)`)
  const raw = mkdtempSync(join(tmpdir(), 'tracebook-recorded-'))
  // The log events that are sent are up to two minutes old.
  const began = Date.now() - 120_000
  const { data, env, cloudPort, stop } = await seed(binary, python)
  project.provide('recording', { binary, data, env, cloudPort, began, raw })
  return async () => {
    stop()
    const fresh = Object.fromEntries(
      readdirSync(raw).map((name) => [
        decodeURIComponent(name.replace(/\.json$/, '')),
        JSON.parse(readFileSync(join(raw, name), 'utf8')) as Recordings,
      ]),
    )
    rmSync(raw, { recursive: true })
    try {
      if (process.env.TRACEBOOK_RECORD === 'check') check(fresh)
      else await write(fresh)
    } catch (cause) {
      // Vitest prints an error of a teardown, and exits with 0 all the same.
      process.exitCode = 1
      throw cause
    }
  }
}

/** Replaces all recordings. Reads that several tests made with the same answer go into `common.json`. */
async function write(files: Files) {
  const skipped = recordedFiles().filter(
    (name) => !(name in files) && existsSync(join(src, `${name}.test.ts`)),
  )
  if (skipped.length) throw new Error(`Record all tests in one run. Not recorded: ${skipped.join(', ')}`)
  const byKey = new Map<string, { tests: Set<string>; exchanges: Exchange[] }>()
  for (const [file, tests] of Object.entries(files))
    for (const [test, exchanges] of Object.entries(tests))
      for (const exchange of exchanges) {
        if (changes.has(exchange.cmd)) continue
        const key = keyOf(exchange.cmd, exchange.args)
        const same = byKey.get(key) ?? { tests: new Set(), exchanges: [] }
        same.tests.add(`${file} ${test}`)
        same.exchanges.push(exchange)
        byKey.set(key, same)
      }
  const shared = [...byKey]
    .filter(
      ([, { tests, exchanges }]) =>
        tests.size > 1 && new Set(exchanges.map((one) => JSON.stringify(one))).size === 1,
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  const keys = new Set(shared.map(([key]) => key))
  rmSync(folder, { recursive: true, force: true })
  await store('common', { reads: shared.flatMap(([, { exchanges }]) => exchanges.slice(0, 1)) })
  for (const [file, tests] of Object.entries(files)) {
    const own = Object.entries(tests).map(([test, exchanges]) => [
      test,
      withoutRepeats(exchanges.filter(({ cmd, args }) => !keys.has(keyOf(cmd, args)))),
    ])
    await store(file, Object.fromEntries(own) as Recordings)
  }
}

/** Drops reads with the same answer as before, and between two changes all but the last of the same read. */
function withoutRepeats(exchanges: Exchange[]): Exchange[] {
  const kept: Exchange[] = []
  let lastChange = 0
  for (const exchange of exchanges) {
    const key = keyOf(exchange.cmd, exchange.args)
    const before = kept.findLastIndex((one) => keyOf(one.cmd, one.args) === key)
    if (!changes.has(exchange.cmd) && before >= 0) {
      if (JSON.stringify(kept[before]) === JSON.stringify(exchange)) continue
      if (before >= lastChange) kept.splice(before, 1)
    }
    kept.push(exchange)
    if (changes.has(exchange.cmd)) lastChange = kept.length
  }
  return kept
}

async function store(name: string, content: Recordings) {
  const path = join(folder, `${name}.json`)
  mkdirSync(dirname(path), { recursive: true })
  const config = await resolveConfig(path)
  writeFileSync(path, await format(JSON.stringify(content), { ...config, plugins: [], filepath: path }))
}

function check(files: Files) {
  const found = differences(files)
  if (found.length)
    throw new Error(`The recordings are stale:\n${found.join('\n')}\nRun \`make recordings\`.`)
}
