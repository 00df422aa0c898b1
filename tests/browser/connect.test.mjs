// "Connect a service": settings in blocks that are pasted as they are.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { open } from './harness.mjs'

let app
before(async () => {
  app = await open()
  await app.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await app.page.keyboard.press('Control+Shift+p')
  await app.page.getByTestId('palette').getByRole('combobox').fill('Connect a service')
  await app.page.keyboard.press('Enter')
  await app.page.getByTestId('connect').waitFor()
})
after(() => app?.close())

/** Copies a block by the keyboard, and returns what is in the clipboard. */
async function copied(name) {
  await app.page.getByRole('button', { name: `Copy ${name}`, exact: true }).first().focus()
  await app.page.keyboard.press('Enter')
  await app.page.getByRole('button', { name: `Copied ${name}`, exact: true }).first().waitFor()
  return app.page.evaluate(() => navigator.clipboard.readText())
}

test('a copied block is taken by a shell as it is, with the addresses of this program', async () => {
  const { receivers } = await app.rpc('status', {})
  const address = (name) => receivers.find((receiver) => receiver.name === name).address
  const settings = await copied('OpenTelemetry: In the shell that starts the service')
  const script = `set -eu\n${settings}\nprintf '%s %s' "$OTEL_EXPORTER_OTLP_ENDPOINT" "$OTEL_SERVICE_NAME"`
  const said = execFileSync('sh', ['-c', script], { env: {}, encoding: 'utf8' })
  assert.equal(said, `http://${address('http')} my-service`)
  const daemon = await copied('AWS X-Ray: In the shell that starts the service')
  assert.equal(daemon, `export AWS_XRAY_DAEMON_ADDRESS=${address('xray')}`)
})

for (const colorScheme of ['light', 'dark'])
  test(`every framework has its blocks and what to restart, ${colorScheme}`, async () => {
    const { page } = app
    await page.emulateMedia({ colorScheme })
    const targets = page.getByRole('group', { name: 'Settings for' }).getByRole('button')
    const names = await targets.allInnerTexts()
    assert.deepEqual(names.slice(0, 8), ['Flask', 'Django', 'FastAPI', 'Express', 'Spring Boot', '.NET', 'Go', 'Rails'])
    for (const width of [1280, 900, 700]) {
      await page.setViewportSize({ width, height: 800 })
      for (const [n, name] of names.entries()) {
        await targets.nth(n).click()
        assert.equal(await targets.nth(n).getAttribute('aria-pressed'), 'true')
        await page.getByTestId('restart').waitFor()
        const regions = page.getByTestId('connect').getByRole('region')
        assert.ok((await regions.count()) >= (n < 8 ? 6 : 1), `${name} has blocks`)
        const wide = await page
          .getByTestId('connect')
          .evaluate((box) => box.scrollWidth > box.clientWidth)
        assert.equal(wide, false, `${name} fits at ${width} px`)
        if (process.env.TRACEBOOK_VIEWS && n === 0)
          await page.screenshot({ path: join(process.env.TRACEBOOK_VIEWS, `connect-${width}-${colorScheme}.png`) })
      }
    }
    assert.deepEqual(app.complaints, [])
  })
