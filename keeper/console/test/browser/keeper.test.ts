// The page as `keeper serve` hands it out, with a keeper that pays.
import { readFileSync } from "node:fs";
import { expect, test, type Page } from "@playwright/test";
import Axe from "./axe.ts";
import { needsKeeper, startService, type Service } from "./service.ts";
import { BUILT } from "./world.ts";

let service: Service;
needsKeeper();
test.beforeAll(async () => {
  test.setTimeout(660_000);
  service = await startService();
});
test.afterAll(async () => service?.stop());

test("the page that the keeper hands out is the one that was built last", async ({ request }) => {
  for (const name of ["console.js", "console.css"]) {
    const served = await (await request.get(`${service.origin}/${name}`)).text();
    expect(served === readFileSync(`${BUILT}/${name}`, "utf8"), `${name}: the keeper was built with another page; build it again after scripts/console`).toBe(true);
  }
});

/** The withdrawals' part, with a key typed in. */
async function open(page: Page, origin = service.origin): Promise<void> {
  await page.goto(`${origin}/`);
  await page.getByRole("button", { name: "Withdrawals" }).click();
  await page.getByLabel("API key").fill(service.key);
  await page.getByRole("button", { name: "Use this key" }).click();
}

test("a withdrawal is filed with a key that is in no URL, followed until it is final, found and saved", async ({ page }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  const served = await page.goto(`${service.origin}/`);
  const policy = served?.headers()["content-security-policy"] ?? "";
  for (const rule of ["default-src 'none'", "script-src 'self';", "style-src 'self';", "require-trusted-types-for 'script'", "frame-ancestors 'none'"]) expect(policy).toContain(rule);
  await page.getByRole("button", { name: "Withdrawals" }).click();
  await page.getByLabel("API key").fill("tlk_wrong");
  await page.getByRole("button", { name: "Use this key" }).click();
  await expect(page.getByText("does not answer as it should: 401").first()).toBeVisible();
  await page.getByRole("button", { name: "Forget the key" }).click();
  await page.getByLabel("API key").fill(service.key);
  await page.getByRole("button", { name: "Use this key" }).click();
  await page.getByRole("textbox", { name: "Recipient" }).fill("0x3333333333333333333333333333333333333333");
  await page.getByRole("textbox", { name: /^Amount/ }).fill("0");
  await page.getByRole("button", { name: "File", exact: true }).click();
  await expect(page.getByRole("alert")).toContainText("amount");
  await page.getByRole("textbox", { name: /^Amount/ }).fill("12.5");
  await page.getByRole("button", { name: "File", exact: true }).click();
  const filed = page.getByText(/^Filed as 0x[0-9a-f]{32}: /);
  await expect(filed).toBeVisible();
  await expect(filed).toContainText(": paid", { timeout: 150_000 });
  const [ref = ""] = ((await filed.textContent()) ?? "").match(/0x[0-9a-f]{32}/) ?? [];
  await page.getByLabel("Search by").fill(ref);
  const row = page.getByRole("row").filter({ hasText: ref });
  await expect(row).toContainText("paid");
  await expect(page.getByText(/^1 of \d+ – live$/)).toBeVisible();
  await new Axe(page).isClean();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as CSV" }).click();
  const text = readFileSync(await (await download).path(), "utf8");
  expect(text).toContain(`"${ref}","0x3333333333333333333333333333333333333333","12.5","paid"`);
  expect(asked.filter((url) => url.includes("tlk_"))).toEqual([]);
  expect(new Set(asked.filter((url) => url.startsWith("http")).map((url) => new URL(url).origin))).toEqual(new Set([service.origin]));
  expect(await page.evaluate(() => [localStorage, sessionStorage].flatMap((kept) => Object.values(kept)).join())).not.toContain("tlk_");
  await page.reload();
  await page.getByRole("button", { name: "Withdrawals" }).click();
  await expect(page.getByLabel("API key")).toHaveValue("");
});

