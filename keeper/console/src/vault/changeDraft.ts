// A policy change as a person writes it, held to the vault's rules before it is sent: those of contracts/src/libraries/Policy.sol and VaultRules.sol.
import { encodeFunctionData, zeroAddress, type Address, type Hex } from "viem";
import { STANDINGS, VAULT } from "./abi.ts";
import { effectsOf, guardiansUntilOf, isInstant, rowsOf, standingOf, tightened, untilOf, type Row } from "./policy.ts";
import { Reading, asAmount, asTime, type Typed } from "./reading.ts";
import type { Snapshot } from "./snapshot.ts";
import { KINDS, changeId, encodeChange, type Content, type Kind } from "./typed.ts";
import type { Said } from "../words/index.ts";

const DAY = 86_400n; // seconds
const VOTING = 7n * DAY; // seconds that votes may take
const SETTLE = 29n * 3_600n; // seconds of life that the vault wants beyond the delay
const MAX_DELAY = Number(30n * DAY - VOTING - SETTLE);
const MAX_GRANT = 400n * DAY;
const MAX_TIERS = 4;
const MAX_SIGNERS = 32;
const MAX_GUARDIANS = 16;
const MAX_RECIPIENTS = 200;

export interface DrawnChange {
  id: Hex;
  kind: Kind;
  content: Content;
  encoded: Hex;
  /** What the wallet is asked to send to the vault. */
  data: Hex;
  /** What keeps it from taking effect as the vault stands. */
  warnings: Said[];
}

/** What a kind's form begins with: what is. */
export function begin(snapshot: Snapshot, kind: Kind): Typed {
  const { signers, guardians, threshold, policyDelay, token } = snapshot;
  const lines = (list: Address[]): string => list.join("\n");
  switch (kind) {
    case "Signers":
      return { signers: lines(signers), threshold: `${threshold}` };
    case "Tiers":
    case "Tighten": {
      const rows = rowsOf(snapshot);
      const typed: Typed = { count: `${rows.length}`, policyDelay: `${policyDelay}` };
      rows.forEach((row, k) => {
        for (const name of ["maxKnown", "maxUnknown", "cap"] as const) typed[`${name}.${k}`] = asAmount(row[name], token.decimals);
        for (const name of ["approvals", "delay"] as const) typed[`${name}.${k}`] = `${row[name]}`;
      });
      return typed;
    }
    case "Recipients":
      return { recipients: "", from: "0", to: "1" };
    case "Role":
      return { account: "", role: "0", until: "" };
    case "Guardians": {
      const until = guardiansUntilOf(snapshot);
      return { guardians: lines(guardians), until: until === 0n ? "" : asTime(until) };
    }
    case "Successor":
      return { successor: snapshot.successor === zeroAddress ? "" : snapshot.successor };
    case "Sweep":
      return { token: "" };
    case "Unfreeze":
      return {};
  }
}

/** When a proposal that is made now dies. [seconds] */
const expiryOf = ({ block, policyDelay }: Snapshot): bigint => block.time + VOTING + policyDelay + SETTLE;

/** Rows by the rules that they keep by themselves. */
function readRows(reading: Reading, snapshot: Snapshot): Row[] {
  const { unit, hardCeiling } = snapshot;
  const count = reading.whole("count", { key: "fieldCount" }, 1, MAX_TIERS);
  let below: Row = { maxKnown: 0n, maxUnknown: 0n, cap: 0n, approvals: 0, delay: 0 };
  let sum = 0n;
  const rows = Array.from({ length: count }, (_, tier): Row => {
    const label = (name: string): Said => ({ key: `field_${name}` as Said["key"], given: { tier, symbol: snapshot.token.symbol } });
    const most = (a: bigint, b: bigint): bigint => (a > b ? a : b);
    const cap = reading.amount(`cap.${tier}`, label("cap"), unit, hardCeiling, unit);
    const maxKnown = reading.amount(`maxKnown.${tier}`, label("maxKnown"), most(unit, below.maxKnown), cap, unit);
    const maxUnknown = reading.amount(`maxUnknown.${tier}`, label("maxUnknown"), below.maxUnknown, maxKnown, unit);
    const approvals = reading.whole(`approvals.${tier}`, label("approvals"), below.approvals, MAX_SIGNERS);
    const delay = reading.whole(`delay.${tier}`, label("delay"), below.delay, MAX_DELAY);
    sum += cap;
    below = { maxKnown, maxUnknown, cap, approvals, delay };
    return below;
  });
  if (sum > hardCeiling) reading.broken.push({ key: "ruleCeiling", given: { sum: reading.shown(sum), most: reading.shown(hardCeiling) } });
  return rows;
}

/** The signers have to be able to give the approvals of each tier, and the top one asks for no fewer than a policy change. */
function quorumObjections(rows: Row[], signers: number, threshold: number): Said[] {
  return rows.flatMap(({ approvals }, tier): Said[] => {
    const least = tier + 1 === rows.length ? threshold : 0;
    return approvals >= least && approvals <= signers ? [] : [{ key: "ruleQuorum", given: { tier, approvals, least, most: signers } }];
  });
}

