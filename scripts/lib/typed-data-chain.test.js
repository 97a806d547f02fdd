// scripts/typed-data and scripts/batch-id on a chain whose id a 64-bit float cannot hold, against a vault that takes the votes.
"use strict";
const assert = require("node:assert/strict");
const { execFile } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { after, before, test } = require("node:test");
const { promisify } = require("node:util");
const { keccak256, toHex, zeroAddress } = require("viem");
const { mnemonicToAccount, sign } = require("viem/accounts");
const { asTuple, batchId, headerOf, orderOf, packPayments, vaultDomain } = require("./batch.js");
const { makeRequests } = require("./demo-requests.js");
const { ROOT, World } = require("./demo-world.js");
const { KINDS } = require("./typed-data.js");
const { verdicts } = require("../signing-tools/tools.js");

const run = promisify(execFile);
const CHAIN_ID = 2n ** 53n + 1n;
const MNEMONIC = "test test test test test test test test test test test junk"; // anvil's own, known to everybody
const LIFE = 20 * 86_400; // seconds

let world;
let directory;
let batch;
let changes; // by kind, what can be proposed
let expiresAt;

const script = (name, ...args) => run(path.join(ROOT, "scripts", name), ["--rpc-url", world.url, "--vault", world.vault, ...args]);
const keyOf = (index) => toHex(mnemonicToAccount(MNEMONIC, { addressIndex: index }).getHdKey().privateKey);

function file(name, content) {
  const place = path.join(directory, name);
  fs.writeFileSync(place, typeof content === "string" ? content : JSON.stringify(content));
  return place;
}

/** A change of each kind that the vault takes; a float would round each nonce. */
function someChanges(haltedUntil, oldTermsChangedAt) {
  const life = { nonce: CHAIN_ID.toString(), expiresAt };
  const tiers = world.policy.map((tier) => JSON.parse(JSON.stringify(tier, (_, value) => (typeof value === "bigint" ? `${value}` : value))));
  const [payee, other] = world.accounts.slice(8);
  return {
    Signers: { signers: world.signers.slice(0, 2), threshold: 1, ...life },
    Tiers: { tiers, policyDelay: 3 * 86_400, oldTermsChangedAt, ...life },
    Recipients: { recipients: [payee, other], oldStanding: 0, standing: 1, ...life },
    Role: { account: payee, role: 1, oldUntil: 0, until: expiresAt, ...life },
    Guardians: { guardians: [payee], until: expiresAt, ...life },
    Unfreeze: { haltedUntil: Number(haltedUntil), ...life },
    Successor: { successor: other, ...life },
    Sweep: { token: payee, ...life },
    Tighten: { tiers, ...life },
  };
}

before(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "tidelock-typed-data-"));
  const plan = makeRequests({ count: 40, seed: 1 });
  world = await World.start(["--chain-id", `${CHAIN_ID}`]);
  await world.build({ ...plan, keeper: world.accounts[6] });
  world.policy = plan.policy;
  const { timestamp } = await world.client.getBlock();
  expiresAt = Number(timestamp) + LIFE;
  const payments = plan.requests.filter(({ tier }) => tier === 2).slice(0, 2);
  const packed = packPayments(payments);
  const header = headerOf(packed, { firstNumber: 2n ** 63n + CHAIN_ID, tier: 2, expiresAt, context: keccak256(toHex("context")) });
  batch = { header, packed, payments, id: batchId(vaultDomain(CHAIN_ID, world.vault), header) };
  await world.send(world.proposer, world.vault, world.call("Vault", "propose", [orderOf(header), packed]));
  await world.send(world.guardian, world.vault, world.call("Vault", "freeze", []));
  const haltedUntil = await world.read("VaultLens", "haltedUntil", [world.vault]);
  changes = someChanges(haltedUntil, await world.read("Vault", "termsChangedAt", []));
});

after(() => {
  world?.anvil.stop();
  fs.rmSync(directory, { recursive: true, force: true });
});

const digestIn = (stderr) => stderr.match(/^digest {2}(0x[0-9a-f]{64})/m)[1];
const idIn = (stderr) => stderr.match(/^id {6}(0x[0-9a-f]{64}), which the vault computes too$/m)[1];

/** All tools agree with a digest that the vault is known to make. */
async function allAgree(documents) {
  for (const [tool, answers] of Object.entries(await verdicts(documents))) {
    assert.deepEqual([...new Set(answers)], ["right"], tool);
  }
}

test("scripts/batch-id agrees", async () => {
  const { stdout } = await script("batch-id", batch.id);
  assert.match(stdout, new RegExp(`on chain ${CHAIN_ID}$`, "m"));
  assert.match(stdout, new RegExp(`^agrees: ${batch.id}`, "m"));
  assert.equal(JSON.parse((await script("batch-id", "--json", batch.id)).stdout)[0].chainId, `${CHAIN_ID}`);
});

