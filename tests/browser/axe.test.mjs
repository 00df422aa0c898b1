// Accessibility of every view and panel, light and dark, as axe-core finds it: nothing serious or critical.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { open, root } from './harness.mjs'

const axe = readFileSync(createRequire(join(root, 'ui/package.json')).resolve('axe-core/axe.min.js'), 'utf8')
/** A folder for a picture of each view; none are taken without it. */
const pictures = process.env.TRACEBOOK_VIEWS

const COMMANDS = {
  'new entry': 'New entry',
  paste: 'Paste output as evidence',
  import: 'Import Markdown',
  export: 'Export',
  bin: 'Open the bin',
  connect: 'Connect a service',
  doctor: 'Find out why nothing arrives',
  sources: 'Cloud sources',
  forward: 'Forward telemetry',
  history: 'History of this entry',
  rename: 'Change title and week',
  shortcuts: 'Keyboard shortcuts',
  settings: 'Settings',
}

let app
before(async () => {
  app = await open({ viewport: { width: 1440, height: 900 } })
  const { rpc, page } = app
  const { id } = await rpc('entry_new', { week: '2' })
  await rpc('entry_new', { week: '3' })
  await page.locator('[data-entry=week-2] .title').click()
  const text = {
    source: 'docker compose ps',
    text: 'backend-flask  Up 2 minutes\n\u001b[31mdb  Exited (1)\u001b[0m',
  }
  await rpc('capture', { kind: 'console', text, into: id, slot: '1' })
  await app.send()
  await page.getByTestId('trace-row').first().waitFor()
  await page.locator('.evidence-card').first().waitFor()
})
after(() => app?.close())

/** What axe calls serious or critical on the page now. */
async function serious(page) {
  // The window's policy keeps scripts out that are not its own; the debugger may run them.
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axe)
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes.map((node) => `${node.target} ${node.any[0]?.message ?? ''}`).join(' | ')}`,
    )
}

async function look(name, scheme) {
  const { page } = app
  // What is faded in must be there.
  await page.waitForTimeout(200)
  if (pictures) {
    mkdirSync(pictures, { recursive: true })
    await page.screenshot({
      path: join(pictures, `${name.replaceAll(' ', '-')}-${scheme}.png`),
    })
  }
  assert.deepEqual(await serious(page), [], `${name}, ${scheme}`)
}

for (const scheme of ['light', 'dark']) {
  test(`axe finds nothing serious in the window, ${scheme}`, async () => {
    const { page } = app
    await page.emulateMedia({ colorScheme: scheme })
    for (const [width, height] of [
      [1440, 900],
      [900, 700],
      [700, 700],
    ]) {
      await page.setViewportSize({ width, height })
      await look(`window ${width}`, scheme)
    }
    await page.setViewportSize({ width: 1440, height: 900 })
    for (const tab of ['Logs', 'Errors', 'Console', 'Evidence', 'Traces']) {
      await page.getByRole('tab', { name: tab }).click()
      await look(`tab ${tab}`, scheme)
    }
    const more = page.getByRole('button', { name: 'More' })
    await more.focus()
    await page.keyboard.press('ArrowUp')
    await page.getByRole('menuitem', { name: 'Filter syntax' }).and(page.locator(':focus')).waitFor()
    await look('menu', scheme)
    await page.keyboard.press('Escape')
    await page.getByRole('menu').waitFor({ state: 'detached' })
    await more.and(page.locator(':focus')).waitFor()
    await page.getByTestId('homework').locator('summary').click()
    await page.getByTestId('receiving').click()
    await look('homework', scheme)
    await page.getByTestId('homework').locator('summary').click()
    await page.getByTestId('receiving').click()
    await page.getByRole('button', { name: 'Read', exact: true }).click()
    await look('reading', scheme)
    await page.getByRole('button', { name: 'Write', exact: true }).click()
    await page.locator('.cm-content').click()
    await page.keyboard.press('Control+f')
    await look('find', scheme)
    await page.keyboard.press('Escape')
  })

  for (const [name, command] of Object.entries(COMMANDS)) {
    test(`axe finds nothing serious in the panel ${name}, ${scheme}`, async () => {
      const { page } = app
      await page.emulateMedia({ colorScheme: scheme })
      await page.keyboard.press('Control+Shift+p')
      await page.getByTestId('palette').getByRole('combobox').fill(command)
      await page.keyboard.press('Enter')
      await page.locator('dialog[open]').getByRole('heading').first().waitFor()
      await look(name, scheme)
      await page.keyboard.press('Escape')
      await page.locator('dialog[open]').waitFor({ state: 'detached' })
    })
  }

  test(`axe finds nothing serious in evidence, a trace and the palette, ${scheme}`, async () => {
    const { page } = app
    await page.emulateMedia({ colorScheme: scheme })
    await page.keyboard.press('Control+Shift+p')
    await look('palette', scheme)
    await page.keyboard.press('Escape')
    await page.getByTestId('trace-row').first().press(' ')
    await page.locator('dialog[open]').waitFor()
    await look('trace', scheme)
    await page.keyboard.press('Escape')
    await page.locator('dialog[open]').waitFor({ state: 'detached' })
    await page.getByTestId('homework').locator('summary').click()
    await page.getByTestId('homework').locator('.by').first().click()
    await page.locator('dialog[open]').waitFor()
    await look('evidence', scheme)
    await page.keyboard.press('Escape')
    await page.getByTestId('homework').locator('summary').click()
  })
}
