import { ensureSyntaxTree } from '@codemirror/language'
import { EditorState } from '@codemirror/state'
import type { DecorationSet } from '@codemirror/view'
import { describe, expect, it } from 'vitest'
import { pictureResolver } from '../pictures'
import { syntax } from '../syntax'
import { drawn } from './drawn'
import { patched } from './patch'
import { tableTexts, toggleTableText } from './table'

const resolver = pictureResolver.of((path) => (path === 'assets/a.png' ? '/attachment/1' : undefined))

/** A state for a text in which `|` before a letter is not special: the cursor is given. */
function stateOf(text: string, cursor = 0) {
  const state = EditorState.create({
    doc: text,
    selection: { anchor: cursor },
    extensions: [syntax(), tableTexts, resolver, EditorState.allowMultipleSelections.of(true)],
  })
  ensureSyntaxTree(state, text.length, 5000)
  return state.update({}).state
}

interface Look {
  text: string
  marks: string[]
  lines: string[][]
}

/** What is seen of a text: hidden parts are gone, widgets are their text in braces. */
function seen(state: EditorState, open: { from: number; to: number }[] = []): Look {
  const { inner, cells } = drawn(state, [{ from: 0, to: state.doc.length }], open)
  const cuts: { from: number; to: number; text: string }[] = []
  const marks: string[] = []
  const lines: string[][] = []
  for (const set of [inner, cells]) {
    for (const it = set.iter(); it.value; it.next()) {
      const { spec } = it.value
      if (spec.attributes?.class && it.from === it.to)
        (lines[state.doc.lineAt(it.from).number] ??= []).push(...spec.attributes.class.split(' '))
      else if (spec.class) marks.push(`${spec.class}: ${state.sliceDoc(it.from, it.to)}`)
      else if (spec.widget) {
        const dom = spec.widget.toDOM(null as never) as HTMLElement
        const text = dom.textContent || (dom as HTMLInputElement).type || dom.className
        cuts.push({ from: it.from, to: it.to, text: `{${text}}` })
      } else if (it.from < it.to) cuts.push({ from: it.from, to: it.to, text: '' })
    }
  }
  cuts.sort((a, b) => a.from - b.from || a.to - b.to)
  let text = ''
  let at = 0
  for (const cut of cuts) {
    if (cut.from < at) continue
    text += state.sliceDoc(at, cut.from) + cut.text
    at = cut.to
  }
  return { text: text + state.sliceDoc(at), marks, lines }
}

const look = (text: string) => seen(stateOf(text))
/** As the text is seen with the cursor on the line with `at`. */
const lookAt = (text: string, at: string) => {
  const pos = text.indexOf(at)
  const state = stateOf(text, pos)
  const { from, to } = state.doc.lineAt(pos)
  return seen(state, [{ from, to }])
}

describe('marks are hidden', () => {
  const cases: [string, string][] = [
    ['# One', 'One'],
    ['### Three ###', 'Three'],
    ['a **b** *c* ~~d~~ `e` f', 'a b c d e f'],
    ['___all___', 'all'],
    ['[text](https://a.example "title") x', 'text x'],
    ['<https://a.example>', 'https://a.example'],
    ['[text][ref]\n\n[ref]: https://a.example', 'text\n\n[ref]: https://a.example'],
    ['[no link] here', '[no link] here'],
    ['[](https://a.example)', '[](https://a.example)'],
    ['a \\* b', 'a * b'],
    ['note[^1]', 'note1'],
    ['> quote\n> more', 'quote\nmore'],
    ['> [!WARNING]\n> text', '{Warning}\ntext'],
    ['> [!NOPE]\n> text', '[!NOPE]\ntext'],
    ['a\n\n***\n\nb', 'a\n\n{md-rule-line}\n\nb'],
    ['- [x] done', '{checkbox} done'],
    ['- one\n  - [ ] two', '- one\n  {checkbox} two'],
    ['```py title=x\na = 1\n```', '{PythonCopy}\na = 1\n'],
    ['```nonsense\n**a**\n```', '{nonsenseCopy}\n**a**\n'],
    ['    **code**', '    **code**'],
    ['#hashtag', '#hashtag'],
    ['2 * 3 * 4', '2 * 3 * 4'],
    ['snake_case_name', 'snake_case_name'],
    ['<!-- a **b** -->', '<!-- a **b** -->'],
    ['<details><summary>More</summary>', '<details>More'],
    ['![alt](assets/a.png)', '{md-picture md-picture-alone}'],
    ['![alt](<assets/b c.png>)', '{Missing picture: alt (assets/b c.png)}'],
    ['<img width="10" src=\'assets/b.png\'>', '{Missing picture: assets/b.png}'],
    ['![x](https://a.example/b.png)', '{Picture on the web: x (https://a.example/b.png)}'],
    ['![Trace](evidence:01JD4ZA0000000000000000001)', '![Trace](evidence:01JD4ZA0000000000000000001)'],
    ['![Slot]()', '![Slot]()'],
    ['# ', '# '],
    ['[a](\nhttps://a.example)', 'a](\nhttps://a.example)'],
    ['a **b\nc** d', 'a b\nc d'],
  ]
  it.each(cases)('%j is seen as %j', (text, wanted) => {
    expect(look(text).text).toBe(wanted)
  })
})

