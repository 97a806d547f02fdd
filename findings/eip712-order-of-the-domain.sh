#!/usr/bin/env bash
# viem 2.57.20 and @metamask/eth-sig-util 9.0.0 hash the domain of an EIP-712 document in the order in which types.EIP712Domain
# lists its fields; ethers 6.17.0 and eth-account 0.14.0 do not look at that list and use the order of the standard.
#
# The standard gives the order (name, version, chainId, verifyingContract, salt). A document that lists another is taken by all
# four, and its signature by the first two is no signature for the others.
#
# Seen 2026-11-29: "listed in order: viem = eth-sig-util = ethers = eth-account", "listed in reverse: viem = eth-sig-util; ethers =
# eth-account". Needs Python 3.10 or newer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --no-audit --no-fund --loglevel=error viem@2.57.20 @metamask/eth-sig-util@9.0.0 ethers@6.17.0 >/dev/null
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check eth-account==0.14.0

cat >run.js <<'JS'
const { execFileSync } = require("node:child_process");
const { hashTypedData } = require("viem");
const { SignTypedDataVersion, TypedDataUtils } = require("@metamask/eth-sig-util");
const { TypedDataEncoder } = require("ethers");

const PYTHON = `
import json, sys
from eth_account.messages import encode_typed_data
from eth_utils import keccak
m = encode_typed_data(full_message=json.load(sys.stdin))
print("0x" + keccak(b"\\x19" + m.version + m.header + m.body).hex())
`;
const ORDER = [{ name: "name", type: "string" }, { name: "chainId", type: "uint256" }];
const Note = [{ name: "amount", type: "uint64" }];
const tools = {
  viem: (data) => hashTypedData(data),
  "eth-sig-util": (data) => `0x${Buffer.from(TypedDataUtils.eip712Hash(data, SignTypedDataVersion.V4)).toString("hex")}`,
  ethers: ({ domain, message }) => TypedDataEncoder.hash(domain, { Note }, message),
  "eth-account": (data) => execFileSync("python/bin/python", ["-c", PYTHON], { input: JSON.stringify(data), encoding: "utf8" }).trim(),
};
for (const [order, EIP712Domain] of Object.entries({ "in order": ORDER, "in reverse": ORDER.slice().reverse() })) {
  const data = { types: { EIP712Domain, Note }, primaryType: "Note", domain: { name: "Example", chainId: 1 }, message: { amount: 1 } };
  const groups = new Map();
  for (const [name, tool] of Object.entries(tools)) groups.set(tool(data), [...(groups.get(tool(data)) ?? []), name]);
  console.log(`listed ${order}: ${[...groups.values()].map((names) => names.join(" = ")).join("; ")}`);
}
JS
node run.js | tee seen
cat >expected <<'TEXT'
listed in order: viem = eth-sig-util = ethers = eth-account
listed in reverse: viem = eth-sig-util; ethers = eth-account
TEXT
diff expected seen
