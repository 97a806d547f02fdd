// The vault as the gas table measures it: one warmed by earlier payments, and one never used.
"use strict";
const { encodeFunctionData, keccak256, parseEventLogs, zeroAddress } = require("viem");
const { BATCH, headerOf, orderOf, vaultDomain } = require("./batch.js");
const { PAYEES, USDT, hashOf, ours, packPayments } = require("./gas-world.js");

const DAY = 86_400; // seconds
const DELAY = 3600; // of the tier that needs two approvals and time, seconds
const LIFE = 10 * DAY;
const TIER = { automatic: 0, prompt: 1, approved: 2 };
const EPOCH = 1; // of the first signer set
// What a signer signs off chain.
const APPROVAL = {
  Approval: [
    { name: "signer", type: "address" },
    { name: "epoch", type: "uint24" },
    { name: "batch", type: "Batch" },
  ],
  Batch: BATCH,
};

// Where batches find their numbers in the bitmap, 256 to a word. Warming pays the first number of word 1 and the last two
// of word 2. A batch of 256 fits no word that has been used, so it lies across two.
const NUMBER = { wordOne: 256n, free: 257n, acrossWords: 384n, lastOfWordTwo: 767n, prompt: 766n, freshWord: 1024n };
const PROPOSALS = 1n << 63n; // batches that signers approve use the upper half of the numbers

const numberFor = (tier, number) => (tier === TIER.automatic ? number : PROPOSALS + number);
const freeNumber = (count) => (count === 256 ? NUMBER.acrossWords : NUMBER.free);

class MeasuredVault {
  static async create(world) {
    const vault = new MeasuredVault();
    const { abi, bytecode } = ours("Vault");
    Object.assign(vault, { world, abi });
    const factory = ours("VaultFactory");
    const made = await world.chain.create(factory, [keccak256(bytecode.object)]);
    const call = { abi: factory.abi, functionName: "create", args: [bytecode.object, await vault.configuration()] };
    const created = await world.chain.send(world.owner, made.contractAddress, encodeFunctionData(call));
    const [{ args }] = parseEventLogs({ abi: factory.abi, logs: created.logs, eventName: "VaultDeployed" });
    const creation = { factory: Number(made.gasUsed), vault: Number(created.gasUsed) };
    Object.assign(vault, { address: args.vault, creation });
    await world.fund(vault.address);
    return vault;
  }

  async configuration() {
    const { chain, token, signers, guardian, keeper, proposer } = this.world;
    const until = (await chain.time()) + 300 * DAY;
    const row = (maxKnown, maxUnknown, cap, approvals, delay) => ({
      maxKnown: maxKnown * USDT,
      maxUnknown: maxUnknown * USDT,
      cap: cap * USDT,
      approvals,
      delay,
    });
    return {
      token,
      unit: USDT / 100n,
      hardCeiling: 10_000_000n * USDT,
      policyDelayFloor: DAY,
      policyDelay: 2 * DAY,
      threshold: 2,
      signers,
      tiers: [
        row(10_000n, 1000n, 100_000n, 0, 0),
        row(20_000n, 2000n, 100_000n, 2, 0),
        row(100_000n, 20_000n, 500_000n, 2, DELAY),
        row(1_000_000n, 1_000_000n, 2_000_000n, 3, DAY),
      ],
      guardians: [guardian],
      guardiansUntil: until,
      grants: [
        { account: keeper, role: 0, until },
        { account: proposer, role: 1, until },
      ],
      known: [],
      successor: zeroAddress,
    };
  }

  /** What calls state of one batch, and the header that it has. */
  async batch(tier, number, payees) {
    const payments = packPayments(payees);
    const expiresAt = (await this.world.chain.time()) + LIFE;
    const header = headerOf(payments, { firstNumber: number, tier, expiresAt, context: hashOf("context") });
    return { order: orderOf(header), payments, payees, header };
  }

  /** The votes of the first two signers, made off chain. */
  votes({ header }) {
    const { chain, signers } = this.world;
    const domain = vaultDomain(chain.chainId, this.address);
    const vote = async (signer) => {
      const message = { signer, epoch: EPOCH, batch: header };
      const typed = { domain, types: APPROVAL, primaryType: "Approval", message };
      return { signer, signature: await chain.signer(signer).signTypedData(typed) };
    };
    return Promise.all(signers.slice(0, 2).map(vote));
  }

  gasOf(from, functionName, args, payees, later) {
    const data = encodeFunctionData({ abi: this.abi, functionName, args });
    return this.world.gasOf({ from, to: this.address, data, source: this.address, payees, later });
  }

  /** Gas of an automatic batch. */
  async pay(payees, number = freeNumber(payees.length)) {
    const { order, payments } = await this.batch(TIER.automatic, number, payees);
    return this.gasOf(this.world.keeper, "pay", [order, payments], payees);
  }

  /** Gas of a batch of the tier without delay, which the keeper brings with two signatures. */
  async payBySig(payees, number = numberFor(TIER.prompt, freeNumber(payees.length))) {
    const batch = await this.batch(TIER.prompt, number, payees);
    const votes = await this.votes(batch);
    return this.gasOf(this.world.keeper, "payBySig", [batch.order, batch.payments, votes], payees);
  }

  /** Gas of each transaction of an approved batch: a proposer's, two signers', and after the delay the keeper's. */
  async payApproved(payees, number = numberFor(TIER.approved, freeNumber(payees.length))) {
    const { signers, proposer } = this.world;
    const batch = await this.batch(TIER.approved, number, payees);
    return {
      propose: await this.gasOf(proposer, "propose", [batch.order, batch.payments]),
      approval: await this.gasOf(signers[0], "approve", [batch.header]),
      lastApproval: await this.gasOf(signers[1], "approve", [batch.header]),
      execute: await this.execute(batch),
    };
  }

  /** Gas of a withdrawal that a signer proposes, which is the first of its two votes. */
  async withdraw(payee) {
    const { signers } = this.world;
    const batch = await this.batch(TIER.approved, numberFor(TIER.approved, NUMBER.free), [payee]);
    return {
      propose: await this.gasOf(signers[0], "propose", [batch.order, batch.payments]),
      approve: await this.gasOf(signers[1], "approve", [batch.header]),
      execute: await this.execute(batch),
    };
  }

  /** Gas of a withdrawal that a relayer proposes with two signatures. */
  async withdrawBySig(payee) {
    const batch = await this.batch(TIER.approved, numberFor(TIER.approved, NUMBER.free), [payee]);
    const votes = await this.votes(batch);
    return {
      propose: await this.gasOf(this.world.outsider, "proposeBySig", [batch.order, batch.payments, votes]),
      execute: await this.execute(batch),
    };
  }

  execute({ order, payments, payees }) {
    return this.gasOf(this.world.keeper, "execute", [order, payments, 0n], payees, DELAY);
  }

  /** Pays once in each tier and bitmap word that batches are to find in use. */
  async warm() {
    const payee = PAYEES.holder.slice(0, 1);
    for (const number of [NUMBER.wordOne, NUMBER.lastOfWordTwo]) {
      await this.pay(payee, number);
      await this.payApproved(payee, numberFor(TIER.approved, number));
    }
    await this.payBySig(payee, numberFor(TIER.prompt, NUMBER.prompt));
  }
}

module.exports = { MeasuredVault, NUMBER, TIER, numberFor };
