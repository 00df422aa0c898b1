import type { Host } from './host'

export async function chooseHost(): Promise<Host> {
  if (import.meta.env.MODE === 'memory') return new (await import('./memory')).MemoryHost()
  if ('__TAURI_INTERNALS__' in window) return new (await import('./tauri')).TauriHost()
  return new (await import('./web')).WebHost()
}
