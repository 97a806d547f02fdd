// Turns measurements into rows with a target and a verdict, and rows into text.
"use strict";
const { COUNTS } = require("./gas-measure.js");

const HEAD = ["what", "measured", "bound or best peer", "target", "verdict"];
const NAMES = { holder: "a holder", newcomer: "a new holder" };
// The targets, in gas. A marginal cost may be this much of the floor+.
const TARGET = { marginal: 1.05, automatic: 79_000, automaticStretch: 77_000, approval: 34_500, withdrawal: 183_000 };

const number = (gas) => gas.toLocaleString("en-US");
const sum = (gas) => Object.values(gas).flat().reduce((total, part) => total + part, 0);
const row = (key, what, gas, more = {}) => ({ key, what, gas, bound: null, target: null, ...more });

function verdict({ gas, target, stretch }) {
  if (target === null) return "";
  if (gas > target) return `missed by ${number(gas - target)}`;
  if (stretch === undefined) return "met";
  return gas > stretch ? `met; stretch ${number(stretch)} missed by ${number(gas - stretch)}` : "met, stretch too";
}

function marginalRows(g) {
  const rows = [];
  for (const [kind, name] of Object.entries(NAMES)) {
    const floor = g.floor[kind].marginal;
    const bound = { gas: floor, name: "floor+" };
    const target = Math.floor(floor * TARGET.marginal);
    rows.push(
      row(`marginal.bare.${kind}`, `bare loop, to ${name}`, g.bare[kind].marginal),
      row(`marginal.floor.${kind}`, `floor+ loop, to ${name}`, floor),
      row(`marginal.pay.${kind}`, `**automatic batch, to ${name}**`, g.pay[kind].marginal, { bound, target }),
      row(`marginal.execute.${kind}`, `**approved batch, execute, to ${name}**`, g.execute[kind].marginal, { bound, target }),
      row(`marginal.multiSend.${kind}`, `Safe and MultiSendCallOnly, to ${name}`, g.multiSend[kind].marginal),
    );
  }
  return [...rows, row("marginal.propose", "approved batch, propose", g.propose.holder.marginal)];
}

function singleRows(g) {
  const approveHash = { gas: g.safeApproved.approvals[0], name: "Safe approveHash" };
  const target = TARGET.approval;
  return [
    row("pay.holder", "**single automatic payment, to a holder**", g.pay.holder[1], {
      bound: { gas: g.floor.holder[1], name: "floor+ of one" },
      target: TARGET.automatic,
      stretch: TARGET.automaticStretch,
    }),
    row("pay.newcomer", "single automatic payment, to a new holder", g.pay.newcomer[1], {
      bound: { gas: g.floor.newcomer[1], name: "floor+ of one" },
    }),
    row("propose", "propose one payment, by a proposer", g.propose.holder[1]),
    row("approval", "**one approval**", g.approval, { bound: approveHash, target }),
    row("lastApproval", "**the approval that brings quorum**", g.lastApproval, { bound: approveHash, target }),
    row("execute.holder", "execute one approved payment, to a holder", g.execute.holder[1]),
    row("execute.newcomer", "execute one approved payment, to a new holder", g.execute.newcomer[1]),
  ];
}

function withdrawalRows(g) {
  const bound = { gas: sum(g.safeApproved), name: "Safe, the same three steps" };
  return [
    row("withdrawal", "**2-of-3: propose with first vote, approve, execute**", sum(g.withdraw), {
      bound,
      target: TARGET.withdrawal,
    }),
    row("withdrawal.propose", "of which propose, by a signer", g.withdraw.propose),
    row("withdrawal.approve", "of which the second approval", g.withdraw.approve),
    row("withdrawal.execute", "of which execute, by a keeper", g.withdraw.execute),
    row("safe.approved", "Safe 2-of-3: approveHash twice, execution by a third", bound.gas),
    row("safe.approved.execute", "of which the execution", g.safeApproved.execute),
    row("safe.second", "Safe 2-of-3: approveHash once, execution by the other owner", sum(g.safeSecondExecutes)),
    row("safe.signed", "Safe 2-of-3: one execution with two signatures made off chain", g.safeSigned),
    row("timelock", "TimelockController: schedule and execute, one proposer, no quorum", sum(g.timelock)),
  ];
}

