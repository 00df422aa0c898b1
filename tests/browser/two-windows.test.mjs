// Two windows on one entry.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { open, until } from "./harness.mjs";

let app;
beforeEach(async () => {
  app = await open();
});
afterEach(async () => {
  await app?.close();
});

test("what two windows write in different paragraphs is merged in both", async () => {
  const { page } = app;
  const body = "# One\r\n\r\nfirst 😀\r\n\r\nsecond\r\n";
  const entry = await app.rpc("entry_new", { week: null, title: "One", body });
  await page.locator('[data-testid=entries] [data-entry="one"] .title').click();
  await page.locator(".cm-content", { hasText: "second" }).waitFor();
  // The window's write is held back until another client has written.
  let held = true;
  await page.route("**/rpc", async (route) => {
    const { cmd } = route.request().postDataJSON();
    if (held && ["entry_edit", "entry_write"].includes(cmd)) {
      held = false;
      const theirs = body.replace("first 😀", "first 😀, theirs");
      await app.rpc("entry_write", {
        entry: entry.id,
        base: entry.revision,
        body: theirs,
      });
    }
    await route.continue();
  });
  await page.locator(".cm-line", { hasText: "second" }).click();
  await page.keyboard.press("End");
  await page.keyboard.type(", mine", { delay: 60 });
  const expected = "# One\r\n\r\nfirst 😀, theirs\r\n\r\nsecond, mine\r\n";
  const stored = async () =>
    (await app.rpc("entry_get", { entry: entry.id })).body;
  await until(stored, (text) => text === expected, "both changes are stored");
  await page.locator(".cm-line", { hasText: "first 😀, theirs" }).waitFor();
  assert.equal(await page.getByTestId("conflict").count(), 0);
  await page.keyboard.type("!");
  await until(
    stored,
    (text) => text === expected.replace("mine", "mine!"),
    "the cursor stayed",
  );
});
