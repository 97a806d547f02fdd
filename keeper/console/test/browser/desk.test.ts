// The parts of operators, auditors and treasurers that read the keeper, beside one that pays.
import { readFileSync } from "node:fs";
import { expect, test, type Page } from "@playwright/test";
import { concat, keccak256, numberToHex, stringToHex, type Hex } from "viem";
import type { LogEntry } from "../../src/keeper/client.ts";
import Axe from "./axe.ts";
import { go, press } from "./keys.ts";
import { startProxy } from "./proxy.ts";
import { needsKeeper, startService, type Service } from "./service.ts";

let service: Service;
needsKeeper();
test.beforeAll(async () => {
  test.setTimeout(660_000);
  service = await startService();
});
test.afterAll(async () => service?.stop());

/** A part of the page, with a key typed in; with the vault's nodes, if some are given. */
async function open(page: Page, part: string, key = service.key, nodes: string[] = []): Promise<void> {
  const vault = nodes.length > 0 ? `#${new URLSearchParams([["vault", service.vault], ["lens", service.lens], ...nodes.map((node) => ["node", node])] as [string, string][])}` : "";
  await page.goto(`${service.origin}/${vault}`);
  if (nodes.length > 0) await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByRole("button", { name: part, exact: true }).click();
  await use(page, key);
}

async function use(page: Page, key: string): Promise<void> {
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Use this key" }).click();
}

const health = (page: Page, component: string) => page.getByRole("region", { name: "Health" }).getByRole("row").filter({ has: page.getByRole("cell", { name: component, exact: true }) });

test("an operator sees health, fees, nonces and alerts with their runbook; one halts, and two resume", async ({ page }) => {
  await open(page, "Operator");
  await expect(page.getByText("The keeper pays what can be paid.")).toBeVisible();
  await expect(health(page, "mode").last()).toContainText("as it should be");
  await expect(page.getByRole("row").filter({ hasText: "payment cap" })).toContainText(/\d/);
  await expect(page.getByRole("row").filter({ hasText: "reserved" })).toContainText(/\d/);
  await page.locator("summary", { hasText: "PaymentsHeld" }).click();
  await expect(page.locator("details.alert", { hasText: "PaymentsHeld" })).toContainText("keeper status");
  const act = async (name: string, why: string): Promise<void> => {
    await page.getByRole("combobox", { name: "Act" }).selectOption(name);
    await page.getByRole("textbox", { name: "Reason" }).first().fill(why);
    await page.getByRole("button", { name: "Do it" }).click();
  };
  await act("halt", "");
  await expect(page.getByRole("alert")).toContainText("must say why");
  await act("halt", "the node looks odd");
  await expect(page.getByText(/^Act \d+, halt: done\./)).toBeVisible();
  await expect(health(page, "mode").last()).toContainText("halted");
  await expect(page.getByText("Something keeps the keeper from paying.")).toBeVisible();
  await act("resume", "a wrong alarm");
  await expect(page.getByText(/^Act \d+, resume: asked for\./)).toBeVisible();
  const asked = page.getByRole("article").filter({ hasText: "a wrong alarm" });
  await expect(asked).toContainText(/halted.* → armed/);
  await asked.getByRole("textbox", { name: "Reason" }).fill("I say so myself");
  await asked.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByRole("alert")).toContainText("409");
  await page.getByRole("button", { name: "Forget the key" }).click();
  await use(page, service.second);
  await asked.getByRole("textbox", { name: "Reason" }).fill("I looked at the node too");
  await asked.getByRole("button", { name: "Confirm" }).click();
  await expect(page.getByText(/^Act \d+, resume: done\./)).toBeVisible();
  await expect(page.getByText("The keeper pays what can be paid.")).toBeVisible();
});

test("what a second person refuses stays as it was", async ({ page, request }) => {
  const headers = { Authorization: `Bearer ${service.key}` };
  const held = (await (await request.get(`${service.origin}/v1/withdrawals?status=held`, { headers })).json()) as { items: { ref: string }[] };
  const ref = held.items[0]?.ref ?? "";
  await open(page, "Operator");
  await page.getByRole("combobox", { name: "Act" }).selectOption("release");
  await page.getByLabel("Ref", { exact: true }).fill(ref);
  await page.getByRole("textbox", { name: "Reason" }).first().fill("pay it all the same");
  await page.getByRole("button", { name: "Do it" }).click();
  const asked = page.getByRole("article").filter({ hasText: "pay it all the same" });
  await expect(asked).toContainText(ref);
  await expect(asked).toContainText(/held: .+ → /);
  await page.getByRole("button", { name: "Forget the key" }).click();
  await use(page, service.second);
  await asked.getByRole("textbox", { name: "Reason" }).fill("its recipient is on the list");
  await asked.getByRole("button", { name: "Say no" }).click();
  await expect(page.getByText(/^Act \d+, release: refused\.$/)).toBeVisible();
  await expect(asked).toHaveCount(0);
  const now = (await (await request.get(`${service.origin}/v1/withdrawals/${ref}`, { headers })).json()) as { status: string };
  expect(now.status).toBe("held");
});

