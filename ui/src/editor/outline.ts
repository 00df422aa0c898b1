import { ensureSyntaxTree } from '@codemirror/language'
import { StateEffect, StateField, type Extension } from '@codemirror/state'
import { EditorView, keymap, showPanel, type Command, type Panel } from '@codemirror/view'
import { headings, jump, type Heading } from './links'

const show = StateEffect.define<boolean>()

const shown = StateField.define<boolean>({
  create: () => false,
  update(value, tr) {
    for (const effect of tr.effects) if (effect.is(show)) value = effect.value
    return value
  },
  provide: (field) => showPanel.from(field, (open) => (open ? panel : null)),
})

/** Shows the headings of the text to jump to, or hides them. */
export const toggleOutline: Command = (view) => {
  const open = !view.state.field(shown)
  view.dispatch({ effects: show.of(open) })
  if (open) view.dom.querySelector<HTMLInputElement>('.outline-filter')?.focus()
  else view.focus()
  return true
}

function close(view: EditorView) {
  view.dispatch({ effects: show.of(false) })
}

let count = 0

function panel(view: EditorView): Panel {
  const id = `outline-${++count}`
  const dom = document.createElement('div')
  dom.className = 'outline'
  dom.setAttribute('role', 'dialog')
  dom.setAttribute('aria-label', 'Outline')
  const filter = document.createElement('input')
  filter.className = 'cm-textfield outline-filter'
  filter.placeholder = 'Go to heading'
  filter.setAttribute('role', 'combobox')
  filter.setAttribute('aria-expanded', 'true')
  filter.setAttribute('aria-controls', id)
  filter.setAttribute('aria-label', 'Go to heading')
  const list = document.createElement('ul')
  list.id = id
  list.setAttribute('role', 'listbox')
  list.setAttribute('aria-label', 'Headings')
  dom.append(filter, list)

  let all: Heading[] = []
  let now: Heading[] = []
  let chosen = 0

  const read = () => {
    ensureSyntaxTree(view.state, view.state.doc.length, 500)
    all = headings(view.state)
    const head = view.state.selection.main.head
    const here = all.findLastIndex((one) => one.from <= head)
    draw(Math.max(0, here))
  }

  const draw = (at = 0) => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean)
    now = all.filter(({ text }) => words.every((word) => text.toLowerCase().includes(word)))
    const top = Math.min(6, ...now.map(({ level }) => level))
    list.replaceChildren(
      ...now.map((heading, i) => {
        const item = document.createElement('li')
        item.id = `${id}-${i}`
        item.setAttribute('role', 'option')
        item.style.paddingInlineStart = `${0.75 + (heading.level - top) * 1.1}em`
        item.textContent = heading.text || 'Untitled'
        item.addEventListener('mousedown', (event) => event.preventDefault())
        item.addEventListener('click', () => go(i))
        return item
      }),
    )
    if (now.length === 0) {
      const none = document.createElement('li')
      none.className = 'outline-none'
      none.textContent = all.length ? 'No heading has these words' : 'This entry has no headings'
      list.append(none)
    }
    choose(at)
  }

  const choose = (at: number) => {
    chosen = Math.max(0, Math.min(at, now.length - 1))
    ;[...list.children].forEach((item, i) => item.setAttribute('aria-selected', String(i === chosen)))
    const item = list.children[chosen]
    if (now.length) filter.setAttribute('aria-activedescendant', `${id}-${chosen}`)
    else filter.removeAttribute('aria-activedescendant')
    item?.scrollIntoView?.({ block: 'nearest' })
  }

  const go = (at: number) => {
    const heading = now[at]
    close(view)
    if (heading) jump(view, heading.from)
    else view.focus()
  }

  filter.addEventListener('input', () => draw())
  dom.addEventListener('keydown', (event) => {
    const keys: Record<string, () => void> = {
      ArrowDown: () => choose(chosen + 1),
      ArrowUp: () => choose(chosen - 1),
      Home: () => choose(0),
      End: () => choose(now.length - 1),
      Enter: () => go(chosen),
      Escape: () => {
        close(view)
        view.focus()
      },
    }
    const run = keys[event.key]
    if (!run || event.isComposing) return
    event.preventDefault()
    event.stopPropagation()
    run()
  })
  return {
    dom,
    top: true,
    mount: read,
    update(update) {
      if (update.docChanged) read()
    },
  }
}

const look = EditorView.theme({
  '.outline': {
    position: 'absolute',
    zIndex: '5',
    top: '8px',
    right: '20px',
    width: 'min(24rem, calc(100% - 40px))',
    padding: 'var(--space-2)',
    background: 'var(--raised)',
    border: '1px solid var(--line)',
    borderRadius: 'var(--radius)',
    boxShadow: 'var(--shadow)',
    fontSize: 'var(--type-body)',
  },
  '.outline-filter': { width: '100%', marginBottom: 'var(--space-15)', fontSize: 'var(--type-body)' },
  '.outline ul': { maxHeight: 'min(60vh, 26rem)', overflow: 'auto' },
  '.outline li': {
    padding: 'var(--space-1) 0.75em',
    borderRadius: 'var(--radius-small)',
    cursor: 'pointer',
    overflow: 'hidden',
    textOverflow: 'ellipsis',
    whiteSpace: 'nowrap',
  },
  '.outline li:hover': { background: 'var(--hover)' },
  '.outline li[aria-selected=true]': { background: 'var(--accent-soft)' },
  '.outline .outline-none': { color: 'var(--muted)', cursor: 'default' },
  // The panel floats over the text, so that opening it does not move the text.
  '.cm-panels.cm-panels-top:has(> .outline)': { border: '0' },
})

/** The outline: the headings of the text, to jump to by keys. */
export const outline: Extension = [
  shown,
  look,
  keymap.of([{ key: 'Mod-Shift-o', run: toggleOutline, preventDefault: true }]),
]
