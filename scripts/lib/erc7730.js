// How a wallet shows what a signer signs: an ERC-7730 (version 2) descriptor of every vote, made from the types that the
// contracts declare. Each field of each type is shown; one without a rule here is an error.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { zeroAddress } = require("viem");
const { KINDS, TYPES, approvalType, changeType, enumIn, typesOf } = require("./typed-data.js");

const VOCABULARY = fs.readFileSync(path.join(__dirname, "../../contracts/src/types/VaultTypes.sol"), "utf8");
const USDT = "0xdAC17F958D2ee523a2206206994597C13D831ec7"; // on Ethereum
const TEMPLATE = { chainId: 1, vault: zeroAddress, token: USDT };

// Label and format by field; a name that means two things has the struct before it. Ledger's screens take 20 characters.
const raw = (label) => ({ label, format: "raw" });
const amount = (label) => ({ label, format: "tokenAmount", params: { token: "$.metadata.constants.token" } });
const account = (label) => ({ label, format: "addressName", params: { sources: ["local"] } });
const date = (label) => ({ label, format: "date", params: { encoding: "timestamp" } });
const seconds = (label) => ({ label, format: "duration" });
const choice = (label, name) => ({ label, format: "enum", params: { $ref: `$.metadata.enums.${name}` } });
const RULES = {
  signer: account("Signer"),
  epoch: raw("Signer epoch"),
  firstNumber: raw("First number"),
  count: raw("Payments"),
  tier: raw("Tier"),
  total: amount("Total"),
  recipient: account("Sole payee"),
  paymentsHash: raw("Hash of payments"),
  context: raw("Context"),
  expiresAt: date("Expires"),
  nonce: raw("Nonce"),
  signers: account("Signer after"),
  threshold: raw("Approvals needed"),
  maxKnown: amount("Most to known"),
  maxUnknown: amount("Most to unknown"),
  cap: amount("Most in 24 hours"),
  approvals: raw("Approvals needed"),
  delay: seconds("Delay"),
  policyDelay: seconds("Policy delay"),
  recipients: account("Recipient"),
  oldStanding: choice("Standing before", "Standing"),
  standing: choice("Standing after", "Standing"),
  account: account("Account"),
  role: choice("Role", "Role"),
  oldUntil: date("End before"),
  until: date("End after"),
  guardians: account("Guardian after"),
  "GuardiansChange.until": date("Guardians until"),
  haltedUntil: date("Frozen until"),
  successor: account("Successor"),
  token: account("Token"),
};
const INTENTS = {
  Batch: "Approve payments",
  Signers: "Replace signers",
  Tiers: "Replace tiers",
  Recipients: "Change recipients",
  Role: "Change role",
  Guardians: "Replace guardians",
  Unfreeze: "End freeze",
  Successor: "Set successor",
  Sweep: "Sweep token",
};

/** The type as EIP-712 encodes it: itself, then those that it refers to by name. */
function encodeType(primaryType) {
  const { [primaryType]: own, ...others } = typesOf(primaryType);
  const declare = ([name, fields]) => `${name}(${fields.map((field) => `${field.type} ${field.name}`).join(",")})`;
  return [[primaryType, own], ...Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1))].map(declare).join("");
}

/** Every field of a type, also within its structs, each with a rule of how it is shown. Lists of structs become groups. */
function fieldsOf(type, prefix = "") {
  return TYPES[type].flatMap(({ name, type: fieldType }) => {
    const place = `${prefix}${name}`;
    const element = fieldType.replace(/\[\]$/, "");
    const isList = element !== fieldType;
    if (element in TYPES && isList) return [{ path: `${place}.[]`, label: element, iteration: "bundled", fields: fieldsOf(element) }];
    if (element in TYPES) return fieldsOf(element, `${place}.`);
    const rule = RULES[`${type}.${name}`] ?? RULES[name];
    if (rule === undefined) throw new Error(`nothing says how ${type}.${name} is shown`);
    return [{ path: isList ? `${place}.[]` : place, ...rule, visible: "always" }];
  });
}

const numbered = (names) => Object.fromEntries(names.map((name, i) => [`${i}`, name]));

/** A descriptor for one vault; without one, a template whose vault is the zero address. */
function descriptor({ chainId, vault, token } = TEMPLATE) {
  const contents = [["Batch", "Batch"], ...KINDS.map((kind) => [kind, changeType(kind)])];
  const formats = contents.map(([kind, content]) => {
    const primaryType = approvalType(content);
    return [encodeType(primaryType), { intent: INTENTS[kind], fields: fieldsOf(primaryType) }];
  });
  return {
    $schema: "https://eips.ethereum.org/assets/eip-7730/erc7730-v2.schema.json",
    context: {
      $id: "Tidelock Vault",
      eip712: {
        domain: { name: "Tidelock Vault", version: "1", chainId, verifyingContract: vault },
        deployments: [{ chainId, address: vault }],
      },
    },
    metadata: {
      owner: "Tidelock",
      contractName: "Tidelock Vault",
      constants: { token },
      enums: Object.fromEntries(["Standing", "Role"].map((name) => [name, numbered(enumIn(VOCABULARY, name))])),
    },
    display: { formats: Object.fromEntries(formats) },
  };
}

module.exports = { TEMPLATE, descriptor, encodeType };
