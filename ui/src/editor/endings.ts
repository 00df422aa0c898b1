import {
  EditorSelection,
  EditorState,
  Prec,
  RangeSetBuilder,
  type Extension,
  type Text,
  type Transaction,
  type TransactionSpec,
} from '@codemirror/state'
import {
  Decoration,
  EditorView,
  keymap,
  ViewPlugin,
  WidgetType,
  type DecorationSet,
  type ViewUpdate,
} from '@codemirror/view'

/**
 * Line endings are preserved because the editor does not normalise them: only "\n" ends a line, and a "\r" is a
 * character of the text that is hidden before a "\n". Typed line breaks use the text's own ending.
 */
export type Ending = '\n' | '\r\n' | '\r'

/** The ending that most lines of a text have. */
export function endingOf(text: string): Ending {
  let crlf = 0
  let lf = 0
  let cr = 0
  for (const match of text.matchAll(/\r\n|\n|\r/g)) {
    if (match[0] === '\r\n') crlf++
    else if (match[0] === '\n') lf++
    else cr++
  }
  if (crlf > lf) return '\r\n'
  return cr > 0 && lf + crlf === 0 ? '\r' : '\n'
}

const CR = 13
const LF = 10
const BOM = 0xfeff

function charAt(doc: Text, pos: number): number {
  return pos < 0 || pos >= doc.length ? -1 : doc.sliceString(pos, pos + 1).charCodeAt(0)
}

/** The nearest allowed cursor position: not inside a CRLF, and not before a byte order mark. */
function allowed(doc: Text, pos: number): number {
  if (pos === 0 && charAt(doc, 0) === BOM) return 1
  return charAt(doc, pos - 1) === CR && charAt(doc, pos) === LF ? pos - 1 : pos
}

/** Typed and pasted line breaks take the text's own ending, and no edit or cursor splits a CRLF. */
function ownEnding(ending: Ending): Extension {
  return EditorState.transactionFilter.of((tr) => {
    const specs: TransactionSpec[] = []
    if (tr.docChanged && (tr.isUserEvent('input') || tr.isUserEvent('delete'))) {
      const changes = [...splitPairs(tr), ...(ending === '\r\n' ? bareBreaks(tr) : [])]
      if (changes.length) specs.push({ changes, sequential: true })
    }
    if (specs.length === 0 && tr.selection) {
      const doc = tr.newDoc
      const moved = tr.newSelection.ranges.map((range) =>
        EditorSelection.range(allowed(doc, range.anchor), allowed(doc, range.head)),
      )
      const selection = EditorSelection.create(moved, tr.newSelection.mainIndex)
      if (!selection.eq(tr.newSelection)) specs.push({ selection, sequential: true })
    }
    return specs.length ? [tr, ...specs] : tr
  })
}

interface Repair {
  from: number
  to?: number
  insert?: string
}

/** Repairs of CRLF pairs that an edit has split, in positions of the new text. */
function splitPairs(tr: Transaction): Repair[] {
  const repairs: Repair[] = []
  const old = tr.startState.doc
  tr.changes.iterChanges((fromA, toA, fromB, toB) => {
    if (fromA === toA) return
    if (fromA === 0 && charAt(old, 0) === BOM && charAt(tr.newDoc, 0) !== BOM)
      repairs.push({ from: 0, insert: '\ufeff' })
    // The "\n" went and its "\r" is left: Backspace at the start of a line.
    if (charAt(old, fromA) === LF && charAt(old, fromA - 1) === CR && charAt(tr.newDoc, fromB) !== LF) {
      repairs.push({ from: fromB - 1, to: fromB })
    }
    // The "\r" went and its "\n" is left: Delete at the end of a line takes both, everything else keeps both.
    if (charAt(old, toA - 1) === CR && charAt(old, toA) === LF && charAt(tr.newDoc, toB - 1) !== CR) {
      const alone = toA - fromA === 1 && fromB === toB
      repairs.push(
        alone && tr.isUserEvent('delete') ? { from: toB, to: toB + 1 } : { from: toB, insert: '\r' },
      )
    }
  })
  return repairs
}

/** Repairs of a transaction's new "\n" that lack a "\r". */
function bareBreaks(tr: Transaction): Repair[] {
  const found: Repair[] = []
  tr.changes.iterChanges((_fromA, _toA, fromB, toB) => {
    for (let pos = fromB; pos < toB; pos++) {
      if (charAt(tr.newDoc, pos) === LF && charAt(tr.newDoc, pos - 1) !== CR)
        found.push({ from: pos, insert: '\r' })
    }
  })
  return found
}

/** At the end of a line, moving right passes the whole CRLF. */
function stepRight(extend: boolean) {
  return (view: EditorView): boolean => {
    const { doc, selection } = view.state
    const { anchor, head, empty } = selection.main
    if (charAt(doc, head) !== CR || charAt(doc, head + 1) !== LF || (!extend && !empty)) return false
    view.dispatch({
      selection: { anchor: extend ? anchor : head + 2, head: head + 2 },
      scrollIntoView: true,
      userEvent: 'select',
    })
    return true
  }
}

class ReturnMark extends WidgetType {
  override eq() {
    return true
  }
  toDOM() {
    const mark = document.createElement('span')
    mark.className = 'cm-lone-return'
    mark.textContent = '␍'
    mark.title = 'A carriage return without a line feed'
    return mark
  }
}

const hidden = Decoration.replace({})
const lone = Decoration.replace({ widget: new ReturnMark() })

function draw(view: EditorView): DecorationSet {
  const drawn = new RangeSetBuilder<Decoration>()
  const doc = view.state.doc
  if (charAt(doc, 0) === BOM) drawn.add(0, 1, hidden)
  for (const { from, to } of view.visibleRanges) {
    const text = doc.sliceString(from, Math.min(doc.length, to + 1))
    for (let i = text.indexOf('\r'); i >= 0; i = text.indexOf('\r', i + 1)) {
      const pos = from + i
      drawn.add(pos, pos + 1, charAt(doc, pos + 1) === LF ? hidden : lone)
    }
  }
  return drawn.finish()
}

const returns = ViewPlugin.fromClass(
  class {
    drawn: DecorationSet
    constructor(view: EditorView) {
      this.drawn = draw(view)
    }
    update(update: ViewUpdate) {
      if (update.docChanged || update.viewportChanged) this.drawn = draw(update.view)
    }
  },
  { decorations: (plugin) => plugin.drawn },
)

/** Everything that preserves a text's line endings and byte order mark. */
export function endings(text: string): Extension {
  return [
    EditorState.lineSeparator.of('\n'),
    ownEnding(endingOf(text)),
    // Pasted text has its own endings; ownEnding then applies this text's.
    EditorView.clipboardInputFilter.of((pasted) => pasted.replace(/\r\n?/g, '\n')),
    returns,
    Prec.high(
      keymap.of([{ key: 'ArrowRight', mac: 'ArrowRight', run: stepRight(false), shift: stepRight(true) }]),
    ),
  ]
}
