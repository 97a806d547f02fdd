// The checker must be able to fail: a history that is in order passes, and each way of doctoring it is found by its rule.
"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { encodeAbiParameters, encodeEventTopics, getAddress, keccak256, numberToHex, slice, toHex } = require("viem");
const { batchId, headerOf, orderOf, packPayments, sumOf, vaultDomain } = require("./batch.js");
const { STANDING, check } = require("./demo-check.js");
const { TOKEN, factsOf } = require("./demo-facts.js");
const vaultAbi = require("../../contracts/abi/Vault.json");

const CHAIN_ID = 31337;
const DAY = 86_400;
const DELAY = 3600;
const hashOf = (label) => keccak256(toHex(label));
const addressOf = (label) => getAddress(slice(hashOf(label), 0, 20));
const [VAULT, TOKEN_AT, PROPOSER] = ["vault", "token", "proposer"].map(addressOf);
const SIGNERS = ["alice", "bob", "carol"].map(addressOf);
const NONE = { maxKnown: 0n, maxUnknown: 0n, cap: 0n, approvals: 0, delay: 0 };
const TIERS = [
  { maxKnown: 500n, maxUnknown: 100n, cap: 1000n, approvals: 0, delay: 0 },
  { maxKnown: 5000n, maxUnknown: 5000n, cap: 9000n, approvals: 2, delay: DELAY },
];
const CONTEXT = hashOf("context");
const LATE = 4_000_000_000;

const request = (label, amount, hold = null) => ({
  reference: slice(hashOf(`ref ${label}`), 0, 16),
  recipient: addressOf(label),
  amount,
  hold,
});

/** A chain that says whatever it is told. */
class History {
  constructor() {
    Object.assign(this, { vaultLogs: [], tokenLogs: [], times: new Map(), block: 0n, time: 1_800_000_000, balances: new Map() });
    this.balances.set(VAULT, { before: 0n, after: 0n });
    this.at(0).emit("SignersSet", { epoch: 1n, oldSigners: [], signers: SIGNERS, oldThreshold: 0n, threshold: 2n });
    TIERS.forEach((newTier, tier) => this.emit("TierSet", { tier: BigInt(tier), oldTier: NONE, newTier }));
    this.transfer(addressOf("bank"), VAULT, 100_000n);
  }

  /** A new block, so many seconds later. */
  at(later) {
    this.block += 1n;
    this.time += later;
    this.times.set(this.block, this.time);
    return this;
  }

  log(address, abi, eventName, args) {
    const { inputs } = abi.find(({ type, name }) => type === "event" && name === eventName);
    const open = inputs.filter(({ indexed }) => !indexed);
    const logIndex = this.vaultLogs.length + this.tokenLogs.length;
    return {
      address,
      topics: encodeEventTopics({ abi, eventName, args }),
      data: encodeAbiParameters(open, open.map(({ name }) => args[name])),
      blockNumber: this.block,
      transactionHash: numberToHex(this.block, { size: 32 }),
      logIndex,
    };
  }

  emit(eventName, args) {
    this.vaultLogs.push(this.log(VAULT, vaultAbi, eventName, args));
    return this;
  }

  transfer(from, to, value, holder = from === VAULT ? to : from) {
    this.tokenLogs.push(this.log(TOKEN_AT, TOKEN, "Transfer", { from, to, value }));
    const change = (account, by) => {
      const { before, after } = this.balances.get(account) ?? { before: 0n, after: 0n };
      this.balances.set(account, { before, after: after + by });
    };
    change(VAULT, from === VAULT ? -value : value);
    if (from === VAULT) change(holder, value);
    return this;
  }

  batch(tier, firstNumber, payments, expiresAt = LATE) {
    const packed = packPayments(payments);
    const header = headerOf(packed, { firstNumber, tier, expiresAt, context: CONTEXT });
    return { header, packed, payments, id: batchId(vaultDomain(CHAIN_ID, VAULT), header) };
  }

  /** Pays a batch at once; `doctored` replaces what the event says. */
  pay(firstNumber, payments, { tier = 0, expiresAt, order, args } = {}) {
    const { id, header, packed } = this.batch(tier, firstNumber, payments, expiresAt);
    const paidMask = 2n ** BigInt(payments.length) - 1n;
    const stated = { id, order: orderOf({ ...header, ...order }), paidMask, payments: packed, ...args };
    payments.forEach(({ recipient, amount }) => this.transfer(VAULT, recipient, amount));
    return this.emit("BatchPaid", stated);
  }

