// Rasterises cards, for looking at them: each SVG of a folder at 880 and 360 px, light and dark.
//
//   TRACEBOOK_CARDS=/tmp/cards cargo test --workspace --test render cards_can_be_looked_at
//   node scripts/cards.mjs /tmp/cards /tmp/cards/png
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [folder, out = folder, only = ''] = process.argv.slice(2)
if (!folder) throw new Error('usage: node scripts/cards.mjs FOLDER [OUT [NAME]]')
const root = fileURLToPath(new URL('../', import.meta.url))
const { chromium } = createRequire(join(root, 'ui/package.json'))('playwright-core')
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium-headless-shell'
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
mkdirSync(out, { recursive: true })

for (const colorScheme of ['light', 'dark'])
  for (const width of [880, 360]) {
    const context = await browser.newContext({ viewport: { width, height: 400 }, colorScheme })
    const page = await context.newPage()
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.svg') && name.includes(only))) {
      // A narrow drawing is for narrow columns; where there is one, the wide one is for others.
      const narrow = file.endsWith('.narrow.svg')
      if (narrow && width > 600) continue
      const svg = readFileSync(join(folder, file)).toString('base64')
      await page.setContent(
        `<body style="margin:0"><img style="display:block;width:100%" src="data:image/svg+xml;base64,${svg}">`,
      )
      await page.waitForFunction(() => document.querySelector('img').complete)
      const shot = page.locator('img')
      await shot.screenshot({ path: join(out, `${file.replace(/\.svg$/, '')}.${width}.${colorScheme}.png`) })
    }
    await context.close()
  }
await browser.close()
