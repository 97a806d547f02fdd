"use strict";
const assert = require("node:assert/strict");
const { test } = require("node:test");
const { sumOf } = require("./batch.js");
const { asCsv, makeRequests } = require("./demo-requests.js");
const { Signers } = require("./demo-signers.js");
const { percentile } = require("./demo-report.js");

const COUNTS = [20, 50, 200, 1000];

test("the same seed gives the same requests, another seed others", () => {
  assert.deepEqual(makeRequests({ count: 50, seed: "1" }), makeRequests({ count: 50, seed: "1" }));
  assert.notDeepEqual(makeRequests({ count: 50, seed: "1" }).requests, makeRequests({ count: 50, seed: "2" }).requests);
});

test("every tier and every reason not to pay occurs, and refs are unique", () => {
  for (const count of COUNTS) {
    const { requests } = makeRequests({ count, seed: "1" });
    assert.equal(requests.length, count);
    assert.equal(new Set(requests.map(({ reference }) => reference)).size, count);
    for (const tier of [0, 1, 2]) assert(requests.some((request) => request.tier === tier));
    const holds = requests.filter(({ hold }) => hold !== null).map(({ hold }) => hold);
    assert.deepEqual(holds.sort(), ["above_limit", "recipient_blocked", "token_blacklist"]);
  }
});

test("each payable amount fits its tier and no lower one, for its recipient's standing", () => {
  const { requests, regulars, policy } = makeRequests({ count: 200, seed: "1" });
  const limit = (tier, recipient) => (regulars.includes(recipient) ? policy[tier].maxKnown : policy[tier].maxUnknown);
  for (const { recipient, amount, tier } of requests.filter(({ hold }) => hold === null)) {
    assert(amount <= limit(tier, recipient));
    assert(tier === 0 || amount > limit(tier - 1, recipient));
  }
});

test("the automatic tier's cap is too small for all, and large enough within a second day", () => {
  for (const count of [50, 200, 1000]) {
    const { requests, policy } = makeRequests({ count, seed: "1" });
    const asked = sumOf(requests.filter(({ tier }) => tier === 0));
    assert(asked > policy[0].cap && asked < 2n * policy[0].cap, `${count} requests`);
    for (const tier of [1, 2]) assert(sumOf(requests.filter((request) => request.tier === tier)) <= policy[tier].cap);
  }
});

test("a file of requests has a line for each, with amounts in whole tokens", () => {
  const { requests } = makeRequests({ count: 20, seed: "1" });
  const lines = asCsv(requests).trimEnd().split("\n");
  assert.equal(lines[0], "ref,recipient,amount");
  assert.equal(lines.length, 21);
  const [reference, recipient, amount] = lines[1].split(",");
  assert.equal(`0x${reference.replaceAll("-", "")}`, requests[0].reference);
  assert.equal(recipient, requests[0].recipient);
  assert.match(amount, /^\d+\.\d{6}$/);
  assert.equal(BigInt(amount.replace(".", "")), requests[0].amount);
});

test("signers refuse a batch that is not what was requested", () => {
  const { requests, policy } = makeRequests({ count: 20, seed: "1" });
  const signers = new Signers(null, requests, policy);
  const objections = (changes, given = []) =>
    signers.objections({ objections: given, payments: [{ ...requests[0], number: 1n, ...changes }] });
  assert.deepEqual(objections({}), []);
  assert.equal(objections({ amount: requests[0].amount + 1n }).length, 1);
  assert.equal(objections({ recipient: requests[1].recipient }).length, 1);
  assert.equal(objections({ reference: `0x${"00".repeat(16)}` }).length, 1);
  assert.equal(objections({}, ["the id is stated as something else"]).length, 1);
  const held = requests.find(({ hold }) => hold !== null);
  assert.equal(signers.objections({ objections: [], payments: [{ ...held, number: 1n }] }).length, 1);
});

test("percentiles are values that occurred", () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  assert.equal(percentile(values, 0.5), 50);
  assert.equal(percentile(values, 0.95), 95);
  assert.equal(percentile([7], 0.95), 7);
  assert.equal(percentile([], 0.5), null);
});
