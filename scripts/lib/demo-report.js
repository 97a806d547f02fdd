// What a demo ends with: where every request went, what it cost and how long it took. Read from the chain.
"use strict";
const { formatUnits, getAddress } = require("viem");
const { sumOf } = require("./batch.js");
const { inLots } = require("./demo-facts.js");
const { AUTOMATIC } = require("./demo-requests.js");

const DECIMALS = 6;
const money = (units) => formatUnits(units, DECIMALS);

/** The value below which that share of the sorted values lies. */
function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? null;
}

const spread = (values) => ({ p50: percentile(values, 0.5), p95: percentile(values, 0.95) });

/** Gas of every transaction of the vault's, once each. */
async function gasOf(client, events) {
  const hashes = [...new Set(events.map(({ transactionHash }) => transactionHash))];
  const receipts = await inLots(hashes, (hash) => client.getTransactionReceipt({ hash }));
  return Number(receipts.reduce((sum, { gasUsed }) => sum + gasUsed, 0n));
}

/** What the keeper's key sent: how many transactions, how many of them reverted, and their gas. */
async function sentBy(client, sender, fromBlock, toBlock) {
  const numbers = Array.from({ length: Number(toBlock - fromBlock) + 1 }, (_, i) => fromBlock + BigInt(i));
  const blocks = await inLots(numbers, (blockNumber) => client.getBlock({ blockNumber, includeTransactions: true }));
  const ours = blocks.flatMap(({ transactions }) => transactions).filter(({ from }) => getAddress(from) === sender);
  const receipts = await inLots(ours, ({ hash }) => client.getTransactionReceipt({ hash }));
  return {
    transactions: receipts.length,
    reverted: receipts.filter(({ status }) => status !== "success").length,
    gas: Number(receipts.reduce((sum, { gasUsed }) => sum + gasUsed, 0n)),
  };
}

/** One row: payments of a kind, their sum, gas by the payment, and chain time from request to finality. */
async function row(client, { kind, payments, events, since, watch }) {
  const finals = payments.map(({ event }) => watch.finalAt(event.blockNumber));
  return {
    kind,
    payments: payments.length,
    sum: money(sumOf(payments)),
    batches: new Set(payments.map(({ event }) => event.args.id)).size,
    gasPerPayment: payments.length === 0 ? null : Math.round((await gasOf(client, events)) / payments.length),
    blocks: spread(payments.map(({ event }, i) => Number(finals[i].number - event.blockNumber))),
    seconds: spread(finals.map(({ time }) => time - since.time)),
  };
}

/** Events that cost gas on the way to the batches of `payments`. */
function eventsFor(facts, payments) {
  const ids = new Set(payments.map(({ event }) => event.args.id));
  return facts.events.filter(({ args }) => ids.has(args.id));
}

/** Where the requests went. `since` is the head when they were made. */
async function summarise({ world, keeper, facts, checked, requests, watch, since, waitedFrom }) {
  const kinds = [
    ["paid automatically", ({ tier, time }) => tier === AUTOMATIC && time < waitedFrom],
    ["paid automatically, once the cap had room", ({ tier, time }) => tier === AUTOMATIC && time >= waitedFrom],
    ["paid after approval", ({ tier }) => tier !== AUTOMATIC],
  ];
  const rows = [];
  for (const [kind, belongs] of kinds) {
    const payments = checked.paid.filter(belongs);
    rows.push(await row(world.client, { kind, payments, events: eventsFor(facts, payments), since, watch }));
  }
  return {
    requested: { payments: requests.length, sum: money(sumOf(requests)) },
    paid: rows,
    sent: await sentBy(world.client, keeper, world.firstBlock, watch.finalised.number),
    held: requests
      .filter(({ hold }) => hold !== null)
      .map(({ reference, recipient, amount, hold }) => ({ reference, recipient, amount: money(amount), reason: hold })),
  };
}

function duration(seconds) {
  if (seconds === null) return "";
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Rows of cells, columns from the second on flush right. */
function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  return rows.map((cells) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ").trimEnd(),
  );
}

const text = (value) => (value === null ? "" : value.toLocaleString("en"));

function paymentTable({ requested, paid, held }) {
  const heads = ["", "payments", "USDT", "batches", "gas/payment", "blocks to final", "request to final, p50", "p95"];
  const rows = paid.map(({ kind, payments, sum, batches, gasPerPayment, blocks, seconds }) => [
    kind,
    text(payments),
    sum,
    text(batches),
    text(gasPerPayment),
    payments === 0 ? "" : `${blocks.p50} / ${blocks.p95}`,
    duration(seconds.p50),
    duration(seconds.p95),
  ]);
  const rest = (kind, payments, sum) => [kind, text(payments), sum, "", "", "", "", ""];
  const heldRow = rest("held", held.length, "");
  return aligned([heads, rest("requested", requested.payments, requested.sum), ...rows, heldRow]);
}

const REASONS = {
  recipient_blocked: "the vault's book blocks the recipient",
  token_blacklist: "the token would pay, and freeze what it paid",
  above_limit: "no tier takes the amount",
};

/** Everything that a person reads at the end. */
function asLines({ summary, rules, notes }) {
  const { transactions, reverted, gas } = summary.sent;
  const sent = `the keeper sent ${transactions} transactions, of which ${reverted} reverted, with ${text(gas)} gas`;
  const held = summary.held.map(({ recipient, amount, reason }) => [`  ${recipient}`, amount, REASONS[reason] ?? reason]);
  const checks = rules.flatMap(({ says, findings }) => [
    `${findings.length === 0 ? "ok" : "not ok"} - ${says}`,
    ...findings.map((finding) => `    ${finding}`),
  ]);
  const reasons = held.map(([who, amount, why]) => `${who}  ${amount.padStart(16)} USDT  ${why}`);
  return [...paymentTable(summary), "", "held:", ...reasons, "", sent, ...notes, "", "read from the chain alone:", ...checks];
}

module.exports = { asLines, duration, percentile, summarise };