test("acts are read once, and then what is new; an answer ends what was asked for", async ({ page, request }) => {
  const tell = async (key: string, path: string, data: object): Promise<{ id: number }> => {
    const told = await request.post(`${service.origin}${path}`, { headers: { Authorization: `Bearer ${key}` }, data });
    expect(told.status(), await told.text()).toBe(201);
    return (await told.json()) as { id: number };
  };
  const headers = { Authorization: `Bearer ${service.key}` };
  const held = (await (await request.get(`${service.origin}/v1/withdrawals?status=held`, { headers })).json()) as { items: { ref: string }[] };
  const release = { act: "release", ref: held.items[0]?.ref, reason: "asked before the page was there" };
  const first = await tell(service.key, "/v1/acts", release);
  const after: number[] = [];
  page.on("request", (asked) => {
    const { pathname, searchParams } = new URL(asked.url());
    if (pathname === "/v1/acts" && asked.method() === "GET") after.push(Number(searchParams.get("after")));
  });
  await open(page, "Operator");
  const card = (reason: string) => page.getByRole("article").filter({ hasText: reason });
  await expect(card(release.reason)).toBeVisible();
  const second = await tell(service.key, "/v1/acts", { ...release, reason: "asked since" });
  await expect(card("asked since")).toBeVisible();
  for (const { id } of [first, second]) await tell(service.second, `/v1/acts/${id}/refusal`, { reason: "no" });
  await expect(card(release.reason)).toHaveCount(0);
  await expect(card("asked since")).toHaveCount(0);
  expect(after.filter((id) => id === 0)).toHaveLength(1);
  expect(after).toEqual([...after].sort((a, b) => a - b));
});

test("the keeper's parts are used by keys alone", async ({ page }) => {
  await page.goto(`${service.origin}/`);
  await press(page, "Operator");
  await expect(page.getByLabel("API key")).toBeVisible();
  await go(page, "API key");
  await page.keyboard.insertText(service.key);
  await page.keyboard.press("Enter");
  await expect(page.getByText("The keeper pays what can be paid.")).toBeVisible();
  await press(page, "PaymentsHeld");
  await expect(page.locator("details.alert", { hasText: "PaymentsHeld" })).toContainText("keeper status");
  await press(page, "Withdrawals");
  await expect(page.getByText(/ – live$/)).toBeVisible();
  await go(page, "Search by");
  await page.keyboard.insertText("no such thing");
  await expect(page.getByText(/^0 of \d+ – live$/)).toBeVisible();
});

test("a key that lacks a scope opens no part of others", async ({ page }) => {
  await open(page, "Auditor", service.second);
  await expect(page.getByText("this key or person lacks the scope audit")).toBeVisible();
  await page.getByRole("button", { name: "Figures", exact: true }).click();
  await expect(page.getByText("this key or person lacks the scope read")).toBeVisible();
});

const entryHash = ({ prev, seq, body }: LogEntry): Hex => keccak256(concat([prev, numberToHex(seq, { size: 8 }), stringToHex(body)]));

