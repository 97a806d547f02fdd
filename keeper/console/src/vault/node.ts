// A node, as the page asks it: always at a block that is named, so that answers belong together.
import { createPublicClient, custom, getAbiItem, http, type AbiEvent, type Address, type EIP1193Provider, type Hex, type PublicClient } from "viem";
import { VAULT } from "./abi.ts";
import type { Said } from "../words/index.ts";

const TIMEOUT_MS = 15_000;
/** Questions for one stretch of logs: nodes limit how far they look. */
const MOST_STRETCHES = 400;

export interface Block {
  number: bigint;
  hash: Hex;
  /** [seconds] */
  time: bigint;
}

export interface Node {
  /** Its URL, or the wallet's name. */
  name: string;
  client: PublicClient;
}

// ccipRead would let a contract, or a node, name addresses that the page then asks. [EIP-3668]
export const nodeAt = (url: string): Node => ({
  name: url,
  client: createPublicClient({ transport: http(url, { batch: true, retryCount: 1, timeout: TIMEOUT_MS }), cacheTime: 0, ccipRead: false }),
});

/** What does not stand on a node, for who entered it. */
export class NotThere extends Error {
  constructor(readonly said: Said) {
    super(said.key);
  }
}

/** A wallet's own node. */
export const nodeOf = (name: string, provider: EIP1193Provider): Node => ({ name, client: createPublicClient({ transport: custom(provider), cacheTime: 0, ccipRead: false }) });

/** As a bigint: viem's own getChainId answers with a Number, which an id above 2^53 does not fit. */
export const chainIdOf = async ({ client }: Node): Promise<bigint> => BigInt(await client.request({ method: "eth_chainId" }));

export async function blockAt({ client }: Node, at: bigint | "latest" | "finalized"): Promise<Block> {
  const block = await client.getBlock(typeof at === "bigint" ? { blockNumber: at } : { blockTag: at });
  if (block.hash === null || block.number === null) throw new NotThere({ key: "noHash" });
  return { number: block.number, hash: block.hash, time: block.timestamp };
}

const EVENTS = (["BatchProposed", "ChangeProposed", "RecipientSet", "RoleSet"] as const).map((name) => getAbiItem({ abi: VAULT, name })) as AbiEvent[];

export interface VaultLog {
  eventName: string;
  args: Record<string, unknown>;
  blockNumber: bigint;
}

/** The vault's logs that the page reads, in order. A stretch that the node refuses is asked for in halves. */
export async function logsOf({ client }: Node, vault: Address, from: bigint, to: bigint, events = EVENTS): Promise<VaultLog[]> {
  let left = MOST_STRETCHES;
  const stretch = async (from: bigint, to: bigint): Promise<VaultLog[]> => {
    if (from > to) return [];
    if (left-- <= 0) throw new NotThere({ key: "tooManyBlocks", given: { from } });
    try {
      const logs = await client.getLogs({ address: vault, events, fromBlock: from, toBlock: to, strict: true });
      return logs as unknown as VaultLog[];
    } catch (error) {
      // No answer at all is no matter of length.
      if (from === to || ["HttpRequestError", "TimeoutError"].includes((error as Error).name)) throw error;
      const middle = (from + to) / 2n;
      return [...(await stretch(from, middle)), ...(await stretch(middle + 1n, to))];
    }
  };
  return stretch(from, to);
}
