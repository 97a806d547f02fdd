// Asks signing tools what they make of EIP-712 documents. Each tool gets the same text, and is right, wrong (it would sign
// another digest) or refuses.
"use strict";
const { execFile } = require("node:child_process");
const path = require("node:path");
const { recoverAddress } = require("viem");
const { privateKeyToAddress } = require("viem/accounts");

const INSTALLED = path.join(__dirname, "..", "..", "target", "signing-tools");
const KEY = `0x${"11".repeat(32)}`; // of nobody
const MOST_BYTES = 1 << 26;

/** What a program prints when it is given `input`. */
function piped(command, args, input) {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { maxBuffer: MOST_BYTES }, (error, stdout) => (error ? reject(error) : resolve(stdout)));
    child.stdin.on("error", () => {}); // it ended without reading all: its status says whether that was well
    child.stdin.end(input);
  });
}

const withoutDomain = ({ EIP712Domain, ...types }) => types;

/** Tools of this process: a document's digest, or an exception. */
const LIBRARIES = {
  viem: (document) => require("viem").hashTypedData(document),
  ethers: ({ domain, types, message }) => require("ethers-6").TypedDataEncoder.hash(domain, withoutDomain(types), message),
  "eth-sig-util": (document) => {
    const { SignTypedDataVersion, TypedDataUtils } = require("@metamask/eth-sig-util");
    return `0x${Buffer.from(TypedDataUtils.eip712Hash(document, SignTypedDataVersion.V4)).toString("hex")}`;
  },
  tronweb: ({ domain, types, message }) =>
    require("tronweb").utils._TypedDataEncoder.hash(domain, withoutDomain(types), message),
};

/** Programs that answer a list of documents with a list of digests and errors. */
const PROGRAMS = {
  "eth-account": [path.join(INSTALLED, "python", "bin", "python"), [path.join(__dirname, "python", "digest.py")]],
  "go-ethereum": [path.join(INSTALLED, "go-digest"), []],
};

function answerOf(digest, text) {
  try {
    return { digest: digest(JSON.parse(text)) };
  } catch (error) {
    return { error: String(error.shortMessage ?? error.message) };
  }
}

const verdict = ({ digest, error }, right) => (error !== undefined ? "refuses" : digest === right ? "right" : "wrong");

/** cast signs and shows no digest: it was right if the signature is that of the right digest. */
async function castVerdict({ text, digest }) {
  const signed = await piped("cast", ["wallet", "sign", "--private-key", KEY, "--data", text], "").catch(() => null);
  if (signed === null) return "refuses";
  const signer = await recoverAddress({ hash: digest, signature: signed.trim() });
  return signer === privateKeyToAddress(KEY) ? "right" : "wrong";
}

/** By tool, its verdict on each document: `text` is the JSON and `digest` what a signer must sign. */
async function verdicts(documents) {
  const found = {};
  for (const [tool, digest] of Object.entries(LIBRARIES)) {
    found[tool] = documents.map(({ text, digest: right }) => verdict(answerOf(digest, text), right));
  }
  for (const [tool, [command, args]] of Object.entries(PROGRAMS)) {
    const answers = JSON.parse(await piped(command, args, `[${documents.map(({ text }) => text).join(",")}]`));
    found[tool] = documents.map(({ digest }, i) => verdict(answers[i], digest));
  }
  found.cast = [];
  for (const document of documents) found.cast.push(await castVerdict(document));
  return found;
}

const TOOL_NAMES = [...Object.keys(LIBRARIES), ...Object.keys(PROGRAMS), "cast"];

module.exports = { INSTALLED, TOOL_NAMES, piped, verdicts };
