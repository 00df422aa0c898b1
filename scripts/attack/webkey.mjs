// Opens the page of `tracebook serve --ui` in Chromium, and then pages of other servers on this machine. Prints what
// the browser showed, as JSON: node webkey.mjs URL OTHER…
import { createRequire } from 'node:module'

const { chromium } = createRequire(new URL('../../ui/package.json', import.meta.url))('playwright-core')
const [url, ...others] = process.argv.slice(2)
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell'
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
const context = await browser.newContext()
const page = await context.newPage()
await page.goto(url)
await page.waitForTimeout(1500)
const shown = (await page.locator('body').innerText()).length
const address = page.url()
// Another page in the same browser: links, pictures and requests to this machine's other ports, as any site may make.
for (const other of others) {
  const second = await context.newPage()
  await second.goto(other).catch(() => {})
  await second.close()
  await page.evaluate((to) => fetch(to, { mode: 'no-cors', credentials: 'include' }).catch(() => {}), other)
}
const cookies = await context.cookies()
console.log(JSON.stringify({ shown, address, cookies: cookies.map(({ name, domain, value }) => ({ name, domain, value })) }))
await browser.close()
