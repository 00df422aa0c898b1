/** Time ranges to choose from, in the form of `since`. */
export const RANGES = ['15m', '1h', '6h', '24h', '7d'] as const

/** Whether `since` is a range `FROM/TO` rather than a duration until now. */
export function isRange(since: string): boolean {
  return since.includes('/')
}

/** The range between two moments of `<input type="datetime-local">`, in UTC; either may be empty. */
export function rangeOf(from: string, to: string): string {
  const utc = (local: string) => {
    const date = new Date(local)
    return local && !Number.isNaN(date.getTime()) ? date.toISOString() : ''
  }
  return `${utc(from)}/${utc(to)}`
}

/** The two moments of a range for `<input type="datetime-local">`. */
export function momentsOf(since: string): [string, string] {
  const local = (utc: string) => {
    const date = new Date(utc)
    if (!utc || Number.isNaN(date.getTime())) return ''
    const shifted = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
    return shifted.toISOString().slice(0, 19)
  }
  const [from = '', to = ''] = since.split('/')
  return [local(from), local(to)]
}

/** `of the last 15m`, `between 15:20 and 15:30`. */
export function rangeText(since: string): string {
  if (!isRange(since)) return `of the last ${since}`
  const [from, to] = momentsOf(since).map((moment) => moment.replace('T', ' '))
  if (from && to) return `between ${from} and ${to}`
  if (from) return `from ${from} on`
  return to ? `before ${to}` : 'of all times'
}
