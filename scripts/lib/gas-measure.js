// Every measurement of the gas table; each begins where the one before it began, whatever that did.
"use strict";
const assert = require("node:assert/strict");
const { getContractAddress, size } = require("viem");
const { Chain, EXECUTION_GAS, Reverted } = require("./gas-chain.js");
const { measurePrices } = require("./gas-prices.js");
const { MOST, PAYEES, World } = require("./gas-world.js");
const { MeasuredVault, NUMBER, TIER, numberFor } = require("./gas-vault.js");
const { Safe, Timelock } = require("./gas-peers.js");

const FORKS = ["osaka", "amsterdam"];
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

/** Most new holders that `work(payees)` pays in one transaction whose limit is what Osaka allows. Not more than a batch is tried. */
async function mostThatFit(chain, work) {
  const fits = async (count) => {
    try {
      await chain.apart(() => chain.within(EXECUTION_GAS, () => work(PAYEES.newcomer.slice(0, count))));
      return true;
    } catch (error) {
      if (error instanceof Reverted) return false; // what pays some and not all is another error, and ends the run
      throw error;
    }
  };
  let [most, tooMany] = [0, MOST + 1];
  while (tooMany - most > 1) {
    const count = most === 0 ? MOST : (most + tooMany) >> 1;
    if (await fits(count)) most = count;
    else if (most === 0) [most, tooMany] = [1, count];
    else tooMany = count;
  }
  return most;
}

/** What each contract costs to create, and how large the vault's two are. */
async function measureCreation(chain, { vault, safe, timelock }) {
  const addresses = [vault.address, getContractAddress({ from: vault.address, nonce: 1n })];
  const codes = await Promise.all(addresses.map((address) => chain.client.getCode({ address })));
  const [vaultBytes, rulesBytes] = codes.map(size);
  return { ...vault.creation, safe: safe.creation, timelock: timelock.creation, vaultBytes, rulesBytes };
}

/** The gas of whole transactions. */
async function measureGas(chain, contracts) {
  const { world, unused, vault, safe, timelock } = contracts;
  const [payee] = PAYEES.holder;
  const approved = await each(chain, COUNTS, (payees) => vault.payApproved(payees));
  return {
    bare: withMarginal(await each(chain, COUNTS, loop(world, "BareLoop"))),
    floor: withMarginal(await each(chain, COUNTS, loop(world, "FloorLoop"))),
    pay: withMarginal(await each(chain, COUNTS, (payees) => vault.pay(payees))),
    payBySig: withMarginal(await each(chain, COUNTS, (payees) => vault.payBySig(payees))),
    execute: withMarginal(approved, (gas) => gas.execute),
    propose: withMarginal(approved, (gas) => gas.propose),
    approval: approved.holder[1].approval,
    lastApproval: approved.holder[1].lastApproval,
    withdraw: await chain.apart(() => vault.withdraw(payee)),
    withdrawBySig: await chain.apart(() => vault.withdrawBySig(payee)),
    ...(await firstUses(chain, vault, unused)),
    safeApproved: await chain.apart(() => safe.byApprovals(payee, false)),
    safeSecondExecutes: await chain.apart(() => safe.byApprovals(payee, true)),
    safeSigned: await chain.apart(() => safe.bySignatures([payee])),
    multiSend: withMarginal(await each(chain, [FEWER, MORE], (payees) => safe.bySignatures(payees))),
    timelock: await chain.apart(() => timelock.withdraw(payee)),
    creation: await measureCreation(chain, contracts),
  };
}

/** How many new holders one transaction pays. */
async function measureFits(chain, { world, vault, safe }) {
  const most = (work) => mostThatFit(chain, work);
  return {
    bare: await most(loop(world, "BareLoop")),
    floor: await most(loop(world, "FloorLoop")),
    pay: await most((payees) => vault.pay(payees)),
    payBySig: await most((payees) => vault.payBySig(payees)),
    execute: await most((payees) => vault.payApproved(payees)),
    multiSend: await most((payees) => safe.bySignatures(payees)),
  };
}

/** Where the gas goes: of single transactions, of one more payment in a batch, and of whole batches. */
async function measureParts(chain, { world, vault }) {
  const first = (count, kind = "holder") => PAYEES[kind].slice(0, count);
  const one = (work, kind) => chain.apart(() => work(first(1, kind)));
  const more = async (work) => {
    const fewer = await chain.apart(() => work(first(FEWER)));
    const many = await chain.apart(() => work(first(MORE)));
    return mapValues(many, (gas, part) => Math.round((gas - fewer[part]) / (MORE - FEWER)));
  };
  const pay = (payees) => vault.pay(payees);
  return {
    floor: await one(loop(world, "FloorLoop")),
    pay: await one(pay),
    payNewcomer: await one(pay, "newcomer"),
    payBySig: await one((payees) => vault.payBySig(payees)),
    withdraw: await one(([payee]) => vault.withdraw(payee)),
    withdrawBySig: await one(([payee]) => vault.withdrawBySig(payee)),
    payHundred: await chain.apart(() => pay(first(FEWER))),
    payHundredNewcomers: await chain.apart(() => pay(first(FEWER, "newcomer"))),
    moreFloor: await more(loop(world, "FloorLoop")),
    morePay: await more(pay),
    moreExecute: await more(async (payees) => (await vault.payApproved(payees)).execute),
  };
}

/** Runs `work` on a chain of its own, and returns also what was sent to it. */
async function onChain(node, fork, work) {
  const chain = await Chain.start({ node, fork });
  try {
    return { ...(await work(chain, await setUp(chain))), sent: chain.sent };
  } finally {
    chain.stop();
  }
}

/** Everything under one fork's rules. The gas limit of what is taken apart is another than that of the rest. */
const measureFork = (fork) =>
  onChain("geth", fork, async (chain, contracts) => {
    const gas = await measureGas(chain, contracts);
    const fits = await measureFits(chain, contracts);
    const prices = await chain.within(EXECUTION_GAS, () => chain.apart(() => measurePrices(chain)));
    contracts.world.inParts = true;
    const parts = await chain.within(EXECUTION_GAS, () => measureParts(chain, contracts));
    assert.equal(parts.pay.total, gas.pay.holder[1], "the gas limit changes no gas");
    assert.equal(parts.withdraw.execute.total, gas.withdraw.execute, "the gas limit changes no gas");
    return { gas: { ...gas, fits, prices, parts } };
  });

/** The gas of each fork, and every transaction that was sent. Anvil must agree with geth wherever it can. */
async function measure() {
  const forks = await Promise.all(FORKS.map(measureFork));
  const anvil = await onChain("anvil", "osaka", async (chain, contracts) => ({ gas: await measureGas(chain, contracts) }));
  const { fits, prices, parts, ...osaka } = forks[0].gas;
  assert.deepEqual(anvil.gas, osaka, "anvil and geth count the same gas under Osaka's rules");
  const byFork = (pick) => Object.fromEntries(FORKS.map((fork, i) => [fork, pick(forks[i])]));
  return { run: byFork(({ gas }) => gas), sent: byFork(({ sent }) => sent) };
}

module.exports = { COUNTS, FORKS, KINDS, measure };
