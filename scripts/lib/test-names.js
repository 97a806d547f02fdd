// What contracts/test has: names of functions in its files.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const TESTS = path.join(__dirname, "..", "..", "contracts", "test");

/** Functions in the files of a folder under contracts/test whose names end so. */
function functionsIn(folder, ending = ".t.sol") {
  const directory = path.join(TESTS, folder);
  const files = fs.readdirSync(directory, { recursive: true }).filter((name) => name.endsWith(ending));
  const texts = files.map((name) => fs.readFileSync(path.join(directory, name), "utf8"));
  return texts.flatMap((text) => [...text.matchAll(/function (\w+)\(/g)].map((match) => match[1]));
}

module.exports = { functionsIn };
