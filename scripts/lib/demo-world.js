// A chain of its own with a token that behaves as USDT does, a vault, its lens, and people.
"use strict";
const fs = require("node:fs");
const path = require("node:path");
const {
  concat,
  createPublicClient,
  encodeDeployData,
  encodeFunctionData,
  formatTransactionReceipt,
  getAddress,
  getCreate2Address,
  http,
  keccak256,
  parseEther,
  stringToHex,
  toHex,
  zeroAddress,
} = require("viem");
const { startAnvil } = require("./anvil.js");
const { sumOf } = require("./batch.js");
const { readChainId } = require("./chain-id.js");
const { USDT } = require("./demo-requests.js");

const ROOT = path.join(__dirname, "..", "..");
const DAY = 86_400; // seconds
const GRANT = 300 * DAY;
const GAS = 2 ** 24; // the most that the hard fork allows one transaction
// Blocks of a second, as a chain has them whether or not there is work; finality follows four blocks behind.
const ANVIL = ["--block-time", "1", "--slots-in-an-epoch", "2", "--enable-tx-gas-limit"];
// Where `keeper deploy` puts factory and lens.
const DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C";
const SALT = stringToHex("tidelock", { size: 32 });
const FUNDS_PERCENT = 150n; // of what is requested

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const readJson = (file) => JSON.parse(fs.readFileSync(file, "utf8"));

/** What forge built, and the token that scripts/setup built. */
function artifacts() {
  const out = path.resolve(ROOT, process.env.FOUNDRY_OUT ?? "target/contracts/out");
  const built = (name) => readJson(path.join(out, `${name}.sol`, `${name}.json`));
  return {
    Vault: built("Vault"),
    VaultFactory: built("VaultFactory"),
    VaultLens: built("VaultLens"),
    TetherLike: readJson(path.join(ROOT, "target/contracts/tether/TetherLike.json")),
  };
}

class World {
  /** A chain with people on it; nothing is deployed yet. */
  static async start(options = []) {
    const world = new World();
    world.anvil = await startAnvil([...ANVIL, ...options]);
    world.url = world.anvil.url;
    const transport = http(world.url, { batch: { batchSize: 200 }, retryCount: 0, timeout: 30_000 });
    world.client = createPublicClient({ transport, cacheTime: 0 });
    world.chainId = await readChainId(world.client);
    const accounts = (await world.rpc("eth_accounts")).map((account) => getAddress(account));
    Object.assign(world, { accounts, owner: accounts[0], signers: accounts.slice(1, 4), guardian: accounts[4], proposer: accounts[5] });
    world.contracts = artifacts();
    return world;
  }

  rpc(method, ...params) {
    return this.client.request({ method, params });
  }

  /** Sends a transaction from an account that the node holds the key of. */
  submit(from, to, data, more = {}) {
    return this.rpc("eth_sendTransaction", { from, ...(to && { to }), data, gas: toHex(GAS), ...more });
  }

  /** Its receipt, once a block has it. It must have succeeded. */
  async mined(hash) {
    let receipt = null; // viem's own wait also reads the transaction, and refuses chain ids above 2^53
    while ((receipt = await this.rpc("eth_getTransactionReceipt", hash)) === null) await sleep(50);
    receipt = formatTransactionReceipt(receipt);
    if (receipt.status !== "success") throw new Error(`transaction ${hash} reverted`);
    return receipt;
  }

  async send(from, to, data, more) {
    return this.mined(await this.submit(from, to, data, more));
  }

  async deploy({ abi, bytecode }, args = []) {
    const receipt = await this.send(this.owner, null, encodeDeployData({ abi, bytecode: bytecode.object, args }));
    return getAddress(receipt.contractAddress);
  }

  /** The same through the deterministic deployer, at an address that follows from code and arguments. */
  async deployAnywhere({ abi, bytecode }, args = []) {
    const creation = encodeDeployData({ abi, bytecode: bytecode.object, args });
    await this.send(this.owner, DEPLOYER, concat([SALT, creation]));
    return getCreate2Address({ from: DEPLOYER, salt: SALT, bytecode: creation });
  }

