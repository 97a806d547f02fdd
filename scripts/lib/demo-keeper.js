// The real keeper as a process of its own, in a directory of its own: made, started, killed and started again.
"use strict";
const { execFile } = require("node:child_process");
const { randomBytes } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { promisify } = require("node:util");
const { getAddress } = require("viem");
const { start } = require("./children.js");
const { asCsv } = require("./demo-requests.js");

const run = promisify(execFile);
const KEYSTORE = "keeper-key.json";
const REFUSED = 3; // exit code: a rule refuses it
const OPEN_MS = 120_000; // a log is open by then
const STOP_MS = 120_000; // then it is not stopping
const KILL_EVERY_MS = [400, 4000]; // from one start to the next kill, while there is work
const TAIL_LINES = 20;
// What the chain of a demo asks for: its blocks come every second, and it has one node.
const SETTINGS = {
  KEEPER_KEY__PASSWORD_FILE: "password",
  KEEPER_CHAIN__POLL_INTERVAL_MS: "250",
  KEEPER_BATCH__MAX_PAYMENTS: "100",
  KEEPER_BATCH__MAX_WAIT_MS: "1000",
};
// Who is killed again and again sends many small batches: more moments at which a kill can do harm.
const HUNTED = { ...SETTINGS, KEEPER_BATCH__MAX_PAYMENTS: "10", KEEPER_BATCH__MAX_WAIT_MS: "100" };

class Keeper {
  constructor({ binary, directory, chance, kill }) {
    Object.assign(this, { directory, chance, killing: kill, kills: 0, child: null, nextKill: null });
    // A copy: a build that goes on meanwhile does not change what is restarted.
    this.binary = path.join(directory, "keeper");
    fs.copyFileSync(binary, this.binary);
    this.log = path.join(directory, "keeper.log");
    this.env = { ...process.env, ...(kill ? HUNTED : SETTINGS) };
  }

  /** Runs one command to its end. Fails unless it ends with one of `codes`. */
  async command(args, codes = [0]) {
    const options = { cwd: this.directory, env: this.env, maxBuffer: 1 << 26 };
    const result = await run(this.binary, args, options).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      ({ code, stdout, stderr, message }) => ({ code, stdout: stdout ?? "", stderr: stderr || message }),
    );
    if (codes.includes(result.code)) return result;
    throw new Error(`keeper ${args.join(" ")} ended with ${result.code}: ${result.stderr.trim()}`);
  }

  async json(args, codes) {
    return JSON.parse((await this.command([...args, "--json"], codes)).stdout);
  }

  /** One with a key of its own, in a keystore whose password nobody has seen. */
  static async create(options) {
    const keeper = new Keeper(options);
    const password = randomBytes(24).toString("hex");
    fs.writeFileSync(path.join(keeper.directory, "password"), `${password}\n`, { mode: 0o600 });
    const env = { ...process.env, CAST_PASSWORD: password };
    const { stdout } = await run("cast", ["wallet", "new", keeper.directory, KEYSTORE, "--json"], { env });
    fs.chmodSync(path.join(keeper.directory, KEYSTORE), 0o600);
    keeper.address = getAddress(JSON.parse(stdout)[0].address);
    return keeper;
  }

  /** Writes its configuration. */
  async prepare({ url, chainId, vault, lens, token }) {
    const where = ["--rpc-url", url, "--chain-id", `${chainId}`, "--vault", vault, "--lens", lens, "--token", token];
    await this.command(["init", ...where, "--allow-single-node"]);
  }

  /** Starts the daemon. What it says goes to a file. */
  async start() {
    const log = fs.openSync(this.log, "a");
    this.child = start(this.binary, ["run", "--first-keeper"], { cwd: this.directory, env: this.env, stdio: ["ignore", log, log] });
    fs.closeSync(log);
    this.ended = new Promise((resolve) => {
      this.child.on("exit", (code, signal) => resolve({ code, signal }));
    });
    await new Promise((resolve, reject) => this.child.on("spawn", resolve).on("error", reject));
    this.plan();
  }

  plan() {
    const [least, most] = KILL_EVERY_MS;
    this.nextKill = Date.now() + least + Number(this.chance.below(`kill ${this.kills}`, most - least));
  }

  tail() {
    return fs.readFileSync(this.log, "utf8").trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
  }

  /** Files all requests, twice: the second time must add nothing, and a known ref takes no other amount. */
  async request(requests) {
    await this.opened();
    fs.writeFileSync(path.join(this.directory, "payments.csv"), asCsv(requests));
    const file = () => this.json(["request", "--file", "payments.csv"]);
    for (const [filed, known] of [[requests.length, 0], [0, requests.length]]) {
      const answer = await file();
      if (answer.filed === filed && answer.known === known) continue;
      throw new Error(`of ${requests.length} requests, ${filed} of them new, the keeper filed ${answer.filed}`);
    }
    const [{ reference, recipient }] = requests;
    await this.command(["request", recipient, "0.5", "--ref", reference], [REFUSED]);
  }

  /** Waits until the daemon has opened its log. */
  async opened() {
    const until = Date.now() + OPEN_MS;
    while (!fs.existsSync(path.join(this.directory, "keeper.db"))) {
      this.mustRun();
      if (Date.now() > until) throw new Error(`the keeper has opened no log:\n${this.tail()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Fails if the daemon ended by itself. */
  mustRun() {
    const { exitCode, signalCode } = this.child;
    if (exitCode === null && signalCode === null) return;
    throw new Error(`the keeper ended by itself with ${exitCode ?? signalCode}:\n${this.tail()}`);
  }

  /** Kills the daemon if it is time to, `busy` says whether there is work. True after that. */
  async step({ busy }) {
    this.mustRun();
    if (!this.killing || !busy || Date.now() < this.nextKill) return false;
    this.child.kill("SIGKILL");
    await this.ended;
    this.kills += 1;
    await this.start();
    return true;
  }

  /** What the keeper itself says in the end, in lines; it must be what was requested and what the chain has. */
  async finish(requests) {
    const { payments } = await this.json(["status", "--all"]);
    const said = new Map(payments.map((payment) => [payment.ref, payment]));
    for (const { reference, hold } of requests) {
      const status = said.get(reference)?.status;
      const due = hold === null ? "paid" : "held";
      if (status !== due) throw new Error(`keeper status says that ref ${reference} is ${status}; it is ${due}`);
    }
    await this.stop();
    await this.command(["reconcile"]);
    await this.command(["verify-log"]);
    return ["keeper status: every request is paid or held, as it must be", "keeper reconcile, keeper verify-log: no difference"];
  }

  /** Asks it to stop, and waits. It must end well. */
  async stop() {
    const timer = setTimeout(() => this.child.kill("SIGKILL"), STOP_MS);
    this.child.kill("SIGTERM");
    const { code, signal } = await this.ended;
    clearTimeout(timer);
    if (code !== 0) throw new Error(`the keeper stopped with ${code ?? signal}:\n${this.tail()}`);
  }
}

module.exports = { Keeper };