const firstUseRows = (g) => [
  row("first.pay.word", "automatic payment, fresh bitmap word", g.payFreshWord),
  row("first.pay.window", "automatic payment, fresh window", g.payFreshWindow),
  row("first.pay.both", "automatic payment, both fresh: the first of a vault", g.payFreshBoth),
  row("first.pay.whole", "256 automatic payments that fill a fresh bitmap word", g.payWholeFreshWord),
  row("first.execute.word", "execute one approved payment, fresh bitmap word", g.executeFreshWord),
  row("first.execute.window", "execute one approved payment, fresh window", g.executeFreshWindow),
];

/** Sections of the main table. */
const sections = (g) => [
  { title: "One more payment in a batch", rows: marginalRows(g) },
  { title: "Single payments and votes", rows: singleRows(g) },
  { title: "One withdrawal to a holder, all its transactions", rows: withdrawalRows(g) },
  { title: "First use of a storage slot", rows: firstUseRows(g) },
].map(({ title, rows }) => ({ title, rows: rows.map((r) => ({ ...r, verdict: verdict(r) })) }));

/** A Markdown table whose columns line up; all but the first hold numbers if `right`. */
function table(head, lines, right) {
  const width = head.map((cell, i) => Math.max(3, cell.length, ...lines.map((line) => line[i].length)));
  const put = (line) => `| ${line.map((cell, i) => (right(i) ? cell.padStart(width[i]) : cell.padEnd(width[i]))).join(" | ")} |`;
  const rule = `|${width.map((w, i) => (right(i) ? `${"-".repeat(w + 1)}:` : "-".repeat(w + 2))).join("|")}|`;
  return [put(head), rule, ...lines.map(put)].join("\n");
}

function sectionTable({ title, rows }) {
  const lines = rows.map(({ what, gas, bound, target, verdict: said }) => [
    what,
    number(gas),
    bound === null ? "" : `${number(bound.gas)} ${bound.name}`,
    target === null ? "" : number(target),
    said,
  ]);
  return `### ${title}\n\n${table(HEAD, lines, (i) => i === 1 || i === 3)}`;
}

function batchTable(g, kind) {
  const head = ["payments", "bare loop", "floor+ loop", "automatic", "approved: propose", "approved: execute"];
  const columns = [g.bare, g.floor, g.pay, g.propose, g.execute];
  const lines = COUNTS.map((count) => [count, ...columns.map((column) => column[kind][count])].map(number));
  return `### Batches to ${kind === "holder" ? "holders" : "new holders"}\n\n${table(head, lines, () => true)}`;
}

function partsTable({ parts }) {
  const names = {
    floor: "floor+ loop, one payment",
    pay: "single automatic payment",
    propose: "withdrawal: propose, by a signer",
    approve: "withdrawal: the second approval",
    execute: "withdrawal: execute",
    moreFloor: "one more payment, floor+ loop",
    morePay: "one more payment, automatic",
    moreExecute: "one more payment, approved: execute",
  };
  const head = ["what", "intrinsic and calldata", "calls to the token", "storage", "logs", "own code", "total"];
  const lines = Object.entries(names).map(([key, name]) => [name, ...Object.values(parts[key]).map(number)]);
  return `### Where the gas goes, to a holder\n\n${table(head, lines, (i) => i > 0)}`;
}

/** All tables as text. */
const tables = (g) =>
  [...sections(g).map(sectionTable), batchTable(g, "holder"), batchTable(g, "newcomer"), partsTable(g)].join("\n\n");

module.exports = { number, sections, sum, tables };
