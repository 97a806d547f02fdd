// audits/gas.md: the tables, what is missed, why it costs that, what the forks differ in, and how it is measured.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { HARDFORK } = require("./anvil.js");
const { ROOT, readJson } = require("./gas-world.js");
const { FORKS } = require("./gas-measure.js");
const { MARGINAL } = require("./gas-targets.js");
const { BLOCK_GAS, EXECUTION_GAS, FORK, number, percent, sections, sum, tables, targetTable } = require("./gas-report.js");

const { devDependencies: pinned } = readJson(path.join(ROOT, "package.json"));
const GETH = fs.readFileSync(path.join(ROOT, "scripts/geth/go.mod"), "utf8").match(/go-ethereum v(\S+)/)[1];

/** A number for each fork. */
const both = (run, gas) => FORKS.map((fork) => number(gas(run[fork]))).join(" on Osaka and ").concat(" on Amsterdam");

const targets = (run) => `A marginal cost may be ${MARGINAL.toFixed(2)} times the floor+ on either fork. The other targets are set for Osaka; Amsterdam's are the
same work at Amsterdam's prices, which is what no vault with these rules can leave out and the forks price differently:

${targetTable(run)}

So a target is missed by as much on both forks, unless the vault does work there that is not in this list.

- *Automatic payment, payment by signatures*: the tier's window and the bitmap word are updated.
- *Approval*: the proposal is updated. A withdrawal creates it, updates it with each later vote and with the execution.
- Safe's AllowanceModule would be the peer of an automatic payment. Of its build npm has the ABI only, so it is not measured.
`;

function missed(run) {
  const lines = sections(run).flatMap(({ rows }) =>
    rows.flatMap(({ what, verdict }) =>
      FORKS.filter((fork) => verdict?.[fork].startsWith("missed")).map(
        (fork) => `- ${what.replaceAll("**", "")}, ${FORK[fork]}: ${verdict[fork]}`,
      ),
    ),
  );
  return lines.length === 0 ? "No target is missed." : lines.join("\n");
}

/** Why, in numbers of the same run where there are any. */
function why(run) {
  const { floor, pay, payBySig, withdraw, withdrawBySig } = run.osaka.parts;
  const over = (part) => number(pay[part] - floor[part]);
  const all = (transactions, part) => number(sum(Object.values(transactions).map((gas) => gas[part])));
  return `By the table *Where the gas goes* of Osaka; on Amsterdam the same work has other prices:

- **A single automatic payment** spends this above the floor+: storage ${over("storage")}, the vault's own code ${over("rest")}, logs ${over("logs")},
  calls to the token ${over("calls")}, calldata ${over("intrinsic")}. It reads five slots (policy with tier, the keeper's role, the recipient's
  standing, the window, the bitmap word) and writes the last two; each of them is needed. The vault believes balances and
  not answers, so it reads its own balance before and after.
- **A payment by signatures** checks two of them for ${number(payBySig.signatures)}, reads two signers and whether the batch was ever proposed
  (storage ${number(payBySig.storage - pay.storage)} more than an automatic one), and logs each vote.
- **An approval** reads who votes, and reads and writes the proposal: ${number(withdraw.approve.storage)} for the second, with ${number(withdraw.approve.intrinsic)} for a transaction
  that carries the header. The header is hashed again, so that a signer approves what is shown and not an opaque id. The
  vote that brings quorum also checks that enough life is left.
- **A withdrawal with votes on chain** is three transactions: ${all(withdraw, "intrinsic")} before any of them does a thing. Storage costs ${all(withdraw, "storage")}: the
  proposal is created, then written again by the second vote and by the execution. **By signatures** it is two: ${all(withdrawBySig, "intrinsic")} and
  ${all(withdrawBySig, "storage")}. The proposal stays: between the votes and the execution somebody must be able to see and to stop it.
- **The vault's own code** hashes and checks the header, unpacks payments, and finds the function that is called, for which
  the compiler compares selectors one after the other.

*Execute* is held to the floor+ too, which logs each payment; *execute* does not, since *propose* did. One more payment in an
approved batch costs the sum of the two: ${both(run, (g) => g.propose.holder.marginal + g.execute.holder.marginal)}, to a holder.
`;
}

