import type { Text } from '@codemirror/state'

/** The 32-bit FNV-1a hash of a text, over its UTF-16 code units, as `app::journal::edits` computes it. */
export function checkOf(doc: Text): number {
  let hash = 0x811c9dc5
  for (const parts = doc.iter(); !parts.next().done;) {
    const part = parts.value
    for (let i = 0; i < part.length; i++) hash = Math.imul(hash ^ part.charCodeAt(i), 0x01000193)
  }
  return hash >>> 0
}
