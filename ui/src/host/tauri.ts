import { convertFileSrc, invoke } from '@tauri-apps/api/core'
import { listen } from '@tauri-apps/api/event'
import { getCurrentWebview } from '@tauri-apps/api/webview'
import { open } from '@tauri-apps/plugin-dialog'
import type { Commands } from '../bindings'
import { Failure, randomId, type Connection, type Host, type HostEvent } from './host'

/** The window of the desktop app. */
export class TauriHost implements Host {
  readonly name = 'window'
  readonly client = `window-${randomId()}`
  readonly chooses = true

  constructor() {
    // For styles that only WebKitGTK needs.
    document.documentElement.dataset.host = 'window'
  }

  async rpc<K extends keyof Commands>(cmd: K, args: Commands[K][0], call = ''): Promise<Commands[K][1]> {
    try {
      return await invoke<Commands[K][1]>('rpc', { cmd, args, client: this.client, call })
    } catch (cause) {
      throw Failure.from(cause)
    }
  }

  /** Nothing is sent over a network, so there is no progress. */
  send<K extends keyof Commands>(cmd: K, args: Commands[K][0]): Promise<Commands[K][1]> {
    return this.rpc(cmd, args)
  }

  events(listener: (event: HostEvent) => void): () => void {
    const listening = listen<HostEvent>('tracebook', ({ payload }) => listener(payload))
    // Changes made before the window was listening are not told again.
    void listening.then(() => listener({ event: 'changed', topic: 'all', id: '', by: '' }))
    return () => void listening.then((stop) => stop())
  }

  connection(listener: (state: Connection) => void): () => void {
    listener('connected')
    return () => undefined
  }

  show(image: HTMLImageElement, path: string | null) {
    if (path === null) {
      image.removeAttribute('src')
      return
    }
    // convertFileSrc knows the platform's form (`tracebook://localhost/` or `http://tracebook.localhost/`), but would
    // escape the path's slashes and query. WebKitGTK ignores the preferred scheme in images, so it is passed along.
    const theme = window.matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
    image.src = `${convertFileSrc('', 'tracebook')}${path}${path.includes('?') ? '&' : '?'}theme=${theme}`
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

  zoom(factor: number) {
    // Without it, the window stays as large as it is.
    void getCurrentWebview()
      .setZoom(factor)
      .catch(() => undefined)
  }

  async closing(answer: Parameters<Host['closing']>[0]): Promise<void> {
    try {
      await invoke('closing', { answer })
    } catch (cause) {
      throw Failure.from(cause)
    }
  }
}
