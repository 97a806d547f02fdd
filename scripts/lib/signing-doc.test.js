// Runs the commands of docs/signing-with-cast.md, in order, as a signer would; after each section the chain must show what
// the section promises.
"use strict";
const assert = require("node:assert/strict");
const { execFile } = require("node:child_process");
const fs = require("node:fs");
const http = require("node:http");
const os = require("node:os");
const path = require("node:path");
const { after, before, test } = require("node:test");
const { promisify } = require("node:util");
const { keccak256, recoverAddress, toHex } = require("viem");
const { asTuple, asUuid, batchId, headerOf, orderOf, packPayments, sumOf, vaultDomain } = require("./batch.js");
const { makeRequests } = require("./demo-requests.js");
const { ROOT, World } = require("./demo-world.js");
const { approval } = require("./typed-data.js");

const run = promisify(execFile);
const MNEMONIC = "test test test test test test test test test test test junk"; // anvil's own, known to everybody
const STATE = { proposed: 1, queued: 2, executed: 4 };
const LIFE = 20 * 86_400;
const DELAY = 6 * 3600; // of the tier, seconds
const HEADER = "(uint64,uint16,uint8,uint128,address,uint40,bytes32,bytes32)";
const TEXT = fs.readFileSync(path.join(ROOT, "docs/signing-with-cast.md"), "utf8");

/** Headings of the document with the commands below each. */
function sections() {
  return TEXT.split(/^## /m)
    .slice(1)
    .map((section) => ({
      title: section.slice(0, section.indexOf("\n")),
      commands: [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1]).join("\n"),
    }))
    .filter(({ commands }) => commands !== "");
}

let world;
let directory;
let payments;
let batch; // that the commands are about
let signed; // that a signature votes for
let environment; // what the shell knows after each section

/** A batch of the payments that the proposer has proposed. */
async function propose(header) {
  const packed = packPayments(payments);
  await world.send(world.proposer, world.vault, world.call("Vault", "propose", [orderOf(header), packed]));
  return { header, packed, id: batchId(vaultDomain(world.chainId, world.vault), header) };
}

/** Makes the shell know another batch under the names of the document. */
function turnTo({ id, header }) {
  const { firstNumber } = header;
  environment += `\nexport ID='${id}' FIRST='${firstNumber}' BATCH='${asTuple(header)}'\n`;
}

/** A file that only we can read. */
function secret(name, text) {
  const file = path.join(directory, name);
  fs.writeFileSync(file, text, { mode: 0o600 });
  return file;
}

before(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "tidelock-signing-"));
  const plan = makeRequests({ count: 40, seed: 1 });
  world = await World.start();
  await world.build({ ...plan, keeper: world.accounts[6] });
  payments = plan.requests.filter(({ tier }) => tier === 2).slice(0, 3);
  const packed = packPayments(payments);
  const { timestamp } = await world.client.getBlock();
  const header = headerOf(packed, {
    firstNumber: (1n << 63n) + (7n << 40n),
    tier: 2,
    expiresAt: Number(timestamp) + LIFE,
    context: keccak256(toHex("context")),
  });
  batch = await propose(header);

  const [password, keystores] = [secret("password", "correct horse"), path.join(directory, "keys")];
  fs.mkdirSync(keystores);
  const imported = ["wallet", "import", "alice", "--keystore-dir", keystores, "--mnemonic", MNEMONIC];
  await run("cast", [...imported, "--mnemonic-index", "1"], { env: { ...process.env, CAST_UNSAFE_PASSWORD: "correct horse" } });
  const [paid] = payments;
  const shell = {
    ETH_RPC_URL: world.url,
    VAULT: world.vault,
    LENS: world.lens,
    ETH_KEYSTORE: path.join(keystores, "alice"),
    ETH_PASSWORD: password,
    ID: batch.id,
    TO: paid.recipient,
    AMOUNT: paid.amount.toString(),
    REF: keccak256(toHex("by hand")).slice(0, 34),
    TIER: "2",
  };
  environment = Object.entries(shell).map(([name, value]) => `${name}='${value}'`).join("\n");
});

