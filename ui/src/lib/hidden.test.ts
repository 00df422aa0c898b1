import { expect, it } from 'vitest'
import { marked, markHidden } from './hidden'

const HOSTILE = 'a\u202eb\u2066c\u009b[31m\u007f\u0007\u200b\ufeff\u{e0041}\ufffe'
const SAFE = 'a\ufffdb\ufffdc\ufffd[31m\u2421\u2407\ufffd\ufffd\ufffd\ufffd'

it('marks what cannot be seen, and nothing else', () => {
  expect(marked(HOSTILE)).toBe(SAFE)
  const fine =
    'Zeile 1\n\tZeile 2 \u05e9\u05dc\u05d5\u05dd \u65e5\u672c \u{1f469}\u200d\u{1f680} \u2764\ufe0f'
  expect(marked(fine)).toBe(fine)
})

it('marks texts and labels that are there, added or changed', async () => {
  const root = document.createElement('div')
  const paragraph = document.createElement('p')
  const text = document.createTextNode(HOSTILE)
  paragraph.append(text)
  const editor = document.createElement('div')
  editor.className = 'cm-editor'
  root.append(paragraph, editor)
  markHidden(root)
  expect(text.data).toBe(SAFE)

  const added = document.createElement('section')
  added.innerHTML = `<b aria-label="${HOSTILE}">${HOSTILE}</b>`
  root.append(added)
  paragraph.title = HOSTILE
  editor.textContent = HOSTILE
  await Promise.resolve()
  expect(added.textContent).toBe(SAFE)
  expect(added.firstElementChild?.getAttribute('aria-label')).toBe(SAFE)
  expect(paragraph.title).toBe(SAFE)
  expect(editor.textContent).toBe(HOSTILE)

  text.data = `again ${HOSTILE}`
  await Promise.resolve()
  expect(text.data).toBe(`again ${SAFE}`)
})
