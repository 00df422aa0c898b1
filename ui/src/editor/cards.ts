import { Decoration, EditorView, WidgetType, type DecorationSet } from '@codemirror/view'
import { StateField, type EditorState, type Extension, type Range, type Transaction } from '@codemirror/state'
import { atColumnWidth, columnWidth } from './card-width'
import { LiveCard, type LiveCardActions } from './live'
import { inside, marks, setMarkup, touched, type Placed, type PlacedReference } from './markup'
import { beforeFirst, insideOf, picked } from './picked'

/** What a card can do outside the editor. */
export interface CardActions {
  /** Draws a card in an image, or removes it. */
  show(image: HTMLImageElement, path: string | null): void
  /** Opens the evidence's data. */
  open(id: string): void
  live: LiveCardActions
}

/** Heights as drawn, so that a card that is drawn again does not move the text. */
const heights = new Map<string, number>()

class Card extends WidgetType {
  constructor(
    private readonly reference: PlacedReference,
    private readonly block: boolean,
    private readonly actions: CardActions,
  ) {
    super()
  }

  private get size() {
    return this.reference.size || 'full'
  }

  private get key() {
    return `${this.reference.id} ${this.size} ${this.block}`
  }

  override eq(other: Card) {
    const a = this.reference
    const b = other.reference
    return this.key === other.key && a.alt === b.alt && a.caption === b.caption
  }

  override get estimatedHeight() {
    return this.block ? (heights.get(this.key) ?? 240) : -1
  }

  toDOM(view: EditorView) {
    const { id, alt, caption } = this.reference
    const box = document.createElement(this.block ? 'figure' : 'span')
    box.className = this.block ? 'card card-block' : 'card card-inline'
    box.dataset.evidence = id
    box.setAttribute('contenteditable', 'false')

    const picture = document.createElement('img')
    picture.className = 'evidence-card'
    picture.alt = alt || caption || 'Evidence'
    picture.draggable = false
    picture.addEventListener('load', () => {
      // It may load after it has failed: when the connection is back.
      box.classList.remove('card-missing')
      missing.hidden = true
      picture.hidden = false
      view.requestMeasure()
      heights.set(this.key, box.offsetHeight)
    })
    picture.addEventListener('error', () => {
      box.classList.add('card-missing')
      missing.hidden = false
      picture.hidden = true
      view.requestMeasure()
    })
    const missing = document.createElement('span')
    missing.className = 'card-note'
    missing.hidden = true
    missing.textContent = `Evidence ${id} is not in this journal. ${alt}`
    atColumnWidth((image, path) => this.actions.show(image, path))(
      picture,
      `card/${id}.svg?size=${this.size}`,
    )

    const tools = document.createElement('span')
    tools.className = 'card-tools'
    tools.append(
      button('Show data', `Show the data of ${picture.alt}`, () => this.actions.open(id)),
      button('Edit text', `Edit the text of ${picture.alt}`, () => reveal(view, box)),
    )
    box.append(picture, missing, tools)
    if (this.block && caption) {
      const line = document.createElement('figcaption')
      line.textContent = caption
      box.append(line)
    }
    box.addEventListener('dblclick', () => reveal(view, box))
    return box
  }

  /** A click on the card does not move the cursor. */
  override ignoreEvent() {
    return true
  }
}

function button(text: string, label: string, run: () => void) {
  const element = document.createElement('button')
  element.type = 'button'
  element.className = 'chip'
  element.textContent = text
  // What is shown is part of the name, so that it can be spoken.
  element.setAttribute('aria-label', label.includes(text) ? label : `${text}: ${label}`)
  element.addEventListener('click', (event) => {
    event.preventDefault()
    run()
  })
  return element
}

/** Moves the cursor into the reference, which then shows as text. */
function reveal(view: EditorView, box: HTMLElement) {
  const pos = view.posAtDOM(box)
  const { references, live } = view.state.field(marks)
  const here = [...references, ...live].find(
    ({ from }) => from >= pos && from <= view.state.doc.lineAt(pos).to,
  )
  view.dispatch({ selection: { anchor: here ? insideOf(here) : pos }, scrollIntoView: true })
  view.focus()
}

