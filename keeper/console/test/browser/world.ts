// A chain with a vault, a server of the built page, and a wallet that a browser finds: all real, but for the wallet's window.
import { createServer, type Server } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { test as base, expect, type Page } from "@playwright/test";
import type { Address, BaseError, Hex } from "viem";

const require = createRequire(import.meta.url);
const root = fileURLToPath(new URL("../../../../", import.meta.url));
export const BUILT = `${root}target/console`;

// The scripts of the project that make a chain and a vault are CommonJS without types.
const { World } = require(`${root}scripts/lib/demo-world.js`);
const { headerOf, orderOf, packPayments } = require(`${root}scripts/lib/batch.js`);

const USDT = 1_000_000n;
const UNKNOWN: Address = "0x1111111111111111111111111111111111111111";
export const KNOWN: Address = "0x8D2f5D3CBeeB2C68a278aC1Ef52818cCEC71F69c";
/** Begins and ends like the one of the book. */
const ALIKE: Address = "0x8d2f00000000000000000000000000000000f69c";

export interface Chain {
  url: string;
  vault: Address;
  lens: Address;
  chainId: bigint;
  signers: Address[];
  guardian: Address;
  accounts: Address[];
  /** Proposes payments in tier 1, which takes two votes and a day. */
  propose: (payments: { recipient: Address; amount: bigint }[]) => Promise<void>;
  read: <T>(name: "Vault" | "VaultLens", functionName: string, args?: unknown[]) => Promise<T>;
  rpc: (method: string, ...params: unknown[]) => Promise<unknown>;
  stop: () => void;
}

let references = 0;

export async function startChain(): Promise<Chain> {
  const world = await World.start();
  const policy = [
    { maxKnown: 10_000n * USDT, maxUnknown: 1_000n * USDT, cap: 100_000n * USDT, approvals: 0, delay: 0 },
    { maxKnown: 100_000n * USDT, maxUnknown: 20_000n * USDT, cap: 500_000n * USDT, approvals: 2, delay: 86_400 },
  ];
  const requests = [{ amount: 400_000n * USDT }];
  const keeper = world.accounts[6];
  await world.build({ keeper, policy, requests, regulars: [KNOWN] });
  const reference = (): Hex => `0x${(++references).toString(16).padStart(32, "0")}`;
  const order = async (tier: number, firstNumber: bigint, payments: { recipient: Address; amount: bigint }[]) => {
    const { timestamp } = await world.client.getBlock();
    const packed = packPayments(payments.map((payment) => ({ ...payment, reference: reference() })));
    const header = headerOf(packed, { firstNumber, tier, expiresAt: Number(timestamp) + 10 * 86_400, context: `0x${"00".repeat(32)}` });
    return [orderOf(header), packed];
  };
  let next = 2n ** 63n + 5n;
  // Something that was paid, so that a cap is not whole.
  await world.send(keeper, world.vault, world.call("Vault", "pay", await order(0, 1n, [{ recipient: KNOWN, amount: 9_000n * USDT }])));
  return {
    url: world.url,
    vault: world.vault,
    lens: world.lens,
    chainId: world.chainId,
    signers: world.signers,
    guardian: world.guardian,
    accounts: world.accounts,
    propose: async (payments) => {
      const first = next;
      next += BigInt(payments.length);
      await world.send(world.proposer, world.vault, world.call("Vault", "propose", await order(1, first, payments)));
    },
    read: (name, functionName, args = []) => world.read(name, functionName, args),
    rpc: (method, ...params) => world.rpc(method, ...params),
    stop: () => world.anvil.stop(),
  };
}

/** What the tests of signers look at: a payment to a stranger, one to the book's, and one that looks like the book's. */
export const somePayments = [
  { recipient: UNKNOWN, amount: 12_345_678_901n },
  { recipient: KNOWN, amount: 50_000n * USDT },
  { recipient: ALIKE, amount: 1_000n * USDT },
];

const TYPES: Record<string, string> = { html: "text/html; charset=utf-8", js: "text/javascript", css: "text/css", svg: "image/svg+xml" };

