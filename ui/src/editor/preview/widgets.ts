import { WidgetType, type EditorView } from '@codemirror/view'

/** A short text in place of marks. */
export class Words extends WidgetType {
  constructor(
    private readonly text: string,
    private readonly className: string,
  ) {
    super()
  }

  override eq(other: Words) {
    return this.text === other.text && this.className === other.className
  }

  toDOM() {
    const span = document.createElement('span')
    span.className = this.className
    span.textContent = this.text
    return span
  }

  override ignoreEvent() {
    return false
  }
}

/** The box of a task. */
export class TaskBox extends WidgetType {
  constructor(private readonly checked: boolean) {
    super()
  }

  override eq(other: TaskBox) {
    return this.checked === other.checked
  }

  toDOM() {
    const box = document.createElement('input')
    box.type = 'checkbox'
    box.className = 'md-task'
    box.checked = this.checked
    box.tabIndex = -1
    box.setAttribute('aria-label', this.checked ? 'Done' : 'To do')
    return box
  }

  override updateDOM(box: HTMLElement) {
    if (!(box instanceof HTMLInputElement)) return false
    box.checked = this.checked
    box.setAttribute('aria-label', this.checked ? 'Done' : 'To do')
    return true
  }

  override ignoreEvent() {
    return false
  }
}

/** What stands in place of the line that opens a code block: its language, and a button that copies the code. */
export class CodeHead extends WidgetType {
  constructor(
    private readonly language: string,
    private readonly code: (view: EditorView, pos: number) => string,
  ) {
    super()
  }

  override eq(other: CodeHead) {
    return this.language === other.language
  }

  toDOM(view: EditorView) {
    const head = document.createElement('span')
    head.className = 'md-code-head'
    const name = document.createElement('span')
    name.textContent = this.language
    const copy = document.createElement('button')
    copy.type = 'button'
    copy.className = 'md-code-copy'
    copy.tabIndex = -1
    copy.textContent = 'Copy'
    copy.setAttribute('aria-label', 'Copy this code')
    copy.addEventListener('mousedown', (event) => event.preventDefault())
    copy.addEventListener('click', () => {
      void navigator.clipboard.writeText(this.code(view, view.posAtDOM(head))).then(
        () => {
          copy.textContent = 'Copied'
          setTimeout(() => (copy.textContent = 'Copy'), 1500)
        },
        () => (copy.textContent = 'Not allowed'),
      )
    })
    head.append(name, copy)
    return head
  }

  override ignoreEvent(event: Event) {
    return event.target instanceof HTMLButtonElement
  }
}

/** A button in the text that runs a command where it stands. */
export class TextButton extends WidgetType {
  constructor(
    private readonly text: string,
    private readonly label: string,
    private readonly className: string,
    private readonly run: (view: EditorView, pos: number) => void,
  ) {
    super()
  }

  override eq(other: TextButton) {
    return this.text === other.text && this.label === other.label && this.className === other.className
  }

  toDOM(view: EditorView) {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = this.className
    button.textContent = this.text
    button.tabIndex = -1
    button.title = this.label
    button.setAttribute('aria-label', this.label)
    button.addEventListener('mousedown', (event) => event.preventDefault())
    button.addEventListener('click', (event) => {
      event.preventDefault()
      this.run(view, view.posAtDOM(button))
    })
    return button
  }

  override ignoreEvent() {
    return true
  }
}