  /** A vault by the factory, as `keeper deploy` makes it. */
  async createVault(configuration) {
    const code = this.contracts.Vault.bytecode.object;
    const factory = await this.deployAnywhere(this.contracts.VaultFactory, [keccak256(code)]);
    const args = [code, configuration];
    const abi = this.contracts.VaultFactory.abi;
    const vault = await this.client.readContract({ address: factory, abi, functionName: "vaultAddress", args });
    await this.send(this.owner, factory, this.call("VaultFactory", "create", args));
    return vault;
  }

  call(name, functionName, args = []) {
    return encodeFunctionData({ abi: this.contracts[name].abi, functionName, args });
  }

  read(name, functionName, args = []) {
    const address = { Vault: this.vault, VaultLens: this.lens, TetherLike: this.token }[name];
    return this.client.readContract({ address, abi: this.contracts[name].abi, functionName, args });
  }

  /** Token, lens and a funded vault whose keeper's key is `keeper`, which also proposes. */
  async build({ keeper, policy, requests, regulars }) {
    this.token = await this.deploy(this.contracts.TetherLike, [0n, "Tether USD", "USDT", 6n]);
    const funds = ((sumOf(requests) * FUNDS_PERCENT) / 100n / USDT) * USDT;
    const { timestamp, number } = await this.client.getBlock();
    this.firstBlock = number; // the token holds nothing yet, and there is no vault
    this.lens = await this.deployAnywhere(this.contracts.VaultLens);
    const configuration = this.configuration({ keeper, policy, regulars, until: Number(timestamp) + GRANT });
    this.vault = await this.createVault(configuration);
    await this.send(this.owner, this.token, this.call("TetherLike", "issue", [funds]));
    const recipientOf = (hold) => requests.find((request) => request.hold === hold)?.recipient;
    const calls = [
      [this.owner, this.token, this.call("TetherLike", "transfer", [this.vault, funds])],
      [this.owner, keeper, "0x", { value: toHex(parseEther("100")) }],
    ];
    const blacklisted = recipientOf("token_blacklist");
    if (blacklisted) calls.push([this.owner, this.token, this.call("TetherLike", "addBlackList", [blacklisted])]);
    const blocked = recipientOf("recipient_blocked");
    if (blocked) calls.push([this.guardian, this.vault, this.call("Vault", "blockRecipient", [blocked])]);
    const hashes = [];
    for (const call of calls) hashes.push(await this.submit(...call));
    await Promise.all(hashes.map((hash) => this.mined(hash)));
    await this.final(await this.client.getBlockNumber());
  }

  /** Waits until that block is final. */
  async final(number) {
    while ((await this.client.getBlock({ blockTag: "finalized" })).number < number) await sleep(200);
  }

  configuration({ keeper, policy, regulars, until }) {
    const ceiling = policy.reduce((sum, { cap }) => sum + cap, 0n);
    return {
      token: this.token,
      unit: USDT / 100n,
      hardCeiling: ceiling,
      policyDelayFloor: DAY,
      policyDelay: 2 * DAY,
      threshold: 2,
      signers: this.signers,
      tiers: policy,
      guardians: [this.guardian],
      guardiansUntil: until,
      grants: [
        { account: keeper, role: 0, until },
        { account: keeper, role: 1, until },
        { account: this.proposer, role: 1, until },
      ],
      known: regulars,
      successor: zeroAddress,
    };
  }

  /** Moves the chain's clock on to `time` and waits for a block that has it. */
  async jumpTo(time) {
    const { timestamp } = await this.client.getBlock();
    await this.rpc("evm_increaseTime", toHex(Math.max(1, time - Number(timestamp))));
    for (;;) {
      const block = await this.client.getBlock();
      if (Number(block.timestamp) >= time) return block;
      await sleep(100);
    }
  }
}

module.exports = { ROOT, World };
