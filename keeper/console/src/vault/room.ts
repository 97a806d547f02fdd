// How much may leave: of each tier, and of all together.
import { RELEASE, forecast, roomAt, type Caps, type Step } from "./lanes.ts";
import type { Said } from "../words/index.ts";
import { capsOf, isAutomatic } from "./packed.ts";
import type { Snapshot } from "./snapshot.ts";

/** Each tier whose headroom, as the node tells it, is not what its lanes make. */
export function roomsDiffer(caps: Caps[], windows: bigint[], headrooms: bigint[], unit: bigint, now: bigint): Said[] {
  return caps.flatMap((each, k) => {
    const room = roomAt(windows[k] ?? 0n, each, now) * unit;
    return room === headrooms[k] ? [] : [{ key: "objectionRoom", given: { tier: k, stated: headrooms[k], made: room } }];
  });
}

export interface Room {
  tier: number;
  automatic: boolean;
  /** [base units] */
  cap: bigint;
  room: bigint;
  /** Room later, if nothing else leaves; the first is now. [base units] */
  steps: Step[];
}

const HOUR = 3_600n; // seconds
/** Room at each full hour of the next 28, if nothing else leaves. [base units] */
export const byTheHour = ({ tiers, windows, hot, unit, block }: Snapshot, tier: number): Step[] => {
  const shape = tiers[tier];
  if (!shape) return [];
  const first = (block.time / HOUR + 1n) * HOUR;
  return Array.from({ length: Number(RELEASE / HOUR) }, (_, i) => first + BigInt(i) * HOUR).map((time) => ({
    time,
    room: roomAt(windows[tier] ?? 0n, capsOf(shape, hot), time) * unit,
  }));
};

export const roomsOf = ({ tiers, windows, hot, unit, block }: Snapshot): Room[] =>
  tiers.map((tier, k) => {
    const steps = forecast(windows[k] ?? 0n, capsOf(tier, hot), block.time).map(({ time, room }) => ({ time, room: room * unit }));
    return { tier: k, automatic: isAutomatic(tier), cap: tier.cap * unit, room: steps[0]?.room ?? 0n, steps };
  });

/** Most that can leave. [base units] */
export interface Most {
  /** Now, as all caps and the balance stand. */
  now: bigint;
  /** In any 24 hours: with the keeper's key alone, under today's policy, with every key stolen. */
  automatic: bigint;
  policy: bigint;
  ceiling: bigint;
}

export function mostOf(snapshot: Snapshot): Most {
  const rooms = roomsOf(snapshot);
  const sum = (list: bigint[]): bigint => list.reduce((total, each) => total + each, 0n);
  const room = sum(rooms.map((each) => each.room));
  const frozen = snapshot.hot.haltedUntil > snapshot.block.time;
  const within = room < snapshot.balance ? room : snapshot.balance;
  return {
    now: frozen ? 0n : within,
    automatic: sum(rooms.filter((each) => each.automatic).map((each) => each.cap)),
    policy: sum(rooms.map((each) => each.cap)),
    ceiling: snapshot.hardCeiling,
  };
}
