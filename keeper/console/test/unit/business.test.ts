import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { ALERTS, raised } from "../../src/keeper/alerts.ts";
import { Business, abnormalRate, complianceRate, endOf, meanArrival, successRate } from "../../src/keeper/business.ts";
import { START, contextOf, entryHash, hold, linkOf } from "../../src/keeper/chain.ts";
import { anchorOf } from "../../src/keeper/anchors.ts";
import type { Happened, LogEntry } from "../../src/keeper/client.ts";
import { Figures, readFigures } from "../../src/keeper/figures.ts";

const root = new URL("../../../../", import.meta.url);
const read = (file: string): string => readFileSync(new URL(file, root), "utf8");

let sequence = 0;
const at = (second: number, type: string, refs: string[] = [], reason?: string): Happened => ({
  type: `tidelock.${type}`,
  time: new Date(second * 1_000).toISOString(),
  sequence: `${++sequence}`,
  data: { refs, ...(reason && { hold: { reason } }) },
});

test("the four figures are made as docs/metrics.md defines them", () => {
  const business = new Business();
  const events = [
    at(1_000, "withdrawal.accepted", ["a", "b", "c", "d", "e"]),
    at(1_000, "withdrawal.held", ["b"], "operator"),
    at(1_000, "withdrawal.held", ["c"], "token_refuses"),
    at(1_100, "withdrawal.rejected", ["d"]),
    at(1_100, "withdrawal.paid", ["a", "adopted"]),
    at(1_160, "chain.advanced"),
    at(1_160, "vault.foreign"),
    at(1_200, "withdrawal.displaced", ["e"]),
    at(1_260, "withdrawal.paid", ["b"]),
    at(1_400, "chain.advanced"),
  ];
  for (const event of events) business.take(event);
  const { all, bars, width } = business.bars();
  expect(successRate(all)).toBe(3 / 5); // a, adopted and b of those and d, e
  expect(meanArrival(all)).toBe((160 + 400) / 2);
  expect(abnormalRate(all)).toBe(2 / 5); // c is refused, e displaced
  expect(complianceRate(all)).toBe(2 / 5); // adopted, foreign and displaced are not explained
  expect(width).toBe(60);
  expect(bars.map(({ from }) => from)).toEqual([960, 1_020, 1_080, 1_140, 1_200, 1_260, 1_320, 1_380]);
  expect(bars.reduce((sum, { settled }) => sum + settled, 0)).toBe(all.settled);
  expect(successRate(new Business().bars().all)).toBeUndefined();
});

test("what was taken in before the events that are read has to be told", () => {
  const events = [at(5_000, "withdrawal.paid", ["x"]), at(5_060, "chain.advanced")];
  const [told, untold] = [new Business(), new Business()];
  told.learn("x", 4_000);
  for (const event of events) for (const each of [told, untold]) each.take(event);
  expect([told, untold].map((each) => complianceRate(each.bars().all))).toEqual([1, 0]);
  expect(meanArrival(told.bars().all)).toBe(1_060);
});

test("the end of a log is found by few questions", async () => {
  for (const end of [0, 1, 2, 3, 7, 8, 123_456]) {
    let asked = 0;
    expect(await endOf(async (sequence) => (asked++, sequence <= end))).toBe(end);
    expect(asked).toBeLessThan(40);
  }
});

test("figures are read with their labels, and alerts are judged by them", () => {
  const text = '# TYPE tidelock_halted gauge\ntidelock_halted{cause="foreign_nonce"} 1\ntidelock_sends 0\ntidelock_fee_gwei{what="needed"} 3.5\ntidelock_fee_gwei{what="payment cap"} 3\ntidelock_x{a="\\"}{\\\\"} 1e3\n';
  const figures = new Figures(readFigures(text));
  expect(readFigures(text).at(-1)).toEqual({ name: "tidelock_x", labels: { a: '"}{\\' }, value: 1_000 });
  expect(raised(figures, 0)).toEqual(["KeeperHalted", "FeeAtCap"]);
  expect(raised(new Figures([]), 0)).toEqual(["KeeperDown"]);
});

test("each alert that is judged here is one of the keeper's, with its figure, and has its runbook", () => {
  const alerts = read("keeper/operations/alerts.yml");
  const runbooks = read("docs/runbooks.md");
  const source = read("keeper/console/src/keeper/alerts.ts");
  for (const name of Object.keys(ALERTS)) {
    expect(runbooks, name).toContain(`\n## ${name}\n`);
    const [, expression = ""] = alerts.match(new RegExp(`alert: ${name}\n\\s+expr: "(.*)"`)) ?? [];
    expect(expression, name).not.toBe("");
    const judge = source.match(new RegExp(`\n  ${name}: ([\\s\\S]*?)\n  (?:\\w+:|\\})|\n  ${name}: (.*)\n`))?.slice(1).join(" ") ?? "";
    for (const [, figure = ""] of expression.matchAll(/tidelock_(\w+)/g)) if (figure !== "halted" && figure !== "sends") expect(judge, `${name}: ${figure}`).toContain(`"${figure}"`);
    for (const [, limit = ""] of expression.matchAll(/[<>] (\d+)\b/g)) expect(judge.replaceAll("_", ""), name).toContain(limit);
  }
});

test("a chain of entries holds until the first that does not follow", () => {
  const entries: LogEntry[] = [];
  let prev = START.hash;
  for (let seq = 1; seq <= 4; seq++) {
    const entry = { seq, kind: "x", body: `{"n":${seq}}`, prev, hash: START.hash };
    prev = entry.hash = entryHash(entry);
    entries.push(entry);
  }
  const held = (list: LogEntry[]) => hold(START, list.map(linkOf));
  expect(held(entries)).toEqual({ end: 4, hash: prev, broken: undefined });
  const changed = (i: number, other: Partial<LogEntry>) => entries.map((entry, k) => (k === i ? { ...entry, ...other } : entry));
  expect(held(changed(1, { body: "{}" })).broken).toBe(2);
  expect(held(changed(2, { prev: START.hash })).broken).toBe(3);
  expect(held(entries.filter((_, i) => i !== 1)).broken).toBe(3);
  expect(held(entries.slice(1)).broken).toBe(2);
  expect(hold(hold(START, entries.slice(0, 2).map(linkOf)), entries.slice(2).map(linkOf))).toEqual(held(entries));
});

test("a batch commits to an entry by number and hash, and its id is that of its header", () => {
  const hash = `0x${"ab".repeat(32)}` as const;
  const context = contextOf(7, hash);
  const batch = { first_number: "18446744073709551", count: 1, tier: 0, total: "1", recipient: `0x${"11".repeat(20)}`, expires_at: 5, payments_hash: hash, context };
  const body = JSON.stringify({ kind: "batch_sealed", anchor: 7, batch, refs: [], route: "direct" });
  const domain = { name: "Tidelock Vault", version: "1", chainId: 1n, verifyingContract: `0x${"22".repeat(20)}` } as const;
  const entry = { seq: 8, kind: "batch_sealed", body, prev: hash, hash };
  const found = anchorOf(domain, entry, () => hash);
  expect(found).toMatchObject({ seq: 8, anchor: 7, holds: true });
  expect(anchorOf(domain, entry, () => START.hash)?.holds).toBe(false);
  expect(anchorOf(domain, { ...entry, seq: 7 }, () => hash)?.holds).toBe(false);
  // A number above 2^53 is not rounded: its neighbour has another id.
  expect(anchorOf(domain, { ...entry, body: body.replace("18446744073709551", "18446744073709552") }, () => hash)?.id).not.toBe(found?.id);
});