describe('marks are shown on the line of the cursor', () => {
  it('and on no other', () => {
    const text = '# One\n\na **b**\n\nc **d** [e](f)'
    expect(lookAt(text, 'a **').text).toBe('One\n\na **b**\n\nc d e')
    expect(lookAt(text, '# One').text).toBe('# One\n\na b\n\nc d e')
  })

  it('but those of a task and of bullets stay drawn', () => {
    expect(lookAt('- [ ] one\n- two', 'one').text).toBe('{checkbox} one\n- two')
    expect(look('- two').marks).toContain('md-bullet md-bullet-1: -')
  })

  it('and bullets alternate by how deep a list is', () => {
    const text = '- a\n  - b\n    - c\n      - d\n1. e\n   - f'
    const bullets = look(text).marks.filter((mark) => mark.startsWith('md-bullet'))
    expect(bullets.map((mark) => mark.slice(20, 21))).toEqual(['1', '2', '3', '1', '1'])
  })

  it('with the picture below its text', () => {
    expect(lookAt('![a](assets/a.png)', '![a]').text).toBe('![a](assets/a.png){md-picture md-picture-alone}')
  })

  it('and the line is drawn as large as before', () => {
    const text = '# One\n\n> a\n\n- b\n\n```\nc\n```'
    const classes = (shown: Look) => shown.lines.map((line) => [...line].sort().join(' '))
    expect(classes(lookAt(text, '# One'))).toEqual(classes(look(text)))
    expect(classes(lookAt(text, '> a'))).toEqual(classes(look(text)))
    expect(classes(lookAt(text, '```'))).toEqual(classes(look(text)))
  })
})

describe('a table', () => {
  const text = '| A | Bee |\n|---|:-:|\n| 1 | a\\|b |\n|  | x'

  it('is drawn as cells without bars', () => {
    const { text: shown, marks } = look(text)
    expect(shown.split('\n').map((line) => line.trim())).toEqual(['A  Bee', '', '1  a|b', '|  x'])
    expect(marks.filter((mark) => mark.startsWith('md-cell'))).toEqual([
      'md-cell: | A ',
      'md-cell md-cell-center: | Bee |',
      'md-cell: | 1 ',
      'md-cell md-cell-center: | a\\|b |',
      'md-cell: |  ',
      'md-cell md-cell-center: | x',
    ])
  })

  it('is one with any line endings and spaces behind its rows', () => {
    for (const end of ['\r\n', ' \n', '  \r\n']) {
      const { marks } = look(`text${end}| A | B |${end}|---|---|${end}| 1 | 2 |${end}`)
      expect(marks.filter((mark) => mark.startsWith('md-cell')).length).toBe(4)
    }
  })

  it('is text where that was asked for', () => {
    const state = stateOf(text).update({ effects: toggleTableText.of(0) }).state
    expect(seen(state).text).toContain('| A | Bee |\n|---|:-:|')
  })

  it('shows the marks of the cell with the cursor only', () => {
    const bold = '| A | B |\n|---|---|\n| **x** | **y** |'
    expect(lookAt(bold, 'x**').text.split('\n')[2]?.trim()).toBe('**x**  y')
  })
})

