#!/usr/bin/env node
// The work of `scripts/bench gas`, which has built the contracts and put anvil on PATH.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { ROOT } = require("./gas-world.js");
const { measure } = require("./gas-measure.js");
const { sections, tables } = require("./gas-report.js");
const { chart } = require("./gas-chart.js");
const { document } = require("./gas-document.js");

const files = (g) => ({ "audits/gas.md": document(g), "audits/gas.svg": chart(g) });
const readText = (file) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "");

/** One line per file, "ok" or "not ok" with the first line that differs; false if a file is stale. */
function check(g) {
  const stale = Object.entries(files(g)).filter(([name, fresh]) => {
    const [written, wanted] = [readText(path.join(ROOT, name)), fresh].map((text) => text.split("\n"));
    const length = Math.max(written.length, wanted.length);
    const line = Array.from({ length }, (_, i) => i).find((i) => written[i] !== wanted[i]);
    console.log(`${line === undefined ? "ok" : "not ok"} - ${name} is what scripts/bench gas --write writes`);
    if (line === undefined) return false;
    console.log(`    line ${line + 1} is   ${written[line] ?? "missing"}\n    but should be ${wanted[line] ?? "missing"}`);
    return true;
  });
  return stale.length === 0;
}

async function main() {
  const options = { json: { type: "boolean" }, write: { type: "boolean" }, check: { type: "boolean" } };
  const { values } = parseArgs({ options });
  if (values.check && (values.json || values.write)) throw new Error("--check goes with no other option");
  const g = await measure();
  if (values.write) {
    for (const [name, text] of Object.entries(files(g))) fs.writeFileSync(path.join(ROOT, name), text);
  }
  if (values.check && !check(g)) process.exitCode = 1;
  if (values.json) console.log(JSON.stringify({ sections: sections(g), gas: g }, null, 2));
  else if (!values.check) console.log(tables(g));
}

main().catch((error) => {
  console.error(`scripts/bench gas: ${error.shortMessage ?? error.message}`);
  process.exitCode = 1;
});
