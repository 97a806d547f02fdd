// What every measurement shares: token, payees, and the check that money moved as it was meant to.
"use strict";
const assert = require("node:assert/strict");
const fs = require("node:fs");
const path = require("node:path");
const { concat, encodeFunctionData, getAddress, keccak256, slice, toHex } = require("viem");
const { packPayments: pack } = require("./batch.js");

const ROOT = path.join(__dirname, "..", "..");
const OUT = path.resolve(ROOT, process.env.FOUNDRY_OUT ?? "target/bench/out");
const USDT = 10n ** 6n;
const AMOUNT = 123_456_789n; // 123.456789 USDT: four of its bytes are not zero
const FUNDS = 1_000_000n * USDT; // what each contract that is measured holds
const MOST = 256; // payments in a batch

const readJson = (file) => JSON.parse(fs.readFileSync(file, "utf8"));
const ours = (file, name = file) => readJson(path.join(OUT, `${file}.sol`, `${name}.json`));

// Everything that looks random is a hash of its label: the same in every run.
const hashOf = (label) => keccak256(toHex(label));
const addressesOf = (label) =>
  Array.from({ length: MOST }, (_, i) => getAddress(slice(hashOf(`${label} ${i}`), 0, 20)));
const referenceOf = (i) => slice(hashOf(`reference ${i}`), 0, 16);

const PAYEES = { holder: addressesOf("holder"), newcomer: addressesOf("newcomer") };

/** A payment of AMOUNT to each, packed as the vault takes them. */
const packPayments = (payees) =>
  pack(payees.map((recipient, i) => ({ recipient, amount: AMOUNT, reference: referenceOf(i) })));
/** The least that says who gets how much: 20 recipient, 8 amount. */
const packBare = (payees) => concat(payees.map((payee) => concat([payee, toHex(AMOUNT, { size: 8 })])));

class World {
  static async create(chain) {
    const world = new World();
    world.chain = chain;
    const [owner, keeper, proposer, guardian, ...rest] = chain.accounts;
    Object.assign(world, { owner, keeper, proposer, guardian, signers: rest.slice(0, 3), outsider: rest[3] });
    world.tether = readJson(path.join(ROOT, "target/contracts/tether/TetherLike.json"));
    world.token = await chain.deploy(world.tether, [0n, "Tether USD", "USDT", 6n]);
    await world.sendToToken("issue", [FUNDS * 100n]);

    world.loops = {};
    for (const name of ["BareLoop", "FloorLoop"]) {
      const artifact = ours("PackedLoops", name);
      const address = await chain.deploy(artifact, [world.token]);
      await world.fund(address);
      world.loops[name] = { address, abi: artifact.abi };
    }
    await chain.send(owner, world.loops.BareLoop.address, world.loopCall("BareLoop", PAYEES.holder)); // now they hold some
    return world;
  }

  loopCall(name, payees) {
    const items = name === "BareLoop" ? packBare(payees) : packPayments(payees);
    return encodeFunctionData({ abi: this.loops[name].abi, functionName: "pay", args: [items] });
  }

  transferCall(to) {
    return encodeFunctionData({ abi: this.tether.abi, functionName: "transfer", args: [to, AMOUNT] });
  }

  sendToToken(functionName, args) {
    return this.chain.send(this.owner, this.token, encodeFunctionData({ abi: this.tether.abi, functionName, args }));
  }

  fund(address) {
    return this.sendToToken("transfer", [address, FUNDS]);
  }

  read(address, abi, functionName, args = []) {
    return this.chain.client.readContract({ address, abi, functionName, args });
  }

  balances(holders) {
    return Promise.all(holders.map((holder) => this.read(this.token, this.tether.abi, "balanceOf", [holder])));
  }

  /**
   * Gas of one transaction, which must take AMOUNT per payee from `source` and give it to each, or move nothing if
   * there are no payees. Payees must all be holders before it, or none. While `inParts` is set, the gas by parts.
   */
  async gasOf({ from, to, data, later, source, payees = [] }) {
    const before = await this.balances([source, ...payees]);
    const kinds = new Set(before.slice(1).map((balance) => balance > 0n));
    assert(kinds.size <= 1, "payees are holders or newcomers, not both");
    const receipt = await this.chain.send(from, to, data, later);
    const after = await this.balances([source, ...payees]);
    assert.equal(before[0] - after[0], AMOUNT * BigInt(payees.length), "the source lost what was to be paid");
    payees.forEach((_, i) => assert.equal(after[i + 1] - before[i + 1], AMOUNT, `payee ${i} got the amount`));
    return this.inParts ? this.chain.parts(receipt) : Number(receipt.gasUsed);
  }
}

module.exports = { AMOUNT, FUNDS, MOST, PAYEES, ROOT, USDT, World, hashOf, ours, packPayments, readJson };