  propose(firstNumber, payments) {
    const batch = this.batch(1, firstNumber, payments);
    this.emit("BatchProposed", { id: batch.id, proposer: PROPOSER, order: orderOf(batch.header), payments: batch.packed });
    return batch;
  }

  execute({ id, header, payments }, doctored = {}) {
    payments.forEach(({ recipient, amount }) => this.transfer(VAULT, recipient, amount));
    const paidMask = 2n ** BigInt(payments.length) - 1n;
    return this.emit("BatchExecuted", { id, firstNumber: header.firstNumber, paidMask, total: sumOf(payments), ...doctored });
  }

  facts() {
    return factsOf({ ...this, chainId: CHAIN_ID, vault: VAULT });
  }
}

const AUTOMATIC = [request("ann", 100n), request("ben", 70n)];
const APPROVED = [request("cid", 4000n), request("dan", 3000n)];
const HELD = [request("eve", 10n, "blocked")];
const REQUESTS = [...AUTOMATIC, ...APPROVED, ...HELD];
const HIGH = 1n << 63n;

/** Proposed, approved, waited and executed; `doctor` may change a step. */
function approved(history, { votes = 2, delay = DELAY, payments = APPROVED, doctored } = {}) {
  const batch = history.at(1).propose(HIGH, payments);
  if (votes > 1) history.at(1).emit("Approved", { id: batch.id, signer: SIGNERS[0] });
  history.at(1).emit("Queued", { id: batch.id, caller: SIGNERS[1] });
  return history.at(delay).execute(batch, doctored);
}

const inOrder = () => approved(new History().at(1).pay(1n, AUTOMATIC));
const broken = (history, requests = REQUESTS) =>
  check(history.facts(), requests)
    .rules.filter(({ findings }) => findings.length > 0)
    .map(({ name }) => name);
const breaks = (history, ...names) => assert.deepEqual(broken(history).sort(), names.sort());

test("a history in order breaks no rule", () => {
  breaks(inOrder());
  assert.equal(check(inOrder().facts(), REQUESTS).paid.length, 4);
});

test("a number paid twice is found, and so is its ref", () => {
  breaks(inOrder().at(1).pay(1n, AUTOMATIC.slice(0, 1)), "number", "ref");
});

test("a ref paid again under another number is found", () => {
  breaks(inOrder().at(1).pay(9n, AUTOMATIC.slice(0, 1)), "ref");
});

test("a wrong amount is found", () => {
  const wrong = [{ ...AUTOMATIC[0], amount: 99n }, AUTOMATIC[1]];
  breaks(approved(new History().at(1).pay(1n, wrong)), "body");
});

test("a wrong recipient is found", () => {
  const wrong = [{ ...AUTOMATIC[0], recipient: addressOf("thief") }, AUTOMATIC[1]];
  breaks(approved(new History().at(1).pay(1n, wrong)), "body");
});

test("a payment that nobody requested is found", () => {
  breaks(inOrder().at(1).pay(5n, [request("thief", 5n)]), "body");
});

test("a missing payment is found", () => {
  breaks(approved(new History().at(1).pay(1n, AUTOMATIC.slice(0, 1))), "missing");
  breaks(new History().at(1).pay(1n, AUTOMATIC), "missing");
});

test("a paid request that must be held is found", () => {
  breaks(inOrder().at(1).pay(5n, HELD), "held");
});

test("a payment to a blocked recipient is found whatever was requested", () => {
  const history = new History();
  const { recipient } = AUTOMATIC[0];
  history.at(1).emit("RecipientSet", { recipient, oldStanding: STANDING.unknown, standing: STANDING.blocked });
  breaks(approved(history.at(1).pay(1n, AUTOMATIC)), "limit");
});

test("the larger limit is for known recipients alone", () => {
  const large = [request("ann", 500n)];
  const history = new History();
  assert.deepEqual(broken(history.at(1).pay(1n, large), large), ["limit"]);
  const known = new History();
  known.at(1).emit("RecipientSet", { recipient: large[0].recipient, oldStanding: STANDING.unknown, standing: STANDING.known });
  assert.deepEqual(broken(known.at(1).pay(1n, large), large), []);
});

