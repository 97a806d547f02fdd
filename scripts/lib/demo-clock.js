// Lets a demo's days pass. The chain's clock jumps to the next moment at which something can be paid, and only when
// nothing is under way: an automatic batch that is in flight would expire.
"use strict";

const QUIET_BLOCKS = 7n; // without an event or a transaction of the keeper: two more than finality takes
const BUSY_BLOCKS = 3n; // without an event: there may be nothing to do
const STUCK_BLOCKS = 25n; // without anything although something could be paid: then the clock is pushed
const PUSH = 4 * 3600; // seconds: the bucket of a rolling cap
const PUSHES = 8; // then the demo has failed

class Clock {
  constructor(world, keeperAddress, requests) {
    Object.assign(this, { world, keeperAddress, requests, jumps: [], pushes: 0, quietSince: null, quietFor: 0n });
  }

  /** Something happened that needs time: a request, a restart. */
  disturb(watch) {
    this.quietSince = watch.head.number;
  }

  async nonces() {
    const at = (blockTag) => this.world.client.getTransactionCount({ address: this.keeperAddress, blockTag });
    const [pending, final] = await Promise.all([at("pending"), at("finalized")]);
    return { pending, final };
  }

  /** Blocks since anything was under way. */
  async quiet(watch, signers) {
    const { pending, final } = await this.nonces();
    if (this.quietSince === null || pending !== final || !signers.idle()) this.disturb(watch);
    const last = watch.events.at(-1)?.blockNumber ?? 0n;
    if (last > this.quietSince) this.quietSince = last;
    this.quietFor = watch.head.number - this.quietSince;
    return this.quietFor;
  }

  /** Whether something has happened lately. */
  isBusy() {
    return this.quietFor < BUSY_BLOCKS;
  }

  /** Moments at which something that is not paid can be: approved batches, and requests that wait for a cap. */
  async moments(watch) {
    const { vault } = this.world;
    const open = watch.open();
    const times = open
      .filter(({ queued }) => queued)
      .map(async ({ header }) => (await this.world.read("VaultLens", "explainBatch", [vault, header])).earliest);
    const proposed = new Set(open.flatMap(({ payments }) => payments.map(({ reference }) => reference)));
    const waiting = this.requests.filter(
      ({ hold, reference }) => hold === null && !watch.paid.has(reference) && !proposed.has(reference),
    );
    for (const tier of new Set(waiting.map((request) => request.tier))) {
      const { amount } = waiting.find((request) => request.tier === tier); // the oldest: none overtakes it
      times.push(this.world.read("VaultLens", "fitsAt", [vault, BigInt(tier), amount]));
    }
    return (await Promise.all(times)).map(Number).filter((time) => time > 0);
  }

  /** Jumps if it is time to. */
  async step(watch, signers) {
    const quiet = await this.quiet(watch, signers);
    if (quiet < QUIET_BLOCKS) return;
    const moments = await this.moments(watch);
    const now = watch.head.time;
    const later = moments.filter((time) => time > now);
    const due = later.length < moments.length || later.length === 0;
    if (due && quiet < STUCK_BLOCKS) return;
    this.pushes += due ? 1 : 0;
    if (this.pushes > PUSHES) throw new Error(`nothing was paid for ${quiet} blocks, although something could be`);
    await this.jump(watch, later.length > 0 ? Math.min(...later) : now + PUSH, due);
  }

  async jump(watch, time, pushed) {
    const seconds = time - watch.head.time;
    this.jumps.push({ seconds, to: time, pushed });
    await this.world.jumpTo(time);
    await watch.poll();
    this.disturb(watch);
  }
}

module.exports = { Clock };
