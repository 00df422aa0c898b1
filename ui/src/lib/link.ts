/**
 * Where an export has the file that a text links to, relative to the export's folder, as `Link::below` in
 * `crates/render`: `journal/assets/a.png` for `assets/a.png`, `docs/a.png` for `/docs/a.png`. Null for a link to no
 * file of the export: one with a scheme, a host, or only a fragment.
 */
export function below(destination: string): string | null {
  const target = destination.trim()
  if (target === '' || target.startsWith('#') || target.startsWith('//')) return null
  // A scheme has two letters or more: `C:` starts a Windows path.
  if (/^[A-Za-z0-9+.-]{2,}:/.test(target.split(/[/?#]/, 1)[0] ?? '')) return null
  const end = target.search(/[?#]/)
  const path = decoded(end < 0 ? target : target.slice(0, end)).replaceAll('\\', '/')
  if (path === '' || path.endsWith('/')) return null
  const parts: string[] = path.startsWith('/') ? [] : ['journal']
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else parts.push(part)
  }
  return parts.join('/')
}

/** Decodes `%20`; what is not UTF-8 then is left unchanged. */
function decoded(text: string): string {
  const bytes: number[] = []
  const source = new TextEncoder().encode(text)
  for (let i = 0; i < source.length; i++) {
    const hex = source[i] === 0x25 ? String.fromCharCode(...source.slice(i + 1, i + 3)) : ''
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes.push(parseInt(hex, 16))
      i += 2
    } else bytes.push(source[i] ?? 0)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes))
  } catch {
    return text
  }
}