/** Serves the built files, and nothing else. */
async function startServer(): Promise<{ server: Server; origin: string }> {
  const server = createServer((request, response) => {
    const name = request.url === "/" ? "index.html" : (request.url ?? "").slice(1);
    const file = `${BUILT}/${name}`;
    if (!/^[\w.]+$/.test(name) || !existsSync(file)) return response.writeHead(404).end();
    return response.writeHead(200, { "content-type": TYPES[name.split(".").pop() ?? ""] ?? "" }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return { server, origin: `http://127.0.0.1:${address.port}` };
}

/** What the wallet is to do when it is asked. */
export interface Conduct {
  account: Address;
  chainId?: bigint;
  rejects?: boolean;
  /** Signs with this account's key, whatever it is asked for. */
  signsAs?: Address;
}

/** What a wallet takes of a chain: its id, and what answers for it. */
export type Backing = Pick<Chain, "chainId" | "rpc">;

/** A wallet that announces itself; its node, or what stands before it, has the keys. */
export async function giveWallet(page: Page, chain: Backing, conduct: Conduct): Promise<void> {
  await page.exposeFunction("askWallet", async (method: string, params: unknown[]) => {
    const told = (code: number, message: string, data?: unknown) => ({ error: { code, message, data } });
    if (method === "eth_chainId") return { result: `0x${(conduct.chainId ?? chain.chainId).toString(16)}` };
    if (conduct.rejects && method !== "eth_requestAccounts") return told(4001, "User rejected the request.");
    if (method === "eth_requestAccounts") return { result: [conduct.account] };
    if (method === "wallet_switchEthereumChain") {
      conduct.chainId = chain.chainId;
      return { result: null };
    }
    const given = method === "eth_signTypedData_v4" && conduct.signsAs ? [conduct.signsAs, ...params.slice(1)] : params;
    const asked = method === "eth_signTypedData_v4" ? [given[0], JSON.parse(given[1] as string)] : given;
    return chain.rpc(method, ...asked).then(
      (result) => ({ result }),
      (error: BaseError) => {
        // What the vault refused with comes along, as wallets hand it on.
        const refusal = error.walk((each) => "data" in (each as Error)) as { code?: number; data?: unknown } | null;
        return told(refusal?.code ?? -32000, error.message, refusal?.data);
      },
    );
  });
  await page.addInitScript(() => {
    const listeners: Record<string, ((value: unknown) => void)[]> = {};
    const request = async ({ method, params = [] }: { method: string; params?: unknown[] }) => {
      const answer = await (window as unknown as { askWallet: (method: string, params: unknown[]) => Promise<{ result?: unknown; error?: { code: number; message: string } }> }).askWallet(method, params);
      if (answer.error) throw Object.assign(new Error(answer.error.message), answer.error);
      if (method === "wallet_switchEthereumChain") listeners.chainChanged?.forEach((listener) => listener((params[0] as { chainId: string }).chainId));
      return answer.result;
    };
    const on = (name: string, listener: (value: unknown) => void) => (listeners[name] ??= []).push(listener);
    const provider = { request, on, removeListener: () => undefined };
    const detail = Object.freeze({ info: { uuid: "6f2b7a53-2f5d-4a0e-8f0a-1b8a1d2c3e4f", name: "Test Wallet", icon: "", rdns: "org.example.wallet" }, provider });
    const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
    window.addEventListener("eip6963:requestProvider", announce);
    announce();
  });
}

export const fragment = ({ vault, lens }: Chain, nodes: string[]): string =>
  `#${new URLSearchParams([["vault", vault], ["lens", lens], ...nodes.map((node) => ["node", node])] as [string, string][])}`;

/** Opens the page on a chain, as a link does, after it was looked at. */
export async function openPage(page: Page, origin: string, chain: Chain, nodes = [chain.url]): Promise<void> {
  await page.goto(`${origin}/${fragment(chain, nodes)}`);
  await page.getByRole("button", { name: "Open", exact: true }).click();
}

export const test = base.extend<{ origin: string; asked: string[] }, { chain: Chain; server: string }>({
  chain: [
    async ({}, use) => {
      const chain = await startChain();
      await use(chain);
      chain.stop();
    },
    { scope: "worker", timeout: 600_000 },
  ],
  server: [
    async ({}, use) => {
      const { server, origin } = await startServer();
      await use(origin);
      server.closeAllConnections();
      server.close();
    },
    { scope: "worker" },
  ],
  origin: async ({ server }, use) => use(server),
  /** Every address that the page asks. */
  asked: async ({ page }, use) => {
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    await use(asked);
  },
});
export { expect };
