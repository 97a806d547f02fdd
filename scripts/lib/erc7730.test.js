// The descriptors of votes and calls pass the standard's own linter, show every field, and a renderer that shares no code with them
// shows what is signed.
"use strict";
const assert = require("node:assert/strict");
const { execFile } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { after, before, test } = require("node:test");
const { promisify } = require("node:util");
const { encodeFunctionData, parseUnits } = require("viem");
const { vaultDomain } = require("./batch.js");
const { TEMPLATE, descriptors } = require("./erc7730.js");
const { KINDS, TYPES, approval, changeType, typesIn } = require("./typed-data.js");
const { INSTALLED, piped } = require("../signing-tools/tools.js");
const abi = require("../../contracts/abi/Vault.json");
const vectors = require("../../test-fixtures/vectors/approval.json");

const run = promisify(execFile);
const TOKEN = { address: TEMPLATE.token, symbol: "USDT", decimals: 6 };
const [VOTES, CALLS] = Object.keys(descriptors());
const LATEST = 253_402_300_799; // 9999-12-31: the last second that the renderer can show

let directory;

before(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), "tidelock-erc7730-"))));
after(() => fs.rmSync(directory, { recursive: true, force: true }));

/** What the linter says; it fails if the linter does. */
async function lint(name, content) {
  const file = path.join(directory, name);
  fs.writeFileSync(file, JSON.stringify(content));
  // It would ask explorers for the ABI of the address; it is to ask nobody.
  const env = { ...process.env, HTTPS_PROXY: "http://127.0.0.1:1", HTTP_PROXY: "http://127.0.0.1:1" };
  return (await run(path.join(INSTALLED, "python/bin/erc7730"), ["lint", file], { env })).stdout;
}

/** Paths of a type's leaves, or of a list of fields that are shown. */
const leavesOf = (types, type, prefix = "") =>
  types[type].flatMap(({ name, type: fieldType }) => {
    const element = fieldType.replace("[]", "");
    const place = `${prefix}${name}${element === fieldType ? "" : ".[]"}`;
    return element in types ? leavesOf(types, element, `${place}.`) : [place];
  });
const shownIn = (fields, prefix = "") =>
  fields.flatMap((field) => (field.fields ? shownIn(field.fields, `${prefix}${field.path}.`) : [`${prefix}${field.path}`]));

/** Types whose fields are not exactly those shown. */
const unfaithful = ({ display: { formats } }) =>
  Object.entries(formats).filter(([key, { fields }]) => {
    const leaves = leavesOf(typesIn(`"${key}"`), key.slice(0, key.indexOf("(")));
    const hidden = fields.some(({ visible, fields: group }) => group === undefined && visible !== "always");
    return hidden || leaves.sort().join() !== shownIn(fields).sort().join();
  });

test("the linter has no word against them, other than that it cannot ask explorers", async () => {
  const { [VOTES]: votes, [CALLS]: calls } = descriptors();
  const said = await lint(VOTES, votes);
  assert.match(said, /checked 1 v2 descriptor files, no errors found/);
  assert.doesNotMatch(said, /warning|error:/);
  const warned = await lint(CALLS, calls);
  assert.equal(warned.match(/warning:/g).length, 1, warned);
  assert.match(warned, /warning: Could not fetch ABI/);
  assert.doesNotMatch(warned, /error:/);
});

test("every field of every vote is shown, and nothing else", async () => {
  const all = descriptors()[VOTES];
  const names = Object.keys(all.display.formats).map((key) => key.slice(0, key.indexOf("(")));
  assert.deepEqual(names.sort(), Object.keys(TYPES).filter((name) => name.endsWith("Approval")).sort());
  const declared = fs.readFileSync(path.join(__dirname, "../../contracts/src/libraries/TypedData.sol"), "utf8");
  for (const key of Object.keys(all.display.formats)) assert(declared.includes(`"${key}"`), key);
  assert.deepEqual(unfaithful(all), []);
  // The linter does not see either of these, so the check above must.
  for (const alter of [({ fields }) => (fields.at(-1).path = "batch.sum"), ({ fields }) => fields.pop()]) {
    const altered = structuredClone(all);
    alter(Object.values(altered.display.formats)[0]);
    assert.match(await lint(VOTES, altered), /no errors found/);
    assert.equal(unfaithful(altered).length, 1);
  }
});

/** A vector's vote: its document, and its deployment. */
function voteOf(vector) {
  const { signer, epoch, batch, change } = JSON.parse(vector.message);
  const primaryType = batch === undefined ? changeType(KINDS[Number(vector.kind)]) : "Batch";
  return approval(vaultDomain(BigInt(vector.chainId), vector.vault), primaryType, batch ?? change, { signer, epoch }).document;
}

/** What a wallet with the vault's descriptor shows. */
async function screens(documents, { chainId, vault }) {
  const descriptor = descriptors({ chainId: Number(chainId), vault, token: TOKEN.address })[VOTES];
  const given = { descriptor, token: TOKEN, documents };
  return JSON.parse(await piped(path.join(INSTALLED, "render"), [], JSON.stringify(given)));
}

const isShowable = ({ message }) => [...message.matchAll(/"(?:\w*[uU]ntil|expiresAt)":"(\d+)"/g)].every(([, time]) => Number(time) <= LATEST);
const ordinary = vectors.filter(({ chainId, vault }) => chainId === "1" && vault === vectors[0].vault).filter(isShowable);

/** Values of a message in the order of its types; addresses, hashes and small numbers stay as they are. */
function valuesOf(type, value) {
  if (Array.isArray(value)) return value.flatMap((element) => valuesOf(type.replace("[]", ""), element));
  if (type in TYPES) return TYPES[type].flatMap(({ name, type: fieldType }) => valuesOf(fieldType, value[name]));
  return [[type, value]];
}

