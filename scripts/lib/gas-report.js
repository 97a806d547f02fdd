// Turns measurements into rows with a target and a verdict for each fork, and rows into text.
"use strict";
const { BLOCK_GAS, EXECUTION_GAS } = require("./gas-chain.js");
const { COUNTS, FORKS } = require("./gas-measure.js");
const { NAMES, TARGETS, marginalTarget, pricesOf, targetOf } = require("./gas-targets.js");

const PAYEE = { holder: "a holder", newcomer: "a new holder" };
const FORK = { osaka: "Osaka", amsterdam: "Amsterdam" };

const number = (gas) => gas.toLocaleString("en-US");
const percent = (part, whole) => `${((100 * part) / whole).toFixed(0)} %`;
const sum = (gas) => Object.values(gas).flat().reduce((total, part) => total + part, 0);
const byFork = (pick) => Object.fromEntries(FORKS.map((fork) => [fork, pick(fork)]));

const verdict = (gas, target) => (gas > target ? `missed by ${number(gas - target)}` : "met");

/** One row: `gas` and `bound` are functions of a fork's measurements, `target` is one number for each fork. */
function row(run, key, what, gas, { bound, target } = {}) {
  const measured = byFork((fork) => gas(run[fork]));
  return {
    key,
    what,
    gas: measured,
    bound: bound === undefined ? null : { name: bound[0], gas: byFork((fork) => bound[1](run[fork])) },
    target: target ?? null,
    verdict: target === undefined ? null : byFork((fork) => verdict(measured[fork], target[fork])),
  };
}

function marginalRows(run) {
  const rows = Object.entries(PAYEE).flatMap(([kind, name]) => {
    const floor = (g) => g.floor[kind].marginal;
    const held = { bound: ["floor+", floor], target: byFork((fork) => marginalTarget(floor(run[fork]))) };
    const one = (key, what, more) => row(run, `marginal.${key}.${kind}`, `${what}, to ${name}`, (g) => g[key][kind].marginal, more);
    return [
      one("bare", "bare loop"),
      one("floor", "floor+ loop"),
      one("pay", "**automatic batch**", held),
      one("execute", "**approved batch, execute**", held),
      one("payBySig", "batch by signatures, no delay", { bound: held.bound }),
      one("multiSend", "Safe and MultiSendCallOnly"),
    ];
  });
  return [...rows, row(run, "marginal.propose", "approved batch, propose", (g) => g.propose.holder.marginal)];
}

function singleRows(run) {
  const floor = (kind) => ["floor+ of one", (g) => g.floor[kind][1]];
  const vote = { bound: ["Safe approveHash", (g) => g.safeApproved.approvals[0]], target: targetOf(run, "approval") };
  const automatic = { bound: floor("holder"), target: targetOf(run, "automatic") };
  const bySig = {
    bound: ["Safe, two signatures", (g) => g.safeSigned],
    target: targetOf(run, "promptBySig"),
  };
  return [
    row(run, "pay.holder", "**single automatic payment, to a holder**", (g) => g.pay.holder[1], automatic),
    row(run, "pay.newcomer", "single automatic payment, to a new holder", (g) => g.pay.newcomer[1], { bound: floor("newcomer") }),
    row(run, "payBySig.holder", "**payment by two signatures, no delay, to a holder**", (g) => g.payBySig.holder[1], bySig),
    row(run, "payBySig.newcomer", "payment by two signatures, no delay, to a new holder", (g) => g.payBySig.newcomer[1]),
    row(run, "propose", "propose one payment, by a proposer", (g) => g.propose.holder[1]),
    row(run, "approval", "**one approval**", (g) => g.approval, vote),
    row(run, "lastApproval", "**the approval that brings quorum**", (g) => g.lastApproval, vote),
    row(run, "execute.holder", "execute one approved payment, to a holder", (g) => g.execute.holder[1]),
    row(run, "execute.newcomer", "execute one approved payment, to a new holder", (g) => g.execute.newcomer[1]),
  ];
}

