// How a script that writes generated files was called. What is not understood writes nothing.
"use strict";
const fs = require("node:fs");

/** The comment that a script begins with, which says how it is called. */
function headOf(script) {
  const lines = fs.readFileSync(script, "utf8").split("\n").slice(1);
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return lines.slice(0, end).map((line) => `${line.slice(3)}\n`).join("");
}

/** The one option that was given, of those that the script knows, or undefined. `--help` shows the script's head and ends. */
function optionOf(script, known, words = process.argv.slice(2)) {
  if (words.length === 0) return undefined;
  const isHelp = ["--help", "-h"].includes(words[0]);
  if (words.length === 1 && known.includes(words[0])) return words[0];
  process[isHelp ? "stdout" : "stderr"].write(isHelp ? headOf(script) : `${words.join(" ")}: not understood\n${headOf(script)}`);
  return process.exit(isHelp ? 0 : 2);
}

module.exports = { optionOf };
