// A real go-ethereum as a development chain (scripts/geth) on a port of the system's choice.
"use strict";
const path = require("node:path");
const { start } = require("./children.js");
const { listening } = require("./anvil.js");

const PROGRAM = path.join(__dirname, "..", "..", "target", "geth", "devchain"); // scripts/build-geth makes it

/** Starts one with these options besides the hard fork, "osaka" or "amsterdam". It ends with this process at the latest. */
async function startGeth(fork, options) {
  const geth = start(PROGRAM, ["-fork", fork, ...options], { stdio: ["pipe", "pipe", "pipe"] });
  const url = await listening(geth, "geth");
  return { url, ended: () => geth.exitCode !== null || geth.signalCode !== null, stop: () => geth.kill("SIGKILL") };
}

module.exports = { startGeth };
