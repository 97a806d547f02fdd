// A chain to measure gas on: a block for each transaction, and the parts of a transaction's gas.
"use strict";
const { createPublicClient, encodeDeployData, http } = require("viem");
const { startAnvil } = require("./anvil.js");

const GENESIS = 1_800_000_000; // seconds
const BLOCK_SECONDS = 12;
const TRANSACTION_GAS = 2 ** 24; // the most that the hard fork allows one transaction
const PART_OF = { CALL: "calls", STATICCALL: "calls", SLOAD: "storage", SSTORE: "storage", LOG: "logs" };

/** One chain whose block times follow from its transactions alone, so that every run has the same bytes. */
class Chain {
  /** Traced chains can tell the parts of a transaction's gas, and are slow and large. */
  static async start({ traced }) {
    const chain = new Chain();
    const options = ["--timestamp", String(GENESIS)];
    if (traced) options.push("--steps-tracing");
    chain.anvil = await startAnvil(options);
    const transport = http(chain.anvil.url, { batch: { batchSize: 300 }, retryCount: 0, maxResponseBodySize: false });
    chain.client = createPublicClient({ transport, cacheTime: 0 });
    chain.accounts = await chain.rpc("eth_accounts");
    chain.chainId = await chain.client.getChainId();
    return chain;
  }

  stop() {
    this.anvil.stop();
  }

  rpc(method, ...params) {
    return this.client.request({ method, params });
  }

  async time() {
    return Number((await this.client.getBlock()).timestamp);
  }

  /** Sends one transaction in a block of its own, `later` seconds after the last, and returns its receipt. */
  async send(from, to, data, later = BLOCK_SECONDS) {
    await this.rpc("evm_setNextBlockTimestamp", (await this.time()) + later);
    const gas = `0x${TRANSACTION_GAS.toString(16)}`;
    const hash = await this.rpc("eth_sendTransaction", { from, ...(to && { to }), data, gas });
    const receipt = await this.client.waitForTransactionReceipt({ hash, pollingInterval: 20 });
    if (receipt.status === "success") return receipt;
    const call = this.client.call({ account: from, to, data, gas: BigInt(TRANSACTION_GAS) });
    const error = await call.then(() => null, (reason) => reason);
    const answer = error?.walk((cause) => typeof cause.data === "string")?.data ?? error?.details;
    throw new Error(`transaction to ${to} reverted: ${answer ?? "for a reason that a call does not repeat"}`);
  }

  /** Gas of a transaction by what it went to. Calls are counted whole, with what the callee does. */
  async parts({ transactionHash, gasUsed }) {
    const { structLogs } = await this.rpc("debug_traceTransaction", transactionHash, { disableStack: true });
    const steps = structLogs.filter(({ depth }) => depth === 1);
    const parts = { intrinsic: TRANSACTION_GAS - steps[0].gas, calls: 0, storage: 0, logs: 0 };
    steps.slice(0, -1).forEach(({ op, gas }, i) => {
      const part = PART_OF[op.replace(/\d+$/, "")];
      if (part !== undefined) parts[part] += gas - steps[i + 1].gas;
    });
    const known = Object.values(parts).reduce((sum, part) => sum + part);
    return { ...parts, rest: Number(gasUsed) - known, total: Number(gasUsed) };
  }

  async deploy({ abi, bytecode }, args = []) {
    const data = encodeDeployData({ abi, bytecode: bytecode.object ?? bytecode, args });
    return (await this.send(this.accounts[0], null, data)).contractAddress;
  }

  /** Runs `work` and then takes back all that it did on the chain. */
  async apart(work) {
    const snapshot = await this.rpc("evm_snapshot");
    const result = await work();
    await this.rpc("evm_revert", snapshot);
    return result;
  }
}

module.exports = { Chain };
