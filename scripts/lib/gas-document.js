// audits/gas.md: the tables, how they are measured, and what is missed.
"use strict";
const path = require("node:path");
const { HARDFORK } = require("./anvil.js");
const { ROOT, readJson } = require("./gas-world.js");
const { number, sections, sum, tables } = require("./gas-report.js");

const { devDependencies: pinned } = readJson(path.join(ROOT, "package.json"));

const how = (g) => `## How it is measured

Each number is \`gasUsed\` from the receipt of a real transaction: intrinsic cost and calldata are in it. Anvil ${pinned["@foundry-rs/anvil"]} runs the
\`${HARDFORK}\` rules; contracts are built by solc ${pinned.solc} with the settings of [foundry.toml](../foundry.toml). Keys, payees,
amounts and block times are fixed, so every run gives the same numbers. Around each transaction the balances of the source and of every
payee are read: each payee must have got exactly its amount and the source must have lost exactly the sum, or the run
fails. Proposals, votes and schedules must move nothing.

- **Token**: the stand-in for USDT on Ethereum, built by the compiler of its time without optimizer. No fee, not paused.
- **Payment**: 123.456789 USDT to a recipient that is not in the vault's book, with a reference of 16 bytes that look
  random. A *holder* has some of the token already; a *new holder* has none, so the token writes a new slot.
- **Warm** are, in all tables but *First use of a storage slot*: the tier's window, the bitmap's word, the source's balance
  and Safe's nonce. Warm means written in an earlier block, so not zero. A batch of 256 fits into no word that is in use, so
  its numbers lie across two words, both in use.
- **Cold** is everything else. In each transaction the first access to the token and to any slot is a cold one, the warm
  slots included; a proposal's slot, and that of an approved hash, is zero before.
- **Marginal** (*one more payment*) is (gas of 200 payments − gas of 100) / 100.
- **Bare loop** ([PackedLoops.sol](../contracts/test/gas/PackedLoops.sol)) pays packed items of 28 bytes and checks nothing.
  **Floor+ loop** pays items of 48 bytes, reads each recipient's standing and logs the items: the least that any vault with
  these rules must do.
- **Withdrawal** counts three transactions: a signer proposes, which is the first vote; a second signer approves; after
  the delay a keeper executes.
- **Peers** are as their packages on npm build them: Safe ${pinned["@safe-global/safe-contracts"]} (three owners, threshold 2, behind a proxy, no guard, nothing
  refunded) and OpenZeppelin ${pinned["@openzeppelin/contracts"]}. Safe's AllowanceModule is not on npm, so it is not measured.

The peers do less. Safe has no time lock, no caps, no standing of recipients and no payment numbers, so that paying one
invoice twice is for its owners to avoid, and one failing transfer fails a whole MultiSend. TimelockController has a delay,
and no caps, standing or quorum. On the other hand Safe takes votes as signatures made off chain, and lets the last owner
vote by executing. The vault does neither: its delay parts the last vote from the execution, and votes are transactions. A
withdrawal by two of three costs ${(sum(g.withdraw) / g.safeSigned).toFixed(1)} times what it costs with Safe at its cheapest.
`;

/** Why, in numbers of the same run where there are any. */
function why(g) {
  const { floor, pay, propose, approve, execute } = g.parts;
  const over = (part) => number(pay[part] - floor[part]);
  const three = (part) => number(propose[part] + approve[part] + execute[part]);
  return `By the table *Where the gas goes*:

- **A single automatic payment** spends this above the floor+: storage ${over("storage")}, the vault's own code ${over("rest")}, logs ${over("logs")},
  calls to the token ${over("calls")}, calldata ${over("intrinsic")}. It reads five slots (policy with tier, the keeper's role, the recipient's
  standing, the window, the bitmap word) and writes the last two; each of them is needed. The vault believes balances and
  not answers, so it reads its own balance before and after. The log repeats what rebuilds the header.
- **An approval** reads who votes, and reads and writes the proposal: ${number(approve.storage)}, with ${number(approve.intrinsic)} for a transaction that carries
  the header. What is left for code and the log is little: the header is hashed again, so that a signer approves what is
  shown and not an opaque id. The vote that brings quorum also checks that enough life is left.
- **A withdrawal** is three transactions, each with the whole header: ${three("intrinsic")} before any of them does a thing. Storage costs
  ${three("storage")}: the proposal is created, then written again by the second vote and by the execution. Logs cost ${three("logs")}, because
  they alone must suffice to rebuild every payment, and the vault's own code ${three("rest")}.
- **The vault's own code** hashes and checks the header, unpacks payments, and finds the function that is called, for which
  the compiler compares selectors one after the other.

*Execute* is held to the floor+ too, which logs each payment; *execute* does not, since *propose* did. One more payment in an
approved batch costs the sum of the two: ${number(g.propose.holder.marginal + g.execute.holder.marginal)} to a holder.
`;
}

/** The whole document. */
function document(g) {
  const missed = sections(g).flatMap(({ rows }) => rows.filter(({ verdict }) => verdict.includes("missed")));
  const list = missed.map(({ what, verdict }) => `- ${what.replaceAll("**", "")}: ${verdict}`);
  return `# What payments cost

Written by \`scripts/bench gas --write\`; do not edit. All numbers are gas.

![Bars: what a payment costs in gas, beside floors and peers](gas.svg)

## Tables

${tables(g)}

## What is missed

${list.length === 0 ? "No target is missed." : list.join("\n")}

## Why it costs that

${why(g)}
${how(g)}`;
}

module.exports = { document };
