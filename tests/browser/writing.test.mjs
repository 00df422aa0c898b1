// Writing in the drawn text: marks, tasks, tables, lists, cards, pasting, input methods.
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { open, until } from './harness.mjs'

let app
before(async () => {
  app = await open()
})
after(async () => {
  await app?.close()
})
afterEach(() => {
  assert.deepEqual(app.complaints.splice(0), [])
})

let entry
const stored = async () => (await app.rpc('entry_get', { entry: entry.id })).body
const has = (wanted, what) => until(stored, (text) => text === wanted, what)
const line = (text) => app.page.locator('.cm-line', { hasText: text }).first()

/** Opens a new entry with a text. */
async function show(body) {
  entry = await app.rpc('entry_new', { week: null, title: `Writing ${Date.now()}`, body })
  await app.page.locator(`[data-testid=entries] [data-entry="${entry.slug}"] .title`).click()
  await until(
    () => app.page.locator('.cm-content').innerText().catch(() => ''),
    (text) => text.length > 0,
    'the entry is shown',
  )
}

/** Opens an entry with a card: `@` in the text is the reference. */
async function withCard(body) {
  const id = await app.send({ path: '/api/activities/home' })
  await until(
    () => app.rpc('live_traces', {}),
    (list) => list.rows.some((row) => row.trace_id === id),
    'the trace has arrived',
  )
  const { reference } = await app.rpc('capture', { kind: 'trace', id })
  await show(body.replaceAll('@', reference))
  // Not that of the entry that was open before.
  const [, evidence] = reference.match(/evidence:(\w+)/)
  await app.page.locator(`.card[data-evidence="${evidence}"] img.evidence-card`).first().waitFor()
  return reference
}

test('marks are hidden, except on the line of the cursor, and no line changes its height', async () => {
  const { page } = app
  await show('# One\n\nSome **bold** and `code`\n\n## Two\n\nlast\n')
  await line('last').click()
  const text = () => page.locator('.cm-content').innerText()
  await until(text, (now) => now.includes('Some bold and code') && !now.includes('#'), 'the marks are hidden')
  const heights = () => page.locator('.cm-line').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height))
  const before = await heights()
  await line('Some').click()
  await until(text, (now) => now.includes('Some **bold** and `code`'), 'the marks of the line are shown')
  assert.ok(!(await text()).includes('## Two'))
  assert.deepEqual(await heights(), before)
  await line('Two').click()
  await until(text, (now) => now.includes('## Two') && !now.includes('**'), 'and those of another line')
  assert.deepEqual(await heights(), before)
})

test('a task is ticked by a click and by a key, and undone', async () => {
  const { page } = app
  await show('- [ ] one\n- [x] two\n')
  await page.locator('.md-task').first().click()
  await has('- [x] one\n- [x] two\n', 'the click ticks')
  await line('two').click()
  await page.keyboard.press('Control+Enter')
  await has('- [x] one\n- [ ] two\n', 'the key unticks')
  await page.keyboard.press('Control+z')
  await page.keyboard.press('Control+z')
  await has('- [ ] one\n- [x] two\n', 'both are undone')
})

test('a cell is edited in place, and Tab, Enter and a bar do what they do in a table', async () => {
  const { page } = app
  await show('| A | B |\n|---|---|\n| one | two |\n\nend\n')
  const cell = (text) => page.locator('.md-cell', { hasText: text })
  const [a, b] = await Promise.all([cell('one').boundingBox(), cell('B').boundingBox()])
  assert.ok(Math.abs((await cell('two').boundingBox()).x - b.x) < 1, 'columns are aligned')
  assert.ok(a.y > b.y)
  await cell('one').click()
  await page.keyboard.press('End')
  await cell('one').click()
  await page.keyboard.press('Tab')
  await page.keyboard.type('2|3')
  await has('| A | B |\n|---|---|\n| one | 2\\|3 |\n\nend\n', 'the cell has what was typed')
  await page.keyboard.press('Tab')
  await page.keyboard.type('x')
  await has('| A | B |\n|---|---|\n| one | 2\\|3 |\n| x |  |\n\nend\n', 'Tab at the end makes a row')
  await page.keyboard.press('Backspace')
  await page.keyboard.press('Backspace')
  await page.keyboard.press('Backspace')
  await has('| A | B |\n|---|---|\n| one | 2\\|3 |\n|  |  |\n\nend\n', 'the bars stay')
  await page.keyboard.press('Alt+Enter')
  await page.locator('.md-table-text').first().waitFor()
  await page.keyboard.press('Alt+Enter')
  await page.locator('.md-cell').first().waitFor()
})

