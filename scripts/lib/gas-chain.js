// A real anvil for one run: starts it on a port of the system's choice, sends transactions, ends it whatever happens.
"use strict";
const { spawn } = require("node:child_process");
const { createPublicClient, encodeDeployData, http } = require("viem");

const HARDFORK = "osaka";
const GENESIS = 1_800_000_000; // seconds
const BLOCK_SECONDS = 12;
const TRANSACTION_GAS = 2 ** 24; // the most that the hard fork allows one transaction
const START_MS = 30_000;

function startAnvil() {
  const options = ["--hardfork", HARDFORK, "--port", "0", "--timestamp", String(GENESIS)];
  const anvil = spawn("anvil", options, { stdio: ["ignore", "pipe", "pipe"] });
  process.on("exit", () => anvil.kill("SIGKILL"));
  for (const [signal, status] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) {
    process.on(signal, () => process.exit(status));
  }
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error(`anvil did not start:\n${output}`)), START_MS);
    const read = (chunk) => {
      if (output === null) return; // started: what it says is read, so that it never waits, and dropped
      output += chunk;
      const port = output.match(/Listening on 127\.0\.0\.1:(\d+)/)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      output = null;
      resolve(`http://127.0.0.1:${port}`);
    };
    anvil.stdout.on("data", read);
    anvil.stderr.on("data", read);
    anvil.on("error", reject);
    anvil.on("exit", (code) => reject(new Error(`anvil ended with ${code}:\n${output ?? ""}`)));
  });
}

/** One chain whose block times follow from its transactions alone, so that every run has the same bytes. */
class Chain {
  static async start() {
    const chain = new Chain();
    const transport = http(await startAnvil(), { batch: { batchSize: 300 }, retryCount: 0 });
    chain.client = createPublicClient({ transport, cacheTime: 0 });
    chain.accounts = await chain.rpc("eth_accounts");
    chain.chainId = await chain.client.getChainId();
    return chain;
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
    await this.client.call({ account: from, to, data, gas: BigInt(TRANSACTION_GAS) }); // throws with the reason
    throw new Error(`transaction to ${to} reverted, for a reason that a call does not repeat`);
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

module.exports = { Chain, HARDFORK };
