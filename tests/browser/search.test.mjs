// The palette: commands, entries and the search, by keys alone.
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { open, until } from "./harness.mjs";

let app;
beforeEach(async () => {
  app = await open();
  for (const [week, body] of [
    ["1", "# One\n\nThe first week.\n"],
    ["2", `# Two\n\n${"Padding.\n\n".repeat(80)}The needle is here.\n`],
  ])
    await app.rpc("entry_new", { week, title: null, body });
  await app.page
    .locator('[data-testid=entries] [data-entry="week-1"] .title')
    .click();
  await app.page
    .locator(".cm-content", { hasText: "The first week." })
    .waitFor();
});
afterEach(async () => {
  await app?.close();
});

const options = () => app.page.getByTestId("palette").getByRole("option");

test("words are found as they are typed, and Enter goes to the place", async () => {
  const { page } = app;
  await page.keyboard.press("ControlOrMeta+Shift+P");
  await page.keyboard.type("needl");
  await options().filter({ hasText: "The needle is here." }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByTestId("palette").waitFor({ state: "detached" });
  const line = page.locator(".cm-line", { hasText: "The needle is here." });
  await line.waitFor();
  await until(
    () => page.evaluate(() => String(getSelection())),
    (text) => text === "needl",
    "the match is selected",
  );
  assert.deepEqual(app.complaints, []);
});

test("Ctrl+P goes to an entry, the last ones first", async () => {
  const { page } = app;
  await page.keyboard.press("ControlOrMeta+P");
  await until(
    () => options().count(),
    (count) => count === 2,
    "both entries",
  );
  assert.match(
    await options().first().innerText(),
    /Week 1/,
    "it was opened last",
  );
  await page.keyboard.type("week 2");
  await page.keyboard.press("Enter");
  await page.locator(".cm-content", { hasText: "Padding." }).waitFor();
});

test("commands are run from the palette, with their keys shown", async () => {
  const { page } = app;
  await page.getByTestId("search").click();
  await page.keyboard.type("bin");
  await options().filter({ hasText: "Open the bin" }).waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Enter");
  await page.getByTestId("bin").getByText("The bin is empty.").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("ControlOrMeta+Shift+P");
  await page.keyboard.type("capture");
  assert.match(
    await options().filter({ hasText: "Capture the latest trace" }).innerText(),
    /Shift\+C/,
  );
  await page.keyboard.press("Escape");
  await page.getByTestId("palette").waitFor({ state: "detached" });
});

test("evidence and pictures come back from the bin", async () => {
  const { page } = app;
  const captured = await app.rpc("capture", {
    kind: "console",
    text: { source: "pasted text", text: "db running" },
  });
  const png = Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=",
    "base64",
  );
  const added = await app.rpc("attachment_add", {
    entry: "week-1",
    name: "dot.png",
    data: png.toString("base64"),
  });
  await app.rpc("evidence_delete", { id: captured.id });
  await app.rpc("attachment_delete", { id: added.id });
  await page.getByTestId("open-bin").click();
  const bin = page.getByTestId("bin");
  await bin.getByRole("button", { name: "Restore dot.png" }).click();
  await bin.getByRole("button", { name: "Restore pasted text" }).click();
  await bin.getByText("The bin is empty.").waitFor();
  assert.equal((await app.rpc("evidence_list", {})).length, 1);
  assert.equal((await app.rpc("attachment_list", {})).length, 1);
});
