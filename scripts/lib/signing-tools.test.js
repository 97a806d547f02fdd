// docs/signing-tools.md says what each tool makes of each form of a document; this asks them.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");
const { FORMS } = require("../signing-tools/forms.js");
const { TOOL_NAMES, verdicts } = require("../signing-tools/tools.js");

const ROOT = path.join(__dirname, "..", "..");
const read = (file) => fs.readFileSync(path.join(ROOT, file), "utf8");

test("the table is what the tools do now", async () => {
  const found = await verdicts(Object.values(FORMS));
  const shown = (verdict) => (verdict === "wrong" ? "**wrong**" : verdict);
  const rows = Object.keys(FORMS).map((form, i) => [form, ...TOOL_NAMES.map((tool) => shown(found[tool][i]))]);
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const table = [["form", ...TOOL_NAMES], ["form", ...TOOL_NAMES].map(() => "---"), ...rows].map(line).join("\n");
  assert(read("docs/signing-tools.md").includes(`\n${table}\n`), `docs/signing-tools.md must have:\n${table}`);
});

test("the versions in the document are those installed", () => {
  const document = read("docs/signing-tools.md");
  const npm = JSON.parse(read("package-lock.json")).packages;
  const python = read("scripts/signing-tools/python/requirements.txt");
  const versions = {
    viem: npm["node_modules/viem"].version,
    ethers: npm["node_modules/ethers-6"].version,
    "eth-sig-util": npm["node_modules/@metamask/eth-sig-util"].version,
    tronweb: npm["node_modules/tronweb"].version,
    "eth-account": python.match(/^eth-account==(.*)$/m)[1],
    "go-ethereum": read("scripts/signing-tools/go/go.mod").match(/go-ethereum v(\S+)/)[1],
    cast: npm["node_modules/@foundry-rs/cast"].version,
  };
  assert.deepEqual(Object.keys(versions), TOOL_NAMES);
  for (const [tool, version] of Object.entries(versions)) assert(document.includes(`${tool} ${version}`), `${tool} ${version}`);
});
