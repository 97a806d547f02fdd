// The pictures of docs/console.md. Written only when scripts/console --pictures asks for them.
import { fileURLToPath } from "node:url";
import { startService } from "./service.ts";
import { expect, giveWallet, openPage, somePayments, startChain, test } from "./world.ts";

const folder = process.env.PICTURES;
const place = (name: string): string => fileURLToPath(new URL(`../../../../${folder}/${name}.png`, import.meta.url));

test.skip(folder === undefined, "no pictures are asked for");

test("what can leave", async ({ page, origin, chain }) => {
  await openPage(page, origin, chain);
  await expect(page.locator("meter").first()).toBeVisible();
  await page.screenshot({ path: place("console-room") });
});

test("what waits for votes", async ({ page, origin }) => {
  const chain = await startChain();
  await page.emulateMedia({ colorScheme: "dark" });
  await chain.propose(somePayments);
  await giveWallet(page, chain, { account: chain.signers[0] as never });
  await openPage(page, origin, chain);
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("button", { name: /^What waits for votes/ }).click();
  await page.locator("summary", { hasText: "Compare with what your device shows" }).click();
  await expect(page.getByRole("article")).toBeVisible();
  await page.screenshot({ path: place("console-votes"), fullPage: true });
  chain.stop();
});

test("what a policy change does", async ({ page, origin, chain }) => {
  await giveWallet(page, chain, { account: chain.signers[0] as never });
  await openPage(page, origin, chain);
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("button", { name: /^What waits for votes/ }).click();
  await page.locator("summary", { hasText: "Propose a policy change" }).click();
  const form = page.getByRole("form", { name: "Propose a policy change" });
  await form.getByRole("combobox", { name: "What is to change" }).selectOption("Tiers");
  await form.getByRole("textbox", { name: "Tier 0: most in any 24 hours [USDT]" }).fill("80000");
  await form.getByRole("textbox", { name: "Tier 1: largest payment to others [USDT]" }).fill("30000");
  await form.getByRole("textbox", { name: "Tier 1: approvals" }).fill("3");
  await form.getByRole("button", { name: "Read it over" }).click();
  await expect(page.locator(".effects li")).toHaveCount(3);
  await page.locator("summary", { hasText: "What the wallet is asked to send" }).click();
  await page.locator("details.card", { hasText: "Propose a policy change" }).screenshot({ path: place("console-change") });
});

test("what the keeper shows to those who run it, and to those who look over it", async ({ page, request }) => {
  test.setTimeout(300_000);
  const service = await startService();
  const headers = { Authorization: `Bearer ${service.key}` };
  // Some hours of payments.
  for (let hour = 1; hour <= 6; hour++) {
    await service.later(3_600);
    const refs = Array.from({ length: hour }, (_, i) => `0x${`${hour}${i}`.repeat(16)}`);
    for (const ref of refs) await request.post(`${service.origin}/v1/withdrawals`, { headers, data: { ref, to: `0x${"3".repeat(40)}`, amount: "20" } });
    for (const ref of refs) {
      const status = async (): Promise<string> => ((await (await request.get(`${service.origin}/v1/withdrawals/${ref}`, { headers })).json()) as { status: string }).status;
      await expect.poll(status, { timeout: 150_000 }).toBe("paid");
    }
  }
  await page.goto(service.page);
  await page.getByRole("button", { name: "Open", exact: true }).click();
  const parts = [
    ["Figures", "console-figures", "svg.chart"],
    ["Operator", "console-operator", "details.alert"],
    ["Auditor", "console-audit", "#anchors ~ .notice"],
  ] as const;
  for (const [name, file, shown] of parts) {
    await page.getByRole("button", { name, exact: true }).click();
    if (await page.getByLabel("API key").isVisible()) {
      await page.getByLabel("API key").fill(service.key);
      await page.getByRole("button", { name: "Use this key" }).click();
    }
    await expect(page.locator(`main ${shown}`).first()).toBeVisible();
    await page.screenshot({ path: place(file), fullPage: true });
  }
  await service.stop();
});
