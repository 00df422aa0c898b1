import type { Extension } from '@codemirror/state'
import { EditorView } from '@codemirror/view'

/** Elements that make pasted HTML worth converting: without any, its plain text says the same. */
const STRUCTURE = /<(h[1-6]|ul|ol|li|table|pre|code|blockquote|a\s[^>]*href|strong|b|em|i|del|s|img|hr)\b/i

/** Pastes HTML as Markdown. With Shift, the browser pastes plain text. */
export const paste: Extension = EditorView.domEventHandlers({
  paste(event, view) {
    const data = event.clipboardData
    const html = data?.getData('text/html') ?? ''
    if (!data || view.state.readOnly || !worth(html, data)) return false
    event.preventDefault()
    const plain = data.getData('text/plain')
    void import('./html-markdown')
      .then(({ markdownOf }) => markdownOf(html))
      .catch(() => plain)
      .then((text) => insert(view, text || plain))
    return true
  },
})

function worth(html: string, data: DataTransfer): boolean {
  // Code editors copy coloured lines, whose plain text is the code.
  if (!html || data.types.includes('vscode-editor-data') || data.files.length > 0) return false
  const body = /<body[^>]*>([\s\S]*)<\/body>/i.exec(html)?.[1] ?? html
  if (
    /^\s*(<meta[^>]*>\s*)?(<(div|span|pre)[^>]*>\s*)?<(div|span)[^>]*(font-family|white-space):[^>]*mono/i.test(
      body,
    )
  )
    return false
  return STRUCTURE.test(body)
}

function insert(view: EditorView, text: string) {
  // The text's own line endings are seen to by endings.ts.
  view.dispatch(view.state.replaceSelection(view.state.toText(text.replace(/\r\n?/g, '\n'))), {
    userEvent: 'input.paste',
    scrollIntoView: true,
  })
}
