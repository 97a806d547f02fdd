// What is to be signed, from a vault's log or from a file, and what the vault itself says of it.
"use strict";
const { createPublicClient, getAddress, http, parseAbi } = require("viem");
const { BATCH_EVENTS, headerOf, packPayments, unpackOrder, vaultDomain } = require("./batch.js");
const { readBatch } = require("./batch-file.js");
const { readChainId } = require("./chain-id.js");
const { requireThere } = require("./vault-there.js");
const { KINDS, TYPES, changeType, decodeChange, encodeChange } = require("./typed-data.js");

const EPOCH_BITS = 24n; // of the vault's word `hot`
const EPOCH_SHIFT = 72n;

const structOf = (name) => `struct ${name} { ${TYPES[name].map(({ name: field, type }) => `${type} ${field};`).join(" ")} }`;
const VIEWS = parseAbi([
  structOf("Batch"),
  "function hashBatch(Batch) view returns (bytes32)",
  "function hashChange(uint8 kind, bytes change) view returns (bytes32)",
  "function hot() view returns (uint256)",
  "function eip712Domain() view returns (bytes1, string name, string version, uint256 chainId, address verifyingContract, bytes32, uint256[])",
]);
const EVENTS = [
  BATCH_EVENTS.find(({ name }) => name === "BatchProposed"),
  ...parseAbi(["event ChangeProposed(bytes32 indexed id, address indexed proposer, uint8 kind, bytes change)"]),
];

const batchOf = (order, packed) => ({ primaryType: "Batch", message: headerOf(packed, order) });

/** A batch by what its file says. */
function batchContent(file) {
  const { order, payments, packed } = readBatch(file);
  return batchOf(order, packed ?? packPayments(payments));
}

/** A change of that kind, by name. */
function changeContent(kind, message) {
  if (!KINDS.includes(kind)) throw new Error(`there is no kind of change ${kind}; it is one of ${KINDS.join(", ")}`);
  return { primaryType: changeType(kind), message, kind };
}

/** The vault tells something else than what was computed. */
class Disagreement extends Error {}

/** A contract that answers, and not as a vault: the node is not to blame. */
function notAVault(error) {
  const reverted = error.walk?.(({ name }) => ["ContractFunctionRevertedError", "ContractFunctionZeroDataError"].includes(name));
  throw reverted ? new Disagreement("the contract at the vault's address is no vault: it has no EIP-712 domain") : error;
}

/** A vault on a node. */
class VaultNode {
  constructor(url, vault) {
    this.client = createPublicClient({ transport: http(url, { batch: true }), cacheTime: 0 });
    this.vault = getAddress(vault);
  }

  ask(functionName, ...args) {
    return this.client.readContract({ address: this.vault, abi: VIEWS, functionName, args });
  }

  /** The domain that vault, chain and version make; refuses a vault that tells another of itself. */
  async domain() {
    await requireThere(this.client, this.vault);
    const domain = vaultDomain(await readChainId(this.client), this.vault);
    const [, name, version, chainId, verifyingContract] = await this.ask("eip712Domain").catch(notAVault);
    const told = { name, version, chainId, verifyingContract };
    const differs = Object.keys(domain).find((field) => domain[field] !== told[field]);
    if (differs !== undefined) throw new Disagreement(`the vault's domain has ${differs} ${told[differs]}, ${domain[differs]} is expected`);
    return domain;
  }

  /** The signer epoch in force. */
  async epoch() {
    return Number(((await this.ask("hot")) >> EPOCH_SHIFT) & (2n ** EPOCH_BITS - 1n));
  }

  /** What is proposed under an id, or null. */
  async content(id, fromBlock) {
    await requireThere(this.client, this.vault, fromBlock);
    for (const event of EVENTS) {
      const [log] = await this.client.getLogs({ address: this.vault, event, args: { id }, fromBlock, toBlock: "latest", strict: true });
      if (log === undefined) continue;
      const { kind, change, order, payments } = log.args;
      return kind === undefined ? batchOf(unpackOrder(order), payments) : changeContent(KINDS[kind], decodeChange(KINDS[kind], change));
    }
    return null;
  }

  /** The id that the vault computes of a document's message. */
  idOf({ kind }, message) {
    if (kind === undefined) return this.ask("hashBatch", message);
    return this.ask("hashChange", KINDS.indexOf(kind), encodeChange(kind, message));
  }
}

module.exports = { Disagreement, VaultNode, batchContent, changeContent };