function withdrawalRows(run) {
  const onChain = { bound: ["Safe, the same three steps", (g) => sum(g.safeApproved)], target: targetOf(run, "withdrawal") };
  const bySig = { bound: ["Safe, two signatures", (g) => g.safeSigned], target: targetOf(run, "withdrawalBySig") };
  const one = (key, what, gas, more) => row(run, key, what, gas, more);
  return [
    one("withdrawal", "**2-of-3: propose with first vote, approve, execute**", (g) => sum(g.withdraw), onChain),
    one("withdrawal.propose", "of which propose, by a signer", (g) => g.withdraw.propose),
    one("withdrawal.approve", "of which the second approval", (g) => g.withdraw.approve),
    one("withdrawal.execute", "of which execute, by a keeper", (g) => g.withdraw.execute),
    one("withdrawalBySig", "**2-of-3: propose with two signatures made off chain, execute**", (g) => sum(g.withdrawBySig), bySig),
    one("withdrawalBySig.propose", "of which propose, by anybody", (g) => g.withdrawBySig.propose),
    one("withdrawalBySig.execute", "of which execute, by a keeper", (g) => g.withdrawBySig.execute),
    one("safe.approved", "Safe 2-of-3: approveHash twice, execution by a third", (g) => sum(g.safeApproved)),
    one("safe.approved.execute", "of which the execution", (g) => g.safeApproved.execute),
    one("safe.second", "Safe 2-of-3: approveHash once, execution by the other owner", (g) => sum(g.safeSecondExecutes)),
    one("safe.signed", "Safe 2-of-3: one execution with two signatures made off chain", (g) => g.safeSigned),
    one("timelock", "TimelockController: schedule and execute, one proposer, no quorum", (g) => sum(g.timelock)),
  ];
}

const firstUseRows = (run) => [
  row(run, "first.pay.word", "automatic payment, fresh bitmap word", (g) => g.payFreshWord),
  row(run, "first.pay.window", "automatic payment, fresh window", (g) => g.payFreshWindow),
  row(run, "first.pay.both", "automatic payment, both fresh: the first of a vault", (g) => g.payFreshBoth),
  row(run, "first.pay.whole", "256 automatic payments that fill a fresh bitmap word", (g) => g.payWholeFreshWord),
  row(run, "first.execute.word", "execute one approved payment, fresh bitmap word", (g) => g.executeFreshWord),
  row(run, "first.execute.window", "execute one approved payment, fresh window", (g) => g.executeFreshWindow),
];

const creationRows = (run) => [
  row(run, "create.factory", "the factory of vaults, once", (g) => g.creation.factory),
  row(run, "create.vault", "through it a vault of four tiers and three signers, with its rules contract", (g) => g.creation.vault),
  row(run, "create.safe", "Safe: the code that all share, once", (g) => g.creation.safe.singleton),
  row(run, "create.proxy", "Safe: each one, a proxy of three owners", (g) => g.creation.safe.proxy),
  row(run, "create.timelock", "TimelockController", (g) => g.creation.timelock),
];

/** Sections of the main table. */
const sections = (run) => [
  { title: "One more payment in a batch", rows: marginalRows(run) },
  { title: "Single payments and votes", rows: singleRows(run) },
  { title: "One withdrawal to a holder, all its transactions", rows: withdrawalRows(run) },
  { title: "First use of a storage slot", rows: firstUseRows(run) },
  { title: "Creation", rows: creationRows(run) },
];

/** A Markdown table whose columns line up; all but the first hold numbers if `right`. */
function table(head, lines, right = (i) => i > 0) {
  const width = head.map((cell, i) => Math.max(3, cell.length, ...lines.map((line) => line[i].length)));
  const put = (line) => `| ${line.map((cell, i) => (right(i) ? cell.padStart(width[i]) : cell.padEnd(width[i]))).join(" | ")} |`;
  const rule = `|${width.map((w, i) => (right(i) ? `${"-".repeat(w + 1)}:` : "-".repeat(w + 2))).join("|")}|`;
  return [put(head), rule, ...lines.map(put)].join("\n");
}

/** Columns that no row fills are left out. */
function sectionTable({ title, rows }) {
  const judged = rows.some(({ target }) => target !== null);
  const columns = FORKS.flatMap((fork) => [
    [FORK[fork], ({ gas }) => number(gas[fork])],
    ...(judged ? [["target", ({ target }) => (target === null ? "" : number(target[fork]))]] : []),
    ...(judged ? [["verdict", ({ verdict: said }) => said?.[fork] ?? ""]] : []),
  ]);
  const beside = ({ bound }) => (bound === null ? "" : `${FORKS.map((fork) => number(bound.gas[fork])).join(" / ")} ${bound.name}`);
  const all = [["what", ({ what }) => what], ...columns, ...(judged ? [["bound or best peer", beside]] : [])];
  const lines = rows.map((each) => all.map(([, cell]) => cell(each)));
  return `### ${title}\n\n${table(all.map(([name]) => name), lines, (i) => i > 0 && !["verdict", "bound or best peer"].includes(all[i][0]))}`;
}

