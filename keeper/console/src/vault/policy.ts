// What a policy change does to the vault as it stands: field by field, what it tightens and what it loosens, and whether it waits.
// The rules are those of contracts/src/libraries/Policy.sol and VaultRules.sol.
import { zeroAddress, type Address } from "viem";
import { STANDINGS, type Standing } from "./abi.ts";
import { isAutomatic, type Member } from "./packed.ts";
import type { Proposal } from "./proposals.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Content, Kind } from "./typed.ts";
import { amountText, spanText, timeText } from "./words.ts";
import type { Said } from "../words/index.ts";

/** A row of the release policy as a change states it. [base units, seconds] */
export interface Row {
  maxKnown: bigint;
  maxUnknown: bigint;
  cap: bigint;
  approvals: number;
  delay: number;
}

export type Way = "tightens" | "loosens" | "moves";
/** One thing that a change does. */
export interface Effect {
  way: Way;
  said: Said;
}

export const ROLES = ["Keeper", "Proposer", "Guardian"] as const;

/** The vault's rows as a change would state them. */
export const rowsOf = ({ tiers, unit }: Snapshot): Row[] =>
  tiers.map(({ maxKnown, maxUnknown, cap, approvals, delay }) => ({ maxKnown: maxKnown * unit, maxUnknown: maxUnknown * unit, cap: cap * unit, approvals, delay: Number(delay) }));

/** Whether a recipient of standing `a` may be paid less than one of standing `b`. */
export const isStricter = (a: Standing, b: Standing): boolean => a !== b && (a === "Blocked" || b === "Known");

export const standingOf = ({ known, blocked, domain, token }: Snapshot, recipient: Address): Standing => {
  const has = (list: Address[]): boolean => list.some((each) => each.toLowerCase() === recipient.toLowerCase());
  // Three are blocked from the vault's creation on, which no log says.
  if (has([...blocked, zeroAddress, domain.verifyingContract, token.address])) return "Blocked";
  return has(known) ? "Known" : "Unknown";
};

const memberOf = ({ members }: Snapshot, account: Address): Member | undefined => Object.entries(members).find(([each]) => each.toLowerCase() === account.toLowerCase())?.[1];

/** When an account's role ends; 0 if it was never granted. [seconds] */
export function untilOf(snapshot: Snapshot, account: Address, role: number): bigint {
  const member = memberOf(snapshot, account);
  return (role === 0 ? member?.keeperUntil : member?.proposerUntil) ?? 0n;
}

/** When the guardians' term ends; 0 if there are none. [seconds] */
export const guardiansUntilOf = (snapshot: Snapshot): bigint =>
  snapshot.guardians.map((each) => memberOf(snapshot, each)?.guardianUntil ?? 0n).reduce((last, until) => (until > last ? until : last), 0n);

/** Whether a change takes effect with the vote that brings its quorum, and nobody can veto it: by what it states it only tightens. */
export function isInstant(kind: Kind, content: Content): boolean {
  if (kind === "Tighten") return true;
  if (kind === "Role") return BigInt(content.until as bigint) < BigInt(content.oldUntil as bigint);
  return kind === "Recipients" && isStricter(STANDINGS[Number(content.standing)] ?? "Unknown", STANDINGS[Number(content.oldStanding)] ?? "Unknown");
}

export const isVetoable = (kind: Kind, content: Content): boolean => !isInstant(kind, content) && kind !== "Guardians" && kind !== "Unfreeze";

/** Of each field the stricter of what is and what is stated; a row that is automatic stays so. */
function stricter(row: Row, stated: Row): Row {
  const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);
  const next = { maxKnown: least(row.maxKnown, stated.maxKnown), maxUnknown: least(row.maxUnknown, stated.maxUnknown), cap: least(row.cap, stated.cap) };
  if (isAutomatic({ approvals: row.approvals, delay: BigInt(row.delay) })) return { ...next, approvals: 0, delay: 0 };
  return { ...next, approvals: Math.max(row.approvals, stated.approvals), delay: Math.max(row.delay, stated.delay) };
}

/** Rows after a tightening: those beyond the last one stated are held to that. */
export const tightened = (rows: Row[], stated: Row[]): Row[] =>
  rows.map((row, k) => {
    const held = stated[Math.min(k, stated.length - 1)];
    return held ? stricter(row, held) : row;
  });

/** A number that tightens as it falls, or as it rises. */
function moved<T extends bigint | number>(was: T, is: T, fallingTightens: boolean, said: Said): Effect[] {
  if (was === is) return [];
  return [{ way: is < was === fallingTightens ? "tightens" : "loosens", said }];
}

function rowsMoved({ token }: Snapshot, was: Row[], next: Row[]): Effect[] {
  const amount = (value: bigint): string => `${amountText(value, token.decimals)} ${token.symbol}`;
  const each = Array.from({ length: Math.max(was.length, next.length) }, (_, tier): Effect[] => {
    const [before, after] = [was[tier], next[tier]];
    if (!after) return [{ way: "tightens", said: { key: "effectTierGone", given: { tier } } }];
    if (!before) {
      const given = { tier, known: amount(after.maxKnown), unknown: amount(after.maxUnknown), cap: amount(after.cap), approvals: after.approvals, delay: spanText(after.delay) };
      return [{ way: "loosens", said: { key: "effectTierNew", given } }];
    }
    const field = (name: "maxKnown" | "maxUnknown" | "cap"): Effect[] =>
      moved(before[name], after[name], true, { key: `effect_${name}`, given: { tier, was: amount(before[name]), is: amount(after[name]) } });
    return [
      ...field("maxKnown"),
      ...field("maxUnknown"),
      ...field("cap"),
      ...moved(before.approvals, after.approvals, false, { key: "effect_approvals", given: { tier, was: before.approvals, is: after.approvals } }),
      ...moved(before.delay, after.delay, false, { key: "effect_delay", given: { tier, was: spanText(before.delay), is: spanText(after.delay) } }),
    ];
  });
  return each.flat();
}

