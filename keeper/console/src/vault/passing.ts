// When a payment of its own would pass, and why not now: made here from the snapshot, and held to what the lens says.
import { concat, type Address } from "viem";
import { LENS, REFUSALS, type Refusal } from "./abi.ts";
import { forecast } from "./lanes.ts";
import type { Node } from "./node.ts";
import { capsOf, isAutomatic } from "./packed.ts";
import { standingOf } from "./policy.ts";
import type { Snapshot } from "./snapshot.ts";

const NONE = 255; // the lens's word for no tier

export interface Passing {
  refusal: Refusal;
  /** The lowest tier that takes it. */
  tier: number | undefined;
  /** The lowest tier that takes it and has room now. */
  tierWithRoom: number | undefined;
  /** When the cap of `tier` has room, if nothing else leaves; undefined for never. [seconds] */
  fitsAt: bigint | undefined;
}

/** When that much fits under the tier's cap, if nothing else leaves. [seconds] */
export function fitsAt({ tiers, windows, hot, unit, block }: Snapshot, k: number, amount: bigint): bigint | undefined {
  const tier = tiers[k];
  if (!tier) return undefined;
  const units = (amount + unit - 1n) / unit;
  return forecast(windows[k] ?? 0n, capsOf(tier, hot), block.time).find(({ room }) => room >= units)?.time;
}

/** As the vault's own words make it. */
export function passing(snapshot: Snapshot, recipient: Address, amount: bigint): Passing {
  const { tiers, unit, block } = snapshot;
  const refused = (refusal: Refusal): Passing => ({ refusal, tier: undefined, tierWithRoom: undefined, fitsAt: undefined });
  const standing = standingOf(snapshot, recipient);
  if (standing === "Blocked") return refused("BlockedRecipient");
  if (amount === 0n) return refused("ZeroAmount");
  const takes = tiers.map(({ maxKnown, maxUnknown }) => amount <= (standing === "Known" ? maxKnown : maxUnknown) * unit);
  const tier = takes.indexOf(true);
  if (tier < 0) return refused("AboveLimit");
  const fits = takes.map((takes, k) => (takes ? fitsAt(snapshot, k, amount) : undefined));
  const tierWithRoom = fits.findIndex((time) => time === block.time);
  return { refusal: "None", tier, tierWithRoom: tierWithRoom < 0 ? undefined : tierWithRoom, fitsAt: fits[tier] };
}

/** The same as the lens says it. */
export async function askLens({ client }: Node, lens: Address, { domain, block }: Snapshot, recipient: Address, amount: bigint): Promise<Passing> {
  const payment = concat([recipient, `0x${amount.toString(16).padStart(24, "0")}`, `0x${"00".repeat(16)}`]);
  const question = { address: lens, abi: LENS, blockNumber: block.number } as const;
  const [first] = await client.readContract({ ...question, functionName: "preview", args: [domain.verifyingContract, payment] });
  if (!first) throw new Error("no answer");
  const tier = first.tier === NONE ? undefined : first.tier;
  const time = tier === undefined ? 0n : await client.readContract({ ...question, functionName: "fitsAt", args: [domain.verifyingContract, BigInt(tier), amount] });
  return {
    refusal: REFUSALS[first.refusal] ?? "Unknown",
    tier,
    tierWithRoom: first.tierWithRoom === NONE ? undefined : first.tierWithRoom,
    fitsAt: time === 0n ? undefined : time,
  };
}

/** The earliest that it can be paid if votes came now: room, delay and freeze, whichever is last. [seconds] */
export function earliest(snapshot: Snapshot, { tier, fitsAt }: Passing): bigint | undefined {
  const shape = tier === undefined ? undefined : snapshot.tiers[tier];
  if (!shape || fitsAt === undefined) return undefined;
  const { time } = snapshot.block;
  const waited = isAutomatic(shape) ? time : time + shape.delay;
  return [waited, fitsAt, snapshot.hot.haltedUntil].reduce((last, each) => (each > last ? each : last));
}
