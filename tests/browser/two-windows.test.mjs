// Two windows on one entry.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { open, root, until } from "./harness.mjs";

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

/** Two windows on one entry whose texts conflict: what the first one wrote comes after what the second one did. */
async function conflict(base, mine, theirs) {
  const { page } = app;
  const entry = await app.rpc("entry_new", {
    week: null,
    title: "One",
    body: base,
  });
  const other = await page.context().newPage();
  await other.goto(page.url());
  for (const one of [page, other]) {
    await one.locator('[data-testid=entries] [data-entry="one"] .title').click();
    await one.locator(".cm-content", { hasText: "base" }).waitFor();
  }
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route("**/rpc", async (route) => {
    const { cmd } = route.request().postDataJSON();
    if (["entry_edit", "entry_write"].includes(cmd)) await held;
    await route.continue();
  });
  const write = async (one, changes) => {
    for (const [line, typed] of changes) {
      await one.locator(".cm-line", { hasText: line }).click();
      await one.keyboard.press("End");
      await one.keyboard.type(typed);
    }
  };
  await write(page, mine);
  await write(other, theirs);
  const stored = async () =>
    (await app.rpc("entry_get", { entry: entry.id })).body;
  const [, last] = theirs.at(-1);
  await until(stored, (text) => text.includes(last), "theirs is stored");
  release();
  await page.getByTestId("conflict").waitFor();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  return { entry, other, stored };
}

const axe = readFileSync(
  createRequire(join(root, "ui/package.json")).resolve("axe-core/axe.min.js"),
  "utf8",
);

test("two versions are compared, and become one text by keys", async () => {
  const { page } = app;
  const base = "# One\n\nbase\n\nmiddle\n\nlast\n";
  const { entry, other, stored } = await conflict(
    base,
    [
      ["base", ", mine"],
      ["last", ", mine too"],
    ],
    [
      ["base", ", theirs"],
      ["middle", ", theirs"],
      ["last", ", theirs too"],
    ],
  );
  await page.bringToFront();
  const open = page.getByRole("button", { name: "Compare and choose…" });
  await open.focus();
  await page.keyboard.press("Enter");
  const places = page.getByTestId("place");
  await places.nth(2).waitFor();
  assert.deepEqual(
    await places.evaluateAll((all) => all.map((one) => one.dataset.changed)),
    ["both", "theirs", "both"],
  );
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const width of [1280, 900, 700]) {
      await page.setViewportSize({ width, height: 800 });
      const boxes = await places
        .first()
        .locator(".side")
        .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().y));
      assert.equal(boxes[0] === boxes[1], width > 760, `at ${width} px`);
      if (process.env.TRACEBOOK_VIEWS) {
        const name = `versions-${width}-${colorScheme}.png`;
        await page.screenshot({ path: join(process.env.TRACEBOOK_VIEWS, name) });
      }
      if (!(await page.evaluate('"axe" in window'))) await page.evaluate(axe);
      const { violations } = await page.evaluate(() =>
        window.axe.run(document, { resultTypes: ["violations"] }),
      );
      assert.deepEqual(
        violations.map(({ id, nodes }) => `${id} ${nodes[0].target}`),
        [],
      );
    }
  }
  // Both is chosen where both changed: nothing is lost by default.
  const chosen = (n) => places.nth(n).locator("input:checked");
  assert.equal(await chosen(0).inputValue(), "both");
  assert.equal(await chosen(1).inputValue(), "theirs");
  await chosen(0).focus();
  await page.keyboard.press("ArrowUp");
  assert.equal(await chosen(0).inputValue(), "theirs");
  await page.keyboard.press("ArrowUp");
  assert.equal(await chosen(0).inputValue(), "mine");
  const use = page.getByRole("button", { name: "Use these choices" });
  await use.focus();
  await page.keyboard.press("Enter");
  const expected =
    "# One\n\nbase, mine\n\nmiddle, theirs\n\nlast, mine too\n\nlast, theirs too\n";
  await until(stored, (text) => text === expected, "one text");
  assert.equal(await page.getByTestId("conflict").count(), 0);
  assert.equal(await page.getByTestId("versions").count(), 0);
  const history = await app.rpc("entry_history", { entry: entry.id });
  const texts = await Promise.all(
    history.map(({ revision }) =>
      app.rpc("entry_revision", { entry: entry.id, revision }),
    ),
  );
  for (const kept of ["last, mine too\n", "middle, theirs\n\nlast, theirs too\n"])
    assert.ok(
      texts.some((text) => text.endsWith(kept)),
      "both are in the history",
    );
  // The other window follows, and both write on.
  await other.locator(".cm-line", { hasText: "last, mine too" }).waitFor();
  await page.keyboard.press("Control+z");
  await until(
    stored,
    (text) => text === "# One\n\nbase, mine\n\nmiddle\n\nlast, mine too\n",
    "undone in one step",
  );
});

test("a version that changes while it is compared is compared again", async () => {
  const { page } = app;
  const { entry, stored } = await conflict(
    "base\n",
    [["base", ", mine"]],
    [["base", ", theirs"]],
  );
  await page.bringToFront();
  await page.getByRole("button", { name: "Compare and choose…" }).click();
  await page.getByRole("radio", { name: "Keep theirs" }).check();
  const { revision } = await app.rpc("entry_get", { entry: entry.id });
  await app.rpc("entry_write", {
    entry: entry.id,
    base: revision,
    body: "base, changed again\n",
  });
  await page.getByRole("button", { name: "Use these choices" }).click();
  // Theirs as it was is what this window has now, and that is older than what is stored.
  const panel = page.getByTestId("versions");
  await until(
    // Counted both times: the panel may be gone by the second one.
    async () =>
      (await panel.count()) === 0 || (await panel.getByText(/changed again meanwhile/).count()) > 0,
    (done) => done,
    "stored, or asked again",
  );
  assert.equal(await stored(), "base, changed again\n", "not overwritten");
});

test("all of a kind at once", async () => {
  const { page } = app;
  const { stored } = await conflict(
    "base\n\nlast\n",
    [
      ["base", ", mine"],
      ["last", ", mine"],
    ],
    [
      ["base", ", theirs"],
      ["last", ", their end"],
    ],
  );
  await page.bringToFront();
  await page.getByRole("button", { name: "Compare and choose…" }).click();
  await page.getByRole("button", { name: "Keep theirs everywhere" }).click();
  await page.getByRole("button", { name: "Use these choices" }).click();
  await page.locator(".cm-line", { hasText: "base, theirs" }).waitFor();
  await page.getByTestId("conflict").waitFor({ state: "detached" });
  assert.equal(await stored(), "base, theirs\n\nlast, their end\n");
  await until(
    () => page.getByTestId("save-status").getAttribute("data-state"),
    (state) => state === "saved",
    "it is saved",
  );
});