test("a renderer shows every value of every kind of vote", async () => {
  assert.equal(new Set(ordinary.map(({ kind }) => kind)).size, KINDS.length + 1);
  const documents = ordinary.map(voteOf);
  (await screens(documents, ordinary[0])).forEach(({ clear, lines, remarks, error }, i) => {
    const { name } = ordinary[i];
    assert.equal(error, undefined, name);
    assert.deepEqual([clear, remarks], [true, []], name);
    const values = valuesOf(documents[i].primaryType, documents[i].message);
    assert.equal(lines.length, values.length, name);
    values.forEach(([type, value], k) => {
      const [label, shown] = lines[k];
      if (["address", "bytes32"].includes(type)) assert.equal(shown.toLowerCase(), value.toLowerCase(), name);
      if (type === "uint64") assert.equal(shown, value, name);
      if (type === "uint128") assert.equal(parseUnits(shown.replace(" USDT", ""), TOKEN.decimals), BigInt(value), name);
      if (type === "uint40") assert.equal(Date.parse(shown.replace(" UTC", "Z").replace(" ", "T")), 1000 * value, `${name}: ${label}`);
    });
  });
});

test("a batch as a signer sees it", async () => {
  const [screen] = await screens([voteOf(vectors[0])], vectors[0]);
  assert.equal(screen.intent, "Approve payments");
  assert.deepEqual(screen.lines, [
    ["Signer", "0x128a2907049eC98C42C323a6495dD8fEdcF7a57c"],
    ["Signer epoch", "1"],
    ["First number", "1"],
    ["Payments", "1"],
    ["Tier", "0"],
    ["Total", "978843.133977 USDT"],
    ["Sole payee", "0x8D2f5D3CBeeB2C68a278aC1Ef52818cCEC71F69c"],
    ["Expires", "2030-03-17 17:46:40 UTC"],
    ["Hash of payments", "0xba054ff86c578c24c225b6bfb8ac6a9eb86f79f8c200a5789bd8eed3b97e5aec"],
    ["Context", "0x64f9bfc6c8a8e72c83c941852776725a3442096beffe8cb17d26cd9ee0b1a0c7"],
  ]);
});

test("rows of a release policy are shown one after the other", async () => {
  const vector = vectors.find(({ name }) => name === "three tiers");
  const [{ lines }] = await screens([voteOf(vector)], vector);
  const caps = lines.filter(([label]) => label === "Most in 24 hours").map(([, value]) => value);
  assert.deepEqual(caps, ["100000 USDT", "1000000 USDT", "10000000 USDT"]);
  assert.deepEqual(lines.slice(2, 8).map(([label]) => label), ["Most to known", "Most to unknown", "Most in 24 hours", "Approvals needed", "Delay", "Most to known"]);
});

test("another vault's or another chain's vote is not shown as clear", async () => {
  const document = voteOf(vectors[0]);
  for (const place of [{ chainId: "56", vault: vectors[0].vault }, { chainId: "1", vault: TOKEN.address }]) {
    const [screen] = await screens([document], place);
    assert.notEqual(screen.clear, true);
  }
});

/** Every value that a parameter of the ABI carries, in order, as [type, value]. */
const carried = ({ type, components }, value) => {
  if (components === undefined) return [[type, value]];
  const values = type.endsWith("[]") ? value : [value];
  return values.flatMap((element) => components.flatMap((component) => carried(component, element[component.name])));
};

/** Some value of a type. */
function sample({ name, type, components }) {
  if (type.endsWith("[]")) return [1, 2].map(() => sample({ name, type: type.slice(0, -2), components }));
  if (components !== undefined) return Object.fromEntries(components.map((component) => [component.name, sample(component)]));
  if (name === "role" || name === "kind") return 1;
  return { address: TOKEN.address, bytes: "0x1234", bytes14: `0x${"cd".repeat(14)}`, bytes32: `0x${"ab".repeat(32)}`, uint40: 1_900_000_000 }[type] ?? 77n;
}

test("a renderer shows every value of every call that changes something", async () => {
  const vault = vectors[0].vault;
  const calls = abi.filter(({ type, stateMutability }) => type === "function" && stateMutability === "nonpayable");
  const samples = calls.map(({ inputs }) => inputs.map(sample));
  const documents = calls.map(({ name }, i) => ({ to: vault, data: encodeFunctionData({ abi, functionName: name, args: samples[i] }) }));
  const descriptor = descriptors({ chainId: 1, vault, token: TOKEN.address })[CALLS];
  const shown = JSON.parse(await piped(path.join(INSTALLED, "render"), [], JSON.stringify({ descriptor, token: TOKEN, documents })));
  assert(calls.length > 15);
  calls.forEach(({ name, inputs }, i) => {
    assert.deepEqual([shown[i].clear, shown[i].remarks, shown[i].error], [true, [], undefined], name);
    const values = inputs.flatMap((input, k) => carried(input, samples[i][k]));
    assert.equal(shown[i].lines.length, values.length, name);
    values.forEach(([type, value], k) => {
      const [, text] = shown[i].lines[k];
      if (["address", "bytes", "bytes14", "bytes32"].includes(type)) assert.equal(text.toLowerCase(), value.toLowerCase(), name);
      if (["uint64", "uint256", "uint16"].includes(type)) assert.equal(text, `${value}`, name);
    });
  });
  const approve = shown[calls.findIndex(({ name }) => name === "approve")];
  assert.equal(approve.intent, "Approve payments");
  assert.deepEqual(approve.lines[3], ["Total", "0.000077 USDT"]);
  const revokeRole = shown[calls.findIndex(({ name }) => name === "revokeRole")];
  assert.deepEqual(revokeRole.lines[1], ["Role", "Proposer"]);
});
