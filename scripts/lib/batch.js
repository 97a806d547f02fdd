// Batches as the vault's events show them: unpacked, added up and hashed by viem alone. Shares no code with the keeper or
// the contracts, so that a signer can hold both to it.
"use strict";
const { concat, getAddress, hashTypedData, keccak256, parseAbi, size, slice, toHex, zeroAddress } = require("viem");

const PAYMENT_BYTES = 48; // 20 recipient, 12 amount, 16 ref
const FIELDS =
  "uint64 firstNumber, uint16 count, uint8 tier, uint128 total, address recipient, uint40 expiresAt, bytes32 paymentsHash, bytes32 context";

/** The EIP-712 fields of a batch's header. */
const BATCH = FIELDS.split(", ").map((field) => {
  const [type, name] = field.split(" ");
  return { name, type };
});

/** The events that say what was proposed and what was paid. */
const BATCH_EVENTS = parseAbi([
  "struct Order { bytes32 context; bytes14 head; }",
  "event BatchProposed(bytes32 indexed id, address indexed proposer, Order order, bytes payments)",
  "event BatchPaid(bytes32 indexed id, Order order, uint256 paidMask, bytes payments)",
  "event BatchExecuted(bytes32 indexed id, uint256 firstNumber, uint256 paidMask, uint256 total)",
]);

const vaultDomain = (chainId, vault) => ({ name: "Tidelock Vault", version: "1", chainId, verifyingContract: vault });

/** Id of a batch: the EIP-712 digest of its header. */
const batchId = (domain, message) => hashTypedData({ domain, types: { Batch: BATCH }, primaryType: "Batch", message });

/** What a call states of a batch; the rest of its header follows from the payments. */
function orderOf({ tier, expiresAt, firstNumber, context }) {
  const head = concat([toHex(firstNumber, { size: 8 }), toHex(expiresAt, { size: 5 }), toHex(tier, { size: 1 })]);
  return { context, head };
}

/** An order's fields, one by one. */
function unpackOrder({ context, head }) {
  const [firstNumber, expiresAt, tier] = [slice(head, 0, 8), slice(head, 8, 13), slice(head, 13, 14)].map(BigInt);
  return { tier: Number(tier), expiresAt: Number(expiresAt), firstNumber, context };
}

/** Payments as the vault takes them. */
const packPayments = (payments) =>
  concat(payments.map(({ recipient, amount, reference }) => concat([recipient.toLowerCase(), toHex(amount, { size: 12 }), reference])));

/** Payments out of packed bytes, each with its number. */
function unpackPayments(packed, firstNumber) {
  if (size(packed) === 0 || size(packed) % PAYMENT_BYTES !== 0) {
    throw new Error(`packed payments are ${size(packed)} bytes; a multiple of ${PAYMENT_BYTES} is needed`);
  }
  return Array.from({ length: size(packed) / PAYMENT_BYTES }, (_, i) => {
    const at = i * PAYMENT_BYTES;
    return {
      number: BigInt(firstNumber) + BigInt(i),
      recipient: getAddress(slice(packed, at, at + 20)),
      amount: BigInt(slice(packed, at + 20, at + 32)),
      reference: slice(packed, at + 32, at + 48),
    };
  });
}

const sumOf = (payments) => payments.reduce((sum, { amount }) => sum + amount, 0n);

/** The header of packed payments under an order. */
function headerOf(packed, { tier, expiresAt, firstNumber, context }) {
  const payments = unpackPayments(packed, firstNumber);
  return {
    firstNumber: BigInt(firstNumber),
    count: payments.length,
    tier: Number(tier),
    total: sumOf(payments),
    recipient: payments.length === 1 ? payments[0].recipient : zeroAddress,
    expiresAt: Number(expiresAt),
    paymentsHash: keccak256(packed),
    context,
  };
}

/** What a batch really is, from the order and the packed payments of its event, and whether its id is another. */
function recompute(domain, id, order, packed) {
  const header = headerOf(packed, unpackOrder(order));
  const actual = batchId(domain, header);
  const objections = actual === id.toLowerCase() ? [] : [`the id is stated as ${id}, order and payments make it ${actual}`];
  return { id: actual, header, payments: unpackPayments(packed, header.firstNumber), objections };
}

/** The header as cast takes it. */
const asTuple = (header) => `(${BATCH.map(({ name }) => header[name]).join(",")})`;

/** A ref as a UUID is written. */
const asUuid = (reference) => reference.slice(2).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");

module.exports = { BATCH, BATCH_EVENTS, PAYMENT_BYTES, asTuple, asUuid, batchId, headerOf, orderOf, packPayments, recompute, sumOf, unpackOrder, unpackPayments, vaultDomain };
