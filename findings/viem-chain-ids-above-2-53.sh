#!/usr/bin/env bash
# viem 2.57.20 cannot read a transaction, or wait for one, on a chain whose id is above 2^53; blocks and receipts it can read.
#
# getChainId and getTransaction turn the chain id into a Number and throw IntegerOutOfRangeError, and waitForTransactionReceipt
# reads the transaction too. Chain ids have no such limit: anvil and geth run with any of 64 bits.
#
# Seen 2026-11-29: getChainId and getTransaction throw IntegerOutOfRangeError, getTransactionReceipt answers "success".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --no-audit --no-fund --loglevel=error viem@2.57.20 >/dev/null

cat >run.js <<'JS'
const { createPublicClient, custom } = require("viem");

const hash = `0x${"11".repeat(32)}`;
const address = `0x${"22".repeat(20)}`;
const chainId = "0x20000000000001"; // 2^53 + 1
const place = { blockHash: hash, blockNumber: "0x1", transactionIndex: "0x0" };
const answers = {
  eth_chainId: chainId,
  eth_getTransactionByHash: { ...place, hash, chainId, type: "0x2", from: address, to: address, nonce: "0x0", value: "0x0", input: "0x",
    gas: "0x5208", gasPrice: "0x1", maxFeePerGas: "0x1", maxPriorityFeePerGas: "0x1", accessList: [], v: "0x0", r: hash, s: hash, yParity: "0x0" },
  eth_getTransactionReceipt: { ...place, transactionHash: hash, status: "0x1", type: "0x2", from: address, to: address, logs: [],
    logsBloom: `0x${"00".repeat(256)}`, contractAddress: null, gasUsed: "0x5208", cumulativeGasUsed: "0x5208", effectiveGasPrice: "0x1" },
};
const transport = custom({ request: async ({ method }) => answers[method] });
const client = createPublicClient({ transport });
const said = (promise) => promise.then(String, (error) => error.name);

(async () => {
  console.log("getChainId:", await said(client.getChainId()));
  console.log("getTransaction:", await said(client.getTransaction({ hash })));
  console.log("getTransactionReceipt:", await said(client.getTransactionReceipt({ hash }).then(({ status }) => status)));
})();
JS
node run.js | tee seen
cat >expected <<'TEXT'
getChainId: IntegerOutOfRangeError
getTransaction: IntegerOutOfRangeError
getTransactionReceipt: success
TEXT
diff expected seen