describe('front matter', () => {
  it('is neither a rule nor a heading', () => {
    const { lines, text } = look('---\ntitle: a\n---\n\n# One')
    expect(lines[2]).toEqual(['md-front'])
    expect(lines[3]).toEqual(['md-front'])
    expect(text).toBe('---\ntitle: a\n---\n\nOne')
  })

  it('is only what begins the text and ends', () => {
    expect(look('---\n\ntext\n\n---').lines.flat()).not.toContain('md-front')
    expect(look('a\n\n---\nb: c\n---').lines.flat()).not.toContain('md-front')
  })
})

describe('lists', () => {
  it('are indented by their depth, and the lines that continue an item with it', () => {
    const { lines, marks } = look('- one\n  more\n  1. two\n     more\nlazy')
    expect(lines.slice(1).every((line) => line.includes('md-item'))).toBe(true)
    expect(marks.filter((mark) => mark.startsWith('md-prefix'))).toEqual([
      'md-prefix: - ',
      'md-prefix:   ',
      'md-prefix:   1. ',
      'md-prefix:      ',
    ])
  })
})

/** The first difference of two sets; empty if there is none. */
function difference(a: DecorationSet, b: DecorationSet): string {
  const [x, y] = [a.iter(), b.iter()]
  const one = (it: typeof x) =>
    it.value ? `${it.from}-${it.to} ${JSON.stringify(it.value.spec)}` : 'nothing'
  for (; x.value && y.value; x.next(), y.next())
    if (x.from !== y.from || x.to !== y.to || !x.value.eq(y.value)) return `${one(x)} is not ${one(y)}`
  return x.value || y.value ? `${one(x)} is not ${one(y)}` : ''
}

describe('drawing one block again', () => {
  const text = [
    '---',
    'a: b',
    '---',
    '# One **two**',
    '',
    'A *paragraph* with `code`,',
    'of [two](https://a.example) lines',
    '',
    '- item',
    '  - [ ] task',
    '  1. one',
    '',
    '> [!NOTE]',
    '> quote',
    '',
    '| A | B |',
    '|---|---|',
    '| **c** | d |',
    '',
    '```js',
    'const a = 1',
    '```',
    '',
    '<img src="x.png">',
    '',
    'Setext',
    '---',
    '',
    '![p](assets/a.png)',
    '',
    'end[^1] [ref]',
    '',
    '[^1]: note',
    '',
    '[ref]: https://a.example',
  ].join('\n')

  it('gives what drawing everything gives, whatever is typed where', () => {
    let patches = 0
    let seed = 7
    const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2147483648) % below
    const typed = [
      'a',
      '*',
      '`',
      '#',
      '-',
      ' ',
      '|',
      '>',
      '[',
      ']',
      '<',
      '!',
      '~',
      '1. ',
      '- [ ] ',
      '```',
      '\\',
      '',
    ]
    let state = stateOf(text)
    for (let n = 0; n < 800; n++) {
      if (n % 40 === 0) state = stateOf(text)
      const head = random(state.doc.length + 1)
      const line = state.doc.lineAt(head)
      const to = Math.min(line.to, head + (random(3) === 0 ? 1 : 0))
      const before = [{ from: line.from, to: line.to }]
      const old = drawn(state, [{ from: 0, to: state.doc.length }], before)
      const tr = state.update({
        changes: { from: head, to, insert: typed[random(typed.length)] ?? '' },
        selection: { anchor: head },
      })
      if (!tr.docChanged) continue
      ensureSyntaxTree(tr.state, tr.state.doc.length, 5000)
      // The tree becomes the state's with the next transaction.
      const after = tr.state.update({}).state
      const now = after.doc.lineAt(tr.changes.mapPos(head))
      const open = [{ from: now.from, to: now.to }]
      const visible = { from: 0, to: after.doc.length }
      const patch = patched(old, { startState: state, state: after, changes: tr.changes }, visible, open)
      const full = drawn(after, [visible], open)
      if (patch) {
        patches++
        for (const set of ['inner', 'cells', 'atomic'] as const)
          expect(difference(patch[set], full[set]), `${set} of ${JSON.stringify(after.sliceDoc())}`).toBe('')
      }
      state = after
    }
    expect(patches).toBeGreaterThan(200)
  })
})
