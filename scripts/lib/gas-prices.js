// What the hard fork that a chain runs asks for the things that make a payment dear. Measured, since prices still change.
"use strict";
const { pad, toHex } = require("viem");

// By hand, so that nothing but the price is in it: reads slot 0, then writes the call's first word into it.
const SLOT_WRITER = "0x600a600c600039600a6000f3" + "60005450600035600055";
// Creates a contract of so many zero bytes.
const creator = (bytes) => `0x61${toHex(bytes, { size: 2 }).slice(2)}6000f3`;
const CODE = [1000, 2000]; // bytes

/** Gas of one thing each. */
async function measurePrices(chain) {
  const [sender] = chain.accounts;
  const contract = (await chain.send(sender, null, SLOT_WRITER)).contractAddress;
  const write = async (value) => chain.parts(await chain.send(sender, contract, pad(toHex(value))));
  const fresh = await write(1);
  const used = await write(2);
  const codes = [];
  for (const bytes of CODE) codes.push(Number((await chain.send(sender, null, creator(bytes))).gasUsed));
  const calldata = await chain.parts(await chain.send(sender, contract, "0x"));
  return {
    transaction: calldata.intrinsic,
    update: used.storage,
    newSlot: fresh.storage,
    codeByte: Math.floor((codes[1] - codes[0]) / (CODE[1] - CODE[0])), // memory adds less than one gas to a byte
  };
}

module.exports = { measurePrices };