/** What Amsterdam's prices mean. */
function forks(run) {
  const [osaka, amsterdam] = FORKS.map((fork) => run[fork]);
  const { newSlot } = amsterdam.prices;
  const holder = amsterdam.pay.holder.marginal;
  const wholeWord = amsterdam.payWholeFreshWord - amsterdam.pay.holder[256];
  const code = amsterdam.creation.vaultBytes + amsterdam.creation.rulesBytes;
  return `**A batch to new holders.** The token gives each of them a slot, and that is nearly all of the price: ${percent(amsterdam.parts.payHundredNewcomers.calls, amsterdam.parts.payHundredNewcomers.total)} of
100 such payments is the token's own. 256 of them cost ${both(run, (g) => g.pay.newcomer[256])}. With a gas limit of
${number(EXECUTION_GAS)}, which is all that Osaka allows a transaction, Amsterdam pays ${number(amsterdam.fits.pay)} of them; the bare loop ${number(amsterdam.fits.bare)}, Safe's MultiSend ${number(amsterdam.fits.multiSend)}. On
Amsterdam a limit may be higher, since what is above that number can be spent on new storage alone; with ${number(BLOCK_GAS)}, the
limit of this run, all 256 are paid. A sender that keeps to Osaka's limit splits such batches. What was
too large for it in this run reverted as a whole.

**What the vault stores**, now that a new slot costs ${number(newSlot)} and a payment to a holder ${number(holder)}:

- *A payment has no slot.* Its number is a bit of a word that 256 numbers share, its charge a part of the one window that its tier
  has for ever. A fresh word costs ${number(wholeWord)} over a batch of 256, so ${number(Math.round(wholeWord / 256))} a payment. A mapping of paid ids would cost ${number(newSlot)} each:
  ${(newSlot / holder).toFixed(1)} times the rest of the payment.
- *A proposal is one slot*: votes, revocations, clock and terms share it, so only its creation pays for a slot. That is ${percent(newSlot, sum(amsterdam.withdraw))} of
  a withdrawal with votes on chain. Its content is in logs and comes again as calldata. Safe's approveHash creates a slot for
  each vote.
- *What needs no proposal has none*: automatic batches, and batches by signatures without delay, create no slot at all.
- *The keeper numbers payments in sequence*, so that words fill up; numbers strewn about would each open a word.

**Creation.** ${number(code)} bytes of code, the vault's ${number(amsterdam.creation.vaultBytes)} and its rules contract's ${number(amsterdam.creation.rulesBytes)}, cost ${number(amsterdam.prices.codeByte)} a byte on Amsterdam and ${number(osaka.prices.codeByte)} on
Osaka: of ${number(amsterdam.creation.vault)} in all, ${percent(code * amsterdam.prices.codeByte, amsterdam.creation.vault)}. That is paid once, and ${percent(amsterdam.creation.vault, BLOCK_GAS)} of a block of ${number(BLOCK_GAS)}; a node whose blocks are
smaller cannot take it. The creation code, which the factory is handed with each call, is in that sum as calldata.
`;
}

const how = (run) => `Each number is \`gasUsed\` from the receipt of a real transaction: intrinsic cost and calldata are in it. go-ethereum ${GETH} runs
the rules of both forks ([scripts/geth](../scripts/geth/main.go)); the same run repeats all of Osaka's transactions on anvil ${pinned["@foundry-rs/anvil"]}
(\`${HARDFORK}\`), and fails unless every number is the same. Contracts are built by solc ${pinned.solc} with the settings of
[foundry.toml](../foundry.toml), for all chains alike. Blocks have ${number(BLOCK_GAS)} gas. A transaction's limit is ${number(EXECUTION_GAS)} on Osaka and
${number(BLOCK_GAS)} on Amsterdam. BNB Smart Chain has Osaka's prices. Amsterdam's may still change until mainnet has it; here they
are what this version of go-ethereum asks.

Keys, payees, amounts and block times are fixed, so every run gives the same numbers. Around each transaction the balances of the
source and of every payee are read: each payee must have got exactly its amount and the source must have lost exactly the
sum, or the run fails. Proposals, votes and schedules must move nothing.
\`scripts/bench gas --json\` prints the numbers, \`--record <file>\` writes every transaction of the run with its gas.

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
- **Withdrawal**: with votes on chain three transactions: a signer proposes, which is the first vote; a second signer approves;
  after the delay a keeper executes. By signatures two: anybody proposes with the votes that two signers made off chain; after
  the delay a keeper executes. In a tier without delay a keeper pays in one transaction that brings the two votes.
- **The token's own** is all that calls to the token cost: its transfers, and the two balances that the vault reads.
- **Peers** are as their packages on npm build them: Safe ${pinned["@safe-global/safe-contracts"]} (three owners, threshold 2, behind a proxy, no guard, nothing
  refunded) and OpenZeppelin ${pinned["@openzeppelin/contracts"]}.

The peers do less. Safe has no time lock, no caps, no standing of recipients and no payment numbers, so that paying one
invoice twice is for its owners to avoid, and one failing transfer fails a whole MultiSend. TimelockController has a delay,
and no caps, standing or quorum. A withdrawal by two signatures costs ${FORKS.map((fork) => (sum(run[fork].withdrawBySig) / run[fork].safeSigned).toFixed(1)).join(" times on Osaka and ")} times on Amsterdam what
it costs with Safe, which waits for nothing; in a tier without delay ${FORKS.map((fork) => (run[fork].payBySig.holder[1] / run[fork].safeSigned).toFixed(1)).join(" and ")} times.
`;

/** The whole document. */
const document = (run) => `# What payments cost

Written by \`scripts/bench gas --write\`; do not edit. All numbers are gas, under the rules of two forks of Ethereum: Osaka, and
Amsterdam, where new storage is several times as dear.

![Bars: what a payment costs in gas, beside floors and peers](gas.svg)

## Tables

${tables(run)}

## Targets

${targets(run)}
## What is missed

${missed(run)}

## Why it costs that

${why(run)}
## What Amsterdam changes

${forks(run)}
## How it is measured

${how(run)}`;

module.exports = { document };