test('lists continue, nest and are numbered', async () => {
  const { page } = app
  await show('1. one\n2. three\n')
  await line('one').click()
  await page.keyboard.press('End')
  await page.keyboard.press('Enter')
  await page.keyboard.type('two')
  await has('1. one\n2. two\n3. three\n', 'the next number')
  await page.keyboard.press('Tab')
  await has('1. one\n   1. two\n2. three\n', 'nested below the item')
  await page.keyboard.press('Shift+Tab')
  await has('1. one\n2. two\n3. three\n', 'and back')
  await show('- [x] done\n')
  await line('done').click()
  await page.keyboard.press('End')
  await page.keyboard.press('Enter')
  await page.keyboard.type('next')
  await has('- [x] done\n- [ ] next\n', 'a task continues unticked')
  await page.keyboard.press('Enter')
  await page.keyboard.press('Enter')
  await page.keyboard.type('text')
  await has('- [x] done\n- [ ] next\ntext\n', 'an empty item ends the list')
})

test('keys act on a card: select, leave, delete, undo, move, open', async () => {
  const { page } = app
  const reference = await withCard('Above\n\n@\n\nBelow\n')
  const text = (body) => body.replace('@', reference)
  const card = page.locator('.card').first()
  const isPicked = (yes) =>
    until(() => page.locator('.card-picked').count(), (n) => (n === 1) === yes, `the card is ${yes ? '' : 'not '}selected`)
  await line('Above').click()
  await card.click({ position: { x: 30, y: 30 } })
  await isPicked(true)
  await page.keyboard.press('Delete')
  await has('Above\n\nBelow\n', 'Delete removes the reference, not a letter')
  await page.keyboard.press('Control+z')
  await has(text('Above\n\n@\n\nBelow\n'), 'one undo brings it back')
  await card.waitFor()
  await line('Above').click()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('ArrowDown')
  await isPicked(true)
  await page.keyboard.press('ArrowDown')
  await isPicked(false)
  await page.keyboard.press('ArrowUp')
  await isPicked(true)
  await page.keyboard.press('Alt+ArrowDown')
  await has(text('Above\n\nBelow\n\n@\n'), 'it moves below the next paragraph')
  await isPicked(true)
  await page.keyboard.press('Alt+ArrowUp')
  await page.keyboard.press('Alt+ArrowUp')
  await has(text('@\n\nAbove\n\nBelow\n'), 'and above both')
  await isPicked(true)
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await card.click({ position: { x: 30, y: 30 } })
  await page.keyboard.type('typed')
  const typed = (body) => body.includes('typed') && body.split('\n\n').map((part) => part.trim()).includes(reference)
  await until(stored, typed, 'typing does not touch the reference, which stays a paragraph of its own')
})

test('one can write before a card that begins the text', async () => {
  const { page } = app
  const reference = await withCard('@\n\nbelow\n')
  const box = await page.locator('.cm-content').boundingBox()
  await page.mouse.click(box.x + 200, box.y + 6)
  await page.keyboard.type('Above')
  await has(`Above\n\n${reference}\n\nbelow\n`, 'the text is above the card')
  assert.equal(await page.locator('.card').count(), 1)
  for (let n = 0; n < 4; n++) await page.keyboard.press('Control+z')
  await has(`${reference}\n\nbelow\n`, 'it is undone')
  await line('below').click()
  await page.keyboard.press('Home')
  for (let n = 0; n < 3; n++) await page.keyboard.press('ArrowUp')
  await page.keyboard.type('By keys')
  await has(`By keys\n\n${reference}\n\nbelow\n`, 'the text by keys is above the card')
})

