// Every measurement of the gas table, each on a chain put back to where the one before it began.
"use strict";
const { PAYEES, World } = require("./gas-world.js");
const { MeasuredVault, NUMBER, TIER, numberFor } = require("./gas-vault.js");
const { Safe, Timelock } = require("./gas-peers.js");

const COUNTS = [1, 10, 100, 200, 256];
const KINDS = ["holder", "newcomer"];
const MARGINAL = [100, 200]; // a payment's marginal cost is what the second hundred costs, by the payment

const marginal = (gas) => Math.round((gas[MARGINAL[1]] - gas[MARGINAL[0]]) / (MARGINAL[1] - MARGINAL[0]));

/** `{holder, newcomer}`, each with the gas per count and the marginal cost; `work(payees)` gives the gas of one batch. */
async function series(chain, counts, work) {
  const result = {};
  for (const kind of KINDS) {
    const gas = {};
    for (const count of counts) gas[count] = await chain.apart(() => work(PAYEES[kind].slice(0, count)));
    result[kind] = { ...gas, marginal: marginal(gas) };
  }
  return result;
}

const loop = (world, name) => (payees) => {
  const { address } = world.loops[name];
  return world.gasOf({ from: world.owner, to: address, data: world.loopCall(name, payees), source: address, payees });
};

/** What a slot costs that was never written: each case differs in one thing from the warm one. */
async function firstUses(chain, vault, unused) {
  const payee = PAYEES.holder.slice(0, 1);
  const approvedFree = numberFor(TIER.approved, NUMBER.freshWord);
  return {
    payFreshWord: await chain.apart(() => vault.pay(payee, NUMBER.freshWord)),
    payWholeFreshWord: await chain.apart(() => vault.pay(PAYEES.holder, NUMBER.freshWord)),
    executeFreshWord: await chain.apart(async () => (await vault.payApproved(payee, approvedFree)).execute),
    payFreshWindow: await chain.apart(async () => {
      await unused.payApproved(payee, NUMBER.wordOne); // another tier's window, the same word
      return unused.pay(payee, NUMBER.free);
    }),
    executeFreshWindow: await chain.apart(async () => {
      await unused.pay(payee, NUMBER.wordOne);
      return (await unused.payApproved(payee, NUMBER.free)).execute;
    }),
    payFreshBoth: await chain.apart(() => unused.pay(payee, NUMBER.wordOne)),
  };
}

/** Runs everything. Gas by name; `trace(name, receipt)` is not needed for the table. */
async function measure(chain) {
  const world = await World.create(chain);
  const unused = await MeasuredVault.create(world);
  const vault = await MeasuredVault.create(world);
  await vault.warm();
  const safe = await Safe.create(world);
  const timelock = await Timelock.create(world);
  const [payee] = PAYEES.holder;

  const approved = {};
  const note = (payees) => async () => {
    const gas = await vault.payApproved(payees);
    approved[payees.length] ??= gas; // of holders, who come first; propose and approve ask nothing of the payee's balance
    return gas.execute;
  };
  const execute = await series(chain, COUNTS, (payees) => note(payees)());
  const propose = Object.fromEntries(COUNTS.map((count) => [count, approved[count].propose]));

  return {
    bare: await series(chain, COUNTS, loop(world, "BareLoop")),
    floor: await series(chain, COUNTS, loop(world, "FloorLoop")),
    pay: await series(chain, COUNTS, (payees) => vault.pay(payees)),
    execute,
    propose: { ...propose, marginal: marginal(propose) },
    approval: approved[1].approval,
    lastApproval: approved[1].lastApproval,
    withdraw: await chain.apart(() => vault.withdraw(payee)),
    ...(await firstUses(chain, vault, unused)),
    safeApproved: await chain.apart(() => safe.byApprovals(payee, false)),
    safeSecondExecutes: await chain.apart(() => safe.byApprovals(payee, true)),
    safeSigned: await chain.apart(() => safe.bySignatures([payee])),
    multiSend: await series(chain, MARGINAL, (payees) => safe.bySignatures(payees)),
    timelock: await chain.apart(() => timelock.withdraw(payee)),
  };
}

module.exports = { COUNTS, measure };
