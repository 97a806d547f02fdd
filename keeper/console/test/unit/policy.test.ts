// What a policy change is said to do, by the vault as it stands.
import { expect, test } from "@playwright/test";
import { zeroAddress, type Address } from "viem";
import { begin, drawChange } from "../../src/vault/changeDraft.ts";
import type { Member } from "../../src/vault/packed.ts";
import { effectsOf, whenOf } from "../../src/vault/policy.ts";
import type { Proposal } from "../../src/vault/proposals.ts";
import type { Snapshot } from "../../src/vault/snapshot.ts";
import type { Content, Kind } from "../../src/vault/typed.ts";
import { sayIn, words } from "../../src/words/index.ts";

const address = (digit: string): Address => `0x${digit.repeat(40)}`;
const [VAULT, TOKEN, GUARDIAN, OTHER, KEEPER, BLOCKED, SUCCESSOR, STRANGER] = [..."12345678"].map(address) as [Address, Address, Address, Address, Address, Address, Address, Address];
const DAY = 86_400n; // seconds
const NOW = 1_800_000_000n;
/** A term that does not end with a minute. */
const TERM = NOW + 100n * DAY + 30n;
const KEEPS = NOW + 50n * DAY;
const at = (seconds: bigint): string => `${new Date(Number(seconds) * 1_000).toISOString().slice(0, 16).replace("T", " ")} UTC`;

const member = (ends: Partial<Member>): Member => ({ keeperUntil: 0n, proposerUntil: 0n, guardianUntil: 0n, freezeAgainAt: 0n, signerEpoch: 0, signerIndex: 0, ...ends });
const snapshot: Snapshot = {
  block: { number: 1n, hash: "0x", time: NOW } as never,
  domain: { name: "Tidelock Vault", version: "1", chainId: 1n, verifyingContract: VAULT },
  token: { address: TOKEN, symbol: "USDT", decimals: 6 },
  balance: 0n,
  unit: 10_000n,
  hardCeiling: 10n ** 12n,
  policyDelay: 2n * DAY,
  policyDelayFloor: DAY,
  termsChangedAt: 0,
  successor: SUCCESSOR,
  threshold: 2,
  hot: { haltedUntil: 0n, settledAt: 0n, epoch: 1 },
  tiers: [],
  windows: [],
  signers: [],
  guardians: [GUARDIAN],
  members: { [GUARDIAN]: member({ guardianUntil: TERM }), [KEEPER]: member({ keeperUntil: KEEPS }) },
  known: [],
  blocked: [BLOCKED],
  proposals: [],
  objections: [],
};

/** As the page shows it. */
const said = (kind: Kind, content: Content, of: Partial<Snapshot> = {}, language: "en" | "zh" = "en"): string[] =>
  effectsOf({ ...snapshot, ...of }, kind, content).map(({ way, said }) => `${way}: ${words(said, sayIn(language))}`);

test("a change that cuts the guardians' term loosens, one that prolongs it tightens, and what is as it was is nothing", () => {
  const change = (until: bigint, guardians = [GUARDIAN]): Content => ({ guardians, until: Number(until) });
  expect(said("Guardians", change(NOW + 9n * DAY))).toEqual([`loosens: The guardians' term ends sooner, and with it their vetoes: ${at(TERM)} → ${at(NOW + 9n * DAY)}`]);
  expect(said("Guardians", change(TERM + DAY))).toEqual([`tightens: The guardians' term ends later: ${at(TERM)} → ${at(TERM + DAY)}`]);
  expect(said("Guardians", change(TERM))).toEqual([]);
  expect(said("Guardians", change(TERM, [OTHER]))).toEqual([`moves: A new guardian: ${OTHER}`, `moves: No guardian any more: ${GUARDIAN}`]);
  expect(said("Guardians", change(TERM), { guardians: [] }).at(-1)).toBe(`tightens: The guardians' term ends later: – → ${at(TERM)}`);
});

test("a form of guardians that is left as it is changes nothing, to the second", () => {
  expect(drawChange(snapshot, "Guardians", begin(snapshot, "Guardians"))).toEqual({ broken: [{ key: "ruleNothing" }] });
});

test("a role is told from the end that the vault has, whatever is stated", () => {
  const change = (oldUntil: bigint, until: bigint, account = KEEPER): Content => ({ account, role: 0, oldUntil: Number(oldUntil), until: Number(until) });
  expect(said("Role", change(KEEPS, KEEPS + DAY))).toEqual([`loosens: The keeper's role ends: ${at(KEEPS)} → ${at(KEEPS + DAY)}`]);
  expect(said("Role", change(0n, KEEPS + DAY))).toEqual([`moves: The role of ${KEEPER} ends ${at(KEEPS)}, and this change begins with –: it cannot take effect`]);
  expect(said("Role", change(KEEPS, KEEPS))).toEqual([]);
  // What tightens takes the earlier of the two ends.
  expect(said("Role", change(KEEPS + 9n * DAY, 0n))).toEqual([`tightens: The keeper's role ends: ${at(KEEPS)} → –`]);
  expect(said("Role", change(KEEPS + 9n * DAY, KEEPS + DAY))).toEqual([]);
  expect(said("Role", change(KEEPS, 0n, STRANGER))).toEqual([]);
});

test("an open change waits for as many votes, and as long, as the lens says; one that is none yet for those of now", () => {
  const waits: Proposal["waits"] = { blocker: "Votes", earliest: 0, votes: 1, required: 3, delay: 4 * Number(DAY), quorumAt: 0 };
  const when = (told: Proposal["waits"]): string[] => whenOf(snapshot, "Successor", { successor: OTHER }, told).map((each) => words(each, sayIn("en")));
  expect(when(waits)).toEqual(["Once 3 votes are there it waits for 4 d; then a signer or the keeper executes it.", "A guardian can veto it until then."]);
  expect(when(undefined)[0]).toBe("Once 2 votes are there it waits for 2 d; then a signer or the keeper executes it.");
});

test("a sweep goes to the successor of then, which the change does not name", () => {
  const rest = "; the vault's own token does not move.";
  expect(said("Sweep", { token: OTHER })).toEqual([`loosens: The vault's whole balance of ${OTHER} goes to whoever is the successor then, now ${SUCCESSOR}${rest}`]);
  expect(said("Sweep", { token: OTHER }, { successor: zeroAddress })[0]).toContain("the successor then, now nobody yet;");
  expect(said("Sweep", { token: OTHER }, {}, "zh")[0]).toContain(`届时的继任者，目前为 ${SUCCESSOR}`);
});

test("who is blocked no more can be paid again, and that is said", () => {
  const change = (oldStanding: number, standing: number, recipient: Address): Content => ({ recipients: [recipient], oldStanding, standing });
  expect(said("Recipients", change(2, 0, BLOCKED))).toEqual([`loosens: ${BLOCKED} is blocked no more: it can be paid again, as one that is not in the book`]);
  expect(said("Recipients", change(2, 1, BLOCKED))).toEqual([`loosens: ${BLOCKED} is blocked no more and becomes known: it can be paid again, and larger payments go to it`]);
  expect(said("Recipients", change(2, 0, BLOCKED), {}, "zh")).toEqual([`loosens: ${BLOCKED} 不再被封禁：可再次向其支付，按未列于名册对待`]);
  expect(said("Recipients", change(1, 0, STRANGER), { known: [STRANGER] })).toEqual([`tightens: ${STRANGER} is not in the book any more`]);
  expect(said("Recipients", change(0, 1, STRANGER))).toEqual([`loosens: ${STRANGER} becomes known: larger payments go to it`]);
});
