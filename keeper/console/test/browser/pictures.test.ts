// The pictures of docs/console.md. Written only when scripts/console --pictures asks for them.
import { fileURLToPath } from "node:url";
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