/** The fields of a kind's struct but for nonce and expiry, and what would keep it from taking effect. */
function readFields(reading: Reading, snapshot: Snapshot, kind: Kind, expiresAt: bigint): { content: Content; warnings?: Said[] } {
  const { block, policyDelay, policyDelayFloor, signers, threshold, hot } = snapshot;
  const earliest = block.time + policyDelay;
  const until = (tightensBefore = 0n): bigint => reading.time("until", { key: "fieldUntil" }, earliest + 1n, expiresAt + MAX_GRANT, tightensBefore);
  switch (kind) {
    case "Signers": {
      const list = reading.addresses("signers", { key: "signers" }, MAX_SIGNERS);
      const needed = reading.whole("threshold", { key: "fieldThreshold" }, 1, Math.max(1, list.length));
      return { content: { signers: list, threshold: needed }, warnings: quorumObjections(rowsOf(snapshot), list.length, needed) };
    }
    case "Tiers": {
      const rows = readRows(reading, snapshot);
      const delay = reading.whole("policyDelay", { key: "fieldPolicyDelay" }, Number(policyDelayFloor), MAX_DELAY);
      const content = { tiers: rows, policyDelay: delay, oldTermsChangedAt: snapshot.termsChangedAt };
      return { content, warnings: quorumObjections(rows, signers.length, threshold) };
    }
    case "Tighten": {
      const rows = readRows(reading, snapshot);
      reading.broken.push(...quorumObjections(tightened(rowsOf(snapshot), rows), signers.length, threshold));
      return { content: { tiers: rows } };
    }
    case "Recipients": {
      const list = reading.addresses("recipients", { key: "recipient" }, MAX_RECIPIENTS);
      const [from, to] = [reading.whole("from", { key: "fieldFrom" }, 0, 2), reading.whole("to", { key: "fieldTo" }, 0, 2)];
      const content = { recipients: list, oldStanding: from, standing: to };
      if (!isInstant(kind, content)) {
        const others = list.filter((each) => standingOf(snapshot, each) !== STANDINGS[from]);
        reading.broken.push(...others.map((value): Said => ({ key: "ruleStands", given: { value, is: { key: `standing${standingOf(snapshot, value)}` } } })));
      }
      return { content };
    }
    case "Role": {
      const account = reading.address("account", { key: "account" });
      const role = reading.whole("role", { key: "role" }, 0, 1);
      const oldUntil = untilOf(snapshot, account, role);
      const ends = reading.isEmpty("until") ? 0n : until(oldUntil);
      return { content: { account, role, oldUntil: Number(oldUntil), until: Number(ends) } };
    }
    case "Guardians": {
      const list = reading.addresses("guardians", { key: "fieldGuardians" }, MAX_GUARDIANS);
      const [was, ends] = [guardiansUntilOf(snapshot), until()];
      // The form shows no seconds: an end that is left as it is stays so.
      return { content: { guardians: list, until: Number(asTime(ends) === asTime(was) ? was : ends) } };
    }
    case "Unfreeze":
      if (earliest >= hot.haltedUntil) reading.broken.push({ key: "ruleUnfreeze" });
      return { content: { haltedUntil: Number(hot.haltedUntil) } };
    case "Successor":
      return { content: { successor: reading.isEmpty("successor") ? zeroAddress : reading.address("successor", { key: "fieldSuccessor" }) } };
    case "Sweep": {
      const warnings: Said[] = snapshot.successor === zeroAddress ? [{ key: "ruleNoSuccessor" }] : [];
      return { content: { token: reading.address("token", { key: "fieldToken" }) }, warnings };
    }
  }
}

const newNonce = (): bigint => crypto.getRandomValues(new BigUint64Array(1))[0] ?? 0n;

/** The change, or every rule that it breaks. */
export function drawChange(snapshot: Snapshot, kind: Kind, typed: Typed): { drawn: DrawnChange } | { broken: Said[] } {
  const reading = new Reading(snapshot, typed);
  const expiresAt = expiryOf(snapshot);
  const { content: fields, warnings = [] } = readFields(reading, snapshot, kind, expiresAt);
  const content: Content = { ...fields, nonce: newNonce(), expiresAt: Number(expiresAt) };
  // A new signer set always ends what was voted before; of others that is all there is to say.
  if (reading.broken.length === 0 && effectsOf(snapshot, kind, content).every(({ said }) => said.key === "effectVotesEnd")) reading.broken.push({ key: "ruleNothing" });
  if (reading.broken.length > 0) return { broken: reading.broken };
  const encoded = encodeChange(kind, content);
  const data = encodeFunctionData({ abi: VAULT, functionName: "proposeChange", args: [KINDS.indexOf(kind), encoded] });
  return { drawn: { id: changeId(snapshot.domain, kind, content), kind, content, encoded, data, warnings } };
}
