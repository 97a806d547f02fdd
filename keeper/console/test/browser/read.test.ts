import Axe from "./axe.ts";
import { go, press } from "./keys.ts";
import { BUILT, KNOWN, expect, fragment, openPage, somePayments, test } from "./world.ts";

test("shows what can leave and what returns when, as vault and lens say", async ({ page, origin, chain, asked }) => {
  const errors: string[] = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  await openPage(page, origin, chain);
  await expect(page.getByRole("heading", { name: "Tier 0" })).toBeVisible();
  const room = await chain.read<bigint>("Vault", "headroom", [0n]);
  const text = (amount: bigint): string => `${`${amount / 1_000_000n}`.replace(/\B(?=(\d{3})+$)/g, "\u202f")} USDT`;
  await expect(page.getByText(`${text(room)} of 100\u202f000 USDT can leave now`)).toBeVisible();
  const [automatic, policy, ceiling] = await chain.read<bigint[]>("VaultLens", "maxLossPerDay", [chain.vault]);
  for (const [label, amount] of [["with the keeper's key alone", automatic], ["under today's policy", policy], ["with every key stolen", ceiling]] as const) {
    const row = page.locator(".figures > div").filter({ hasText: label });
    await expect(row.locator("dd")).toHaveText(text(amount ?? 0n));
  }
  // What returns: the lens says when the whole cap fits again.
  const whole = await chain.read<bigint>("VaultLens", "fitsAt", [chain.vault, 0n, 100_000_000_000n]);
  const time = `${new Date(Number(whole) * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  const table = page.getByRole("region", { name: "Tier 0: What returns" });
  await expect(table.getByRole("row").last()).toContainText(time);
  await expect(table.getByRole("row").last()).toContainText("100\u202f000 USDT");
  expect(errors).toEqual([]);
  const origins = new Set(asked.map((url) => new URL(url).origin));
  expect([...origins].sort()).toEqual([origin, chain.url].sort());
});

test("says by the lens when a payment would pass and why not now, and tells each hour's room", async ({ page, origin, chain }) => {
  await openPage(page, origin, chain);
  const form = page.getByRole("form", { name: "When would this pass?" });
  const told = async (recipient: string, amount: string, ...said: (string | RegExp)[]): Promise<void> => {
    await form.getByLabel("Recipient").fill(recipient);
    await form.getByLabel(/^Amount/).fill(amount);
    await form.getByRole("button", { name: "Ask" }).click();
    for (const text of said) await expect(form).toContainText(text);
    await expect(form.getByText("One of them is wrong")).toHaveCount(0);
  };
  const stranger = `0x${"5".repeat(40)}`;
  await told(stranger, "1000", "Tier 0 takes it: paid at once by the keeper. The earliest, if votes came now: at once.");
  await told(stranger, "1000.000001", /Tier 1 takes it: 2 approvals, then 1 d\. The earliest, if votes came now: \d{4}-\d\d-\d\d/);
  await told(stranger, "20000.000001", "no tier takes so much for this recipient");
  await told(KNOWN, "100000", "Tier 1 takes it");
  await told(chain.vault, "1", "the vault blocks this recipient");
  await told(stranger, "0", "the amount is zero");
  await told("0x5", "1", "0x5 is no address");
  await told(stranger, "1.0000001", "amount 1.0000001: must be a number of the token");
  const tier = page.getByRole("region", { name: "Tier 0", exact: true });
  await tier.locator("summary", { hasText: "By the hour" }).click();
  const hours = tier.getByRole("region", { name: "By the hour" }).getByRole("row");
  await expect(hours).toHaveCount(1 + 28);
  const room = await chain.read<bigint>("Vault", "headroom", [0n]);
  await expect(hours.nth(1)).toContainText(`${room / 1_000_000n}`.replace(/\B(?=(\d{3})+$)/g, "\u202f"));
  await expect(hours.last()).toContainText("100\u202f000 USDT");
});

test("runs from plain files", async ({ page, chain }) => {
  await page.goto(`file://${BUILT}/index.html${fragment(chain, [chain.url])}`);
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await expect(page.getByText("Not frozen: payments flow.")).toBeVisible();
});