test("a batch by its id and by its file is the same document, and every tool makes its id", async () => {
  const { stdout, stderr } = await script("typed-data", batch.id);
  assert.equal(idIn(stderr), batch.id);
  assert(stderr.startsWith(`carried ${asTuple(batch.header)}\n`));
  await allAgree([{ text: stdout, digest: batch.id }]);
  const asText = (_, value) => (typeof value === "bigint" ? `${value}` : value);
  const { tier, expiresAt, firstNumber, context } = batch.header;
  const order = JSON.parse(JSON.stringify({ tier, expiresAt, firstNumber, context }, asText));
  const listed = batch.payments.map(({ recipient, amount, reference }) => ({ recipient, amount: `${amount}`, reference }));
  for (const content of [{ packed: batch.packed }, { payments: listed }]) {
    const given = file("batch.json", { ...order, ...content });
    assert.equal((await script("typed-data", "--batch", given)).stdout, stdout);
    const offline = ["--vault", world.vault, "--chain-id", `${CHAIN_ID}`, "--batch", given];
    assert.equal((await run(path.join(ROOT, "scripts/typed-data"), offline)).stdout, stdout);
  }
});

test("a vote for a batch counts, and every tool makes its digest", async () => {
  const [signer] = world.signers;
  const { stdout, stderr } = await script("typed-data", "--signer", signer, batch.id);
  const digest = digestIn(stderr);
  const signature = await sign({ hash: digest, privateKey: keyOf(1), to: "hex" });
  await world.send(world.owner, world.vault, world.call("Vault", "approveBySig", [batch.header, [{ signer, signature }]]));
  assert.equal(await world.read("VaultLens", "hasApproved", [world.vault, batch.id, signer]), true);
  await allAgree([{ text: stdout, digest }]);
});

test("so does a change of each kind, and a vote for it", async () => {
  assert.deepEqual(Object.keys(changes), KINDS);
  const [, , signer] = world.signers;
  const documents = [];
  for (const kind of KINDS) {
    const given = ["--change", kind, file(`${kind}.json`, changes[kind])];
    const [plain, vote] = await Promise.all([script("typed-data", ...given), script("typed-data", "--signer", signer, ...given)]);
    const [id, digest] = [idIn(plain.stderr), digestIn(vote.stderr)];
    const signature = await sign({ hash: digest, privateKey: keyOf(3), to: "hex" });
    const [, number, change] = plain.stderr.match(/^carried (\d) (0x[0-9a-f]+)$/m);
    const proposal = [Number(number), change, [{ signer, signature }]];
    await world.send(world.owner, world.vault, world.call("Vault", "proposeChangeBySig", proposal));
    assert.equal(await world.read("VaultLens", "hasApproved", [world.vault, id, signer]), true, kind);
    assert.equal((await script("typed-data", id)).stdout, plain.stdout, kind);
    documents.push({ text: plain.stdout, digest: id }, { text: vote.stdout, digest });
  }
  await allAgree(documents);
});

test("wrong calls and wrong answers end as the usage says", async () => {
  const refused = async (code, message, args) => {
    const failure = await run(path.join(ROOT, "scripts/typed-data"), args).then(() => null, (error) => error);
    assert.equal(failure?.code, code, message);
    assert.match(failure.stderr, message);
    assert.equal(failure.stdout, "");
  };
  const at = ["--rpc-url", world.url, "--vault", world.vault];
  const order = { firstNumber: 1, tier: 2, expiresAt, context: batch.id, packed: batch.packed };
  const rounded = JSON.stringify({ ...order, firstNumber: "N" }).replace('"N"', "9223372036854775809");
  await refused(1, /has no proposal under/, [...at, keccak256("0x")]);
  await refused(2, /id 0x12: must be/, [...at, "0x12"]);
  await refused(2, /--vault undefined: must be an address/, [batch.id]);
  await refused(2, /--epoch is needed/, [...at, "--chain-id", "1", "--signer", world.owner, batch.id]);
  await refused(2, /firstNumber 9223372036854776000: as a number it has lost digits/, [...at, "--batch", file("rounded.json", rounded)]);
  await refused(2, /no kind of change Tier;/, [...at, "--change", "Tier", file("tier.json", {})]);
  await refused(2, /SweepChange.token undefined: must be an address/, [...at, "--change", "Sweep", file("sweep.json", {})]);
  await refused(4, /does not answer as a node would/, ["--rpc-url", "http://127.0.0.1:1", "--vault", world.vault, batch.id]);
  const given = ["--batch", file("order.json", order)];
  await refused(1, /9: no contract is there/, ["--rpc-url", world.url, "--vault", zeroAddress.replace(/.{3}$/, "999"), ...given]);
  await refused(1, /is no vault/, ["--rpc-url", world.url, "--vault", world.token, ...given]);
  await refused(1, /from-block 99999999: the node's newest block is/, [...at, "--from-block", "99999999", batch.id]);
  await refused(2, /Batch.payments\[0\].amount true: must be a whole number/, [...at, "--batch", file("true.json", { ...order, packed: undefined, payments: [{ recipient: world.owner, amount: true, reference: `0x${"aa".repeat(16)}` }] })]);
});
