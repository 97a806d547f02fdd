// A chain to measure gas on: a block for each transaction, and the parts of a transaction's gas.
"use strict";
const { createPublicClient, encodeDeployData, http } = require("viem");
const { mnemonicToAccount } = require("viem/accounts");
const { HARDFORK, startAnvil } = require("./anvil.js");
const { startGeth } = require("./geth.js");

const GENESIS = 1_800_000_000; // seconds
const BLOCK_SECONDS = 12;
const EXECUTION_GAS = 2 ** 24; // the most that a transaction may spend on execution (EIP-7825)
const BLOCK_GAS = 60_000_000;
// Osaka's limit on a transaction is that on its execution. Amsterdam's new storage comes on top.
const TRANSACTION_GAS = { osaka: EXECUTION_GAS, amsterdam: BLOCK_GAS };
const FEE = 10n ** 12n; // wei per gas; far above any base fee here
const DEV_MNEMONIC = "test test test test test test test test test test test junk"; // anvil's public default
const ACCOUNTS = Array.from({ length: 10 }, (_, addressIndex) => mnemonicToAccount(DEV_MNEMONIC, { addressIndex }));

// Run by the node: adds up the gas of a transaction's own frame by what it went to. Calls are counted whole, with what
// the callee does; those to low addresses are to precompiles, of which the contracts here use signature recovery alone.
const PARTS_TRACER = `{
  parts: { calls: 0, signatures: 0, storage: 0, logs: 0 }, part: null, gas: 0, first: null,
  partOf: function (log) {
    var op = log.op.toString();
    if (op === "CALL" || op === "STATICCALL") return log.stack.peek(1) < 0x100 ? "signatures" : "calls";
    if (op === "SLOAD" || op === "SSTORE") return "storage";
    return op.indexOf("LOG") === 0 ? "logs" : null;
  },
  step: function (log) {
    if (log.getDepth() !== 1) return;
    var gas = log.getGas();
    if (this.first === null) this.first = gas;
    if (this.part !== null) this.parts[this.part] += this.gas - gas;
    this.gas = gas;
    this.part = this.partOf(log);
  },
  fault: function () {},
  result: function () { return { first: this.first, parts: this.parts }; }
}`;

/** A transaction that reverted. */
class Reverted extends Error {}

/** One chain whose block times follow from its transactions alone, so that every run has the same bytes. */
class Chain {
  /** `node` is geth or anvil; anvil has Osaka's rules only. */
  static async start({ node, fork }) {
    const chain = new Chain();
    const addresses = ACCOUNTS.map(({ address }) => address);
    Object.assign(chain, { fork, gasLimit: TRANSACTION_GAS[fork], accounts: addresses, sent: [] });
    if (node === "anvil" && fork !== HARDFORK) throw new Error(`anvil runs ${HARDFORK} here, not ${fork}`);
    chain.node =
      node === "anvil"
        ? await startAnvil(["--timestamp", String(GENESIS)])
        : await startGeth(fork, ["-timestamp", GENESIS, "-block-gas", BLOCK_GAS, "-accounts", addresses.join(",")]);
    const transport = http(chain.node.url, { batch: { batchSize: 300 }, retryCount: 0, timeout: 60_000, maxResponseBodySize: false });
    chain.client = createPublicClient({ transport, cacheTime: 0 });
    chain.chainId = await chain.client.getChainId();
    return chain;
  }

  stop() {
    this.node.stop();
  }

  rpc(method, ...params) {
    return this.client.request({ method, params });
  }

  async time() {
    return Number((await this.client.getBlock()).timestamp);
  }

  /** The account that signs for this address. */
  signer(address) {
    return ACCOUNTS.find((account) => account.address === address);
  }

  /** Sends one transaction in a block of its own, `later` seconds after the last; its receipt, whatever it says. */
  async attempt(from, to, data, later = BLOCK_SECONDS) {
    const [time, nonce] = await Promise.all([this.time(), this.client.getTransactionCount({ address: from })]);
    const transaction = { type: "eip1559", chainId: this.chainId, nonce, data, gas: BigInt(this.gasLimit), maxFeePerGas: FEE };
    const raw = await this.signer(from).signTransaction({ ...transaction, maxPriorityFeePerGas: 0n, ...(to && { to }) });
    await this.rpc("evm_setNextBlockTimestamp", time + later);
    const hash = await this.rpc("eth_sendRawTransaction", raw);
    const receipt = await this.client.waitForTransactionReceipt({ hash, pollingInterval: 20 });
    const { status, gasUsed } = receipt;
    this.sent.push({ time: time + later, from, to, data, gasLimit: this.gasLimit, status, gasUsed: Number(gasUsed) });
    return receipt;
  }

  /** The same of one that must not revert. */
  async send(from, to, data, later) {
    const receipt = await this.attempt(from, to, data, later);
    if (receipt.status === "success") return receipt;
    const call = this.client.call({ account: from, to, data, gas: BigInt(this.gasLimit) });
    const error = await call.then(() => null, (reason) => reason);
    const answer = error?.walk((cause) => typeof cause.data === "string")?.data ?? error?.details;
    throw new Reverted(`transaction to ${to} reverted: ${answer ?? "for a reason that a call does not repeat"}`);
  }

  /** Gas of a transaction by what it went to. Its gas limit must be all for execution. */
  async parts({ transactionHash, gasUsed }) {
    const { first, parts } = await this.rpc("debug_traceTransaction", transactionHash, { tracer: PARTS_TRACER });
    const known = { intrinsic: EXECUTION_GAS - first, ...parts };
    const rest = Number(gasUsed) - Object.values(known).reduce((sum, part) => sum + part);
    return { ...known, rest, total: Number(gasUsed) };
  }

  /** Receipt of a contract's creation. */
  create({ abi, bytecode }, args = []) {
    const data = encodeDeployData({ abi, bytecode: bytecode.object ?? bytecode, args });
    return this.send(this.accounts[0], null, data);
  }

  async deploy(artifact, args) {
    return (await this.create(artifact, args)).contractAddress;
  }

  /** Runs `work` and then takes back all that it did on the chain. */
  async apart(work) {
    const snapshot = await this.rpc("evm_snapshot");
    this.sent.push({ snapshot });
    try {
      return await work();
    } finally {
      await this.rpc("evm_revert", snapshot);
      this.sent.push({ revert: snapshot });
    }
  }

  /** Runs `work` with this much gas for each transaction. */
  async within(gasLimit, work) {
    const before = this.gasLimit;
    this.gasLimit = gasLimit;
    try {
      return await work();
    } finally {
      this.gasLimit = before;
    }
  }
}

module.exports = { BLOCK_GAS, Chain, EXECUTION_GAS, Reverted };
