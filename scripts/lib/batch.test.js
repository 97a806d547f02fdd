"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { toEventSelector } = require("viem");
const { BATCH_EVENTS, asTuple, headerOf, orderOf, packPayments, recompute, unpackPayments, vaultDomain } = require("./batch.js");
const abi = require("../../contracts/abi/Vault.json");
const vectors = require("../../test-fixtures/vectors/batch-id.json");

const statedBy = (vector) => ({
  firstNumber: BigInt(vector.firstNumber),
  tier: Number(vector.tier),
  expiresAt: Number(vector.expiresAt),
  context: vector.context,
});
const domainOf = (vector) => vaultDomain(BigInt(vector.chainId), vector.vault);

test("every vector's id follows from its packed payments", () => {
  assert(vectors.length > 5);
  for (const vector of vectors) {
    const { id, header, payments, objections } = recompute(domainOf(vector), vector.batchId, orderOf(statedBy(vector)), vector.payments);
    assert.deepEqual(objections, [], vector.name);
    assert.equal(id, vector.batchId, vector.name);
    assert.equal(header.total, vector.amounts.reduce((sum, amount) => sum + BigInt(amount), 0n));
    assert.deepEqual(payments.map(({ recipient }) => recipient), vector.recipients);
    assert.deepEqual(payments.map(({ reference }) => reference), vector.references);
    assert.equal(packPayments(payments), vector.payments);
  }
});

test("whatever is altered, the id objects", () => {
  const [, vector] = vectors;
  const judge = (changes, packed = vector.payments, domain = domainOf(vector)) =>
    recompute(domain, vector.batchId, orderOf({ ...statedBy(vector), ...changes }), packed).objections;
  assert.deepEqual(judge({}), []);
  for (const changes of [{ firstNumber: 9n }, { tier: 3 }, { expiresAt: 1 }, { context: vector.batchId }]) {
    assert.equal(judge(changes).length, 1, Object.keys(changes)[0]);
  }
  const altered = `${vector.payments.slice(0, -1)}${vector.payments.endsWith("0") ? "1" : "0"}`;
  assert.match(judge({}, altered).join(), /the id is stated as/);
  assert.equal(judge({}, vector.payments, vaultDomain(1n, vector.recipients[0])).length, 1);
});

test("payments that are no whole number of items are refused", () => {
  const [vector] = vectors;
  assert.throws(() => unpackPayments(vector.payments.slice(0, -2), 1n), /47 bytes; a multiple of 48/);
  assert.throws(() => unpackPayments("0x", 1n), /0 bytes/);
});

test("numbers follow one another", () => {
  const { firstNumber, payments } = vectors.find(({ count }) => count === "3");
  assert.deepEqual(
    unpackPayments(payments, firstNumber).map(({ number }) => number - BigInt(firstNumber)),
    [0n, 1n, 2n],
  );
});

test("a header is written as cast takes it", () => {
  const [vector] = vectors;
  const tuple = asTuple(headerOf(vector.payments, statedBy(vector)));
  assert.equal(tuple.split(",").length, 8);
  assert(tuple.startsWith(`(${vector.firstNumber},1,`) && tuple.endsWith(`${vector.context})`));
});

test("the events are those of the vault", () => {
  for (const event of BATCH_EVENTS) {
    const built = abi.find(({ type, name }) => type === "event" && name === event.name);
    assert.equal(toEventSelector(event), toEventSelector(built), event.name);
    assert.deepEqual(event.inputs.map((input) => input.indexed === true), built.inputs.map((input) => input.indexed), event.name);
  }
});
