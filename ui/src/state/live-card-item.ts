import type { CardQuestion } from '../bindings'
import type { Workspace } from './workspace.svelte'

/** The item of a menu that makes a live card of a question. */
export function liveCardItem(workspace: Workspace, question: CardQuestion) {
  return {
    label: 'Live card…',
    hint: 'refreshes while visible',
    testid: 'live-card',
    disabled: !workspace.session,
    run: () => (workspace.panel = { kind: 'live-card', id: null, question }),
  }
}
