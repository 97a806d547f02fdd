// Finds proposals of batches on a chain, and shows them so that a person can judge each payment.
"use strict";
const { createPublicClient, formatUnits, getAddress, http, parseAbi, parseEventLogs } = require("viem");
const { BATCH_EVENTS, asTuple, asUuid, recompute, vaultDomain } = require("./batch.js");
const { readChainId } = require("./chain-id.js");
const { requireThere } = require("./vault-there.js");

const PROPOSED = BATCH_EVENTS.find(({ name }) => name === "BatchProposed");
const STANDINGS = ["unknown", "known", "blocked"];
const STATES = ["none", "proposed", "queued", "ready", "executed", "cancelled", "expired"];
const VIEWS = parseAbi([
  "function token() view returns (address)",
  "function stateOf(bytes32) view returns (uint8)",
  "function standingOf(address) view returns (uint8)",
  "function decimals() view returns (uint256)",
  "function symbol() view returns (string)",
]);

/** The logs of the proposal with that id, or of the transaction with that hash. */
async function findLogs(client, { vault, id, fromBlock }) {
  const logs = await client.getLogs({ address: vault, event: PROPOSED, args: { id }, fromBlock, toBlock: "latest" });
  if (logs.length > 0) return logs;
  const missing = (error) => {
    if (error.name === "TransactionReceiptNotFoundError") return { logs: [] };
    throw error;
  };
  const receipt = await client.getTransactionReceipt({ hash: id }).catch(missing);
  const ours = receipt.logs.filter(({ address }) => getAddress(address) === vault);
  return parseEventLogs({ abi: [PROPOSED], logs: ours });
}

/** A log rebuilt, with what the chain says of its state and its recipients now. */
async function judge(client, { vault, chainId, token }, { args, blockNumber, transactionHash }) {
  const ask = (functionName, ...given) => client.readContract({ address: vault, abi: VIEWS, functionName, args: given });
  const batch = recompute(vaultDomain(chainId, vault), args.id, args.order, args.payments);
  const standings = await Promise.all(batch.payments.map(({ recipient }) => ask("standingOf", recipient)));
  return {
    ...batch,
    stated: args.id,
    vault,
    chainId,
    token,
    proposer: args.proposer,
    blockNumber,
    transactionHash,
    state: STATES[await ask("stateOf", args.id)],
    payments: batch.payments.map((payment, i) => ({ ...payment, standing: STANDINGS[standings[i]] })),
  };
}

/** Every proposal asked for, rebuilt from its log. None, if there is none. */
async function readProposals({ url, vault: given, id, fromBlock }) {
  const vault = getAddress(given);
  const client = createPublicClient({ transport: http(url, { batch: true }), cacheTime: 0 });
  await requireThere(client, vault, fromBlock);
  const logs = await findLogs(client, { vault, id, fromBlock });
  if (logs.length === 0) return [];
  const address = await client.readContract({ address: vault, abi: VIEWS, functionName: "token" });
  const [decimals, symbol] = await Promise.all(
    ["decimals", "symbol"].map((functionName) => client.readContract({ address, abi: VIEWS, functionName })),
  );
  const shared = { vault, chainId: await readChainId(client), token: { address, decimals: Number(decimals), symbol } };
  return Promise.all(logs.map((log) => judge(client, shared, log)));
}

const asDate = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;

/** What a signer reads. */
function asLines(proposal) {
  const { header, payments, token, objections } = proposal;
  const amount = (units) => formatUnits(units, token.decimals);
  const rows = payments.map((p) => [`${p.number}`, p.recipient, amount(p.amount), p.standing, asUuid(p.reference)]);
  const table = [["number", "recipient", `amount [${token.symbol}]`, "standing", "ref"], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  const line = (row) => row.map((cell, i) => (i === 2 ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join("  ").trimEnd();
  const verdict =
    objections.length === 0
      ? [`agrees: ${proposal.stated} is the EIP-712 digest of exactly these payments`]
      : ["DOES NOT AGREE, do not approve:", ...objections.map((objection) => `  ${objection}`)];
  return [
    `vault      ${proposal.vault} on chain ${proposal.chainId}`,
    `token      ${token.symbol} ${token.address}, ${token.decimals} decimals`,
    `proposed   by ${proposal.proposer} in block ${proposal.blockNumber}`,
    `state      ${proposal.state}`,
    `tier       ${header.tier}`,
    `total      ${amount(header.total)} ${token.symbol} in ${header.count} ${header.count === 1 ? "payment" : "payments"}`,
    `expires    ${header.expiresAt} (${asDate(header.expiresAt)})`,
    `context    ${header.context}`,
    "",
    ...table.map(line),
    "",
    `header     ${asTuple(header)}`,
    `recomputed ${proposal.id}`,
    ...verdict,
  ];
}

/** The same for a machine; quantities are decimal strings of base units. */
const asJson = (proposal) =>
  JSON.parse(
    JSON.stringify({ ...proposal, agrees: proposal.objections.length === 0, tuple: asTuple(proposal.header) }, (_, value) =>
      typeof value === "bigint" ? value.toString() : value,
    ),
  );

module.exports = { asJson, asLines, readProposals };
