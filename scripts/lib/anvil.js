// A real anvil on a port of the system's choice.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { start } = require("./children.js");

const HARDFORK = "osaka";
const START_MS = 300_000;

/** The binary itself. npm puts its launcher of it first on PATH, and what that has started outlives it when it is killed. */
function binary() {
  const machine = process.arch === "x64" ? "amd64" : process.arch;
  const file = path.join(__dirname, "..", "..", "node_modules", "@foundry-rs", `anvil-${process.platform}-${machine}`, "bin", "anvil");
  return fs.existsSync(file) ? file : "anvil";
}

/** Address of a new node, once it listens. */
function listening(child, name) {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error(`${name} did not start:\n${output}`)), START_MS);
    const read = (chunk) => {
      if (output === null) return; // started: what it says is read, so that it never waits, and dropped
      output += chunk;
      const port = output.match(/Listening on 127\.0\.0\.1:(\d+)/)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      output = null;
      resolve(`http://127.0.0.1:${port}`);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`${name} ended with ${code}:\n${output ?? ""}`)));
  });
}

/** Starts one with these options besides hard fork and port. */
async function startAnvil(options) {
  const args = ["--hardfork", HARDFORK, "--port", "0", ...options];
  const anvil = start(binary(), args, { stdio: ["ignore", "pipe", "pipe"] });
  const url = await listening(anvil, "anvil");
  return { url, ended: () => anvil.exitCode !== null || anvil.signalCode !== null, stop: () => anvil.kill("SIGKILL") };
}

module.exports = { HARDFORK, listening, startAnvil };
