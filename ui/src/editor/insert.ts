import { isolateHistory } from '@codemirror/commands'
import type { TransactionSpec } from '@codemirror/state'
import { EditorView } from '@codemirror/view'
import type { Placing } from '../bindings'

/** The transaction that inserts a reference where Rust has placed it, as one undo step. */
export function insertion({ start, end, insert, cursor }: Placing): TransactionSpec {
  return {
    changes: { from: start, to: end, insert },
    selection: { anchor: cursor },
    annotations: isolateHistory.of('full'),
    userEvent: 'capture',
    // Below the middle a toast would cover the card.
    effects: EditorView.scrollIntoView(start, { y: 'center' }),
  }
}