test("a cap overrun is found in a closed span of 24 hours, and not a second later", () => {
  const many = Array.from({ length: 11 }, (_, i) => request(`many ${i}`, 100n));
  const over = (later) => new History().at(1).pay(1n, many.slice(0, 10)).at(later).pay(11n, many.slice(10));
  assert.deepEqual(broken(over(1), many), ["cap"]);
  assert.deepEqual(broken(over(DAY), many), ["cap"]);
  assert.deepEqual(broken(over(DAY + 1), many), []);
});

test("too few approvals, and a delay cut short, are found", () => {
  const start = () => new History().at(1).pay(1n, AUTOMATIC);
  breaks(approved(start(), { votes: 1 }), "approval");
  breaks(approved(start(), { delay: DELAY - 1 }), "approval");
});

test("a vote that was taken back does not count", () => {
  const history = new History().at(1).pay(1n, AUTOMATIC);
  const batch = history.at(1).propose(HIGH, APPROVED);
  history.at(1).emit("Approved", { id: batch.id, signer: SIGNERS[0] }).emit("Queued", { id: batch.id, caller: SIGNERS[1] });
  history.at(1).emit("Revoked", { id: batch.id, signer: SIGNERS[0] });
  breaks(history.at(DELAY).execute(batch), "approval");
});

test("a batch executed that was never proposed is found", () => {
  const history = new History().at(1).pay(1n, AUTOMATIC);
  breaks(history.at(1).execute(history.batch(1, HIGH, APPROVED)), "statement", "approval", "missing", "transfer", "sum");
});

test("an automatic payment after its expiry, or out of another tier, is found", () => {
  const late = new History().at(1);
  breaks(approved(late.pay(1n, AUTOMATIC, { expiresAt: late.time })), "approval");
  breaks(approved(new History().at(1).pay(1n, AUTOMATIC, { order: { tier: 1 } })), "approval", "id");
});

test("a batch paid at once by votes has its approvals, and a tier without a delay", () => {
  const paid = (signers, delay) => {
    const history = new History().at(1);
    history.emit("TierSet", { tier: 1n, oldTier: TIERS[1], newTier: { ...TIERS[1], delay } });
    const { id } = history.batch(1, 1n, AUTOMATIC);
    for (const signer of signers) history.emit("Approved", { id, signer });
    return broken(history.pay(1n, AUTOMATIC, { tier: 1 }), AUTOMATIC);
  };
  assert.deepEqual(paid(SIGNERS.slice(0, 2), 0), []);
  assert.deepEqual(paid(SIGNERS.slice(0, 1), 0), ["approval"]);
  assert.deepEqual(paid(SIGNERS.slice(0, 2), DELAY), ["approval"]);
});

test("an event that does not agree with its own payments is found", () => {
  const paid = (args) => approved(new History().at(1).pay(1n, AUTOMATIC, { args }));
  const executed = (doctored) => approved(new History().at(1).pay(1n, AUTOMATIC), { doctored });
  breaks(executed({ total: 171n }), "statement");
  breaks(executed({ firstNumber: HIGH + 1n }), "statement");
  breaks(paid({ id: hashOf("another") }), "id");
  breaks(approved(new History().at(1).pay(1n, AUTOMATIC, { order: { context: hashOf("another") } })), "id");
  breaks(paid({ paidMask: 7n }), "statement");
  breaks(paid({ paidMask: 1n }), "missing", "transfer", "sum");
});

test("a transfer that the vault does not know of is found", () => {
  breaks(inOrder().at(1).transfer(VAULT, addressOf("thief"), 1n), "transfer", "sum");
  breaks(inOrder().at(1).transfer(VAULT, AUTOMATIC[0].recipient, 1n), "transfer", "sum");
});

test("a balance that does not follow is found", () => {
  const short = inOrder();
  short.balances.set(AUTOMATIC[0].recipient, { before: 0n, after: 99n });
  breaks(short, "sum");
  const leak = inOrder();
  leak.balances.set(VAULT, { before: 0n, after: 1n });
  breaks(leak, "sum");
});

test("a log of an unknown kind is an error, not passed over", () => {
  const history = inOrder();
  history.vaultLogs.push({ ...history.vaultLogs[0], topics: [hashOf("Unknown()")] });
  assert.throws(() => history.facts(), /1 logs are none of the known events/);
});
