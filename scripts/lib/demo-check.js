// Judges from the chain alone whether requests were paid as they had to be. Pure: what the chain says comes in as facts
// (demo-facts.js), and every rule returns its findings.
"use strict";
const { getAddress } = require("viem");
const { recompute, sumOf, vaultDomain } = require("./batch.js");

const DAY = 86_400; // seconds
const STANDING = { unknown: 0, known: 1, blocked: 2 };

/** What each rule says, by its name. */
const RULES = {
  id: "each batch's id is the digest of what its event shows",
  statement: "each payout states what its batch holds",
  approval: "each batch had its approvals, its delay and its life",
  limit: "each payment fits its tier for its recipient",
  number: "each number is paid once",
  ref: "each ref is paid once",
  body: "each payment is what was requested",
  missing: "each payable request is paid",
  held: "nothing is paid that must be held",
  transfer: "the token moved what the vault says, and nothing else",
  sum: "vault and recipients changed by the same sums",
  cap: "no tier exceeds its cap in any 24 hours",
};

const where = ({ blockNumber, transactionHash }) => `block ${blockNumber}, transaction ${transactionHash}`;
const of = (events, ...names) => events.filter(({ name }) => names.includes(name));

/** Groups items by key. */
function grouped(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return groups;
}

/** The value that events have set by the time of `event`. */
const setBefore = (events, event, initial) =>
  events.reduce((value, set) => (set.order < event.order ? set.value : value), initial);

/** Every batch of the vault by id, rebuilt from the event that carries its payments. */
function rebuild({ chainId, vault, events }) {
  const domain = vaultDomain(chainId, vault);
  const batches = new Map();
  const findings = [];
  for (const event of of(events, "BatchProposed", "BatchPaid")) {
    const { id, order, payments } = event.args;
    try {
      const rebuilt = recompute(domain, id, order, payments);
      findings.push(...rebuilt.objections.map((objection) => `${objection} (${where(event)})`));
      batches.set(id, rebuilt);
    } catch (error) {
      findings.push(`${error.message} (${where(event)})`);
    }
  }
  return { batches, findings };
}

/** Every payment that the vault says left it, in the order of the chain. */
function paidOf({ events, timeOf }, batches) {
  return of(events, "BatchPaid", "BatchExecuted").flatMap((event) => {
    const batch = batches.get(event.args.id);
    if (batch === undefined) return [];
    return batch.payments
      .filter((_, i) => (event.args.paidMask >> BigInt(i)) & 1n)
      .map((payment) => ({ ...payment, tier: batch.header.tier, event, time: timeOf(event.blockNumber) }));
  });
}

/** What the vault states of each payout agrees with its batch. */
function statements({ events }, batches, paid) {
  return of(events, "BatchPaid", "BatchExecuted").flatMap((event) => {
    const { id, firstNumber, paidMask, total } = event.args; // a batch paid at once states neither number nor total
    const batch = batches.get(id);
    if (batch === undefined) return [`batch ${id} is executed and was never proposed (${where(event)})`];
    const sum = sumOf(paid.filter((payment) => payment.event === event));
    return [
      ...([undefined, batch.header.firstNumber].includes(firstNumber) ? [] : [`batch ${id} is paid from number ${firstNumber}`]),
      ...(paidMask >> BigInt(batch.payments.length) === 0n ? [] : [`batch ${id} has no payment for its mask's top bit`]),
      ...([undefined, sum].includes(total) ? [] : [`batch ${id} states ${total} paid, its payments sum to ${sum} (${where(event)})`]),
    ];
  });
}

