#!/usr/bin/env node
// The work of `scripts/demo`, which has built contracts and keeper and put anvil and cast on PATH.
"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { removeAtEnd } = require("./children.js");
const { Keeper } = require("./demo-keeper.js");
const { readOptions } = require("./demo-options.js");
const { Progress } = require("./demo-progress.js");
const { asLines } = require("./demo-report.js");
const { Chance } = require("./demo-requests.js");
const { Demo } = require("./demo-run.js");

const EXIT = { done: 0, failed: 1 };

/** A directory for everything of the keeper's, which only its owner may enter. */
function makeDirectory(keep) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "tidelock-demo-"));
  if (!keep) removeAtEnd(directory);
  return directory;
}

function notesOf(demo, audits) {
  const { kills } = demo.keeper;
  const jumps = demo.clock.jumps.map(({ seconds }) => `${(seconds / 3600).toFixed(1)} h`).join(", ");
  return [
    `the chain's clock jumped by ${jumps || "nothing"}`,
    `signers approved ${demo.signers.approvals} times, each after rebuilding the batch from the chain`,
    ...(demo.options.kill ? [`the keeper was killed ${kills} times and started again`] : []),
    ...audits,
  ];
}

/** From an empty chain to a verdict. */
async function perform(options, directory, progress) {
  const demo = new Demo(options, progress);
  const binary = process.env.TIDELOCK_KEEPER;
  const chance = new Chance(options.seed);
  await demo.prepare(() => Keeper.create({ binary, directory, chance, kill: options.kill }));
  await demo.run();
  const audits = await demo.keeper.finish(demo.requests);
  const verdict = await demo.judge();
  const unkilled = options.kill && demo.keeper.kills === 0;
  return { ...verdict, ok: verdict.ok && !unkilled, notes: notesOf(demo, audits), unkilled };
}

async function main() {
  const options = readOptions();
  const directory = makeDirectory(options.keep);
  const progress = new Progress();
  try {
    const { summary, rules, ok, notes, unkilled } = await perform(options, directory, progress);
    const seconds = progress.seconds();
    const lines = asLines({ summary, rules, notes });
    if (unkilled) lines.push("not ok - the keeper was never killed, so the run shows less than was asked for");
    const said = JSON.stringify({ ok, seconds, seed: options.seed, ...summary, notes, rules }, null, 2);
    console.log(options.json ? said : ["", ...lines, "", `${ok ? "all is well" : "NOT ALL IS WELL"}, after ${seconds} s`].join("\n"));
    process.exitCode = ok ? EXIT.done : EXIT.failed;
  } catch (error) {
    progress.end();
    process.stderr.write(`scripts/demo: ${error.message}\n`);
    process.exitCode = EXIT.failed;
  }
  if (options.keep) process.stderr.write(`kept: ${directory}\n`);
  process.exit(); // children and directories go with it
}

main();
