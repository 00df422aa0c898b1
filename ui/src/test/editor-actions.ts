import type { EditorActions } from '../editor/setup'

/** The actions of an editor that nothing outside it listens to. */
export const noActions: EditorActions = {
  show: () => undefined,
  open: () => undefined,
  live: {
    look: () => Promise.reject(new Error('no live card here')),
    watch: () => () => undefined,
    freeze: () => Promise.resolve(),
    edit: () => undefined,
  },
  aim: () => undefined,
  dismiss: () => undefined,
  addFiles: () => undefined,
  changed: () => undefined,
}