/** Who comes and who goes of a list that is replaced. */
function listMoved(was: Address[], next: Address[], comes: "effectSignerNew" | "effectGuardianNew", goes: "effectSignerGone" | "effectGuardianGone"): Effect[] {
  const lower = (list: Address[]): string[] => list.map((each) => each.toLowerCase());
  const [before, after] = [lower(was), lower(next)];
  return [
    ...next.filter((each) => !before.includes(each.toLowerCase())).map((account): Effect => ({ way: "moves", said: { key: comes, given: { account } } })),
    ...was.filter((each) => !after.includes(each.toLowerCase())).map((account): Effect => ({ way: "moves", said: { key: goes, given: { account } } })),
  ];
}

function recipientsMoved(snapshot: Snapshot, content: Content): Effect[] {
  const [from, to] = [STANDINGS[Number(content.oldStanding)] ?? "Unknown", STANDINGS[Number(content.standing)] ?? "Unknown"];
  return (content.recipients as Address[]).flatMap((recipient): Effect[] => {
    const is = standingOf(snapshot, recipient);
    if (isStricter(to, from)) return isStricter(to, is) ? [{ way: "tightens", said: { key: `effectStanding${to}`, given: { recipient } } }] : [];
    if (is !== from) return [{ way: "moves", said: { key: "effectStandingStale", given: { recipient } } }];
    if (from === to) return [];
    // What loosens leaves the state of being blocked, or makes somebody known.
    return [{ way: "loosens", said: { key: from === "Blocked" ? `effectUnblocked${to === "Known" ? "Known" : "Unknown"}` : `effectStanding${to}`, given: { recipient } } }];
  });
}

const endText = (until: bigint): string => (until === 0n ? "–" : timeText(until));

/** From the vault's own end of the role, not from what the proposer states. */
function roleMoved(snapshot: Snapshot, content: Content): Effect[] {
  const account = content.account as Address;
  const [is, stated, next] = [untilOf(snapshot, account, Number(content.role)), BigInt(content.oldUntil as bigint), BigInt(content.until as bigint)];
  const moves = moved(is, next, true, { key: `effectUntil${ROLES[Number(content.role)] === "Keeper" ? "Keeper" : "Proposer"}`, given: { was: endText(is), is: endText(next) } });
  // One that states that it tightens takes the earlier of the two ends, whatever it begins with.
  if (isInstant("Role", content)) return next < is ? moves : [];
  if (is !== stated) return [{ way: "moves", said: { key: "effectRoleStale", given: { account, is: endText(is), stated: endText(stated) } } }];
  return moves;
}

/** All that a change does to the vault that is shown; nothing if it does nothing. */
export function effectsOf(snapshot: Snapshot, kind: Kind, content: Content): Effect[] {
  const rows = rowsOf(snapshot);
  const stated = ((content.tiers ?? []) as Row[]).map((row) => ({ ...row, approvals: Number(row.approvals), delay: Number(row.delay) }));
  switch (kind) {
    case "Signers": {
      const threshold = Number(content.threshold);
      const given = { was: snapshot.threshold, is: threshold };
      return [
        ...listMoved(snapshot.signers, content.signers as Address[], "effectSignerNew", "effectSignerGone"),
        ...moved(snapshot.threshold, threshold, false, { key: "effectThreshold", given }),
        { way: "moves", said: { key: "effectVotesEnd" } },
      ];
    }
    case "Tiers": {
      const [was, is] = [Number(snapshot.policyDelay), Number(content.policyDelay)];
      const delay = moved(was, is, false, { key: "effectPolicyDelay", given: { was: spanText(was), is: spanText(is) } });
      return [...rowsMoved(snapshot, rows, stated), ...delay];
    }
    case "Tighten":
      return rowsMoved(snapshot, rows, tightened(rows, stated));
    case "Recipients":
      return recipientsMoved(snapshot, content);
    case "Role":
      return roleMoved(snapshot, content);
    case "Guardians": {
      const [was, is] = [guardiansUntilOf(snapshot), BigInt(content.until as bigint)];
      return [
        ...listMoved(snapshot.guardians, content.guardians as Address[], "effectGuardianNew", "effectGuardianGone"),
        // Vetoes end with the term.
        ...moved(was, is, false, { key: is < was ? "effectGuardiansSooner" : "effectGuardiansLater", given: { was: endText(was), is: endText(is) } }),
      ];
    }
    case "Unfreeze":
      return [{ way: "loosens", said: { key: "effectUnfreeze" } }];
    case "Successor":
      return [{ way: "moves", said: { key: "effectSuccessor", given: { was: snapshot.successor, is: content.successor } } }];
    case "Sweep":
      return [{ way: "loosens", said: { key: "effectSweep", given: { token: content.token, successor: snapshot.successor === zeroAddress ? { key: "nobody" } : snapshot.successor } } }];
  }
}

/** When a change may happen, and whether a guardian can stop it: with what the lens says that it waits for, if it is proposed. */
export function whenOf(snapshot: Snapshot, kind: Kind, content: Content, waits: Proposal["waits"]): Said[] {
  // An open change wants the larger of then and now, which the lens knows.
  const given = { threshold: waits?.required ?? snapshot.threshold, delay: spanText(waits?.delay ?? Number(snapshot.policyDelay)) };
  return [isInstant(kind, content) ? { key: "changeAtOnce" } : { key: "changeWaits", given }, { key: isVetoable(kind, content) ? "changeVeto" : "changeNoVeto" }];
}
