import { expect, test } from "@playwright/test";
import { BUCKET, RELEASE, capAt, forecast, lanes, roll, roomAt, used } from "../../src/vault/lanes.ts";

const LANE = 33n;
const windowOf = (bucket: bigint, amounts: bigint[]): bigint =>
  amounts.reduce((word, amount, i) => word | (amount << (BigInt(i) * LANE)), bucket << (7n * LANE));
const NEVER = { before: 0n, settledAt: 0n };

test("lanes shift by the buckets that began, and the oldest are dropped", () => {
  const window = windowOf(100n, [1n, 2n, 3n, 4n, 5n, 6n, 7n]);
  expect(lanes(roll(window, 100n * BUCKET))).toEqual([1n, 2n, 3n, 4n, 5n, 6n, 7n]);
  expect(lanes(roll(window, 102n * BUCKET))).toEqual([0n, 0n, 1n, 2n, 3n, 4n, 5n]);
  expect(used(roll(window, 106n * BUCKET))).toBe(1n);
  expect(used(roll(window, 107n * BUCKET))).toBe(0n);
  expect(roll(window, 5n)).toBe(window);
});

test("a charge is gone after more than 24 and at most 28 hours", () => {
  const window = windowOf(100n, [10n]);
  const caps = { cap: 10n, ...NEVER };
  for (const second of [0n, 1n, BUCKET - 1n]) {
    const charged = 100n * BUCKET + second;
    expect(roomAt(window, caps, charged + 24n * 3600n)).toBe(0n);
    expect(roomAt(window, caps, charged + RELEASE)).toBe(10n);
  }
});

test("room never goes beyond zero, and a smaller cap of before holds until it has settled", () => {
  const caps = { cap: 10n, before: 4n, settledAt: 50n };
  expect([capAt(caps, 49n), capAt(caps, 50n)]).toEqual([4n, 10n]);
  expect(roomAt(windowOf(0n, [7n]), caps, 49n)).toBe(0n);
  expect(roomAt(windowOf(0n, [7n]), caps, 50n)).toBe(3n);
});

test("the forecast has a step for each return and none between", () => {
  const now = 106n * BUCKET + 5n;
  const steps = forecast(windowOf(105n, [5n, 0n, 7n]), { cap: 100n, ...NEVER }, now);
  expect(steps).toEqual([
    { time: now, room: 88n },
    { time: 110n * BUCKET, room: 95n },
    { time: 112n * BUCKET, room: 100n },
  ]);
});
