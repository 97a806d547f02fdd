// What the chain says about a vault: its events, its token's transfers, balances and block times. Nothing else is asked.
"use strict";
const { getAddress, parseAbi, parseEventLogs } = require("viem");
const { readChainId } = require("./chain-id.js");
const vaultAbi = require("../../contracts/abi/Vault.json");

const TOKEN = parseAbi([
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "function balanceOf(address) view returns (uint256)",
]);
const LOTS_AT_ONCE = 200; // requests under way

/** Raw logs as events in the order of the chain. A log that does not decode is an error: nothing is passed over. */
function decode(abi, logs) {
  const events = parseEventLogs({ abi, logs, strict: true });
  if (events.length !== logs.length) throw new Error(`${logs.length - events.length} logs are none of the known events`);
  return events
    .map(({ eventName, args, blockNumber, logIndex, transactionHash }) => ({
      name: eventName,
      args,
      blockNumber,
      transactionHash,
      order: Number(blockNumber) * 1e6 + Number(logIndex),
    }))
    .sort((a, b) => a.order - b.order);
}

/** Facts as the checker takes them. `times` has the time of every block that has a log. */
function factsOf({ chainId, vault, vaultLogs, tokenLogs, times, balances }) {
  const timeOf = (block) => {
    if (!times.has(block)) throw new Error(`the time of block ${block} was not read`);
    return times.get(block);
  };
  const transfers = decode(TOKEN, tokenLogs).map(({ args, transactionHash }) => ({
    from: args.from,
    to: args.to,
    amount: args.value,
    transactionHash,
  }));
  return { chainId, vault: getAddress(vault), events: decode(vaultAbi, vaultLogs), transfers, timeOf, balances };
}

/** Reads all items, a lot at a time. */
async function inLots(items, read) {
  const results = [];
  for (let i = 0; i < items.length; i += LOTS_AT_ONCE) {
    results.push(...(await Promise.all(items.slice(i, i + LOTS_AT_ONCE).map(read))));
  }
  return results;
}

/** Balances of `holders` at two blocks, by holder. */
async function readBalances(client, token, holders, fromBlock, toBlock) {
  const read = (holder, blockNumber) =>
    client.readContract({ address: token, abi: TOKEN, functionName: "balanceOf", args: [holder], blockNumber });
  const pairs = await inLots([...new Set(holders)], async (holder) => {
    const [before, after] = await Promise.all([read(holder, fromBlock), read(holder, toBlock)]);
    return [holder, { before, after }];
  });
  return new Map(pairs);
}

/** Times by block. */
async function readTimes(client, blocks) {
  const times = await inLots([...new Set(blocks)], async (blockNumber) => {
    const { timestamp } = await client.getBlock({ blockNumber });
    return [blockNumber, Number(timestamp)];
  });
  return new Map(times);
}

/** Reads everything between the block before the vault and `toBlock`. */
async function readFacts(client, { vault, token, holders, fromBlock, toBlock }) {
  const vaultLogs = await client.getLogs({ address: vault, fromBlock, toBlock });
  const transfer = TOKEN[0];
  const [out, into] = await Promise.all(
    [{ from: vault }, { to: vault }].map((args) =>
      client.getLogs({ address: token, event: transfer, args, fromBlock, toBlock }),
    ),
  );
  return factsOf({
    chainId: await readChainId(client),
    vault,
    vaultLogs,
    tokenLogs: [...out, ...into],
    times: await readTimes(client, vaultLogs.map(({ blockNumber }) => blockNumber)),
    balances: await readBalances(client, token, [vault, ...holders].map((holder) => getAddress(holder)), fromBlock, toBlock),
  });
}

module.exports = { TOKEN, decode, factsOf, inLots, readFacts };
