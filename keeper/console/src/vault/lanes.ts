// The rolling window of a tier, as the contract's RollingCap packs it: `newest bucket (25 bits) | 7 lanes of 33 bits`, lane 0 (lowest)
// being the newest four hours. A charge leaves once its bucket is seven buckets old. Amounts are units, times seconds.

export const BUCKET = 4n * 3600n; // seconds
const LANES = 7n;
/** Longest time a charge stays. [seconds] */
export const RELEASE = LANES * BUCKET;
const LANE_BITS = 33n;
const LANE_MASK = (1n << LANE_BITS) - 1n;
const LANES_BITS = LANES * LANE_BITS;
const LANES_MASK = (1n << LANES_BITS) - 1n;

/** The window at `time`: shifted by the buckets that began since. A clock that steps back counts as the newest bucket. */
export function roll(window: bigint, time: bigint): bigint {
  const newest = window >> LANES_BITS;
  const bucket = time / BUCKET;
  if (bucket <= newest) return window;
  const elapsed = bucket - newest;
  const lanes = elapsed < LANES ? (window << (elapsed * LANE_BITS)) & LANES_MASK : 0n;
  return (bucket << LANES_BITS) | lanes;
}

/** The lanes, newest first. */
export const lanes = (window: bigint): bigint[] => Array.from({ length: Number(LANES) }, (_, i) => (window >> (BigInt(i) * LANE_BITS)) & LANE_MASK);

export const used = (window: bigint): bigint => lanes(window).reduce((sum, lane) => sum + lane, 0n);

/** How the caps of a tier stand: `before` holds until `settledAt` if it is the smaller. */
export interface Caps {
  cap: bigint;
  before: bigint;
  settledAt: bigint;
}

export const capAt = ({ cap, before, settledAt }: Caps, time: bigint): bigint => (time < settledAt && before < cap ? before : cap);

/** What may leave at `time` if nothing else leaves until then. */
export function roomAt(window: bigint, caps: Caps, time: bigint): bigint {
  const room = capAt(caps, time) - used(roll(window, time));
  return room > 0n ? room : 0n;
}

/** Room from `time` on. */
export interface Step {
  time: bigint;
  room: bigint;
}

/** Room now, and each moment at which there is more of it, if nothing else leaves. */
export function forecast(window: bigint, caps: Caps, now: bigint): Step[] {
  const newest = roll(window, now) >> LANES_BITS;
  const moments = Array.from({ length: Number(LANES) }, (_, i) => (newest + BigInt(i) + 1n) * BUCKET);
  if (caps.settledAt > now) moments.push(caps.settledAt);
  moments.sort((a, b) => (a < b ? -1 : 1));
  const steps: Step[] = [{ time: now, room: roomAt(window, caps, now) }];
  for (const time of moments) {
    const room = roomAt(window, caps, time);
    if (room !== steps.at(-1)?.room) steps.push({ time, room });
  }
  return steps;
}
