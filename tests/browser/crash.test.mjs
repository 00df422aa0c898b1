// kill -9 while the user types: everything typed more than a second before is on disk.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { binary, open } from './harness.mjs'

const rounds = Number(process.env.TRACEBOOK_TYPED_CRASHES ?? 4)

test(`kill -9 while typing, ${rounds} times`, async () => {
  for (let round = 0; round < rounds; round++) {
    const app = await open()
    try {
      const { page } = app
      await page.getByTestId('new-entry').click()
      await page.getByTestId('entry-submit').click()
      await page.locator('.cm-content').click()
      await page.keyboard.press('Control+End')
      const typed = []
      let ended = false
      const lifetime = 1200 + Math.random() * 2600
      const killed = new Promise((resolve) =>
        setTimeout(() => {
          app.server.kill('SIGKILL')
          ended = true
          resolve(Date.now())
        }, lifetime),
      )
      // No pause lets the idle timer fire, so only the maximum delay saves. About 100 keys a second are far more than a
      // person types, and leave the page time for its timers.
      for (let n = 0; !ended; n++) {
        await page.keyboard.type(`k${n} `, { delay: 8 })
        typed.push([`k${n} `, Date.now()])
      }
      const at = await killed
      const list = JSON.parse(spawnSync(binary, ['--json', '--data', app.data, 'entry', 'list']).stdout)
      const show = spawnSync(binary, ['--json', '--data', app.data, 'entry', 'show', list[0].slug])
      const { body } = JSON.parse(show.stdout)
      const due = typed.filter(([, when]) => when < at - 1000)
      const lost = due.filter(([token]) => !body.includes(token))
      assert.equal(lost.length, 0, `round ${round}: ${lost.length} of ${due.length} tokens typed over 1 s before are gone`)
      assert.ok(due.length > 0, 'something was typed early enough to count')
    } finally {
      await app.close()
    }
  }
})
