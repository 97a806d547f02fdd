// What a batch's file may say. What is let through here is what people are asked to sign.
"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { packPayments } = require("./batch.js");
const { readBatch } = require("./batch-file.js");

const PAYMENT = { recipient: "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc", amount: "123456", reference: `0x${"aa".repeat(16)}` };
const BATCH = { tier: 1, expiresAt: 1798000000, firstNumber: "9223372036854775900", context: `0x${"00".repeat(32)}`, payments: [PAYMENT] };
const withPayment = (changes) => ({ ...BATCH, payments: [PAYMENT, { ...PAYMENT, ...changes }] });
const without = (value, field) => Object.fromEntries(Object.entries(value).filter(([name]) => name !== field));

test("a batch is read as it is written, packed or one by one", () => {
  const { order, payments } = readBatch(BATCH);
  assert.deepEqual(order, { tier: 1n, expiresAt: 1798000000n, firstNumber: 9223372036854775900n, context: BATCH.context });
  assert.deepEqual(payments, [{ ...PAYMENT, amount: 123456n }]);
  const packed = packPayments(payments);
  assert.deepEqual(readBatch({ ...without(BATCH, "payments"), packed }), { order, packed });
  const uuid = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
  assert.equal(readBatch(withPayment({ reference: uuid })).payments[1].reference, PAYMENT.reference);
  const small = PAYMENT.recipient.toLowerCase();
  assert.equal(readBatch(withPayment({ recipient: small })).payments[1].recipient, small);
});

test("whatever is not of its shape is refused, and named", () => {
  const place = "Batch\\.payments\\[1\\]";
  for (const [given, refusal] of [
    // A byte that moves from one field to the next would be another recipient and another amount.
    [withPayment({ recipient: `0x${"33".repeat(19)}`, reference: `0x${"aa".repeat(17)}` }), `^${place}\\.recipient 0x33`],
    [withPayment({ reference: `0x${"aa".repeat(17)}` }), `^${place}\\.reference 0xaa`],
    [withPayment({ recipient: "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dd" }), `^${place}\\.recipient .*EIP-55`],
    [withPayment({ recipient: PAYMENT.recipient.slice(2) }), `^${place}\\.recipient 9965`],
    [withPayment({ recipient: `0x${"00".repeat(20)}` }), `^${place}\\.recipient .*zero`],
    [withPayment({ recipient: 5 }), `^${place}\\.recipient 5`],
    [withPayment({ amount: "" }), `^${place}\\.amount : must be a whole number`],
    [withPayment({ amount: "0" }), `^${place}\\.amount 0: must be from 1`],
    [withPayment({ amount: "1.5" }), `^${place}\\.amount 1\\.5`],
    [withPayment({ amount: "0x10" }), `^${place}\\.amount 0x10`],
    [withPayment({ amount: true }), `^${place}\\.amount true`],
    [withPayment({ amount: ["5"] }), `^${place}\\.amount \\["5"\\]`],
    [withPayment({ amount: (2n ** 96n).toString() }), `^${place}\\.amount .*2\\^96`],
    [withPayment({ extra: 1 }), `^${place}\\.extra 1: is no field`],
    [{ ...BATCH, payments: [without(PAYMENT, "amount")] }, "^Batch\\.payments\\[0\\]\\.amount : is missing"],
    [{ ...BATCH, payments: [{ ...without(PAYMENT, "amount"), amuont: "5" }] }, "\\.amuont 5: is no field"],
    [{ ...without(BATCH, "tier"), teir: 1 }, "^Batch\\.teir 1: is no field"],
    [without(BATCH, "context"), "^Batch\\.context : is missing"],
    [{ ...BATCH, context: "0x00" }, "^Batch\\.context 0x00: must be 32 bytes"],
    [{ ...BATCH, tier: "one" }, "^Batch\\.tier one"],
    [{ ...BATCH, tier: 256 }, "^Batch\\.tier 256"],
    [{ ...BATCH, expiresAt: -1 }, "^Batch\\.expiresAt -1"],
    [{ ...BATCH, packed: `0x${"00".repeat(48)}` }, "^Batch\\.payments .*is no field"],
    [{ ...without(BATCH, "payments"), packed: `0x${"00".repeat(47)}` }, "^Batch\\.packed"],
    [{ ...without(BATCH, "payments"), packed: "0x" }, "^Batch\\.packed"],
    [{ ...BATCH, payments: [] }, "^Batch\\.payments \\[\\]"],
    [{ ...BATCH, payments: Array(257).fill(PAYMENT) }, "^Batch\\.payments .*1 to 256"],
    [[BATCH], "^Batch .*must be an object"],
    [null, "^Batch null: must be an object"],
  ]) {
    assert.throws(() => readBatch(given), { message: new RegExp(refusal) }, JSON.stringify(given)?.slice(0, 200));
  }
});
