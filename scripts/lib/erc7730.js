// How a wallet shows what people sign: ERC-7730 (version 2) descriptors of every vote, made from the types that the contracts
// declare, and of every call, made from the vault's ABI. Each field is shown; one without a rule here is an error.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { zeroAddress } = require("viem");
const { KINDS, TYPES, approvalType, changeType, enumIn, typesOf } = require("./typed-data.js");

const VOCABULARY = fs.readFileSync(path.join(__dirname, "../../contracts/src/types/VaultTypes.sol"), "utf8");
const VAULT_ABI = JSON.parse(fs.readFileSync(path.join(__dirname, "../../contracts/abi/Vault.json"), "utf8"));
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
  oldTermsChangedAt: date("Tiers written"),
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
  id: raw("Proposal"),
  kind: choice("Change", "ChangeKind"),
  change: raw("Encoded change"),
  head: raw("Number, expiry, tier"),
  payments: raw("Packed payments"),
  skipMask: raw("Payments left out"),
  signature: raw("Signature"),
};
const ENUMS = ["Standing", "Role", "ChangeKind"];
// By what is voted for, and by function.
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
  Tighten: "Tighten tiers",
  pay: "Pay",
  payBySig: "Pay with votes",
  propose: "Propose payments",
  proposeBySig: "Propose with votes",
  approve: "Approve payments",
  approveBySig: "Bring votes",
  execute: "Execute payments",
  proposeChange: "Propose change",
  proposeChangeBySig: "Propose with votes",
  approveChange: "Approve change",
  approveChangeBySig: "Bring votes",
  executeChange: "Execute change",
  revoke: "Take vote back",
  cancel: "Veto proposal",
  freeze: "Freeze vault",
  blockRecipient: "Block recipient",
  revokeRole: "End role",
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

/** The parameters of a function as its key spells them, names included. */
const spelled = ({ name, type, components }) =>
  `${components === undefined ? type : `(${components.map(spelled).join(",")})${type.replace("tuple", "")}`} ${name}`;

/** Every value that a parameter carries. */
function parametersOf({ name, type, components }, prefix = "") {
  const place = `${prefix}${name}`;
  if (components === undefined) {
    if (RULES[name] === undefined) throw new Error(`nothing says how parameter ${name} is shown`);
    return [{ path: place, ...RULES[name], visible: "always" }];
  }
  if (type === "tuple") return components.flatMap((component) => parametersOf(component, `${place}.`));
  const fields = components.flatMap((component) => parametersOf(component));
  return [{ path: `${place}.[]`, label: name, iteration: "bundled", fields }];
}

function intentOf(name) {
  if (INTENTS[name] === undefined) throw new Error(`nothing says what ${name} is for`);
  return INTENTS[name];
}

function voteFormats() {
  const contents = [["Batch", "Batch"], ...KINDS.map((kind) => [kind, changeType(kind)])];
  return contents.map(([kind, content]) => {
    const primaryType = approvalType(content);
    return [encodeType(primaryType), { intent: intentOf(kind), fields: fieldsOf(primaryType) }];
  });
}

function callFormats() {
  const calls = VAULT_ABI.filter(({ type, stateMutability }) => type === "function" && stateMutability === "nonpayable");
  return calls.map(({ name, inputs }) => [
    `${name}(${inputs.map(spelled).join(",")})`,
    { intent: intentOf(name), fields: inputs.flatMap((input) => parametersOf(input)) },
  ]);
}

function described(context, formats, token) {
  return {
    $schema: "https://eips.ethereum.org/assets/eip-7730/erc7730-v2.schema.json",
    context: { $id: "Tidelock Vault", ...context },
    metadata: {
      owner: "Tidelock",
      contractName: "Tidelock Vault",
      constants: { token },
      enums: Object.fromEntries(ENUMS.map((name) => [name, numbered(enumIn(VOCABULARY, name))])),
    },
    display: { formats: Object.fromEntries(formats) },
  };
}

/** Descriptors for one vault, by file name; without one, templates whose vault is the zero address. */
function descriptors({ chainId, vault, token } = TEMPLATE) {
  const deployments = [{ chainId, address: vault }];
  const domain = { name: "Tidelock Vault", version: "1", chainId, verifyingContract: vault };
  return {
    "eip712-vault.json": described({ eip712: { domain, deployments } }, voteFormats(), token),
    "calldata-vault.json": described({ contract: { deployments } }, callFormats(), token),
  };
}

module.exports = { TEMPLATE, descriptors };