after(() => {
  world?.anvil.stop();
  fs.rmSync(directory, { recursive: true, force: true });
});

/** Runs a section in a shell that knows what the sections before it have set. */
async function shell(commands) {
  const file = path.join(directory, "environment");
  fs.writeFileSync(file, environment);
  const script = `set -euo pipefail -o allexport\n. '${file}'\n${commands}\nexport -p >'${file}'`;
  const { stdout } = await run("bash", ["-c", script], { cwd: directory });
  environment = fs.readFileSync(file, "utf8");
  return stdout;
}

const stateOf = (id) => world.read("Vault", "stateOf", [id]);
const votesOf = async (id) => (await world.read("VaultLens", "explain", [world.vault, id])).votes;
const approveAs = (signer) => world.send(signer, world.vault, world.call("Vault", "approve", [batch.header]));

/** What each section with commands must have done. */
const promises = {
  "Find what is proposed": (output) => assert.match(output, new RegExp(batch.id)),
  "Read one batch": (output) => {
    for (const { recipient, amount, reference } of payments) {
      const units = `${amount / 10n ** 6n}.${String(amount % 10n ** 6n).padStart(6, "0")}`;
      const line = output.split("\n").find((shown) => shown.includes(recipient.toLowerCase()));
      assert(line?.endsWith(` ${reference.slice(2)}`), `${asUuid(reference)} is shown beside its recipient`);
      assert.equal(Number(line.split(" ")[1]), Number(units));
    }
  },
  "Check the id": (output) => assert.equal(output, `${asTuple(batch.header)}\nid agrees\n`),
  Approve: async () => {
    assert.equal(await votesOf(batch.id), 1);
    signed = await propose({ ...batch.header, firstNumber: batch.header.firstNumber + 256n });
    turnTo(signed);
  },
  "Approve by a signature": async (output) => {
    assert.equal(await votesOf(signed.id), 1);
    assert.equal(await world.read("VaultLens", "hasApproved", [world.vault, signed.id, world.signers[0]]), true);
    const { epoch, signer } = JSON.parse(fs.readFileSync(path.join(directory, "approval.json"), "utf8")).message;
    const { digest } = approval(vaultDomain(world.chainId, world.vault), "Batch", signed.header, { epoch, signer });
    assert.equal(await recoverAddress({ hash: digest, signature: output.match(/^0x[0-9a-f]{130}$/m)[0] }), world.signers[0]);
    turnTo(batch);
  },
  "See where it stands": (output) => {
    assert.match(output, /^1\n/);
    assert.match(output, /^\(1, 2, 0, 1, 2, 0, 21600/m);
  },
  "Take your vote back": async () => {
    assert.equal(await votesOf(batch.id), 0);
    await approveAs(world.signers[0]);
    await approveAs(world.signers[1]);
    assert.equal(await stateOf(batch.id), STATE.queued);
    const { timestamp } = await world.client.getBlock();
    await world.jumpTo(Number(timestamp) + DELAY);
  },
  "Pay it yourself": async () => {
    assert.equal(await stateOf(batch.id), STATE.executed);
    const balances = await Promise.all(payments.map(({ recipient }) => world.read("TetherLike", "balanceOf", [recipient])));
    assert.equal(balances.reduce((sum, balance) => sum + balance), sumOf(payments));
  },
  "Propose a payment yourself": async (output) => {
    const [paid, id] = [output.split("\n")[0], output.trim().split("\n").at(-1)];
    assert.equal(paid, "false");
    assert.equal(await stateOf(id), STATE.proposed);
    assert.equal(await votesOf(id), 1);
  },
  "Stop everything": async (output) => {
    const until = await world.read("VaultLens", "haltedUntil", [world.vault]);
    assert(until > (await world.client.getBlock()).timestamp + 86_400n);
    assert.match(output, new RegExp(`${until}`));
  },
};

test("every section with commands is held to something", () => {
  assert.deepEqual(sections().map(({ title }) => title), Object.keys(promises));
});

for (const { title, commands } of sections()) {
  test(`docs/signing-with-cast.md: ${title}`, async () => promises[title](await shell(commands)));
}

test("payments or an order that are not those of the id are seen to differ", async () => {
  const { commands } = sections().find(({ title }) => title === "Check the id");
  const order = `FIRST=${batch.header.firstNumber} COUNT=${batch.header.count} TOTAL=${batch.header.total} TIER=${batch.header.tier}`;
  const known = `${order} EXPIRES=${batch.header.expiresAt} CONTEXT=${batch.header.context} PAYMENTS=${batch.packed} ID=${batch.id}\n`;
  assert.match(await shell(known + commands), /\nid agrees\n$/);
  assert.match(await shell(`${known}ID=0x${batch.id.slice(2).toUpperCase()}\n${commands}`), /\nid agrees\n$/);
  // No node, no id: what cannot be computed agrees with nothing.
  for (const lost of ["ID=''\nHEADER='('", `ETH_RPC_URL=http://127.0.0.1:1 ID=''`]) {
    const told = await shell(`set +e\n${known}${lost}\n${commands}\nHEADER='${HEADER}' ETH_RPC_URL='${world.url}'`);
    assert.match(told, /\nid differs\n$/, lost);
  }
  for (const altered of ["TIER=1", "PAYMENTS=0x00", "EXPIRES=1", `ID=${batch.header.context}`]) {
    assert.match(await shell(`${known}${altered}\n${commands}`), /\nid differs\n$/, altered);
  }
});

test("scripts/batch-id agrees, by id and by transaction", async () => {
  const script = path.join(ROOT, "scripts/batch-id");
  const given = ["--rpc-url", world.url, "--vault", world.vault];
  const logs = await world.client.getLogs({ address: world.vault, fromBlock: world.firstBlock });
  const log = logs.find(({ topics }) => topics[1] === batch.id);
  for (const asked of [batch.id, log.transactionHash]) {
    const { stdout } = await run(script, [...given, asked]);
    assert.match(stdout, new RegExp(`^agrees: ${batch.id}`, "m"));
    for (const { recipient, reference } of payments) {
      assert(stdout.includes(recipient) && stdout.includes(asUuid(reference)));
    }
  }
  const json = JSON.parse((await run(script, [...given, "--json", batch.id])).stdout);
  assert.equal(json[0].agrees, true);
  assert.equal(json[0].state, "executed");
  const refused = (args, code) => assert.rejects(run(script, args), { code });
  await refused([...given, keccak256(toHex("none"))], 1);
  await refused([...given, "0x12"], 2);
  await refused([batch.id], 2);
  await refused(["--rpc-url", "http://127.0.0.1:1", "--vault", world.vault, batch.id], 4);
});

/** A node that tells lies about logs: one digit of the last payment's amount is another. */
async function lyingNode() {
  const amount = toHex(payments.at(-1).amount, { size: 12 }).slice(2);
  const lie = amount.slice(0, -1) + (amount.endsWith("1") ? "2" : "1");
  const server = http.createServer(async (request, response) => {
    const chunks = await request.toArray();
    const answer = await fetch(world.url, { method: "POST", headers: { "content-type": "application/json" }, body: Buffer.concat(chunks) });
    response.setHeader("content-type", "application/json");
    response.end((await answer.text()).replaceAll(amount, lie));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.close().closeAllConnections() };
}

test("scripts/batch-id does not agree with a node that shows other payments", async () => {
  const node = await lyingNode();
  const args = ["--rpc-url", node.url, "--vault", world.vault, batch.id];
  const failure = await run(path.join(ROOT, "scripts/batch-id"), args).then(() => null, (error) => error);
  node.stop();
  assert.equal(failure?.code, 1);
  assert.match(failure.stdout, /DOES NOT AGREE, do not approve:/);
  assert.match(failure.stdout, /the id is stated as 0x[0-9a-f]{64}, order and payments make it 0x/);
});
