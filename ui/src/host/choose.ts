import type { Host } from './host'

export async function chooseHost(): Promise<Host> {
  if ('__TAURI_INTERNALS__' in window) return new (await import('./tauri')).TauriHost()
  return new (await import('./web')).WebHost()
}
