import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { folder, type Recordings } from '../recording'

/** Collects the path and type of every value, such as `live_traces.answer.rows[].spans: number`. */
function collect(value: unknown, path: string, into: Set<string>) {
  if (Array.isArray(value)) for (const part of value) collect(part, `${path}[]`, into)
  else if (value !== null && typeof value === 'object')
    for (const [key, part] of Object.entries(value)) collect(part, `${path}.${key}`, into)
  else into.add(`${path}: ${value === null ? 'null' : typeof value}`)
}

function shapes(files: Recordings[]): Set<string> {
  const all = new Set<string>()
  for (const tests of files)
    for (const { cmd, ...exchange } of Object.values(tests).flat()) collect(exchange, cmd, all)
  return all
}

/** The names of the recordings. */
export const recordedFiles = () =>
  (existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [])
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.replace(/\.json$/, ''))

/** The differences between the recordings and what was answered now. */
export function differences(fresh: Record<string, Recordings>): string[] {
  const recorded = recordedFiles().map(
    (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Recordings,
  )
  const before = shapes(recorded)
  const now = shapes(Object.values(fresh))
  return [
    ...[...now].filter((path) => !before.has(path)).map((path) => `not recorded: ${path}`),
    ...[...before].filter((path) => !now.has(path)).map((path) => `no longer answered: ${path}`),
  ]
}
