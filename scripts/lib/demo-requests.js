// The withdrawals of a demo and the release policy that suits them. All of it follows from the seed.
"use strict";
const { getAddress, keccak256, slice, toHex } = require("viem");
const { asUuid, sumOf } = require("./batch.js");

const USDT = 10n ** 6n; // base units
const HOUR = 3600; // seconds
const LIMITS = [
  { known: 1000n * USDT, unknown: 100n * USDT, approvals: 0, delay: 0 },
  { known: 10_000n * USDT, unknown: 2000n * USDT, approvals: 1, delay: HOUR },
  { known: 100_000n * USDT, unknown: 50_000n * USDT, approvals: 2, delay: 6 * HOUR },
];
const AUTOMATIC = 0;
const SHARES = [75, 92, 100]; // of every hundred requests, those up to this one fall to the tier
const REGULARS = 12; // known recipients
// What the caps take of all that is requested, in percent: the automatic tier's is too small, so that some wait a day.
const CAP_PERCENT = [70n, 120n, 120n];

/** Numbers that look random: the hash of seed and label. */
class Chance {
  constructor(seed) {
    this.seed = seed;
  }

  hash(label) {
    return keccak256(toHex(`tidelock demo ${this.seed} ${label}`));
  }

  below(label, limit) {
    return BigInt(this.hash(label)) % BigInt(limit);
  }

  address(label) {
    return getAddress(slice(this.hash(`address ${label}`), 0, 20));
  }

  reference(label) {
    return slice(this.hash(`ref ${label}`), 0, 16);
  }
}

/** An amount that fits the tier and no lower one. */
function amountFor(chance, label, tier, standing) {
  const above = tier === 0 ? 0n : LIMITS[tier - 1][standing];
  return above + 1n + chance.below(`amount ${label}`, LIMITS[tier][standing] - above);
}

/** Three that no tier pays, each for another reason. */
function unpayable(chance) {
  const request = (label, amount, hold) => ({
    reference: chance.reference(label),
    recipient: chance.address(label),
    amount,
    tier: null,
    hold,
  });
  return [
    request("blocked", 25n * USDT, "recipient_blocked"),
    request("blacklisted", 30n * USDT, "token_blacklist"),
    request("too large", LIMITS.at(-1).unknown + 1n, "above_limit"),
  ];
}

/**
 * The requests, in the order in which they are made. `hold` says why one must not be paid, or is null; `tier` is the
 * lowest that takes it.
 */
function makeRequests({ count, seed }) {
  const chance = new Chance(seed);
  const regulars = Array.from({ length: REGULARS }, (_, i) => chance.address(`regular ${i}`));
  const special = unpayable(chance);
  const payable = Array.from({ length: count - special.length }, (_, i) => {
    const draw = chance.below(`tier ${i}`, 100);
    const tier = i < LIMITS.length ? i : SHARES.findIndex((share) => draw < share); // each tier occurs
    const standing = chance.below(`standing ${i}`, 100) < 40 ? "known" : "unknown";
    const recipient = standing === "known" ? regulars[chance.below(`regular of ${i}`, REGULARS)] : chance.address(`payee ${i}`);
    return { reference: chance.reference(i), recipient, amount: amountFor(chance, i, tier, standing), tier, hold: null };
  });
  const all = [...payable];
  special.forEach((request, i) => all.splice(Math.floor(((i + 1) * all.length) / 4), 0, request));
  return { requests: all, regulars, policy: policyFor(payable) };
}

const atLeast = (a, b) => (a > b ? a : b);

/** The release policy. */
function policyFor(payable) {
  return LIMITS.map(({ known, unknown, approvals, delay }, tier) => {
    const asked = sumOf(payable.filter((request) => request.tier === tier));
    const cap = ((asked * CAP_PERCENT[tier]) / 100n / USDT) * USDT;
    return { maxKnown: known, maxUnknown: unknown, cap: atLeast(cap, known), approvals, delay };
  });
}

/** As the keeper reads requests from a file. */
function asCsv(requests) {
  const amount = (units) => `${units / USDT}.${String(units % USDT).padStart(6, "0")}`;
  const lines = requests.map(({ reference, recipient, amount: units }) => `${asUuid(reference)},${recipient},${amount(units)}`);
  return ["ref,recipient,amount", ...lines, ""].join("\n");
}

module.exports = { AUTOMATIC, Chance, USDT, asCsv, makeRequests };
