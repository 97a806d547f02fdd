// What signers sign, as the EIP-712 JSON that signing tools take (the argument of eth_signTypedData_v4). The types are read
// from contracts/src, so that there is no second copy of them; digests are viem's.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { decodeAbiParameters, encodeAbiParameters, hashTypedData, isAddress, isHex, size } = require("viem");

const SOURCES = path.join(__dirname, "..", "..", "contracts", "src");
const source = (file) => fs.readFileSync(path.join(SOURCES, file), "utf8");

const DOMAIN = [
  { name: "name", type: "string" },
  { name: "version", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
];
const SAFE_BITS = 48; // wider integers are written as decimal strings: as bare JSON numbers some tools sign them wrongly

/** Every struct that the type strings of a Solidity file declare, by name. */
function typesIn(text) {
  const types = {};
  const literals = [...text.matchAll(/"([^"\n]*)"/g)].map((match) => match[1]).join("\n");
  for (const [declared, name, members] of literals.matchAll(/\b([A-Z]\w*)\(((?:[\w[\]]+ \w+,)*[\w[\]]+ \w+)\)/g)) {
    const fields = members.split(",").map((member) => {
      const [type, field] = member.split(" ");
      return { name: field, type };
    });
    if (types[name] && JSON.stringify(types[name]) !== JSON.stringify(fields)) throw new Error(`two types are named ${name}: ${declared}`);
    types[name] = fields;
  }
  return types;
}

/** The names of a Solidity enum, in order. */
function enumIn(text, name) {
  const body = text.match(new RegExp(`enum ${name} \\{([^}]*)\\}`));
  if (body === null) throw new Error(`there is no enum ${name}`);
  return body[1].split(",").map((member) => member.trim());
}

const TYPES = typesIn(source("libraries/TypedData.sol"));
const KINDS = enumIn(source("types/VaultTypes.sol"), "ChangeKind");

const changeType = (kind) => `${kind}Change`;
/** Name of the struct that a signer signs to vote for a batch or a change; it wraps what is voted for. */
const approvalType = (primaryType) => (primaryType === "Batch" ? "Approval" : primaryType.replace(/Change$/, "Approval"));

const elementOf = (type) => type.replace(/\[\]$/, "");

/** A type and those that it refers to. */
function typesOf(primaryType, found = {}) {
  if (!(primaryType in TYPES)) throw new Error(`the vault has no type ${primaryType}`);
  if (primaryType in found) return found;
  found[primaryType] = TYPES[primaryType];
  for (const { type } of TYPES[primaryType]) {
    if (elementOf(type) in TYPES) typesOf(elementOf(type), found);
  }
  return found;
}

function integer(type, given, place) {
  const value = typeof given === "string" && /^(\d+|0x[0-9a-f]+)$/i.test(given) ? BigInt(given) : given;
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new Error(`${place} ${value}: as a number it has lost digits; write it as a decimal string`);
  }
  if (typeof value !== "bigint" && typeof value !== "number") throw new Error(`${place} ${value}: must be an integer`);
  const bits = Number(type.slice(4));
  const whole = BigInt(value);
  if (whole < 0n || whole >> BigInt(bits) !== 0n) throw new Error(`${place} ${value}: must fit ${type}`);
  return bits > SAFE_BITS ? whole.toString() : Number(whole);
}

/** A value as the JSON has it. Refuses what its type cannot hold, naming the field. */
function written(type, value, place) {
  if (type.endsWith("[]")) {
    if (!Array.isArray(value)) throw new Error(`${place}: must be a list`);
    return value.map((element, i) => written(elementOf(type), element, `${place}[${i}]`));
  }
  if (type in TYPES) return writtenStruct(type, value, place);
  if (type.startsWith("uint")) return integer(type, value, place);
  if (type === "address" && !isAddress(value ?? "")) throw new Error(`${place} ${value}: must be an address, in small letters or with its EIP-55 checksum`);
  if (type === "bytes32" && !(isHex(value) && size(value) === 32)) throw new Error(`${place} ${value}: must be 32 bytes`);
  return value;
}

function writtenStruct(name, value, place) {
  const fields = TYPES[name];
  if (typeof value !== "object" || value === null) throw new Error(`${place}: must be an object`);
  const unknown = Object.keys(value).find((key) => !fields.some((field) => field.name === key));
  if (unknown !== undefined) throw new Error(`${place}.${unknown}: ${name} has no such field`);
  return Object.fromEntries(fields.map((field) => [field.name, written(field.type, value[field.name], `${place}.${field.name}`)]));
}

/** The document that a tool signs, and its digest. `domain` is that of the vault. */
function typedData(domain, primaryType, message) {
  const types = { EIP712Domain: DOMAIN, ...typesOf(primaryType) };
  const chainId = integer("uint256", domain.chainId, "chainId");
  const document = { types, primaryType, domain: { ...domain, chainId }, message: writtenStruct(primaryType, message, primaryType) };
  return { document, digest: hashTypedData(document) };
}

/** The vote of `signer` in the signer epoch `epoch`. */
function approval(domain, primaryType, message, { signer, epoch }) {
  const wrapper = approvalType(primaryType);
  const [, , content] = TYPES[wrapper] ?? typesOf(wrapper)[wrapper];
  return typedData(domain, wrapper, { signer, epoch, [content.name]: message });
}

function abiParameter({ name, type }) {
  if (!(elementOf(type) in TYPES)) return { name, type };
  return { name, type: type.replace(elementOf(type), "tuple"), components: TYPES[elementOf(type)].map(abiParameter) };
}
const abiOf = (kind) => [{ type: "tuple", components: TYPES[changeType(kind)].map(abiParameter) }];

/** A change as calls of the vault carry it, and back. */
const encodeChange = (kind, message) => encodeAbiParameters(abiOf(kind), [message]);
const decodeChange = (kind, change) => decodeAbiParameters(abiOf(kind), change)[0];

module.exports = { KINDS, TYPES, approval, approvalType, changeType, decodeChange, encodeChange, enumIn, typedData, typesIn, typesOf };
