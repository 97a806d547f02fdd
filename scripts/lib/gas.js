#!/usr/bin/env node
// The work of `scripts/bench gas`, which has built the contracts and geth, and put anvil on PATH.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { parseArgs } = require("node:util");
const { ROOT } = require("./gas-world.js");
const { measure } = require("./gas-measure.js");
const { sections, tables } = require("./gas-report.js");
const { chart } = require("./gas-chart.js");
const { document } = require("./gas-document.js");

const files = (run) => ({ "audits/gas.md": document(run), "audits/gas.svg": chart(run) });
const readText = (file) => (fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "");

/** One line per file, "ok" or "not ok" with the first line that differs; false if a file is stale. */
function check(run) {
  const stale = Object.entries(files(run)).filter(([name, fresh]) => {
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
  const flag = { type: "boolean" };
  const { values } = parseArgs({ options: { json: flag, write: flag, check: flag, record: { type: "string" } } });
  if (values.check && (values.json || values.write)) throw new Error("--check goes with neither --json nor --write");
  const { run, sent } = await measure();
  if (values.record !== undefined) fs.writeFileSync(values.record, JSON.stringify(sent));
  if (values.write) {
    for (const [name, text] of Object.entries(files(run))) fs.writeFileSync(path.join(ROOT, name), text);
  }
  if (values.check && !check(run)) process.exitCode = 1;
  if (values.json) console.log(JSON.stringify({ sections: sections(run), gas: run }, null, 2));
  else if (!values.check) console.log(tables(run));
}

main().catch((error) => {
  console.error(`scripts/bench gas: ${error.shortMessage ?? error.message}`);
  process.exitCode = 1;
});
