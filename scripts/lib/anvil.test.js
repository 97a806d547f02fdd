"use strict";
const assert = require("node:assert/strict");
const path = require("node:path");
const test = require("node:test");
const { startAnvil } = require("./anvil.js");

const answers = (url) => fetch(url, { method: "POST" }).then(() => true, () => false);

test("a node that was stopped is gone, also where npm's launcher of it is first on PATH, as npm has it for what it runs", async () => {
  const before = process.env.PATH;
  process.env.PATH = `${path.join(__dirname, "..", "..", "node_modules", ".bin")}:${before}`;
  try {
    const anvil = await startAnvil([]);
    assert.equal(await answers(anvil.url), true);
    anvil.stop();
    const end = performance.now() + 10_000;
    while ((await answers(anvil.url)) && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await answers(anvil.url), false);
  } finally {
    process.env.PATH = before;
  }
});
