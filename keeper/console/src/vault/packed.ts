// The vault's packed words. [types/Hot.sol, Member.sol, PackedTier.sol, Proposal.sol]
import { RELEASE, type Caps } from "./lanes.ts";

const get = (word: bigint, at: number, bits: number): bigint => (word >> BigInt(at)) & ((1n << BigInt(bits)) - 1n);

export interface Hot {
  /** First second at which payments flow again; 0 or past if not frozen. */
  haltedUntil: bigint;
  /** When caps before the last ordinary change of tiers cease to matter; 0 for none. */
  settledAt: bigint;
  epoch: number;
}

export function hotOf(word: bigint): Hot {
  const changedAt = get(word, 36, 36);
  return { haltedUntil: get(word, 0, 36), settledAt: changedAt === 0n ? 0n : changedAt + RELEASE, epoch: Number(get(word, 72, 24)) };
}

export interface Tier {
  /** [units] */
  maxKnown: bigint;
  maxUnknown: bigint;
  cap: bigint;
  before: bigint;
  approvals: number;
  /** [seconds] */
  delay: bigint;
}

export const tierOf = (word: bigint): Tier => ({
  maxKnown: get(word, 0, 33),
  maxUnknown: get(word, 33, 33),
  cap: get(word, 66, 33),
  before: get(word, 99, 33),
  approvals: Number(get(word, 132, 6)),
  delay: get(word, 138, 22),
});

export const capsOf = ({ cap, before }: Tier, { settledAt }: Hot): Caps => ({ cap, before, settledAt });

export const isAutomatic = ({ approvals, delay }: Pick<Tier, "approvals" | "delay">): boolean => approvals === 0 && delay === 0n;

export interface Member {
  /** First second without the role; 0 for never. */
  keeperUntil: bigint;
  proposerUntil: bigint;
  guardianUntil: bigint;
  freezeAgainAt: bigint;
  /** Signer set that it belongs to; 0 if it is no signer. */
  signerEpoch: number;
  signerIndex: number;
}

export const memberOf = (word: bigint): Member => ({
  keeperUntil: get(word, 0, 40),
  proposerUntil: get(word, 40, 40),
  guardianUntil: get(word, 80, 40),
  freezeAgainAt: get(word, 120, 40),
  signerEpoch: Number(get(word, 160, 24)),
  signerIndex: Number(get(word, 184, 8)),
});

/** Who has voted in `epoch`, and who took it back, by index in the signer set. */
export function votesOf(word: bigint, epoch: number): { votes: bigint; revoked: bigint } {
  return Number(get(word, 64, 24)) === epoch ? { votes: get(word, 0, 32), revoked: get(word, 32, 32) } : { votes: 0n, revoked: 0n };
}
