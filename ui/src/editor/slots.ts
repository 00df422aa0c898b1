import { StateField, type EditorState, type Extension, type Range } from '@codemirror/state'
import { Decoration, EditorView, WidgetType, type DecorationSet } from '@codemirror/view'
import { marks, setTarget, type PlacedSlot } from './markup'

/** What a slot can do outside the editor. */
export interface SlotActions {
  /** Makes it the target of the next capture. */
  aim(slot: PlacedSlot): void
  /** Marks the line as not a slot. */
  dismiss(slot: PlacedSlot): void
}

class SlotTools extends WidgetType {
  constructor(
    private readonly slot: PlacedSlot,
    private readonly aimed: boolean,
    private readonly actions: SlotActions,
  ) {
    super()
  }

  override eq(other: SlotTools) {
    return this.slot.text === other.slot.text && this.slot.n === other.slot.n && this.aimed === other.aimed
  }

  toDOM(view: EditorView) {
    const box = document.createElement('span')
    box.className = 'slot-tools'
    box.setAttribute('contenteditable', 'false')
    const aim = document.createElement('button')
    aim.type = 'button'
    aim.className = 'chip'
    aim.textContent = this.aimed ? 'Captures go here' : 'Capture here'
    aim.setAttribute('aria-pressed', String(this.aimed))
    aim.setAttribute('aria-label', `${aim.textContent}. Capture into slot: ${this.slot.text}`)
    aim.addEventListener('click', () => {
      if (this.aimed) view.dispatch({ effects: setTarget.of(null) })
      else this.actions.aim(here(view, box, this.slot))
    })
    const dismiss = document.createElement('button')
    dismiss.type = 'button'
    dismiss.className = 'chip chip-quiet'
    dismiss.textContent = 'Not a slot'
    dismiss.setAttribute('aria-label', `Not a slot: ${this.slot.text}`)
    dismiss.addEventListener('click', () => this.actions.dismiss(here(view, box, this.slot)))
    box.append(aim, dismiss)
    return box
  }

  override ignoreEvent() {
    return true
  }
}

/** The slot of a drawn widget, which may have moved since it was drawn. */
function here(view: EditorView, box: HTMLElement, drawn: PlacedSlot): PlacedSlot {
  const pos = view.posAtDOM(box)
  return view.state.field(marks).slots.find((slot) => slot.to === pos) ?? drawn
}

function draw(state: EditorState, actions: SlotActions): DecorationSet {
  const { slots, target } = state.field(marks)
  const found: Range<Decoration>[] = []
  for (const slot of slots) {
    const aimed = target !== null && target.from === slot.from
    found.push(
      Decoration.mark({
        class: aimed ? 'slot slot-aimed' : 'slot',
        attributes: { 'data-wants': slot.wants },
      }).range(slot.from, slot.to),
      Decoration.widget({ widget: new SlotTools(slot, aimed, actions), side: 1 }).range(slot.to),
    )
  }
  return Decoration.set(found, true)
}

/** Highlights slots and draws their buttons. */
export function slots(actions: SlotActions): Extension {
  return StateField.define<DecorationSet>({
    create: (state) => draw(state, actions),
    update(value, tr) {
      return tr.state.field(marks) === tr.startState.field(marks) ? value : draw(tr.state, actions)
    },
    provide: (field) => EditorView.decorations.from(field),
  })
}
