// A demo from an empty chain to a table. Who pays is given: the keeper, or a stand-in.
"use strict";
const { Clock } = require("./demo-clock.js");
const { check } = require("./demo-check.js");
const { readFacts } = require("./demo-facts.js");
const { makeRequests } = require("./demo-requests.js");
const { duration, summarise } = require("./demo-report.js");
const { Signers } = require("./demo-signers.js");
const { Watch } = require("./demo-watch.js");
const { World } = require("./demo-world.js");

const POLL_MS = 300;
const MOST_MS = 15 * 60_000; // then something is wrong

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

class Demo {
  constructor(options, progress) {
    Object.assign(this, { options, progress });
  }

  /** A chain, a vault, requests, and a keeper made by `makeKeeper(world)`, which runs at the end of it. */
  async prepare(makeKeeper) {
    const plan = makeRequests({ count: this.options.payments, seed: this.options.seed });
    Object.assign(this, plan);
    const world = await World.start();
    this.world = world;
    this.progress.say(`anvil listens on ${world.url}, a block a second, final after four`);
    this.keeper = await makeKeeper(world);
    await world.build({ keeper: this.keeper.address, policy: this.policy, requests: this.requests, regulars: this.regulars });
    this.progress.say(`vault ${world.vault} pays TetherLike ${world.token}`);
    this.watch = new Watch(world);
    this.signers = new Signers(world, this.requests, this.policy);
    this.clock = new Clock(world, this.keeper.address, this.requests);
    await this.keeper.prepare(world);
    await this.keeper.start();
    await this.watch.poll();
    this.since = this.watch.head;
    await this.keeper.request(this.requests);
    this.progress.say(`requested ${this.requests.length} withdrawals`);
  }

  payable() {
    return this.requests.filter(({ hold }) => hold === null);
  }

  status() {
    const payable = this.payable();
    const paid = payable.filter(({ reference }) => this.watch.paid.has(reference)).length;
    const final = payable.filter(({ reference }) => this.watch.isFinal(reference)).length;
    const proposals = this.watch.open();
    const waiting = proposals.filter(({ queued }) => queued).length;
    const kills = this.keeper.kills > 0 ? `, keeper killed ${this.keeper.kills} times` : "";
    return `paid ${paid}/${payable.length}, final ${final}, open proposals ${proposals.length} (${waiting} approved), chain time +${duration(this.watch.head.time - this.since.time)}${kills}`;
  }

  done() {
    return this.payable().every(({ reference }) => this.watch.isFinal(reference));
  }

  /** Until every payable withdrawal is final. */
  async run() {
    const until = Date.now() + MOST_MS;
    let jumps = 0;
    while (!this.done()) {
      if (Date.now() > until) throw new Error(`not done after ${MOST_MS / 60_000} minutes: ${this.status()}`);
      if (this.world.anvil.ended()) throw new Error("anvil ended");
      await this.watch.poll();
      await this.signers.look(this.watch);
      if (await this.keeper.step({ busy: this.clock.isBusy() })) this.clock.disturb(this.watch);
      await this.clock.step(this.watch, this.signers);
      for (; jumps < this.clock.jumps.length; jumps += 1) this.sayJump(this.clock.jumps[jumps]);
      this.progress.show(this.status());
      await sleep(POLL_MS);
    }
    this.progress.end();
    this.progress.say(`all ${this.payable().length} payable withdrawals are final`);
  }

  sayJump({ seconds, pushed }) {
    const why = pushed ? "nothing moved, although something could" : "nothing is under way";
    this.progress.say(`${why}: the clock jumps ${(seconds / 3600).toFixed(1)} hours`);
  }

  /** What the chain says of it all, at a block that is final. */
  async judge() {
    const { world, requests, watch } = this;
    const toBlock = watch.finalised.number;
    const holders = [...this.regulars, ...requests.map(({ recipient }) => recipient)];
    const { vault, token, firstBlock } = world;
    const facts = await readFacts(world.client, { vault, token, holders, fromBlock: firstBlock, toBlock });
    const checked = check(facts, requests);
    const waitedFrom = this.since.time + 86_400;
    const summary = await summarise({
      world,
      keeper: this.keeper.address,
      facts,
      checked,
      requests,
      watch,
      since: this.since,
      waitedFrom,
    });
    return { summary, rules: checked.rules, ok: checked.rules.every(({ findings }) => findings.length === 0) };
  }
}

module.exports = { Demo };
