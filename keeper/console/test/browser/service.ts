// `keeper up --dev` and `keeper serve`, as a person starts them. They end with the tests, however those end.
import { spawn, type ChildProcess } from "node:child_process";
import { createDecipheriv, scryptSync } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { test } from "@playwright/test";
import { privateKeyToAccount } from "viem/accounts";
import type { Address } from "viem";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
const KEEPER = process.env.TIDELOCK_KEEPER ?? `${root}target/debug/keeper`;
const PATIENCE_MS = 600_000;

export interface Service {
  origin: string;
  /** The address that is printed, with the vault filled in. */
  page: string;
  /** Files, reads, operates and audits. */
  key: string;
  /** Another person's, who only operates. */
  second: string;
  folder: string;
  vault: Address;
  lens: Address;
  url: string;
  /** Starts `keeper serve` beside it, by another file of settings if one is named. */
  serve: (config?: string, variables?: Record<string, string>) => Promise<{ origin: string; stop: () => Promise<void> }>;
  rpc: <T>(method: string, ...params: unknown[]) => Promise<T>;
  /** Makes blocks as of so much later. */
  later: (seconds: number) => Promise<void>;
  stop: () => Promise<void>;
}

const running = new Set<ChildProcess>();
// A keeper that is asked to end ends its node too, which one that is killed could not.
process.on("exit", () => running.forEach((child) => child.kill("SIGTERM")));

function start(args: string[], options: object): { child: ChildProcess; stop: () => Promise<void> } {
  const child = spawn(KEEPER, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const ended = new Promise<void>((resolve) => child.on("exit", () => void (running.delete(child), resolve())));
  return { child, stop: () => (child.kill("SIGTERM"), ended) };
}

/** All that a process has said, once it matches. */
function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error(`it never said ${pattern}:\n${output}`)), PATIENCE_MS);
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (!pattern.test(output)) return;
      clearTimeout(timer);
      resolve(output);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.on("exit", (code) => reject(new Error(`it ended with ${code}:\n${output}`)));
  });
}

export const needsKeeper = (): void => test.skip(!existsSync(KEEPER), `${KEEPER} is not there`);

export async function startService(): Promise<Service> {
  const folder = mkdtempSync(`${tmpdir()}/tidelock-console-`);
  const dev = start(["up", "--dev", "--dir", folder], { cwd: root });
  const output = await said(dev.child, /^In another terminal:/m);
  const line = (name: string): string => output.match(new RegExp(`^${name} +(\\S+)`, "m"))?.[1] ?? "";
  const config = readFileSync(`${folder}/keeper.toml`, "utf8");
  const setting = (name: string): string => config.match(new RegExp(`^${name} = "([^"]*)"`, "m"))?.[1] ?? "";
  const url = setting("rpc_url");
  const rpc = async <T>(method: string, ...params: unknown[]): Promise<T> => {
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }) });
    const { result, error } = (await response.json()) as { result: T; error?: { message: string } };
    if (error) throw new Error(error.message);
    return result;
  };
  return {
    origin: line("API"),
    page: line("page"),
    key: line("API key"),
    second: line("second"),
    folder,
    vault: setting("address") as Address,
    lens: setting("lens") as Address,
    url,
    serve: async (config = "keeper.toml", variables = {}) => {
      const { child, stop } = start(["--config", config, "serve"], { cwd: folder, env: { ...process.env, ...variables } });
      const [, address] = (await said(child, /127\.0\.0\.1:[1-9]\d*/)).match(/(127\.0\.0\.1:[1-9]\d*)/) ?? [];
      return { origin: `http://${address}`, stop };
    },
    rpc,
    later: async (seconds) => {
      await rpc("evm_increaseTime", seconds);
      await rpc("evm_mine");
    },
    stop: async () => {
      await dev.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface Keystore {
  crypto: { cipher: string; cipherparams: { iv: string }; ciphertext: string; kdfparams: { n: number; r: number; p: number; dklen: number; salt: string } };
}

/** The account whose encrypted key lies in the folder of `keeper up --dev`, as a wallet takes it from the file. */
export function accountOf({ folder }: Service, name: string) {
  const password = readFileSync(`${folder}/password`, "utf8").trim();
  const { crypto } = JSON.parse(readFileSync(`${folder}/${name}.json`, "utf8")) as Keystore;
  const { n, r, p, dklen, salt } = crypto.kdfparams;
  const bytes = (text: string): Buffer => Buffer.from(text, "hex");
  const stretched = scryptSync(password, bytes(salt), dklen, { N: n, r, p });
  const decipher = createDecipheriv(crypto.cipher, stretched.subarray(0, 16), bytes(crypto.cipherparams.iv));
  return privateKeyToAccount(`0x${Buffer.concat([decipher.update(bytes(crypto.ciphertext)), decipher.final()]).toString("hex")}`);
}
