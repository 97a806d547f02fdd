// People who sign in at the page, by a real provider, and go on without a key.
import { expect, test, type Page } from "@playwright/test";
import Axe from "./axe.ts";
import { hasProvider, startSignIns, type SignIns } from "./provider.ts";
import { needsKeeper, startService, type Service } from "./service.ts";

let service: Service;
let served: SignIns;
needsKeeper();
test.skip(!hasProvider, "keeper/tests/serve/provider has no packages: npm ci there");
test.beforeAll(async () => {
  test.setTimeout(660_000);
  service = await startService();
  served = await startSignIns(service);
});
test.afterAll(async () => {
  await served?.stop();
  await service?.stop();
});

/** From a part of the page to the provider, where somebody says who they are, and back. */
async function signIn(page: Page, who: string): Promise<void> {
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.waitForURL((url) => url.origin === served.issuer);
  await page.getByRole("link", { name: who }).click();
  await page.waitForURL(`${served.origin}/`);
}

test("somebody signs in, acts without a key, is told for how long, signs out, and no request of the page leaves its origin", async ({ page, context }) => {
  const asked: { url: string; isNavigation: boolean }[] = [];
  page.on("request", (request) => asked.push({ url: request.url(), isNavigation: request.isNavigationRequest() }));
  const refusals: string[] = [];
  page.on("console", (message) => /Content Security Policy/.test(message.text()) && refusals.push(message.text()));
  await page.goto(`${served.origin}/`);
  await page.getByRole("button", { name: "Operator", exact: true }).click();
  await signIn(page, "Anna");
  // Back at the part that was left.
  await expect(page.getByText("Signed in as Anna.")).toBeVisible();
  await expect(page.getByText(/^Until \d{4}-\d\d-\d\d \d\d:\d\d UTC, [78] h.* from now\. May: .*operate/)).toBeVisible();
  await expect(page.getByText("The keeper pays what can be paid.")).toBeVisible();
  // What changes something is taken from this page.
  await page.getByRole("combobox", { name: "Act" }).selectOption("hold");
  await page.getByLabel("Ref", { exact: true }).fill("0x1234");
  await page.getByRole("textbox", { name: "Reason" }).first().fill("look at it");
  await page.getByRole("button", { name: "Do it" }).click();
  await expect(page.getByRole("alert")).toContainText("ref");
  await page.getByRole("button", { name: "Withdrawals" }).click();
  await page.getByRole("textbox", { name: "Recipient" }).fill("0x3333333333333333333333333333333333333333");
  await page.getByRole("textbox", { name: /^Amount/ }).fill("12.5");
  await page.getByRole("button", { name: "File", exact: true }).click();
  await expect(page.getByText(/^Filed as 0x[0-9a-f]{32}: /)).toBeVisible();
  await expect(page.getByText(/ – live$/)).toBeVisible();
  // Only what its groups are granted.
  await page.getByRole("button", { name: "Auditor", exact: true }).click();
  await expect(page.getByText("this key or person lacks the scope audit")).toBeVisible();
  // A session is of the browser: it outlasts the page, no script can read it, and no URL has it.
  await page.reload();
  await page.getByRole("button", { name: "Figures", exact: true }).click();
  await expect(page.getByText("Signed in as Anna.")).toBeVisible();
  const cookies = await context.cookies(served.origin);
  const session = cookies.find(({ name }) => name === "tidelock");
  expect(session).toMatchObject({ httpOnly: true, sameSite: "Strict" });
  expect(await page.evaluate(() => document.cookie)).toBe("");
  expect(asked.filter(({ url }) => url.includes(session?.value ?? "-"))).toEqual([]);
  const elsewhere = asked.filter(({ url, isNavigation }) => !isNavigation && new URL(url).origin !== served.origin);
  expect(elsewhere.filter(({ url }) => !url.startsWith(served.issuer))).toEqual([]);
  expect(refusals).toEqual([]);
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
  const gone = await page.request.get(`${served.origin}/v1/session`, { headers: { Cookie: `tidelock=${session?.value}` } });
  expect(gone.status()).toBe(401);
});

test("who is refused by the provider may use a key; a key beside a session counts alone; a session that ends elsewhere is noticed", async ({ page }) => {
  await page.goto(`${served.origin}/`);
  await page.getByRole("button", { name: "Figures", exact: true }).click();
  await page.getByLabel("API key").fill(service.key);
  await page.getByRole("button", { name: "Use this key" }).click();
  await expect(page.getByText(/^from all \d+ events – live$/)).toBeVisible();
  await expect(page.getByRole("link", { name: "Sign in" })).toHaveCount(0);
  await page.getByRole("button", { name: "Forget the key" }).click();
  await signIn(page, "Ben");
  await expect(page.getByText("Signed in as Ben.")).toBeVisible();
  await page.locator("summary", { hasText: "Use an API key instead" }).click();
  await page.getByLabel("API key").fill(service.second);
  await page.getByRole("button", { name: "Use this key" }).click();
  await expect(page.getByText("this key or person lacks the scope read")).toBeVisible();
  await page.getByRole("button", { name: "Forget the key" }).click();
  await expect(page.getByText(/^from all \d+ events – live$/)).toBeVisible();
  // He signs out in another tab.
  const other = await page.context().newPage();
  await other.goto(`${served.origin}/`);
  await other.getByRole("button", { name: "Operator", exact: true }).click();
  await other.getByRole("button", { name: "Sign out" }).click();
  await expect(other.getByRole("link", { name: "Sign in" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
});

test("a server where nobody signs in offers none", async ({ page }) => {
  await page.goto(`${service.origin}/`);
  await page.getByRole("button", { name: "Figures", exact: true }).click();
  await expect(page.getByLabel("API key")).toBeVisible();
  await expect(page.getByRole("link", { name: "Sign in" })).toHaveCount(0);
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const language of ["en", "zh"] as const) {
    test(`axe finds nothing where people sign in: ${colorScheme}, ${language}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await page.addInitScript((chosen) => localStorage.setItem("tidelock.language", chosen), language);
      await page.goto(`${served.origin}/`);
      await page.locator("nav button").nth(3).click();
      await expect(page.locator("a.button")).toBeVisible();
      await new Axe(page).isClean();
      await page.locator("a.button").click();
      await page.getByRole("link", { name: "Anna" }).click();
      await page.locator("main details summary").first().click();
      await new Axe(page).isClean();
    });
  }
}