/** The votes of a batch at the moment of `until`, and when its clock started. */
function votesOf({ events, timeOf }, id, until) {
  const votes = new Set();
  let quorumAt = null;
  let signers = [];
  for (const event of events.filter(({ order }) => order < until.order)) {
    if (event.name === "SignersSet") {
      signers = event.args.signers;
      votes.clear();
    }
    if (event.args.id !== id) continue;
    const voter = event.args.signer ?? event.args.caller ?? event.args.proposer;
    if (["BatchProposed", "Approved", "Queued"].includes(event.name) && signers.includes(voter)) votes.add(voter);
    if (event.name === "Revoked") votes.delete(voter);
    if (event.name === "Queued") quorumAt = timeOf(event.blockNumber);
    if (["Unqueued", "Cancelled"].includes(event.name)) quorumAt = null;
  }
  return { votes: votes.size, quorumAt };
}

/** The rows of the release policy, by tier, with the moment from which each holds. */
const tierRows = ({ events }) =>
  grouped(
    of(events, "TierSet").map(({ order, args }) => ({ order, value: args.newTier, tier: Number(args.tier) })),
    ({ tier }) => tier,
  );

function approvals(facts, batches) {
  const rows = tierRows(facts);
  return of(facts.events, "BatchPaid", "BatchExecuted").flatMap((event) => {
    const { id } = event.args;
    const tier = batches.get(id)?.header.tier;
    const row = setBefore(rows.get(tier) ?? [], event, undefined);
    if (row === undefined) return [`batch ${id} is paid under tier ${tier}, which is not set`];
    const time = facts.timeOf(event.blockNumber);
    const { expiresAt } = batches.get(id).header;
    const late = time < expiresAt ? [] : [`batch ${id} is paid at ${time}, it expired at ${expiresAt}`];
    const { votes, quorumAt } = votesOf(facts, id, event);
    if (votes < row.approvals) return [...late, `batch ${id} is paid with ${votes} of ${row.approvals} approvals`];
    if (event.name === "BatchPaid") {
      return row.delay === 0 ? late : [...late, `batch ${id} is paid at once, tier ${tier} has a delay of ${row.delay} s`];
    }
    if (quorumAt === null) return [...late, `batch ${id} is executed and its clock was not running`];
    const ready = quorumAt + row.delay;
    return time >= ready ? late : [...late, `batch ${id} is executed at ${time}, it had to wait until ${ready}`];
  });
}

/** Each payment fits the limit of its tier for the recipient's standing then. */
function limits(facts, paid) {
  const rows = tierRows(facts);
  const book = grouped(
    of(facts.events, "RecipientSet").map(({ order, args }) => ({ order, value: args.standing, of: args.recipient })),
    (entry) => entry.of,
  );
  return paid.flatMap(({ number, recipient, amount, tier, event }) => {
    const standing = setBefore(book.get(recipient) ?? [], event, STANDING.unknown);
    const row = setBefore(rows.get(tier) ?? [], event, undefined);
    if (row === undefined) return []; // another rule's finding
    if (standing === STANDING.blocked) return [`number ${number} is paid to ${recipient}, which is blocked`];
    const limit = standing === STANDING.known ? row.maxKnown : row.maxUnknown;
    return amount <= limit ? [] : [`number ${number} is ${amount}, tier ${tier} takes ${limit} for ${recipient}`];
  });
}

/** Nothing is paid twice, neither a number nor a ref. */
const once = (paid, field) =>
  [...grouped(paid, (payment) => payment[field])]
    .filter(([, payments]) => payments.length > 1)
    .map(([key, payments]) => `${field} ${key} is paid ${payments.length} times`);

function bodies(paid, requests) {
  const byRef = new Map(requests.map((request) => [request.reference, request]));
  return paid.flatMap(({ number, reference, recipient, amount }) => {
    const request = byRef.get(reference);
    if (request === undefined) return [`number ${number} pays ref ${reference}, which nobody requested`];
    if (request.recipient === recipient && request.amount === amount) return [];
    return [
      `ref ${reference} is paid with ${amount} to ${recipient}, requested was ${request.amount} to ${request.recipient}`,
    ];
  });
}

