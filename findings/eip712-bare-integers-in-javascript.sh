#!/usr/bin/env bash
# viem 2.57.20 and @metamask/eth-sig-util 9.0.0 take an EIP-712 document whose JSON has an integer above 2^53 as a bare number, and
# make the digest of the nearest integer that a float can hold; ethers 6.17.0 refuses the same document.
#
# EIP-712 says nothing of JSON. JSON.parse rounds 9007199254740993 to 9007199254740992 before any library sees it, and only
# ethers objects to numbers that it cannot trust. As a decimal string all three make the right digest.
#
# Seen 2026-11-29: "viem: rounds, eth-sig-util: rounds, ethers: refuses", and with a string "right" three times.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init --yes >/dev/null
npm install --no-audit --no-fund --loglevel=error viem@2.57.20 @metamask/eth-sig-util@9.0.0 ethers@6.17.0 >/dev/null

cat >run.js <<'JS'
const { hashTypedData } = require("viem");
const { SignTypedDataVersion, TypedDataUtils } = require("@metamask/eth-sig-util");
const { TypedDataEncoder } = require("ethers");

const ODD = "9007199254740993"; // 2^53 + 1
const document = (value) => `{
  "types": {"EIP712Domain": [{"name": "name", "type": "string"}], "Note": [{"name": "amount", "type": "uint64"}]},
  "primaryType": "Note", "domain": {"name": "Example"}, "message": {"amount": ${value}}
}`;
const tools = {
  viem: (data) => hashTypedData(data),
  "eth-sig-util": (data) => `0x${Buffer.from(TypedDataUtils.eip712Hash(data, SignTypedDataVersion.V4)).toString("hex")}`,
  ethers: ({ domain, types: { Note }, message }) => TypedDataEncoder.hash(domain, { Note }, message),
};
const of = (tool, text) => {
  try {
    return tool(JSON.parse(text));
  } catch {
    return "refuses";
  }
};
const exact = TypedDataEncoder.hash({ name: "Example" }, { Note: [{ name: "amount", type: "uint64" }] }, { amount: BigInt(ODD) });
const rounded = TypedDataEncoder.hash({ name: "Example" }, { Note: [{ name: "amount", type: "uint64" }] }, { amount: BigInt(ODD) - 1n });
const word = (digest) => ({ [exact]: "right", [rounded]: "rounds" })[digest] ?? digest;
for (const value of [ODD, `"${ODD}"`]) {
  console.log(Object.entries(tools).map(([name, tool]) => `${name}: ${word(of(tool, document(value)))}`).join(", "));
}
JS
node run.js | tee seen
cat >expected <<'TEXT'
viem: rounds, eth-sig-util: rounds, ethers: refuses
viem: right, eth-sig-util: right, ethers: right
TEXT
diff expected seen
