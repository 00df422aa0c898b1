/**
 * The key of `tracebook serve --ui`, as the page keeps it. It arrives in the fragment of the URL that the server
 * printed, which a browser sends to no server, and is kept in the storage of this origin, to which the port belongs. A
 * cookie would be sent to every service on 127.0.0.1.
 *
 * The key itself is not sent either: each run of the server has a nonce, and the page sends an HMAC of it. A service
 * that takes the port later gets nothing that is of use after that run.
 */

const STORED = 'tracebook-key'
const FORM = /^tbk_[A-Za-z0-9_-]{43}$/

/** The header with the key. */
export const HEADER = 'X-Tracebook-Key'

/** Used where the browser allows no storage: until the page is closed. */
let kept: string | null = null

/** Moves the key from the address to the storage. Returns whether there was one. */
export function takeKey(): boolean {
  const key = new URLSearchParams(location.hash.slice(1)).get('key')
  if (key === null) return false
  // Neither in the history nor where a screenshot shows it.
  history.replaceState(null, '', location.pathname + location.search)
  if (!FORM.test(key)) return false
  kept = key
  try {
    localStorage.setItem(STORED, key)
  } catch {
    // Storage is turned off.
  }
  return true
}

/** The key of this origin, which another tab may have stored; null if there is none. */
export function storedKey(): string | null {
  try {
    const key = localStorage.getItem(STORED)
    return key !== null && FORM.test(key) ? key : kept
  } catch {
    return kept
  }
}

/** This page has no key, or not the server's. */
export class WrongKey extends Error {}

/**
 * Introduces the page to the server, and returns what is sent instead of the key during this run of the server.
 *
 * @throws WrongKey where the server proves that it has another key. Anything else where no Tracebook answers.
 */
export async function introduce(key: string): Promise<string> {
  // Browsers have no cryptography for pages over plain HTTP from other machines.
  const subtle = crypto.subtle as SubtleCrypto | undefined
  if (!subtle) return key
  const challenge = encode(crypto.getRandomValues(new Uint8Array(24)))
  const response = await fetch(`/session?challenge=${challenge}`, { cache: 'no-store', credentials: 'omit' })
  const answer: unknown = response.ok ? await response.json().catch(() => null) : null
  const { nonce, proof } = (answer ?? {}) as { nonce?: unknown; proof?: unknown }
  if (typeof nonce !== 'string' || typeof proof !== 'string') throw new TypeError('not Tracebook')
  const bytes = new TextEncoder()
  const hmac = await subtle.importKey('raw', bytes.encode(key), { name: 'HMAC', hash: 'SHA-256' }, false, [
    'sign',
  ])
  const derived = async (purpose: string, text: string) =>
    encode(new Uint8Array(await subtle.sign('HMAC', hmac, bytes.encode(`${purpose}\n${text}`))))
  if ((await derived('server', `${challenge}\n${nonce}`)) !== proof) throw new WrongKey()
  return `tbk_${await derived('page', nonce)}`
}

/** Unpadded base64url. */
function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}
