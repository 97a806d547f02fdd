// A question that a wrong address or block makes pointless is told from a node that fails.
"use strict";

/** What was asked for is not on this chain; says what was given, and what the chain has. */
class NotThere extends Error {}

/** Refuses an address that has no code, and a first block that the chain has not reached. */
async function requireThere(client, vault, fromBlock = 0n) {
  const code = await client.getCode({ address: vault });
  if (code === undefined || code === "0x") throw new NotThere(`vault ${vault}: no contract is there on the node's chain`);
  const head = await client.getBlockNumber();
  if (fromBlock > head) throw new NotThere(`from-block ${fromBlock}: the node's newest block is ${head}`);
}

module.exports = { NotThere, requireThere };
