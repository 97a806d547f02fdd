// Every measurement of the gas table; each begins where the one before it began, whatever that did.
"use strict";
const assert = require("node:assert/strict");
const { Chain } = require("./gas-chain.js");
const { PAYEES, World } = require("./gas-world.js");
const { MeasuredVault, NUMBER, TIER, numberFor } = require("./gas-vault.js");
const { Safe, Timelock } = require("./gas-peers.js");

const COUNTS = [1, 10, 100, 200, 256];
const KINDS = ["holder", "newcomer"];
const [FEWER, MORE] = [100, 200]; // a payment's marginal cost is what the second hundred costs, by the payment

const marginal = (gas) => Math.round((gas[MORE] - gas[FEWER]) / (MORE - FEWER));
const mapValues = (object, map) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]));

/** What `work(payees)` gives for each kind of payee and each count. */
async function each(chain, counts, work) {
  const results = {};
  for (const kind of KINDS) {
    results[kind] = {};
    for (const count of counts) results[kind][count] = await chain.apart(() => work(PAYEES[kind].slice(0, count)));
  }
  return results;
}

/** The gas per kind and count, with the marginal cost. */
const withMarginal = (results, pick = (gas) => gas) =>
  mapValues(results, (byCount) => {
    const gas = mapValues(byCount, pick);
    return { ...gas, marginal: marginal(gas) };
  });

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

/** What everything is measured on: a vault in use, one never used, and the peers. */
async function setUp(chain) {
  const world = await World.create(chain);
  const unused = await MeasuredVault.create(world);
  const vault = await MeasuredVault.create(world);
  await vault.warm();
  return { world, unused, vault, safe: await Safe.create(world), timelock: await Timelock.create(world) };
}

/** The gas of whole transactions. */
async function measureGas(chain) {
  const { world, unused, vault, safe, timelock } = await setUp(chain);
  const [payee] = PAYEES.holder;
  const approved = await each(chain, COUNTS, (payees) => vault.payApproved(payees));
  return {
    bare: withMarginal(await each(chain, COUNTS, loop(world, "BareLoop"))),
    floor: withMarginal(await each(chain, COUNTS, loop(world, "FloorLoop"))),
    pay: withMarginal(await each(chain, COUNTS, (payees) => vault.pay(payees))),
    execute: withMarginal(approved, (gas) => gas.execute),
    propose: withMarginal(approved, (gas) => gas.propose),
    approval: approved.holder[1].approval,
    lastApproval: approved.holder[1].lastApproval,
    withdraw: await chain.apart(() => vault.withdraw(payee)),
    ...(await firstUses(chain, vault, unused)),
    safeApproved: await chain.apart(() => safe.byApprovals(payee, false)),
    safeSecondExecutes: await chain.apart(() => safe.byApprovals(payee, true)),
    safeSigned: await chain.apart(() => safe.bySignatures([payee])),
    multiSend: withMarginal(await each(chain, [FEWER, MORE], (payees) => safe.bySignatures(payees))),
    timelock: await chain.apart(() => timelock.withdraw(payee)),
  };
}

/** Where the gas goes: of single transactions, and of one more payment in a batch. The chain must be traced. */
async function measureParts(chain) {
  const { world, vault } = await setUp(chain);
  const holders = (count) => PAYEES.holder.slice(0, count);
  const one = async (work) => chain.apart(() => work(holders(1)));
  const more = async (work) => {
    const fewer = await chain.apart(() => work(holders(FEWER)));
    const many = await chain.apart(() => work(holders(MORE)));
    return mapValues(many, (gas, part) => Math.round((gas - fewer[part]) / (MORE - FEWER)));
  };
  world.inParts = true;
  const { propose, approve, execute } = await one(([payee]) => vault.withdraw(payee));
  return {
    floor: await one(loop(world, "FloorLoop")),
    pay: await one((payees) => vault.pay(payees)),
    propose,
    approve,
    execute,
    moreFloor: await more(loop(world, "FloorLoop")),
    morePay: await more((payees) => vault.pay(payees)),
    moreExecute: await more(async (payees) => (await vault.payApproved(payees)).execute),
  };
}

/** Runs `work` on a chain of its own. */
async function onChain(options, work) {
  const chain = await Chain.start(options);
  try {
    return await work(chain);
  } finally {
    chain.stop();
  }
}

/** Everything, in one run on two chains: one measures, the other says where the gas goes. */
async function measure() {
  const gas = await onChain({ traced: false }, measureGas);
  const parts = await onChain({ traced: true }, measureParts);
  assert.equal(parts.pay.total, gas.pay.holder[1], "tracing changes no gas");
  assert.equal(parts.execute.total, gas.withdraw.execute, "tracing changes no gas");
  return { ...gas, parts };
}

module.exports = { COUNTS, KINDS, measure };
