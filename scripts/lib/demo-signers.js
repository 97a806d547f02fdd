// The signers of a demo: each looks at a proposal as scripts/batch-id does, compares it with what was requested, and
// approves by a call of its own.
"use strict";

class Signers {
  constructor(world, requests, policy) {
    Object.assign(this, { world, policy, approvals: 0, turn: 0, seen: 0, votes: [] });
    this.requests = new Map(requests.map((request) => [request.reference, request]));
  }

  /** Why nobody should approve; empty if all is well. */
  objections({ objections, payments }) {
    const wrong = payments.filter(({ reference, recipient, amount }) => {
      const request = this.requests.get(reference);
      return request === undefined || request.recipient !== recipient || request.amount !== amount || request.hold !== null;
    });
    return [...objections, ...wrong.map(({ number, reference }) => `number ${number}, ref ${reference}, is not as requested`)];
  }

  /** Approves what was proposed since the last time, by as many signers as the tier asks for, each in its turn. */
  async look(watch) {
    const { world } = this;
    const fresh = watch.events.slice(this.seen);
    this.seen = watch.events.length;
    for (const { args } of fresh.filter(({ name }) => name === "BatchProposed")) {
      const batch = watch.batches.get(args.id);
      const objections = this.objections(batch);
      if (objections.length > 0) throw new Error(`signers refuse batch ${args.id}: ${objections.join("; ")}`);
      for (let i = 0; i < this.policy[batch.header.tier].approvals; i += 1) {
        const signer = world.signers[this.turn++ % world.signers.length];
        this.votes.push(await world.submit(signer, world.vault, world.call("Vault", "approve", [batch.header])));
        this.approvals += 1;
      }
    }
    await this.count();
  }

  /** Votes must succeed. Those that no block has yet are looked at again. */
  async count() {
    const pending = [];
    for (const hash of this.votes) {
      const receipt = await this.world.client.getTransactionReceipt({ hash }).catch(() => null);
      if (receipt === null) pending.push(hash);
      else if (receipt.status !== "success") throw new Error(`an approval reverted: transaction ${hash}`);
    }
    this.votes = pending;
  }

  idle() {
    return this.votes.length === 0;
  }
}

module.exports = { Signers };
