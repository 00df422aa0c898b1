import type { EditorState, Line, Range, SelectionRange, Text } from '@codemirror/state'
import { Decoration, type WidgetType } from '@codemirror/view'

export interface Span {
  from: number
  to: number
}

/** How a line of a list item is indented. */
interface Indent {
  depth: number
  /** Marker, or the spaces in its place, which take the width of the indent. */
  prefix: Span | null
}

const HIDDEN = Decoration.replace({})

/** The lines of the cursors: there, marks are shown as they are written. */
export function cursorLines(state: EditorState): Span[] {
  return state.selection.ranges.map(({ head }) => {
    const { from, to } = state.doc.lineAt(head)
    return { from, to }
  })
}

/** Collects how the visible part of a text is drawn. */
export class Sheet {
  readonly doc: Text
  /** The target of a link's label. */
  definitions: ((label: string) => string | null) | null = null
  /** Cells of tables: these contain all other decorations. */
  readonly cells: Range<Decoration>[] = []
  /** Passed over by the cursor as one. */
  readonly atomic: Range<Decoration>[] = []
  readonly #found: Range<Decoration>[] = []
  readonly #lines = new Map<number, { classes: Set<string>; style: string }>()
  readonly #indents = new Map<number, Indent>()
  readonly #cellsAtCursor: Span[] = []
  readonly #taken: Span[] = []

  constructor(
    readonly state: EditorState,
    /** The visible part. */
    readonly from: number,
    readonly to: number,
    /** Where marks are shown. */
    private readonly open: readonly Span[],
  ) {
    this.doc = state.doc
  }

  /** Whether marks at a position are shown as they are written. */
  shown(from: number, to = from): boolean {
    if (!this.open.some((line) => line.from <= to && line.to >= from)) return false
    const cell = this.#cellsAtCursor.find((one) => one.from <= from && one.to >= to)
    return cell ? this.selects(cell) : true
  }

  /** Whether a selection touches a range, which is also true if no cursor is shown. */
  selects({ from, to }: Span): boolean {
    return this.state.selection.ranges.some((range: SelectionRange) => range.from <= to && range.to >= from)
  }

  /** Whether the cursor's line is among those of a range. */
  near({ from, to }: Span): boolean {
    return this.open.some((line) => line.from <= to && line.to >= from)
  }

  /** The visible lines of a range. */
  *lines({ from, to }: Span): Generator<Line> {
    const last = Math.min(to, this.to)
    for (let pos = Math.max(from, this.from); pos <= last;) {
      const line = this.doc.lineAt(pos)
      yield line
      pos = line.to + 1
    }
  }

  line(from: number, classes: string, style = '') {
    const known = this.#lines.get(from) ?? { classes: new Set(), style: '' }
    for (const one of classes.split(' ')) known.classes.add(one)
    known.style += style
    this.#lines.set(from, known)
  }

  /** Sets the indent of a line; an inner list item replaces that of the outer one. */
  indent(from: number, indent: Indent) {
    this.#indents.set(from, indent)
  }

  /** Hides a part of a line. One with a line break stays: only a state field may hide that. */
  hide(from: number, to: number) {
    if (from < to && this.#inLine(from, to)) this.#found.push(HIDDEN.range(from, to))
  }

  replace(from: number, to: number, widget: WidgetType) {
    if (!this.#inLine(from, to)) return
    this.#found.push(Decoration.replace({ widget }).range(from, to))
  }

  #inLine(from: number, to: number): boolean {
    return to <= this.doc.lineAt(from).to
  }

  widget(at: number, widget: WidgetType, side = 1) {
    this.#found.push(Decoration.widget({ widget, side }).range(at))
  }

  mark(from: number, to: number, className: string, attributes?: Record<string, string>) {
    if (from < to)
      this.#found.push(
        Decoration.mark({ class: className, ...(attributes && { attributes }) }).range(from, to),
      )
  }

  /** A table's cell, which decorations of its contents are inside of. */
  cell(from: number, to: number, className: string) {
    this.cells.push(Decoration.mark({ class: className }).range(from, to))
    if (this.near({ from, to })) this.#cellsAtCursor.push({ from, to })
  }

  /** Hides a part that the cursor does not stop in. */
  skip(from: number, to: number) {
    this.hide(from, to)
    this.pass(from, to)
  }

  /** Makes the cursor pass over a part as one. */
  pass(from: number, to: number) {
    if (from < to) this.atomic.push(HIDDEN.range(from, to))
  }

  /** Keeps a range from being drawn as what it is parsed as. */
  take(from: number, to: number) {
    this.#taken.push({ from, to })
  }

  taken({ from, to }: Span): boolean {
    return this.#taken.some((one) => one.from <= from && one.to >= to)
  }

  ranges(): Range<Decoration>[] {
    for (const [from, { depth, prefix }] of this.#indents) {
      this.line(from, prefix ? 'md-item md-hang' : 'md-item', `--md-depth:${depth};`)
      if (prefix && prefix.from < prefix.to)
        this.cells.push(Decoration.mark({ class: 'md-prefix' }).range(prefix.from, prefix.to))
    }
    for (const [from, { classes, style }] of this.#lines) {
      const attributes = { class: [...classes].join(' '), ...(style && { style }) }
      this.#found.push(Decoration.line({ attributes }).range(from))
    }
    return this.#found
  }
}
