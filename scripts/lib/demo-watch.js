// What has happened on the chain so far: the vault's events, which batches there are, what is paid and what is final.
"use strict";
const vaultAbi = require("../../contracts/abi/Vault.json");
const { recompute, vaultDomain } = require("./batch.js");
const { decode } = require("./demo-facts.js");

class Watch {
  constructor(world) {
    Object.assign(this, { world, batches: new Map(), paid: new Map(), heads: [], events: [] });
    this.domain = vaultDomain(world.chainId, world.vault);
    this.seen = world.firstBlock;
  }

  /** Reads what came since the last time. Anvil reorganises nothing by itself, so every block is read once. */
  async poll() {
    const { client, vault } = this.world;
    const [head, finalised] = await Promise.all([client.getBlock(), client.getBlock({ blockTag: "finalized" })]);
    this.head = { number: head.number, time: Number(head.timestamp) };
    this.finalised = { number: finalised.number, time: Number(finalised.timestamp) };
    if (this.heads.at(-1)?.finalised !== finalised.number) {
      this.heads.push({ ...this.head, finalised: finalised.number });
    }
    if (head.number <= this.seen) return;
    const logs = await client.getLogs({ address: vault, fromBlock: this.seen + 1n, toBlock: head.number });
    this.seen = head.number;
    for (const event of decode(vaultAbi, logs)) {
      this.take(event);
      this.events.push(event);
    }
  }

  take({ name, args, blockNumber, transactionHash }) {
    const { id, order, payments, paidMask } = args;
    if (name === "BatchProposed" || (name === "BatchPaid" && !this.batches.has(id))) {
      const rebuilt = recompute(this.domain, id, order, payments);
      this.batches.set(id, { ...rebuilt, proposed: name === "BatchProposed", votes: 0, queued: false, over: false });
    }
    const known = this.batches.get(id);
    if (known === undefined) return; // not about a batch, or about one that nobody proposed yet
    if (name === "Approved" || name === "Queued") known.votes += 1;
    if (name === "Queued") known.queued = true;
    if (name === "Cancelled") known.over = true;
    if (name !== "BatchPaid" && name !== "BatchExecuted") return;
    known.payments.forEach(({ reference }, i) => {
      if ((paidMask >> BigInt(i)) & 1n) this.paid.set(reference, { block: blockNumber, id, transactionHash });
    });
    if (name === "BatchExecuted" && known.payments.every(({ reference }) => this.paid.has(reference))) known.over = true;
  }

  isFinal(reference) {
    const payment = this.paid.get(reference);
    return payment !== undefined && payment.block <= this.finalised.number;
  }

  /** The head at which a block was first seen to be final. */
  finalAt(block) {
    return this.heads.find(({ finalised }) => finalised >= block);
  }

  /** Proposals that can still pay something. */
  open() {
    return [...this.batches.values()].filter(({ proposed, over, header }) => proposed && !over && header.expiresAt > this.head.time);
  }
}

module.exports = { Watch };
