// What a script starts ends with it: processes are killed and directories removed, however it ends.
"use strict";
const { spawn } = require("node:child_process");
const fs = require("node:fs");

const running = new Set();
const directories = new Set();

process.on("exit", () => {
  running.forEach((child) => child.kill("SIGKILL"));
  directories.forEach((directory) => fs.rmSync(directory, { recursive: true, force: true }));
});
for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) {
  process.on(signal, () => process.exit(status));
}

/** Starts a process that does not outlive this one. */
function start(command, args, options) {
  const child = spawn(command, args, options);
  running.add(child);
  child.on("exit", () => running.delete(child));
  return child;
}

/** Has the directory removed at the end. */
const removeAtEnd = (directory) => directories.add(directory);
/** Leaves the directory where it is. */
const keep = (directory) => directories.delete(directory);

module.exports = { keep, removeAtEnd, start };