test("the auditor's page makes every hash again, finds the anchors on chain by every node that is named, and hands the log out", async ({ page }) => {
  const second = await startProxy(service.url, () => undefined);
  await open(page, "Auditor", service.key, [service.url, second.url]);
  await expect(page.getByText(/^Log: \d+ entries, each hash as it should be\. Head 0x[0-9a-f]{64}$/)).toBeVisible();
  await expect(page.getByText(/^Acts: \d+ entries, each hash as it should be\./)).toBeVisible();
  await expect(page.getByText(/^\d+ batches commit to entries as they are; [1-9]\d* of them are in the vault's log, by the word of 2 node/)).toBeVisible();
  const saved = async (name: string): Promise<string> => {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name }).click();
    return readFileSync(await (await download).path(), "utf8");
  };
  const entries = (await saved("Log as JSON lines")).trim().split("\n").map((line) => JSON.parse(line) as LogEntry);
  for (const [i, entry] of entries.entries()) expect(entry, `entry ${i + 1}`).toMatchObject({ seq: i + 1, hash: entryHash(entry), prev: entries[i - 1]?.hash ?? `0x${"00".repeat(32)}` });
  const rows = (await saved("Log as CSV")).trim().split("\r\n");
  expect(rows[0]).toBe('"seq","kind","body","prev","hash"');
  expect(rows.every((row) => /^"[^=+\-@]/.test(row))).toBe(true);
  second.stop();
});

// What is still asked when a test ends is answered to nobody.
test.afterEach(async ({ page }) => page.unrouteAll({ behavior: "ignoreErrors" }));

/** What the server tells of the log is changed on its way. */
const rewrite = (page: Page, change: (items: LogEntry[]) => LogEntry[]) =>
  page.route("**/v1/log?*", async (route) => {
    const response = await route.fetch();
    const told = (await response.json()) as { items: LogEntry[] };
    await route.fulfill({ response, json: { ...told, items: change(told.items) } });
  });

test("an entry that was changed is found by its hash", async ({ page }) => {
  await rewrite(page, (items) => items.map((entry) => (entry.seq === 3 ? { ...entry, body: `${entry.body} ` } : entry)));
  await open(page, "Auditor", service.key, [service.url]);
  await expect(page.getByRole("alert")).toContainText("Log: entry 3 does not follow from the one before. Good until 2.");
});

test("a log that was written anew as a whole is found by what the batches commit to", async ({ page }) => {
  await rewrite(page, (items) => {
    let prev: Hex = `0x${"00".repeat(32)}`;
    return items.map((entry) => {
      const other = { ...entry, prev, body: entry.seq === 1 ? `${entry.body} ` : entry.body };
      prev = entryHash(other);
      return { ...other, hash: prev };
    });
  });
  await open(page, "Auditor", service.key, [service.url]);
  await expect(page.getByText(/^Log: \d+ entries, each hash as it should be/)).toBeVisible();
  await expect(page.getByRole("alert")).toContainText("do not commit to the log as it is");
});

test("a batch that one of two nodes does not have is not on chain", async ({ page }) => {
  const forgetful = await startProxy(service.url, ({ method }) => (method === "eth_getLogs" ? [] : undefined));
  await open(page, "Auditor", service.key, [service.url, forgetful.url]);
  await expect(page.getByText("; 0 of them are in the vault's log, by the word of 2 node")).toBeVisible();
  forgetful.stop();
});

test("the four figures are what the keeper's own are, and each has its numbers", async ({ page, request }) => {
  await open(page, "Figures");
  await expect(page.getByText(/^from all \d+ events – live$/)).toBeVisible();
  const card = (name: string) => page.getByRole("region", { name, exact: true });
  await expect(card("Success rate").locator(".figure")).toHaveText("100 %");
  await expect(card("Audit-compliance rate").locator(".figure")).toHaveText("100 %");
  await expect(card("Abnormal-rejection rate").locator(".figure")).toHaveText("0 %");
  await expect(card("Mean time to arrival").locator(".figure")).toHaveText(/^[1-9]\d* (s|min)/);
  await card("Success rate").locator("summary").click();
  await expect(card("Success rate").getByRole("row").filter({ hasText: "100 %" }).first()).toBeVisible();
  const told = (await (await request.get(`${service.origin}/v1/keeper`, { headers: { Authorization: `Bearer ${service.key}` } })).json()) as { figures: string };
  expect(told.figures).toMatch(/tidelock_payments_settled_total\{state="paid"\} [1-9]/);
  expect(told.figures).toMatch(/tidelock_payments_settled_total\{state="rejected"\} 0/);
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const language of ["en", "zh"] as const) {
    test(`axe finds nothing in the keeper's parts: ${colorScheme}, ${language}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await page.addInitScript((chosen) => localStorage.setItem("tidelock.language", chosen), language);
      await page.goto(service.page);
      await page.locator("form button[type=submit]").click();
      const tabs = page.locator("nav button");
      await tabs.nth(3).click();
      await new Axe(page).isClean();
      await page.locator("input[type=password]").fill(service.key);
      await page.locator("form button[type=submit]").click();
      for (const [tab, shown] of [[3, "[role=table] [role=row]"], [4, "svg.chart"], [5, "details.alert"], [6, "#anchors ~ .notice"]] as const) {
        await tabs.nth(tab).click();
        await expect(page.locator(`main ${shown}`).first()).toBeVisible();
        await new Axe(page).isClean();
      }
    });
  }
}
