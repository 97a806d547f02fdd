// What payments may cost, on each fork. Osaka's targets are chosen; Amsterdam's are the same work at Amsterdam's prices, so
// that a target is met on one fork only by work that the other allows too.
"use strict";

// Gas of one more payment in a batch, beside that of the floor+ loop.
const MARGINAL = 1.03;

// `work` is what no vault with these rules can leave out, and what the two forks ask different prices for: transactions,
// slots that are read and updated, slots that are created, and transfers to a holder.
const TARGETS = {
  automatic: { osaka: 76_000, work: { transactions: 1, updates: 2, slots: 0, transfers: 1 } },
  approval: { osaka: 34_500, work: { transactions: 1, updates: 1, slots: 0, transfers: 0 } },
  withdrawal: { osaka: 183_000, work: { transactions: 3, updates: 4, slots: 1, transfers: 1 } },
  withdrawalBySig: { osaka: 150_000, work: { transactions: 2, updates: 3, slots: 1, transfers: 1 } },
  promptBySig: { osaka: 105_000, work: { transactions: 1, updates: 2, slots: 0, transfers: 1 } },
};

const NAMES = {
  automatic: "a single automatic payment",
  approval: "an approval",
  withdrawal: "a withdrawal, votes on chain",
  withdrawalBySig: "a withdrawal by signatures",
  promptBySig: "a payment by signatures, no delay",
};

/** What a unit of each kind of work costs by the run's own measurements; the transfer is the floor+ loop's. */
const pricesOf = (g) => ({
  transactions: g.prices.transaction,
  updates: g.prices.update,
  slots: g.prices.newSlot,
  transfers: g.parts.floor.calls,
});

/** A target on each fork. */
function targetOf(run, name) {
  const { osaka, work } = TARGETS[name];
  const [there, here] = [pricesOf(run.amsterdam), pricesOf(run.osaka)];
  const dearer = Object.entries(work).reduce((sum, [kind, times]) => sum + times * (there[kind] - here[kind]), 0);
  return { osaka, amsterdam: osaka + dearer };
}

const marginalTarget = (floor) => Math.floor(floor * MARGINAL);

module.exports = { MARGINAL, NAMES, TARGETS, marginalTarget, pricesOf, targetOf };
