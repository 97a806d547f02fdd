// Who the page takes to be signed in, in front of a server whose words the test chooses.
import type { Page } from "@playwright/test";
import { expect, test } from "./world.ts";

const person = (name: string) => ({ id: `person_${name}`, name, scopes: ["read", "operate"], ends_at: Math.floor(Date.now() / 1_000) + 28_800 });

interface Desk {
  /** Whom `/v1/session` names, or with which status it names nobody. */
  now: { answer: string | number; after?: Promise<void> | undefined; held: number };
  posted: string[];
  /** Shows the tab again, which is told then who it is. */
  seen: () => Promise<void>;
}

/** The operator's part of the page, as somebody who has signed in. */
async function openDesk(page: Page, origin: string): Promise<Desk> {
  const now: Desk["now"] = { answer: "Anna", held: 0 };
  const posted: string[] = [];
  const json = (path: string, made: () => object) => page.route(`${origin}${path}`, (route) => route.fulfill({ json: made() }));
  await json("/healthz", () => ({ status: "ok" }));
  await json("/sign-in/offer", () => ({ sign_in: "/sign-in" }));
  await json("/v1/keeper", () => ({ ready: true, unready: [], figures: "" }));
  await page.route(`${origin}/v1/session`, async (route) => {
    const { answer, after } = now;
    if (after) now.held++;
    await after;
    return typeof answer === "number" ? route.fulfill({ status: answer, json: {} }) : route.fulfill({ json: person(answer) });
  });
  await page.route(`${origin}/v1/session/end`, (route) => {
    posted.push(route.request().url());
    now.answer = 401;
    return route.fulfill({ status: 204 });
  });
  await page.route(`${origin}/v1/acts**`, (route) => {
    if (route.request().method() === "GET") return route.fulfill({ json: { items: [] } });
    posted.push(route.request().url());
    return route.fulfill({ json: { id: 1, deed: { act: "halt", step: "done" } } });
  });
  await page.goto(`${origin}/`);
  await page.getByRole("button", { name: "Operator", exact: true }).click();
  await expect(page.getByText("Signed in as Anna.")).toBeVisible();
  const seen = async (): Promise<void> => {
    const told = page.waitForResponse(`${origin}/v1/session`);
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await told;
  };
  return { now, posted, seen };
}

test("another who signed in elsewhere is not acted as: the page asks who it is before an act, and says who it is now", async ({ page, origin }) => {
  const { now, posted } = await openDesk(page, origin);
  await page.getByRole("textbox", { name: "Reason" }).fill("Anna's reason");
  now.answer = "Ben";
  await page.getByRole("button", { name: "Do it" }).click();
  await expect(page.getByText("Ben is signed in now, and no longer Anna: nothing more is done as Anna.")).toBeVisible();
  expect(posted).toEqual([]);
  // What one has typed is not the other's.
  await expect(page.getByRole("textbox", { name: "Reason" })).toHaveValue("");
  await page.getByRole("button", { name: "Do it" }).click();
  await expect(page.getByText("Act 1, halt: done.")).toBeVisible();
  expect(posted).toHaveLength(1);
});

test("a tab that is seen again asks who is signed in, and a server in trouble signs nobody out", async ({ page, origin }) => {
  const { now, seen } = await openDesk(page, origin);
  for (const status of [503, 429]) {
    now.answer = status;
    await seen();
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
    await expect(page.getByText("The keeper pays what can be paid.")).toBeVisible();
    await expect(page.getByText("Signed in as Anna.")).toBeVisible();
  }
  now.answer = "Ben";
  await seen();
  await expect(page.getByText("Signed in as Ben.")).toBeVisible();
  now.answer = 401;
  await seen();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
});

test("a look that is under way puts nobody back after a sign-out", async ({ page, origin }) => {
  const { now, posted } = await openDesk(page, origin);
  let answer = (): void => undefined;
  now.after = new Promise((resolve) => (answer = resolve));
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await expect.poll(() => now.held).toBe(1);
  now.after = undefined;
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("link", { name: "Sign in" })).toBeVisible();
  expect(posted).toHaveLength(1);
  const late = page.waitForResponse(`${origin}/v1/session`);
  answer();
  expect((await late).status()).toBe(200);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
  await expect(page.getByText("Signed in as Anna.")).toHaveCount(0);
});
