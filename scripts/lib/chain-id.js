// A node's chain id as a bigint: viem's own getChainId answers with a Number, which an id above 2^53 does not fit.
"use strict";

const readChainId = async (client) => BigInt(await client.request({ method: "eth_chainId" }));

module.exports = { readChainId };