test("a link fills in and opens nothing by itself", async ({ page, origin, chain, asked }) => {
  await page.goto(`${origin}/${fragment(chain, [chain.url])}`);
  await expect(page.getByText("A link has filled this in.")).toBeVisible();
  expect(asked.every((url) => url.startsWith(origin))).toBe(true);
  await page.getByLabel("Nodes, one URL").fill("ftp://node");
  await page.getByLabel("Address of the vault").fill("0x123");
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await expect(page.getByText("node ftp://node: must begin with")).toBeVisible();
  await expect(page.getByText("0x123 is no address")).toBeVisible();
});

test("one node under two names is refused: two have to tell the same", async ({ page, origin, chain }) => {
  const again = [chain.url.replace("127.0.0.1", "localhost"), `${chain.url}/`, `${chain.url.replace("http:", "HTTP:").replace("127.0.0.1", "127.1")}/x?y`];
  for (const second of again) {
    await page.goto("about:blank");
    await page.goto(`${origin}/${fragment(chain, [chain.url, second])}`);
    await page.getByRole("button", { name: "Open", exact: true }).click();
    await expect(page.getByText(`node ${second}: is at the same place as ${chain.url}`)).toBeVisible();
  }
});

test("everything is reached by keys alone, and what has the focus is seen", async ({ page, origin, chain }) => {
  await chain.propose(somePayments);
  await page.goto(`${origin}/${fragment(chain, [chain.url])}`);
  await go(page, "To the content");
  await go(page, "Open");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Not frozen: payments flow.")).toBeVisible();
  await press(page, "What waits for votes");
  await go(page, "Print a brief");
});

test("the first paint is told", async ({ page, origin }) => {
  await page.goto(origin);
  await page.getByRole("button", { name: "Open", exact: true }).waitFor();
  const painted = await page.evaluate(
    () => new Promise<number>((resolve) => new PerformanceObserver((list) => resolve(list.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0)).observe({ type: "paint", buffered: true })),
  );
  console.log(`# first paint after ${Math.round(painted)} ms, of at most 1000 on a machine that does nothing else`);
});

test("shows each payment in words, strangers and look-alikes marked, roles with their ends", async ({ page, origin, chain }) => {
  await chain.propose(somePayments);
  await openPage(page, origin, chain);
  await page.getByRole("button", { name: /^What waits for votes/ }).click();
  const proposal = page.getByRole("article").last();
  await expect(proposal.getByRole("heading")).toHaveText("3 payments, together 63\u202f345.678901 USDT");
  await expect(proposal).toContainText("0 of 2 votes");
  await expect(proposal).toContainText("waits for votes");
  await expect(proposal).toContainText("2 payments go to recipients that the vault's book does not list as known");
  await expect(proposal).toContainText(`Looks like ${KNOWN}, and is another.`);
  await expect(proposal).toContainText("the same as the vault's");
  await expect(proposal.locator(".mark.bad")).toHaveCount(1);
  await page.getByRole("button", { name: "Who may do what" }).click();
  for (const signer of chain.signers) await expect(page.getByRole("row").filter({ hasText: signer })).toContainText("until the signers change");
  await expect(page.getByRole("row").filter({ hasText: chain.guardian })).toContainText(/\d{4}-\d\d-\d\d/);
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const language of ["en", "zh"] as const) {
    test(`axe finds nothing: ${colorScheme}, ${language}`, async ({ page, origin, chain }) => {
      await page.emulateMedia({ colorScheme });
      await page.addInitScript((chosen) => localStorage.setItem("tidelock.language", chosen), language);
      await chain.propose(somePayments);
      await page.goto(`${origin}/${fragment(chain, [chain.url])}`);
      await expect(page.locator("form")).toBeVisible();
      await new Axe(page).isClean();
      await page.locator("form button[type=submit]").click();
      const tabs = page.locator("nav button");
      await expect(page.locator("meter").first()).toBeVisible();
      await new Axe(page).isClean();
      for (const [tab, shown] of [[1, "article"], [2, "table"]] as const) {
        await tabs.nth(tab).click();
        await expect(page.locator(`main ${shown}`).first()).toBeVisible();
        await new Axe(page).isClean();
      }
    });
  }
}
