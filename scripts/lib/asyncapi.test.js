"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");
const { Parser } = require("../asyncapi/node_modules/@asyncapi/parser");

const DOCUMENT = path.join(__dirname, "../../keeper/publish/asyncapi.json");

// The severity of an error, as the parser tells it.
const ERROR = 0;

test("the document of events is what AsyncAPI's own parser takes", async () => {
  const { document, diagnostics } = await new Parser().parse(fs.readFileSync(DOCUMENT, "utf8"));
  assert.deepStrictEqual(diagnostics.filter(({ severity }) => severity === ERROR), []);
  const sends = document.operations().filterBySend();
  assert.deepStrictEqual(sends.map((one) => one.id()).sort(), ["tellExchange", "tellWebhook", "writeTopic"]);
  for (const operation of sends) {
    const [message] = operation.messages().all();
    assert.ok(message.payload().properties() ?? message.payload().allOf(), operation.id());
  }
});

test("a document that is none is refused", async () => {
  const whole = JSON.parse(fs.readFileSync(DOCUMENT, "utf8"));
  whole.operations.writeTopic.action = "tell";
  const { diagnostics } = await new Parser().parse(JSON.stringify(whole));
  assert.ok(diagnostics.some(({ severity }) => severity === ERROR));
});
