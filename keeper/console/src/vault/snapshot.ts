// A vault as one node tells it at one block.
import { type Address } from "viem";
import { STANDINGS, TOKEN, VAULT, type Standing } from "./abi.ts";
import { roomsDiffer } from "./room.ts";
import { NotThere, blockAt, chainIdOf, logsOf, type Block, type Node, type VaultLog } from "./node.ts";
import { capsOf, type Hot, hotOf, type Member, memberOf, type Tier, tierOf } from "./packed.ts";
import { readProposals, type Proposal } from "./proposals.ts";
import { vaultDomain, type Domain } from "./typed.ts";
import type { Said } from "../words/index.ts";

export interface Snapshot {
  block: Block;
  domain: Domain;
  token: { address: Address; symbol: string; decimals: number };
  /** [base units] */
  balance: bigint;
  unit: bigint;
  hardCeiling: bigint;
  policyDelay: bigint;
  policyDelayFloor: bigint;
  /** Names one state of the tiers. [seconds] */
  termsChangedAt: number;
  successor: Address;
  threshold: number;
  hot: Hot;
  tiers: Tier[];
  windows: bigint[];
  signers: Address[];
  guardians: Address[];
  /** Everybody who has or had a role. */
  members: Record<Address, Member>;
  /** Recipients that the book knows, and that it blocks. */
  known: Address[];
  blocked: Address[];
  proposals: Proposal[];
  /** What the node says that does not agree with itself. */
  objections: Said[];
}

/** Logs up to a final block need not be asked for again. */
export interface LogCache {
  upTo: bigint;
  logs: VaultLog[];
}
export const emptyCache = (from: bigint): LogCache => ({ upTo: from - 1n, logs: [] });

async function allLogs(node: Node, vault: Address, cache: LogCache, to: bigint): Promise<VaultLog[]> {
  // Taken together: another look at the same cache may go on meanwhile.
  const { upTo, logs: kept } = cache;
  const logs = [...kept, ...(await logsOf(node, vault, upTo + 1n, to))];
  const final = await blockAt(node, "finalized").catch(() => undefined);
  if (final && final.number > cache.upTo && final.number <= to) {
    cache.logs = logs.filter(({ blockNumber }) => blockNumber <= final.number);
    cache.upTo = final.number;
  }
  return logs;
}

export async function readSnapshot(node: Node, vault: Address, lens: Address, cache: LogCache, at?: bigint): Promise<Snapshot> {
  const { client } = node;
  const [chainId, block] = await Promise.all([chainIdOf(node), blockAt(node, at ?? "latest")]);
  const blockNumber = block.number;
  const code = await client.getCode({ address: vault, blockNumber });
  if (code === undefined || code === "0x") throw new NotThere({ key: "noContract" });
  type Name = Parameters<typeof client.readContract>[0]["functionName"];
  const ask = <T>(functionName: Name, ...args: unknown[]): Promise<T> =>
    client.readContract({ address: vault, abi: VAULT, functionName, args, blockNumber } as never) as Promise<T>;
  const version = await ask<string>("VERSION").catch(() => undefined);
  if (version === undefined) throw new NotThere({ key: "noVault" });
  if (version !== "1") throw new NotThere({ key: "otherVersion", given: { version } });
  const [address, unit, hardCeiling, policyDelay, policyDelayFloor, termsChangedAt, successor, threshold, tierCount, hotWord, signers, guardians, logs] = await Promise.all([
    ask<Address>("token"),
    ask<bigint>("unit"),
    ask<bigint>("hardCeiling"),
    ask<number>("policyDelay"),
    ask<bigint>("policyDelayFloor"),
    ask<number>("termsChangedAt"),
    ask<Address>("successor"),
    ask<number>("threshold"),
    ask<number>("tierCount"),
    ask<bigint>("hot"),
    ask<Address[]>("signers"),
    ask<Address[]>("guardians"),
    allLogs(node, vault, cache, blockNumber),
  ]);
  const indexes = Array.from({ length: tierCount }, (_, i) => BigInt(i));
  const each = <T>(name: Name): Promise<T[]> => Promise.all(indexes.map((index) => ask<T>(name, index)));
  const granted = logs.filter(({ eventName }) => eventName === "RoleSet").map(({ args }) => args.account as Address);
  const people = [...new Set([...signers, ...guardians, ...granted])];
  const listed = [...new Set(logs.filter(({ eventName }) => eventName === "RecipientSet").map(({ args }) => args.recipient as Address))];
  const standing = async (recipient: Address): Promise<Standing> => STANDINGS[await ask<number>("standingOf", recipient)] ?? "Unknown";
  const onToken = <T>(functionName: "symbol" | "decimals" | "balanceOf", ...args: unknown[]): Promise<T> =>
    client.readContract({ address, abi: TOKEN, functionName, args, blockNumber } as never) as Promise<T>;
  const [tierWords, windows, headrooms, members, standings, symbol, decimals, balance] = await Promise.all([
    each<bigint>("packedTier"),
    each<bigint>("window"),
    each<bigint>("headroom"),
    Promise.all(people.map(async (account) => [account, memberOf(await ask<bigint>("member", account))] as const)),
    Promise.all(listed.map(standing)),
    onToken<string>("symbol"),
    onToken<number>("decimals"),
    onToken<bigint>("balanceOf", vault),
  ]);
  const domain = vaultDomain(chainId, vault);
  const hot = hotOf(hotWord);
  const tiers = tierWords.map(tierOf);
  const known = listed.filter((_, i) => standings[i] === "Known");
  const others = [...known, ...people, vault, address];
  const proposals = await readProposals({ node, vault, lens, domain, block, hot, logs, ask, standing, others });
  return {
    block,
    domain,
    token: { address, symbol, decimals: Number(decimals) },
    balance,
    unit,
    hardCeiling,
    policyDelay: BigInt(policyDelay),
    policyDelayFloor,
    termsChangedAt: Number(termsChangedAt),
    successor,
    threshold,
    hot,
    tiers,
    windows,
    signers: [...signers],
    guardians: [...guardians],
    members: Object.fromEntries(members),
    known,
    blocked: listed.filter((_, i) => standings[i] === "Blocked"),
    proposals,
    objections: roomsDiffer(tiers.map((tier) => capsOf(tier, hot)), windows, headrooms, unit, block.time),
  };
}