test("a withdrawal whose answer was lost is filed once, also after a reload", async ({ page }) => {
  const sent: string[] = [];
  await page.route("**/v1/withdrawals", async (route) => {
    if (route.request().method() !== "POST") return route.fallback();
    sent.push((route.request().postDataJSON() as { ref: string }).ref);
    const response = await route.fetch();
    return sent.length === 1 ? route.abort() : route.fulfill({ response });
  });
  const file = async (amount: string): Promise<void> => {
    await page.getByRole("textbox", { name: "Recipient" }).fill("0x4444444444444444444444444444444444444444");
    await page.getByRole("textbox", { name: /^Amount/ }).fill(amount);
    await page.getByRole("button", { name: "File", exact: true }).click();
  };
  await open(page);
  await file("7.25");
  await expect(page.getByRole("alert")).toBeVisible();
  await page.reload();
  await open(page);
  await file("7.250 ");
  const [ref] = sent;
  await expect(page.getByText(`Filed as ${ref}: `)).toBeVisible();
  expect(sent).toEqual([ref, ref]);
  // It was answered: the next is another.
  await file("7.25");
  await expect.poll(() => sent.length).toBe(3);
  expect(sent[2]).not.toBe(ref);
  await expect(page.getByText(`Filed as ${sent[2]}: `)).toBeVisible();
});

test("the history catches up with what the server did not answer, and is not live before", async ({ page, request }) => {
  let isOut = false;
  await page.route("**/v1/withdrawals/0x*", (route) => (isOut ? route.abort() : route.fallback()));
  await open(page);
  await expect(page.getByText(/ – live$/)).toBeVisible();
  isOut = true;
  const ref = `0x${"5".repeat(32)}`;
  const headers = { Authorization: `Bearer ${service.key}` };
  await request.post(`${service.origin}/v1/withdrawals`, { headers, data: { ref, to: "0x5555555555555555555555555555555555555555", amount: "3" } });
  const status = async (): Promise<string> => ((await (await request.get(`${service.origin}/v1/withdrawals/${ref}`, { headers })).json()) as { status: string }).status;
  await expect.poll(status, { timeout: 150_000 }).toBe("paid");
  await expect(page.getByText(/ – reading…$/)).toBeVisible();
  isOut = false;
  await expect(page.getByRole("row").filter({ hasText: ref })).toContainText("paid");
  await expect(page.getByText(/ – live$/)).toBeVisible();
});

test("100,000 payments scroll and are found, with few of them in the page", async ({ page }) => {
  const count = 100_000;
  const item = (i: number) => ({ ref: `0x${i.toString(16).padStart(32, "0")}`, to: `0x${i.toString(16).padStart(40, "0")}`, amount: "1", status: "paid", hold: null, batch: null, transaction: null, arrival: i });
  await page.route("**/v1/withdrawals?*", (route) => {
    const before = Number(new URL(route.request().url()).searchParams.get("cursor") ?? count + 1);
    const from = Math.max(1, before - 1_000);
    const items = Array.from({ length: before - from }, (_, i) => item(before - 1 - i));
    return route.fulfill({ json: { items, ...(from > 1 && { next: `${from}` }) } });
  });
  await open(page);
  await expect(page.getByText("100000 of 100000 – live")).toBeVisible({ timeout: 150_000 });
  const sight = page.locator(".sight");
  await sight.evaluate((element) => element.scrollTo(0, element.scrollHeight));
  await expect(page.getByRole("row").filter({ hasText: item(1).ref })).toBeVisible();
  expect(await page.getByRole("row").count()).toBeLessThan(60);
  await page.getByLabel("Search by").fill(item(70_123).ref);
  await expect(page.getByText("1 of 100000 – live")).toBeVisible();
});

test("when the server is gone the page says so, and what is read from the chain goes on", async ({ page }) => {
  const served = await service.serve();
  await page.goto(`${served.origin}/#${new URLSearchParams({ vault: service.vault, node: service.url, lens: service.lens })}`);
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await expect(page.getByText("Not frozen: payments flow.")).toBeVisible();
  await page.getByRole("button", { name: "Withdrawals" }).click();
  await page.getByLabel("API key").fill(service.key);
  await page.getByRole("button", { name: "Use this key" }).click();
  await expect(page.getByText(/ – live$/)).toBeVisible();
  await served.stop();
  await expect(page.getByText("The keeper's server does not answer as it should")).toBeVisible();
  await page.getByRole("button", { name: "What can leave" }).click();
  await expect(page.getByText("Not frozen: payments flow.")).toBeVisible();
});