function priceTable(run) {
  const names = {
    transaction: "a transaction, before its data",
    update: "a slot in use: read, then written",
    newSlot: "a slot never used: read, then written",
    codeByte: "a byte of a contract's code",
    transfers: "the token's transfer to a holder, as the floor+ loop calls it",
  };
  const price = (g, key) => ({ ...g.prices, ...pricesOf(g) })[key];
  const lines = Object.entries(names).map(([key, name]) => [name, ...FORKS.map((fork) => number(price(run[fork], key)))]);
  return `### What the forks ask\n\n${table(["what", ...FORKS.map((fork) => FORK[fork])], lines)}`;
}

function targetTable(run) {
  const head = ["target", "transactions", "slots updated", "slots created", "transfers", "Osaka", "Amsterdam"];
  const lines = Object.entries(TARGETS).map(([key, { work }]) => {
    const target = targetOf(run, key);
    return [NAMES[key], ...[work.transactions, work.updates, work.slots, work.transfers, target.osaka, target.amsterdam].map(number)];
  });
  return table(head, lines);
}

function fitsTable(run) {
  const names = {
    bare: "bare loop",
    floor: "floor+ loop",
    pay: "automatic batch",
    payBySig: "batch by signatures, no delay",
    execute: "approved batch, execute",
    multiSend: "Safe and MultiSendCallOnly",
  };
  const lines = Object.entries(names).map(([key, name]) => [name, ...FORKS.map((fork) => number(run[fork].fits[key]))]);
  const title = `### New holders that one transaction of ${number(EXECUTION_GAS)} gas pays (256 are tried)`;
  return `${title}\n\n${table(["what", ...FORKS.map((fork) => FORK[fork])], lines)}`;
}

function batchTable(run, fork, kind) {
  const g = run[fork];
  const head = ["payments", "bare loop", "floor+ loop", "automatic", "by signatures", "approved: propose", "approved: execute"];
  const columns = [g.bare, g.floor, g.pay, g.payBySig, g.propose, g.execute];
  const lines = COUNTS.map((count) => [count, ...columns.map((column) => column[kind][count])].map(number));
  return `### Batches to ${kind === "holder" ? "holders" : "new holders"}, ${FORK[fork]}\n\n${table(head, lines, () => true)}`;
}

function partsTable(run, fork) {
  const { withdraw, withdrawBySig, ...parts } = run[fork].parts;
  const rows = {
    "floor+ loop, one payment": parts.floor,
    "single automatic payment": parts.pay,
    "payment by signatures, no delay": parts.payBySig,
    "withdrawal: propose, by a signer": withdraw.propose,
    "withdrawal: the second approval": withdraw.approve,
    "withdrawal: execute": withdraw.execute,
    "withdrawal by signatures: propose": withdrawBySig.propose,
    "one more payment, floor+ loop": parts.moreFloor,
    "one more payment, automatic": parts.morePay,
    "one more payment, approved: execute": parts.moreExecute,
  };
  const head = ["what", "intrinsic and calldata", "calls to the token", "signatures", "storage", "logs", "own code", "total"];
  const lines = Object.entries(rows).map(([name, gas]) => [name, ...Object.values(gas).map(number)]);
  return `### Where the gas goes, to a holder, ${FORK[fork]}\n\n${table(head, lines)}`;
}

function shareTable(run) {
  const rows = {
    "single automatic payment, to a holder": "pay",
    "single automatic payment, to a new holder": "payNewcomer",
    "100 automatic payments, to holders": "payHundred",
    "100 automatic payments, to new holders": "payHundredNewcomers",
    "payment by signatures, no delay, to a holder": "payBySig",
  };
  const head = ["what", ...FORKS.flatMap((fork) => [FORK[fork], "of which the token's", "share"])];
  const cells = ({ total, calls }) => [number(total), number(calls), percent(calls, total)];
  const lines = Object.entries(rows).map(([name, key]) => [name, ...FORKS.flatMap((fork) => cells(run[fork].parts[key]))]);
  return `### What is the token's own\n\n${table(head, lines)}`;
}

/** All tables as text. */
function tables(run) {
  const perFork = FORKS.flatMap((fork) => [
    batchTable(run, fork, "holder"),
    batchTable(run, fork, "newcomer"),
    partsTable(run, fork),
  ]);
  return [priceTable(run), ...sections(run).map(sectionTable), fitsTable(run), shareTable(run), ...perFork].join("\n\n");
}

module.exports = { BLOCK_GAS, EXECUTION_GAS, FORK, number, percent, sections, sum, tables, targetTable };
