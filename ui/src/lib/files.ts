import type { NamedText } from '../bindings'
import { Failure } from '../host/host'

/** Reads files as text, with their byte order marks and line endings. Rejects a file that is not UTF-8. */
export async function readTexts(files: File[]): Promise<NamedText[]> {
  return Promise.all(
    files.map(async (file) => {
      try {
        const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
          await file.arrayBuffer(),
        )
        return { name: file.name, text }
      } catch {
        throw new Failure(
          'usage',
          `${file.name} is not UTF-8 text`,
          'Save it as UTF-8, then import it again.',
        )
      }
    }),
  )
}
