// A batch as people write it down: an order and its payments. Each field is held to its shape and named where it breaks it, because
// what is written here decides who is paid.
"use strict";
const { isAddress, isHex, size } = require("viem");
const { PAYMENT_BYTES } = require("./batch.js");

const ORDER = ["tier", "expiresAt", "firstNumber", "context"];
const PAYMENT = ["recipient", "amount", "reference"];
const MOST_PAYMENTS = 256;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const refuse = (place, value, rule) => {
  throw new Error(`${place} ${typeof value === "string" ? value : JSON.stringify(value)}: ${rule}`);
};

/** An object with these fields, all of them, and no other. */
function fields(value, place, names) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(place, value, "must be an object");
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) refuse(`${place}.${unknown}`, value[unknown], `is no field; ${place} has ${names.join(", ")}`);
  const missing = names.find((name) => value[name] === undefined);
  if (missing !== undefined) refuse(`${place}.${missing}`, value[missing] ?? "", "is missing");
}

/** A whole number of at most so many bits, as a number or in decimal digits. */
function integer(value, place, bits, least = 0n) {
  const isWhole = typeof value === "string" ? /^\d+$/.test(value) : Number.isSafeInteger(value);
  if (!isWhole) refuse(place, value, "must be a whole number, in decimal digits");
  const whole = BigInt(value);
  if (whole < least || whole >> BigInt(bits) !== 0n) refuse(place, value, `must be from ${least} to 2^${bits} - 1`);
  return whole;
}

const bytes = (value, count) => typeof value === "string" && isHex(value) && value.length % 2 === 0 && size(value) === count;

function payment(value, place) {
  fields(value, place, PAYMENT);
  const { recipient, amount, reference } = value;
  const isPayee = typeof recipient === "string" && isAddress(recipient);
  if (!isPayee) refuse(`${place}.recipient`, recipient, "must be an address of 20 bytes, in small letters or with its EIP-55 checksum");
  if (BigInt(recipient) === 0n) refuse(`${place}.recipient`, recipient, "must not be zero");
  const isUuid = typeof reference === "string" && UUID.test(reference);
  if (!isUuid && !bytes(reference, 16)) refuse(`${place}.reference`, reference, "must be a UUID, or 0x and 32 hexadecimal digits");
  return {
    recipient,
    amount: integer(amount, `${place}.amount`, 96, 1n),
    reference: isUuid ? `0x${reference.replaceAll("-", "")}` : reference,
  };
}

/** Order and payments of a batch's file: the payments either packed, as the vault takes them, or one by one. */
function readBatch(value) {
  const isPacked = value?.packed !== undefined;
  fields(value, "Batch", [...ORDER, isPacked ? "packed" : "payments"]);
  const { payments, packed, context } = value;
  if (!bytes(context, 32)) refuse("Batch.context", context, "must be 32 bytes");
  const order = {
    tier: integer(value.tier, "Batch.tier", 8),
    expiresAt: integer(value.expiresAt, "Batch.expiresAt", 40),
    firstNumber: integer(value.firstNumber, "Batch.firstNumber", 64),
    context,
  };
  if (isPacked) {
    const count = typeof packed === "string" && isHex(packed) ? (packed.length - 2) / 2 / PAYMENT_BYTES : 0;
    const isWhole = Number.isInteger(count) && count >= 1 && count <= MOST_PAYMENTS;
    if (!isWhole) refuse("Batch.packed", packed, `must be 1 to ${MOST_PAYMENTS} payments of ${PAYMENT_BYTES} bytes each`);
    return { order, packed };
  }
  if (!Array.isArray(payments) || payments.length < 1 || payments.length > MOST_PAYMENTS) {
    refuse("Batch.payments", payments, `must be a list of 1 to ${MOST_PAYMENTS} payments`);
  }
  return { order, payments: payments.map((each, i) => payment(each, `Batch.payments[${i}]`)) };
}

module.exports = { readBatch };
