// Chains of hashes as the keeper keeps them: nothing of one is changed, left out or put in between without every later hash being another.
import { concat, keccak256, numberToHex, stringToHex, type Hex } from "viem";
import type { Act, LogEntry } from "./client.ts";

export const EMPTY: Hex = `0x${"00".repeat(32)}`;
const number = (value: number | bigint): Hex => numberToHex(value, { size: 8 });

export const entryHash = ({ prev, seq, body }: Pick<LogEntry, "prev" | "seq" | "body">): Hex => keccak256(concat([prev, number(seq), stringToHex(body)]));
export const actHash = ({ prev, id, answers, body }: Pick<Act, "prev" | "id" | "answers" | "body">): Hex =>
  keccak256(concat([prev, number(id), number(answers ?? 0), stringToHex(body)]));

/** What a batch's `context` says of the entry that it commits to; decisions beyond the log there are none yet. */
export const contextOf = (seq: number, hash: Hex): Hex => keccak256(concat([EMPTY, number(seq), hash]));

export interface Link {
  /** From 1, without gaps. */
  place: number;
  prev: Hex;
  hash: Hex;
  /** As it is made here. */
  made: Hex;
}

/** Where a chain ends that holds, and the first place at which it does not. */
export interface Held {
  end: number;
  hash: Hex;
  broken: number | undefined;
}
export const START: Held = { end: 0, hash: EMPTY, broken: undefined };

/** The same chain with more of it. Nothing after a break is looked at. */
export function hold(held: Held, links: Link[]): Held {
  let { end, hash, broken } = held;
  for (const link of links) {
    if (broken !== undefined) break;
    const follows = link.place === end + 1 && link.prev.toLowerCase() === hash && link.hash.toLowerCase() === link.made;
    if (!follows) broken = link.place;
    else [end, hash] = [link.place, link.made];
  }
  return { end, hash, broken };
}

export const linkOf = (entry: LogEntry): Link => ({ place: entry.seq, prev: entry.prev, hash: entry.hash, made: entryHash(entry) });
export const actLink = (act: Act): Link => ({ place: act.id, prev: act.prev, hash: act.hash, made: actHash(act) });
