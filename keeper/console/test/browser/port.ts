// Ports of this host for programs that must be told theirs and bind it later: claimed as keeper/tests/support/port.rs claims them, in the same folder.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";

/** Below those that systems give out to whoever asks for any, above those that browsers refuse. */
export const PORTS = { first: 7_000, end: 10_000 };
const COUNT = PORTS.end - PORTS.first;

export interface Port {
  number: number;
  release: () => void;
}

export const claims = `${tmpdir()}/tidelock-ports`;

/** Holds the lock on a port's file until it is ended or this process is; nothing if somebody else does. Node has no locks of its own: flock is util-linux's. */
function lock(number: number): Promise<ChildProcess | undefined> {
  const holder = spawn("flock", ["--nonblock", `${claims}/${number}`, "sh", "-c", "echo held; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    holder.on("error", reject);
    holder.on("exit", () => resolve(undefined));
    holder.stdout.once("data", () => resolve(holder));
  });
}

const isFree = (number: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.on("error", () => resolve(false));
    server.listen(number, "127.0.0.1", () => server.close(() => resolve(true)));
  });

/** A port that no other test gets until it is released, whether or not anybody listens. */
export async function claimPort(): Promise<Port> {
  mkdirSync(claims, { recursive: true });
  // Processes begin apart, so that they seldom try the same.
  const apart = process.pid * 97;
  for (let i = 0; i < COUNT; i++) {
    const number = PORTS.first + ((apart + i) % COUNT);
    const holder = await lock(number);
    if (!holder) continue;
    const release = (): void => void holder.stdin?.end();
    if (await isFree(number)) return { number, release };
    release();
  }
  throw new Error(`no port of ${PORTS.first} to ${PORTS.end - 1} is free`);
}
