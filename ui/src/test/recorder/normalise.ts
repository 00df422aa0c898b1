/** The day after that of the fixtures. */
const BEGIN = Date.parse('2026-11-24T00:00:00Z')
const DATA = '/home/you/.local/share/tracebook'

/** What differs from one recording to the next. */
interface Surroundings {
  /** Milliseconds since 1970. */
  began: number
  /** The journal's directory. */
  folder: string
  /** The port to write into the recording, by the real one. */
  ports: Record<string, number>
}

/** Replaces ids, digests, times, ports and paths by fixed ones, so that recording again changes little. */
export class Normaliser {
  readonly #surroundings: Surroundings
  readonly #fixed = new Map<string, string>()
  readonly #real = new Map<string, string>()

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  /** A response as it is recorded. Texts keep their length: offsets point into them. */
  stable<T>(value: T): T {
    const { folder, ports } = this.#surroundings
    let text = JSON.stringify(value, function (this: { pace_seconds?: number }, key, part: unknown) {
      if (typeof part !== 'number') return part
      if (key === 'age_ms') return 0
      return key === 'next_ms' ? Number(this.pace_seconds) * 1000 : part
    })
    text = text.replaceAll(folder, DATA)
    text = text.replace(/\b\d{4,5}\b/g, (port) => String(ports[port] ?? port))
    text = text.replace(/\b01[0-9A-HJKMNP-TV-Z]{24}\b/g, (id) => this.#fix(id, '01TEST', 26))
    text = text.replace(/\bsha256:[0-9a-f]{64}\b/g, (digest) => this.#fix(digest, 'sha256:', 71))
    text = text.replace(/\(\d+\.\d+ seconds\)/g, '(0.058 seconds)')
    text = text.replace(/(?:\d+ (?:d|h|m|min|s) )+ago\b/g, 'just now')
    return JSON.parse(this.#fixTimes(text)) as T
  }

  /** Arguments with the ids that the server knows. */
  real<T>(args: T): T {
    const text = JSON.stringify(args)
    return JSON.parse(text.replace(/\b01TEST\d{20}\b/g, (id) => this.#real.get(id) ?? id)) as T
  }

  #fix(real: string, prefix: string, length: number): string {
    const known = this.#fixed.get(real)
    if (known) return known
    const fixed = prefix + String(this.#fixed.size + 1).padStart(length - prefix.length, '0')
    this.#fixed.set(real, fixed)
    this.#real.set(fixed, real)
    return fixed
  }

  /** Times after the recording began become a second apart, in the same order. */
  #fixTimes(text: string): string {
    const times = /\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| UTC)|\b1[789]\d{17}\b/g
    const millis = (time: string) =>
      time.includes(':') ? Date.parse(time) : Number(BigInt(time) / 1_000_000n)
    const all = new Set([...text.matchAll(times)].map(([time]) => millis(time)))
    const recent = [...all].filter((time) => time >= this.#surroundings.began).toSorted((a, b) => a - b)
    return text.replace(times, (time) => {
      const n = recent.indexOf(millis(time))
      if (n < 0) return time
      const iso = new Date(BEGIN + n * 1000).toISOString()
      if (time.endsWith('UTC')) return iso.replace('T', ' ').replace(/\..*/, ' UTC')
      return time.endsWith('Z') ? iso : `${BEGIN + n * 1000}000000`
    })
  }
}
