import type { Workspace } from './workspace.svelte'

/** What only the window's frame can do. */
export interface WindowActions {
  toggleTray(): void
  toggleSidebar(): void
  pickPictures(): void
}

/** A command of the palette. */
export interface PaletteCommand {
  id: string
  title: string
  /** `Ctrl+S`; empty if it has none. */
  keys: string
  run: () => void
}

/** `Ctrl` as the keyboard of this system calls it. */
export const MOD = /mac/i.test(navigator.platform) ? '⌘' : 'Ctrl+'

/** The commands that can be used now. */
export function commands(workspace: Workspace, window: WindowActions): PaletteCommand[] {
  const session = workspace.session
  const panel =
    (
      kind:
        | 'new'
        | 'import'
        | 'export'
        | 'history'
        | 'doctor'
        | 'sources'
        | 'relay'
        | 'point'
        | 'paste'
        | 'shortcuts'
        | 'settings',
    ) =>
    () =>
      (workspace.panel = { kind })
  const always: PaletteCommand[] = [
    { id: 'new', title: 'New entry', keys: '', run: panel('new') },
    { id: 'switch', title: 'Go to entry', keys: `${MOD}P`, run: () => workspace.palette?.show('entries') },
    {
      id: 'capture',
      title: 'Capture the latest trace',
      keys: `${MOD}Shift+C`,
      run: () => void workspace.captureNewest(),
    },
    { id: 'paste', title: 'Paste output as evidence', keys: '', run: panel('paste') },
    { id: 'import', title: 'Import Markdown', keys: '', run: panel('import') },
    { id: 'export', title: 'Export', keys: '', run: panel('export') },
    { id: 'bin', title: 'Open the bin', keys: '', run: () => (workspace.panel = { kind: 'bin' }) },
    { id: 'demo', title: 'Try the demo', keys: '', run: () => void workspace.tryDemo() },
    { id: 'point', title: 'Connect a service', keys: '', run: panel('point') },
    { id: 'doctor', title: 'Find out why nothing arrives', keys: '', run: panel('doctor') },
    { id: 'sources', title: 'Cloud sources', keys: '', run: panel('sources') },
    { id: 'relay', title: 'Forward telemetry', keys: '', run: panel('relay') },
    { id: 'tray', title: 'Show or hide the tray', keys: '', run: () => window.toggleTray() },
    { id: 'settings', title: 'Settings', keys: `${MOD},`, run: panel('settings') },
    { id: 'shortcuts', title: 'Keyboard shortcuts', keys: '?', run: panel('shortcuts') },
    { id: 'sidebar', title: 'Show or hide the entry list', keys: '', run: () => window.toggleSidebar() },
  ]
  if (!session) return always
  return [
    ...always,
    { id: 'save', title: 'Save now', keys: `${MOD}S`, run: () => void session.autosave.flush() },
    {
      id: 'link',
      title: 'Insert a link to an entry',
      keys: '',
      run: () => workspace.palette?.show('link'),
    },
    { id: 'picture', title: 'Insert a picture', keys: '', run: () => window.pickPictures() },
    { id: 'history', title: 'History of this entry', keys: '', run: panel('history') },
    {
      id: 'rename',
      title: 'Change title and week',
      keys: '',
      run: () => (workspace.panel = { kind: 'rename', entry: session.row }),
    },
    {
      id: 'delete',
      title: 'Move this entry to the bin',
      keys: '',
      run: () => void workspace.remove(session.row),
    },
  ]
}