test('an input method composes next to marks, in cells and beside cards', async () => {
  const { page } = app
  const reference = await withCard('Some **bold** text\n\n| A | B |\n|---|---|\n| one | two |\n\n@\n\nend\n')
  const session = await page.context().newCDPSession(page)
  const compose = async (steps, final) => {
    for (const text of steps) {
      await session.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length })
      await page.waitForTimeout(60)
    }
    await session.send('Input.insertText', { text: final })
  }
  await line('Some').click()
  await page.keyboard.press('Home')
  await compose(['に', 'にほ', 'にほん'], '日本')
  await line('Some').click()
  await page.keyboard.press('End')
  await compose(['k', 'か'], 'か')
  await page.locator('.md-cell', { hasText: 'one' }).click()
  await page.keyboard.press('Tab')
  await page.keyboard.press('ArrowRight')
  await compose(['´', 'é'], 'é')
  await line('end').click()
  await page.keyboard.press('Home')
  await compose(['ㅎ', '하', '한'], '한')
  await has(
    `日本Some **bold** textか\n\n| A | B |\n|---|---|\n| one | twoé |\n\n${reference}\n\n한end\n`,
    'what was composed stands where it was composed',
  )
})

test('HTML is pasted as Markdown, and an address over a selection makes a link', async () => {
  const { page } = app
  await show('start word\n')
  const paste = (types) =>
    page.locator('.cm-content').evaluate((content, given) => {
      const data = new DataTransfer()
      for (const [type, text] of Object.entries(given)) data.setData(type, text)
      content.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
    }, types)
  await line('word').getByText('word').dblclick({ position: { x: 60, y: 10 } })
  await paste({ 'text/plain': 'https://example.com/a' })
  await has('start [word](https://example.com/a)\n', 'a link')
  await page.keyboard.press('Control+End')
  await paste({
    'text/html':
      '<h2>T</h2><p>a <b>b</b> <a href="https://e.com">c</a><script>x</script></p><ul><li>d<ul><li>e</li></ul></li></ul><table><tr><th>f</th></tr><tr><td>g|h</td></tr></table>',
    'text/plain': 'plain',
  })
  await has(
    'start [word](https://example.com/a)\n## T\n\na **b** [c](https://e.com)\n\n- d\n  - e\n\n| f |\n| --- |\n| g\\|h |',
    'Markdown',
  )
})

test('the outline jumps by keys, folding hides a section, source and reading are one key away', async () => {
  const { page } = app
  const filler = Array.from({ length: 80 }, (_, n) => `Line ${n}`).join('\n\n')
  await show(`# First\n\n${filler}\n\n## Second part\n\nThe **goal**\n`)
  await line('Line 1').click()
  await page.keyboard.press('Control+Shift+O')
  await page.getByRole('combobox', { name: 'Go to heading' }).fill('sec')
  await page.keyboard.press('Enter')
  await line('Second part').waitFor()
  assert.equal(await page.locator('.outline').count(), 0)
  await page.keyboard.type('!')
  await until(stored, (text) => text.includes('## Second part!\n'), 'the cursor is in the heading')
  await page.keyboard.press('Control+Shift+BracketLeft')
  await page.locator('.cm-foldPlaceholder').waitFor()
  await page.keyboard.press('Control+Shift+BracketRight')
  await page.locator('.cm-foldPlaceholder').waitFor({ state: 'detached' })
  await page.keyboard.press('Control+/')
  await line('The **goal**').waitFor()
  await page.keyboard.press('Control+/')
  await page.keyboard.press('Control+Shift+E')
  const reading = page.getByTestId('reading')
  await reading.locator('strong', { hasText: 'goal' }).waitFor()
  await page.keyboard.press('Escape')
  await page.locator('.cm-content').waitFor()
})

test('typing posts changes, not the whole text', async () => {
  const { page } = app
  await show(`${Array.from({ length: 3000 }, (_, n) => `Paragraph ${n} of a long entry.\n`).join('\n')}\nend\n`)
  await page.waitForTimeout(1500)
  let bytes = 0
  page.on('request', (request) => (bytes += request.postData()?.length ?? 0))
  await line('Paragraph 3 ').click()
  await page.keyboard.press('End')
  await page.keyboard.type(' '.padEnd(100, 'typed '), { delay: 20 })
  await until(async () => (await stored()).includes('typed typed typed'), Boolean, 'it is stored')
  await page.waitForTimeout(1500)
  assert.ok(bytes < 100_000, `${bytes} bytes were posted`)
})
