/** `1.2 ms`, `3.45 s`, `2 min 5 s`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–'
  if (ms < 0.001) return `${Math.round(ms * 1e6)} ns`
  if (ms < 1) return `${trim(ms * 1000)} µs`
  if (ms < 1000) return `${trim(ms)} ms`
  if (ms < 60_000) return `${trim(ms / 1000)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`
}

function trim(n: number): string {
  return n >= 100 ? String(Math.round(n)) : String(Number(n.toFixed(n >= 10 ? 1 : 2)))
}

/** `now`, `12 s ago`, `5 min ago`, `3 h ago`, then the date. */
export function ago(time: string, now: number): string {
  const then = Date.parse(time)
  if (Number.isNaN(then)) return ''
  const seconds = Math.floor((now - then) / 1000)
  if (seconds < 3) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return new Date(then).toLocaleDateString(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
}

/** `clock 5 h ahead`: how far the clock of a sender is off, in milliseconds. */
export function skew(ms: number): string {
  const size = Math.abs(ms)
  const long = size < 3_600_000 ? duration(size) : `${trim(size / 3_600_000)} h`
  return `clock ${long} ${ms > 0 ? 'ahead' : 'behind'}`
}

/** A moment in the reader's own time zone. */
export function moment(time: string): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime())
    ? time
    : date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
}

/** Nanoseconds since the epoch, as a decimal text, as RFC 3339 with all nine digits. */
export function nanosTime(nanos: string): string {
  const n = BigInt(nanos)
  const ms = n / 1_000_000n
  const rest = (((n % 1_000_000n) + 1_000_000n) % 1_000_000n).toString().padStart(6, '0')
  return new Date(Number(ms)).toISOString().replace('Z', `${rest}Z`)
}

/** Milliseconds between two nanosecond times. */
export function nanosBetween(start: string, end: string): number {
  return Number(BigInt(end) - BigInt(start)) / 1e6
}

/** `1 span`, `2 spans`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString()} ${n === 1 ? one : many}`
}

/** An attribute's value as text. The wire form tags the types that JSON has not: `{"int":"5"}`. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return value
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return `[${value.map(valueText).join(', ')}]`
  const tagged = value as Record<string, unknown>
  if ('int' in tagged) return String(tagged.int)
  if ('double' in tagged) return String(tagged.double)
  if ('bytes' in tagged) return String(tagged.bytes)
  if (Array.isArray(tagged.map)) {
    const pairs = tagged.map as { key: string; value: unknown }[]
    return `{${pairs.map((pair) => `${pair.key}: ${valueText(pair.value)}`).join(', ')}}`
  }
  return JSON.stringify(value)
}

/** The time of day to the millisecond, in the reader's own time zone. */
export function clock(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return time
  const two = (n: number) => String(n).padStart(2, '0')
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}

/** Nanoseconds since the epoch as RFC 3339 to the millisecond, which is all that a `Date` reads. */
export function nanosDate(nanos: string): string {
  return new Date(Number(BigInt(nanos) / 1_000_000n)).toISOString()
}

/** A length in nanoseconds, as a decimal text. */
export function nanosLength(nanos: string): string {
  return duration(Number(BigInt(nanos)) / 1e6)
}

/** `512 MB`, in binary units: 1 MB is 1024 KB. */
export function bytes(n: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let unit = 0
  let left = n
  while (left >= 1024 && unit < units.length - 1) {
    left /= 1024
    unit += 1
  }
  return `${left >= 10 || unit === 0 ? Math.round(left) : Number(left.toFixed(1))} ${units[unit]}`
}

/** `7 days`, or `36 hours` where it is not whole days. */
export function hours(n: number): string {
  return n % 24 === 0 ? count(n / 24, 'day') : count(n, 'hour')
}
