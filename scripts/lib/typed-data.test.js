// Every signing tool makes the vault's own digest of the JSON that scripts/typed-data writes.
"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { hashStruct } = require("viem");
const { vaultDomain } = require("./batch.js");
const { KINDS, TYPES, approval, approvalType, changeType, decodeChange, encodeChange, typedData, typesIn } = require("./typed-data.js");
const { TOOL_NAMES, verdicts } = require("../signing-tools/tools.js");
const approvals = require("../../test-fixtures/vectors/approval.json");
const batches = require("../../test-fixtures/vectors/batch-id.json");
const changes = require("../../test-fixtures/vectors/change-id.json");

const domainOf = ({ chainId, vault }) => vaultDomain(BigInt(chainId), vault);
const batchOf = (vector) => Object.fromEntries(TYPES.Batch.map(({ name }) => [name, vector[name]]));
const kindOf = ({ kind }) => KINDS[Number(kind)];

/** The documents of all vectors, each with the digest that the vault makes. */
function documents() {
  const ofBatches = batches.map((vector) => ({
    name: vector.name,
    ...typedData(domainOf(vector), "Batch", batchOf(vector)),
    expected: vector.batchId,
  }));
  const ofChanges = changes.map((vector) => ({
    name: vector.name,
    ...typedData(domainOf(vector), changeType(kindOf(vector)), JSON.parse(vector.message)),
    expected: vector.changeId,
  }));
  const ofApprovals = approvals.map((vector) => {
    const { signer, epoch, batch, change } = JSON.parse(vector.message);
    const primaryType = batch === undefined ? changeType(kindOf(vector)) : "Batch";
    const vote = approval(domainOf(vector), primaryType, batch ?? change, { signer, epoch });
    return { name: `vote: ${vector.name}`, ...vote, expected: vector.digest };
  });
  return [...ofBatches, ...ofChanges, ...ofApprovals];
}

test("every struct that signers vote for has a vote of its own", () => {
  const structs = Object.keys(TYPES).filter((name) => name === "Batch" || name.endsWith("Change"));
  assert.deepEqual(structs.sort(), ["Batch", ...KINDS.map(changeType)].sort());
  const votes = Object.keys(TYPES).filter((name) => name.endsWith("Approval"));
  assert.deepEqual(votes.sort(), structs.map(approvalType).sort());
});

test("the digest beside each document is the vault's", () => {
  for (const { name, digest, expected } of documents()) assert.equal(digest, expected, name);
});

test("no integer that a tool could round is a bare number", () => {
  const widths = new Set();
  const look = (value) => {
    if (typeof value === "number") assert(value < 2 ** 48);
    if (typeof value === "string" && /^\d+$/.test(value)) widths.add(BigInt(value) > 2n ** 53n);
    if (typeof value === "object") Object.values(value).forEach(look);
  };
  documents().forEach(({ document: { domain, message } }) => look({ domain, message }));
  assert.deepEqual([...widths].sort(), [false, true]); // the type decides, not the value
});

test("every tool makes the vault's digest of every document", async () => {
  const all = documents();
  const found = await verdicts(all.map(({ document, expected }) => ({ text: JSON.stringify(document), digest: expected })));
  assert.deepEqual(Object.keys(found), TOOL_NAMES);
  for (const [tool, answers] of Object.entries(found)) {
    answers.forEach((answer, i) => assert.equal(answer, "right", `${tool}: ${all[i].name}`));
  }
});

test("changes are encoded and decoded as the vault does", () => {
  for (const vector of changes) {
    const message = decodeChange(kindOf(vector), vector.change);
    assert.equal(encodeChange(kindOf(vector), message), vector.change, vector.name);
    const { document } = typedData(domainOf(vector), changeType(kindOf(vector)), message);
    const types = { ...document.types };
    assert.equal(hashStruct({ data: document.message, primaryType: document.primaryType, types }), vector.structHash, vector.name);
  }
});

test("what a type cannot hold is refused by name", () => {
  const [vector] = batches;
  const refused = (altered, message) =>
    assert.throws(() => typedData(domainOf(vector), "Batch", { ...batchOf(vector), ...altered }), { message });
  refused({ tier: 256 }, "Batch.tier 256: must fit uint8");
  refused({ firstNumber: 2n ** 64n }, "Batch.firstNumber 18446744073709551616: must fit uint64");
  refused({ total: 2 ** 53 }, "Batch.total 9007199254740992: as a number it has lost digits; write it as a decimal string");
  refused({ total: "1.5" }, "Batch.total 1.5: must be an integer");
  refused({ recipient: "0x12" }, "Batch.recipient 0x12: must be an address, in small letters or with its EIP-55 checksum");
  const mistyped = "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dd";
  refused({ recipient: mistyped }, `Batch.recipient ${mistyped}: must be an address, in small letters or with its EIP-55 checksum`);
  refused({ context: "0x12" }, "Batch.context 0x12: must be 32 bytes");
  refused({ sum: 1 }, "Batch.sum: Batch has no such field");
  assert.throws(() => typedData(domainOf(vector), "Cheque", {}), { message: "the vault has no type Cheque" });
});

test("types are read from type strings only", () => {
  assert.deepEqual(typesIn('x = "A(uint8 b)C(A[] d,address e)"; // F(uint8 g)'), {
    A: [{ name: "b", type: "uint8" }],
    C: [{ name: "d", type: "A[]" }, { name: "e", type: "address" }],
  });
  assert.throws(() => typesIn('"A(uint8 b)" "A(uint8 c)"'), /two types are named A/);
});
