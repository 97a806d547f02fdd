import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { expect, test } from "@playwright/test";
import { PORTS, claimPort, claims } from "../browser/port.ts";

/** Whether another process may have a port's lock, as tests in Rust take it. */
const isOpen = (number: number): boolean => spawnSync("flock", ["--nonblock", `${claims}/${number}`, "true"]).status === 0;

test("a port is nobody else's until it is released, though nobody listens there", async () => {
  const [one, other] = [await claimPort(), await claimPort()];
  expect(one.number).not.toBe(other.number);
  for (const { number } of [one, other]) {
    expect(number).toBeGreaterThanOrEqual(PORTS.first);
    expect(number).toBeLessThan(PORTS.end);
    expect(isOpen(number)).toBe(false);
  }
  one.release();
  await expect.poll(() => isOpen(one.number)).toBe(true);
  expect(isOpen(other.number)).toBe(false);
  // Where somebody listens who has claimed nothing, it is passed over.
  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen(one.number, "127.0.0.1", resolve));
  const third = await claimPort();
  expect([one.number, other.number]).not.toContain(third.number);
  for (const port of [other, third]) port.release();
  stranger.close();
});