/** The lines of a reference that has them to itself, as a block decoration needs; else null. */
function lines(state: EditorState, reference: PlacedReference): { from: number; to: number } | null {
  const first = state.doc.lineAt(reference.from)
  const last = state.doc.lineAt(reference.to)
  const before = state.sliceDoc(first.from, reference.from)
  const after = state.sliceDoc(reference.to, last.to)
  return before.trim() === '' && after.trim() === '' ? { from: first.from, to: last.to } : null
}

function draw(state: EditorState, actions: CardActions): DecorationSet {
  const found: Range<Decoration>[] = []
  const { references, live } = state.field(marks)
  const first = beforeFirst(state)
  const show = (reference: PlacedReference, widget: WidgetType) => {
    const whole = reference.alone ? lines(state, reference) : null
    const range = whole ?? reference
    const chosen = state.field(picked)?.from === reference.from || first === reference
    if (!chosen && (whole ? touched(state, whole) : inside(state, reference))) return
    found.push(Decoration.replace({ widget, block: whole !== null }).range(range.from, range.to))
  }
  for (const reference of references) show(reference, new Card(reference, reference.alone, actions))
  for (const reference of live)
    show(
      reference,
      new LiveCard(
        reference,
        reference.alone,
        atColumnWidth((image, path) => actions.show(image, path)),
        actions.live,
        reveal,
      ),
    )
  return Decoration.set(found, true)
}

/** Whether a change leaves every card as it is drawn, somewhere else. */
function moved(tr: Transaction): boolean {
  const { references, live } = tr.startState.field(marks)
  const now = tr.state.field(marks)
  if (references.length !== now.references.length || live.length !== now.live.length) return false
  const near = ({ from, to }: Placed) =>
    tr.changes.touchesRange(tr.startState.doc.lineAt(from).from, tr.startState.doc.lineAt(to).to)
  return !references.some(near) && !live.some(near)
}

/** The references whose text a selection touches, which is shown instead of the card. */
function opened(state: EditorState): string {
  const { references, live } = state.field(marks)
  const at = ({ from, to }: Placed) => (touched(state, { from, to }) ? '1' : '0')
  return [
    references.map(at).join('') + live.map(at).join(''),
    state.field(picked)?.from,
    beforeFirst(state)?.from,
  ].join(' ')
}

/** Draws references as cards. */
export function cards(actions: CardActions): Extension {
  const field = StateField.define<DecorationSet>({
    create: (state) => draw(state, actions),
    update(value, tr) {
      const parsed = tr.effects.some((effect) => effect.is(setMarkup))
      if (!tr.docChanged && !tr.selection && !parsed && tr.effects.length === 0) return value
      if (parsed || (tr.docChanged && !moved(tr)) || opened(tr.state) !== opened(tr.startState))
        return draw(tr.state, actions)
      // A line can have become the cursor's without a change of what is selected: at its edge.
      return tr.docChanged ? value.map(tr.changes) : tr.selection ? draw(tr.state, actions) : value
    },
    provide: (field) => EditorView.decorations.from(field),
  })
  return [field, columnWidth((image, path) => actions.show(image, path))]
}

/** Moves the cursor into the card on the next line. Returns false if there is none. */
export function stepIntoCard(view: EditorView, by: 1 | -1): boolean {
  const { state } = view
  const range = state.selection.main
  if (!range.empty) return false
  const number = state.doc.lineAt(range.head).number + by
  if (number < 1 || number > state.doc.lines) return false
  const line = state.doc.line(number)
  const { references, live } = state.field(marks)
  const reference = [...references, ...live].find(
    (r) => r.alone && r.from <= line.to && r.to >= line.from && !touched(state, r),
  )
  if (!reference) return false
  view.dispatch({ selection: { anchor: reference.from }, scrollIntoView: true, userEvent: 'select' })
  return true
}
