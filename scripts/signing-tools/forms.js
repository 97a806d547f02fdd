// Other ways to write one EIP-712 document, each of which some tool might be given: what a tool makes of them says which forms
// can be trusted. The digest beside each is the one that the vault makes.
"use strict";
const { vaultDomain } = require("../lib/batch.js");
const { typedData } = require("../lib/typed-data.js");

const VAULT = "0x01c0D824Ffa0F762Ef3F0f40c652Bc5976EB78de";
const CHAIN_ID = 1n;
const ODD = 2n ** 53n + 1n; // the least integer that a 64-bit float cannot hold
const ORDINARY = {
  firstNumber: 1n,
  count: 1,
  tier: 1,
  total: 5n,
  recipient: `0x${"ab".repeat(20)}`,
  expiresAt: 1_900_000_000,
  paymentsHash: `0x${"cd".repeat(32)}`,
  context: `0x${"ef".repeat(32)}`,
};

const batch = (altered = {}, chainId = CHAIN_ID) => typedData(vaultDomain(chainId, VAULT), "Batch", { ...ORDINARY, ...altered });
const asIs = ({ document, digest }) => ({ text: JSON.stringify(document), digest });

/** The document with some decimal strings written otherwise. */
function rewritten({ document, digest }, fields, write) {
  const pattern = new RegExp(`"(${fields.join("|")})":"(\\d+)"`, "g");
  return { text: JSON.stringify(document).replace(pattern, (_, name, value) => `"${name}":${write(value)}`), digest };
}
const bare = (given, ...fields) => rewritten(given, fields, (value) => value);
const hex = (given, ...fields) => rewritten(given, fields, (value) => `"0x${BigInt(value).toString(16)}"`);

/** The document after a change of its own. */
function edited(given, edit) {
  const document = structuredClone(given.document);
  edit(document);
  return { text: JSON.stringify(document), digest: given.digest };
}
const replaced = ({ document, digest }, from, to) => ({ text: JSON.stringify(document).replace(from, to), digest });

const large = batch({ firstNumber: 2n ** 63n + 5n, total: ODD }, ODD);

/** Each form by what the table calls it. */
const FORMS = {
  "decimal strings, as `scripts/typed-data` writes them": asIs(large),
  "`0x` hexadecimal strings": hex(large, "firstNumber", "total", "chainId"),
  "bare number, at most 2^53 − 1": bare(batch({ total: 2n ** 53n - 1n }), "total"),
  "bare number, 2^53": bare(batch({ total: 2n ** 53n }), "total"),
  "bare number, 2^53 + 1": bare(batch({ total: ODD }), "total"),
  "bare number, 2^63": bare(batch({ firstNumber: 2n ** 63n }), "firstNumber"),
  "bare number, 2^63 + 5": bare(batch({ firstNumber: 2n ** 63n + 5n }), "firstNumber"),
  "bare `chainId`, 2^53 + 1": bare(batch({}, ODD), "chainId"),
  "bare number written `1.0`": replaced(batch(), '"tier":1', '"tier":1.0'),
  "without `EIP712Domain` in `types`": edited(batch(), ({ types }) => delete types.EIP712Domain),
  "`EIP712Domain` in another order": edited(batch(), ({ types }) => types.EIP712Domain.reverse()),
  "a type that nothing refers to": edited(batch(), ({ types }) => (types.Extra = [{ name: "word", type: "uint8" }])),
  "a field that the type lacks": edited(batch(), ({ message }) => (message.extra = 1)),
  "a field of the type left out": edited(batch(), ({ message }) => delete message.tier),
};

module.exports = { FORMS };
