import { convertFileSrc, invoke } from '@tauri-apps/api/core'
import { listen } from '@tauri-apps/api/event'
import { open } from '@tauri-apps/plugin-dialog'
import type { Commands } from '../bindings'
import { Failure, randomId, type Host, type HostEvent } from './host'

/** The window of the desktop app. */
export class TauriHost implements Host {
  readonly name = 'window'
  readonly client = `window-${randomId()}`
  readonly chooses = true

  async rpc<K extends keyof Commands>(cmd: K, args: Commands[K][0], call = ''): Promise<Commands[K][1]> {
    try {
      return await invoke<Commands[K][1]>('rpc', { cmd, args, client: this.client, call })
    } catch (cause) {
      throw Failure.from(cause)
    }
  }

  events(listener: (event: HostEvent) => void): () => void {
    const listening = listen<HostEvent>('tracebook', ({ payload }) => listener(payload))
    return () => void listening.then((stop) => stop())
  }

  connection(listener: (up: boolean) => void): () => void {
    listener(true)
    return () => undefined
  }

  url(path: string): string {
    // Tauri knows the platform's form (`tracebook://localhost/` or `http://tracebook.localhost/`); the path itself
    // must keep its slashes and query, which convertFileSrc would escape.
    return convertFileSrc('', 'tracebook') + path
  }

  async choose(kind: 'folder' | 'files'): Promise<string[] | null> {
    try {
      const chosen =
        kind === 'folder'
          ? await open({ directory: true })
          : await open({
              multiple: true,
              filters: [{ name: 'Markdown', extensions: ['md', 'markdown', 'txt'] }],
            })
      if (chosen === null) return null
      return Array.isArray(chosen) ? chosen : [chosen]
    } catch (cause) {
      throw Failure.from(cause)
    }
  }
}
