// The contracts that treasuries use today, as their npm packages build them.
"use strict";
const path = require("node:path");
const { concat, encodeFunctionData, pad, parseEventLogs, size, toHex, zeroAddress, zeroHash } = require("viem");
const { PAYEES, ROOT, hashOf, readJson } = require("./gas-world.js");

const DELAY = 3600; // of the time lock, seconds

const modules = path.join(ROOT, "node_modules");
const safeArtifact = (file) => {
  const name = path.basename(file);
  return readJson(path.join(modules, "@safe-global/safe-contracts/build/artifacts/contracts", `${file}.sol`, `${name}.json`));
};
const timelockArtifact = () => readJson(path.join(modules, "@openzeppelin/contracts/build/contracts/TimelockController.json"));

/** A Safe 1.4.1 of three owners and threshold 2, behind its usual proxy. */
class Safe {
  static async create(world) {
    const safe = new Safe();
    const [artifact, factory] = [safeArtifact("Safe"), safeArtifact("proxies/SafeProxyFactory")];
    Object.assign(safe, { world, abi: artifact.abi });
    safe.multiSend = safeArtifact("libraries/MultiSendCallOnly");
    safe.multiSendAddress = await world.chain.deploy(safe.multiSend);
    const singleton = await world.chain.create(artifact);
    const factoryAddress = await world.chain.deploy(factory);
    const setup = encodeFunctionData({
      abi: artifact.abi,
      functionName: "setup",
      args: [world.signers, 2n, zeroAddress, "0x", zeroAddress, zeroAddress, 0n, zeroAddress],
    });
    const create = encodeFunctionData({
      abi: factory.abi,
      functionName: "createProxyWithNonce",
      args: [singleton.contractAddress, setup, 0n],
    });
    const created = await world.chain.send(world.owner, factoryAddress, create);
    safe.address = parseEventLogs({ abi: factory.abi, logs: created.logs, eventName: "ProxyCreation" })[0].args.proxy;
    safe.creation = { singleton: Number(singleton.gasUsed), proxy: Number(created.gasUsed) };
    await world.fund(safe.address);
    await safe.bySignatures([PAYEES.holder[0]]); // the nonce's slot is in use from here on
    return safe;
  }

  /** What `execTransaction` takes but for the signatures: a plain transfer, or a MultiSend of several. */
  call(payees) {
    const transfers = payees.map((payee) => this.world.transferCall(payee));
    if (transfers.length === 1) return this.arguments(this.world.token, transfers[0], 0);
    const item = (data) => concat(["0x00", this.world.token, zeroHash, toHex(size(data), { size: 32 }), data]);
    const list = concat(transfers.map(item));
    const data = encodeFunctionData({ abi: this.multiSend.abi, functionName: "multiSend", args: [list] });
    return this.arguments(this.multiSendAddress, data, 1);
  }

  arguments(to, data, operation) {
    return [to, 0n, data, operation, 0n, 0n, 0n, zeroAddress, zeroAddress];
  }

  async hash(call) {
    const nonce = await this.world.read(this.address, this.abi, "nonce");
    return this.world.read(this.address, this.abi, "getTransactionHash", [...call, nonce]);
  }

  gasOf(from, functionName, args, payees) {
    const data = encodeFunctionData({ abi: this.abi, functionName, args });
    return this.world.gasOf({ from, to: this.address, data, source: this.address, payees });
  }

  // Safe wants the signatures of two owners in the order of their addresses.
  pair() {
    return this.world.signers.slice(0, 2).sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  }

  /** Gas of the one transaction, with two signatures made off chain. */
  async bySignatures(payees) {
    const call = this.call(payees);
    const hash = await this.hash(call);
    const sign = (owner) => this.world.chain.signer(owner).sign({ hash });
    const signatures = concat(await Promise.all(this.pair().map(sign)));
    return this.gasOf(this.world.outsider, "execTransaction", [...call, signatures], payees);
  }

  /** Gas of each transaction with votes on chain; the second owner may vote by executing. */
  async byApprovals(payee, secondExecutes) {
    const call = this.call([payee]);
    const hash = await this.hash(call);
    const [first, second] = this.pair();
    const approvals = [];
    for (const owner of secondExecutes ? [first] : [first, second]) {
      approvals.push(await this.gasOf(owner, "approveHash", [hash]));
    }
    const signatures = concat([first, second].map((owner) => concat([pad(owner, { size: 32 }), zeroHash, "0x01"])));
    const from = secondExecutes ? second : this.world.outsider;
    return { approvals, execute: await this.gasOf(from, "execTransaction", [...call, signatures], [payee]) };
  }
}

/** OpenZeppelin's TimelockController with one proposer, who is alone: it has no quorum. */
class Timelock {
  static async create(world) {
    const timelock = new Timelock();
    const artifact = timelockArtifact();
    Object.assign(timelock, { world, abi: artifact.abi });
    const args = [BigInt(DELAY), [world.proposer], [world.keeper], zeroAddress];
    const created = await world.chain.create(artifact, args);
    Object.assign(timelock, { address: created.contractAddress, creation: Number(created.gasUsed) });
    await world.fund(timelock.address);
    return timelock;
  }

  gasOf(from, functionName, args, payees, later) {
    const data = encodeFunctionData({ abi: this.abi, functionName, args });
    return this.world.gasOf({ from, to: this.address, data, source: this.address, payees, later });
  }

  async withdraw(payee) {
    const operation = [this.world.token, 0n, this.world.transferCall(payee), zeroHash, hashOf("salt")];
    return {
      schedule: await this.gasOf(this.world.proposer, "schedule", [...operation, BigInt(DELAY)]),
      execute: await this.gasOf(this.world.keeper, "execute", operation, [payee], DELAY),
    };
  }
}

module.exports = { Safe, Timelock };