function missing(paid, requests) {
  const refs = new Set(paid.map(({ reference }) => reference));
  return requests
    .filter(({ hold, reference }) => hold === null && !refs.has(reference))
    .map(({ reference, amount, recipient }) => `ref ${reference} is not paid: ${amount} to ${recipient}`);
}

function held(paid, requests) {
  const unpayable = new Map(requests.filter(({ hold }) => hold !== null).map((request) => [request.reference, request.hold]));
  return paid
    .filter(({ reference }) => unpayable.has(reference))
    .map(({ reference, number }) => `ref ${reference} is paid as number ${number}: ${unpayable.get(reference)}`);
}

/** In every transaction the token moved what the vault says, payment by payment, and nothing else leaves the vault. */
function transfers({ vault, transfers: all }, paid) {
  const moved = grouped(all.filter(({ from }) => from === vault), ({ transactionHash }) => transactionHash);
  const said = grouped(paid, ({ event }) => event.transactionHash);
  const text = (list) => list.map(({ recipient, to, amount }) => `${amount} to ${recipient ?? to}`).join(", ");
  return [...new Set([...moved.keys(), ...said.keys()])].flatMap((hash) => {
    const [token, events] = [text(moved.get(hash) ?? []), text(said.get(hash) ?? [])];
    return token === events ? [] : [`transaction ${hash}: the token moved [${token}], the vault says [${events}]`];
  });
}

function sums({ vault, transfers: all, balances }, paid) {
  const received = (holder) => sumOf(all.filter(({ to }) => to === holder));
  const out = sumOf(paid);
  const { before, after } = balances.get(vault);
  const findings = [];
  if (before + received(vault) - after !== out) {
    findings.push(`the vault went from ${before} to ${after} after deposits of ${received(vault)}, paid are ${out}`);
  }
  const byPayee = grouped(paid, ({ recipient }) => recipient);
  let gained = 0n;
  for (const [holder, balance] of balances) {
    if (holder === vault) continue;
    const gain = balance.after - balance.before;
    const due = sumOf(byPayee.get(holder) ?? []);
    gained += gain;
    if (gain !== due) findings.push(`${holder} gained ${gain}, paid to it are ${due}`);
  }
  if (gained !== out) findings.push(`recipients gained ${gained} together, paid are ${out}`);
  return findings;
}

/** Every closed 24-hour span begins at some payment; its sum is at most the cap then in force. */
function caps(facts, paid) {
  const rows = tierRows(facts);
  return [...grouped(paid, ({ tier }) => tier)].flatMap(([tier, payments]) => {
    let [last, sum] = [0, 0n];
    return payments.flatMap((first, i) => {
      while (last < payments.length && payments[last].time <= first.time + DAY) sum += payments[last++].amount;
      const cap = setBefore(rows.get(tier) ?? [], payments[last - 1].event, { cap: 0n }).cap;
      const finding = sum <= cap ? [] : [`tier ${tier} pays ${sum} in the 24 h from ${first.time}, its cap is ${cap}`];
      sum -= payments[i].amount;
      return finding;
    });
  });
}

/** Every rule with its findings; all are empty if the requests were paid as they had to be. */
function check(facts, requests) {
  const { batches, findings: unlike } = rebuild(facts);
  const paid = paidOf(facts, batches);
  const normal = requests.map((request) => ({ ...request, recipient: getAddress(request.recipient) }));
  const findings = {
    id: unlike,
    statement: statements(facts, batches, paid),
    approval: approvals(facts, batches),
    limit: limits(facts, paid),
    number: once(paid, "number"),
    ref: once(paid, "reference"),
    body: bodies(paid, normal),
    missing: missing(paid, normal),
    held: held(paid, normal),
    transfer: transfers(facts, paid),
    sum: sums(facts, paid),
    cap: caps(facts, paid),
  };
  const rules = Object.entries(RULES).map(([name, says]) => ({ name, says, findings: findings[name] }));
  return { paid, batches, rules };
}

module.exports = { STANDING, check };
