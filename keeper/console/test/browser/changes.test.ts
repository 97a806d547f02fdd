// Policy changes: proposed by a form of fields, told in words, voted on, executed and vetoed by a wallet; and a node that lies of them.
import { encodeFunctionData, type Address, type Hex } from "viem";
import { VAULT } from "../../src/vault/abi.ts";
import Axe from "./axe.ts";
import { startProxy } from "./proxy.ts";
import { KNOWN, expect, fragment, giveWallet, openPage, startChain, test, type Chain, type Conduct } from "./world.ts";
import type { Page } from "@playwright/test";

const STRANGER: Address = "0x7777777777777777777777777777777777777777";
const DAY = 86_400;

/** The page of a signer, at what waits for votes. */
async function asSigner(page: Page, origin: string, chain: Chain, conduct: Conduct, nodes = [chain.url]): Promise<void> {
  await giveWallet(page, chain, conduct);
  await openPage(page, origin, chain, nodes);
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("button", { name: /^What waits for votes/ }).click();
}

async function becomes(page: Page, conduct: Conduct, account: Address): Promise<void> {
  conduct.account = account;
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
}

const formOf = (page: Page) => page.getByRole("form", { name: "Propose a policy change" });

/** Opens the form at a kind of change, and fills it in. */
async function write(page: Page, kind: string, fields: Record<string, string>): Promise<void> {
  const form = formOf(page);
  if (!(await form.isVisible())) await page.locator("summary", { hasText: "Propose a policy change" }).click();
  await form.getByRole("combobox", { name: "What is to change" }).selectOption(kind);
  for (const [label, value] of Object.entries(fields)) {
    const named = { name: label, exact: true };
    const choice = form.getByRole("combobox", named);
    const field = form.getByRole("textbox", named);
    await expect(choice.or(field)).toBeVisible();
    if ((await choice.count()) > 0) await choice.selectOption(value);
    else await field.fill(value);
  }
  await form.getByRole("button", { name: "Read it over" }).click();
}

/** Proposes what was read over; its id. */
async function propose(page: Page): Promise<Hex> {
  const card = page.locator("details.card", { hasText: "Propose a policy change" });
  const id = (await card.locator("code").textContent()) as Hex;
  await page.getByRole("button", { name: "Propose this change" }).click();
  await expect(page.getByRole("article").filter({ hasText: id })).toBeVisible();
  return id;
}

const stateOf = (chain: Chain, id: Hex): Promise<number> => chain.read<number>("Vault", "stateOf", [id]);
const EXECUTED = 4;
const CANCELLED = 5;

test("a signer writes a change that loosens, it is told in words, approved by a call and by a signature, and executed after its delay and no sooner", async ({ page, origin }) => {
  const chain = await startChain();
  const [first, second] = chain.signers as [Address, Address];
  const conduct: Conduct = { account: first };
  await asSigner(page, origin, chain, conduct);
  await write(page, "Recipients", { "Recipients, one a line, 200 at most": STRANGER, "They are now": "0", "They shall be": "1" });
  const card = page.locator("details.card", { hasText: "Propose a policy change" });
  await expect(card).toContainText(`loosens ${STRANGER} becomes known: larger payments go to it`);
  await expect(card).toContainText("Once 2 votes are there it waits for 2 d; then a signer or the keeper executes it. A guardian can veto it until then.");
  // What the wallet will be asked to send is shown before it is asked.
  await card.locator("summary", { hasText: "What the wallet is asked to send" }).click();
  const shown = await card.locator("dd.data").textContent();
  const sent: string[] = [];
  const { rpc } = chain;
  chain.rpc = (method, ...params) => {
    if (method === "eth_sendTransaction") sent.push((params[0] as { data: string }).data);
    return rpc(method, ...params);
  };
  const id = await propose(page);
  expect(sent).toEqual([shown]);
  const change = page.getByRole("article").filter({ hasText: id });
  await expect(change.getByRole("heading")).toHaveText(`From not in the book to known: ${STRANGER}`);
  await expect(change).toContainText("loosens");
  await expect(change).toContainText("1 of 2 votes");
  await expect(change.getByRole("button", { name: "Execute now" })).toBeDisabled();
  await becomes(page, conduct, second);
  await change.getByRole("button", { name: "Approve by a signature" }).click();
  await change.getByRole("button", { name: "Bring it now, from this account" }).click();
  await expect(change).toContainText("has its votes; waits for its delay until");
  await expect(change.getByRole("button", { name: "Execute now" })).toBeDisabled();
  await chain.rpc("evm_increaseTime", 2 * DAY);
  await chain.rpc("evm_mine");
  await change.getByRole("button", { name: "Execute now" }).click();
  await expect(change).toHaveCount(0);
  expect(await stateOf(chain, id)).toBe(EXECUTED);
  expect(await chain.read<number>("Vault", "standingOf", [STRANGER])).toBe(1);
  chain.stop();
});

test("what only tightens takes effect with the vote that brings its quorum; what loosens is vetoed", async ({ page, origin }) => {
  const chain = await startChain();
  const [first, second] = chain.signers as [Address, Address];
  const conduct: Conduct = { account: first };
  await asSigner(page, origin, chain, conduct);
  const cap = "Tier 0: most in any 24 hours [USDT]";
  await write(page, "Tighten", { [cap]: "60000" });
  const card = page.locator("details.card", { hasText: "Propose a policy change" });
  await expect(card.locator(".effects li")).toHaveText(["tightens Tier 0, most in any 24 hours: 100\u202f000 USDT → 60\u202f000 USDT"]);
  await expect(card).toContainText("It only tightens: it takes effect at once with the vote that brings its quorum. Nobody can veto it.");
  const id = await propose(page);
  await becomes(page, conduct, second);
  const change = page.getByRole("article").filter({ hasText: id });
  await expect(change).toContainText("Nobody can veto it.");
  await change.getByRole("button", { name: "Approve by a call" }).click();
  await expect(change).toHaveCount(0);
  expect(await stateOf(chain, id)).toBe(EXECUTED);
  await page.getByRole("button", { name: "What can leave" }).click();
  await expect(page.getByRole("region", { name: "Tier 0", exact: true })).toContainText("of 60\u202f000 USDT can leave now");
  await page.getByRole("button", { name: /^What waits for votes/ }).click();
  // The whole policy, loosened here and tightened there.
  await write(page, "Tiers", { [cap]: "70000", "Tier 1: approvals": "3" });
  await expect(card.locator(".effects li")).toHaveText([/^loosens Tier 0, most in any 24 hours: 60.000 USDT → 70.000 USDT$/, /^tightens Tier 1, approvals: 2 → 3$/]);
  const loosening = await propose(page);
  const waits = page.getByRole("article").filter({ hasText: loosening });
  await expect(waits).toContainText("New tiers, and a policy delay of 2 d");
  await becomes(page, conduct, chain.guardian);
  await waits.getByRole("button", { name: "Veto" }).click();
  await waits.getByRole("button", { name: "Yes, veto" }).click();
  await expect(waits).toHaveCount(0);
  expect(await stateOf(chain, loosening)).toBe(CANCELLED);
  chain.stop();
});

test("each kind of change has its form, which the vault takes; what breaks a rule is named by field, value and rule", async ({ page, origin }) => {
  const chain = await startChain();
  const [first, second, third] = chain.signers as [Address, Address, Address];
  await asSigner(page, origin, chain, { account: first });
  const said = async (kind: string, fields: Record<string, string>, ...rules: (string | RegExp)[]): Promise<void> => {
    await write(page, kind, fields);
    for (const rule of rules) await expect(page.getByRole("alert").filter({ hasText: rule })).toBeVisible();
    await expect(page.getByRole("button", { name: "Propose this change" })).toHaveCount(0);
  };
  const fine = async (kind: string, fields: Record<string, string>, ...effects: (string | RegExp)[]): Promise<void> => {
    await write(page, kind, fields);
    for (const effect of effects) await expect(page.locator("details.card .effects").getByText(effect)).toBeVisible();
    await expect(page.getByRole("button", { name: "Propose this change" })).toBeEnabled();
    const data = await page.locator("details.card dd.data").textContent();
    await chain.rpc("eth_call", { from: first, to: chain.vault, data }, "latest"); // throws what the vault refuses
  };
  const signers = "Signers, one a line, 32 at most";
  const threshold = "Votes that a policy change needs";
  await said("Signers", { [signers]: `${first}\n${first}\n0x5`, [threshold]: "4" }, `Signers: ${first} stands there twice`, "0x5 is no address", "4 must be 1 to 3");
  await said("Signers", { [signers]: chain.vault, [threshold]: "1" }, "is zero, the vault or its token");
  await fine("Signers", { [signers]: `${first}\n${second}\n${STRANGER}`, [threshold]: "3" }, `A new signer: ${STRANGER}`, `No signer any more: ${third}`, "Votes for a policy change: 2 → 3", "Every vote given so far counts no more.");
  await expect(page.getByText("As the vault stands it cannot take effect: tier 1: 2 approvals must be 3 to 3")).toBeVisible();
  const unknown = "Tier 0: largest payment to others [USDT]";
  await said("Tiers", { [unknown]: "1000.001" }, "must be a multiple of 0.01 USDT");
  await said("Tiers", { [unknown]: "1e3" }, "Tier 0: largest payment to others [USDT]: 1e3 must be a number of the token");
  await said("Tiers", { [unknown]: "10001" }, /10001 must be 0 USDT to 10.000 USDT/);
  await said("Tiers", { "Delay of policy changes [seconds]": "60" }, "Delay of policy changes [seconds]: 60 must be 86400 to");
  await said("Tiers", {}, "this changes nothing");
  await fine("Tiers", { Tiers: "1", "Tier 0: approvals": "2" }, "Tier 1 goes: what only it took, nobody pays.", "Tier 0, approvals: 0 → 2");
  await said("Recipients", { "Recipients, one a line, 200 at most": KNOWN, "They are now": "0", "They shall be": "1" }, `${KNOWN} is known now: a change that loosens begins where everybody on its list stands`);
  await fine("Recipients", { "Recipients, one a line, 200 at most": KNOWN, "They are now": "1", "They shall be": "2" }, `${KNOWN} is blocked: nothing is paid to it`);
  const role = "Until (UTC), as 2027-01-31 12:00; empty ends the role";
  await said("Role", { Account: STRANGER, Role: "1", [role]: "soon" }, "soon must be a time as 2027-01-31 12:00");
  await said("Role", { Account: STRANGER, Role: "1", [role]: "2001-01-01" }, /2001-01-01 must be \d{4}-/);
  const { timestamp } = (await chain.rpc("eth_getBlockByNumber", "latest", false)) as { timestamp: Hex };
  const inDays = (days: number): string => new Date((Number(timestamp) + days * DAY) * 1_000).toISOString().slice(0, 16).replace("T", " ");
  await fine("Role", { Account: STRANGER, Role: "1", [role]: inDays(100) }, /The proposer's role ends: – → \d{4}-/);
  await fine("Role", { Account: chain.accounts[5] as Address, Role: "1", [role]: "" }, /The proposer's role ends: \d{4}-.* → –/);
  await expect(page.getByText("It only tightens: it takes effect at once")).toBeVisible();
  await fine("Guardians", { "Guardians, one a line, 16 at most": STRANGER, "Until (UTC), as 2027-01-31 12:00": inDays(50) }, `A new guardian: ${STRANGER}`, `No guardian any more: ${chain.guardian}`);
  await expect(page.locator("details.card .effects")).toContainText("Nobody can veto it.");
  await said("Guardians", { "Guardians, one a line, 16 at most": "" }, "0 addresses, must be 1 to 16");
  await said("Unfreeze", {}, "the vault is not frozen");
  await fine("Successor", { "Where other tokens can be sent; empty for nowhere": STRANGER }, /Where other tokens can be sent: 0x0{40} → /);
  await fine("Sweep", { "Address of the other token": STRANGER }, /The vault's whole balance of 0x7777/);
  await expect(page.getByText("As the vault stands it cannot take effect: no successor is announced")).toBeVisible();
  await said("Sweep", { "Address of the other token": await chain.read<Address>("Vault", "token") }, "is zero, the vault or its token");
  const freeze = encodeFunctionData({ abi: VAULT, functionName: "freeze" });
  await chain.rpc("eth_sendTransaction", { from: chain.guardian, to: chain.vault, data: freeze });
  await expect(page.getByText(/^Frozen: nothing leaves before/)).toBeVisible();
  await fine("Unfreeze", {}, "Payments flow again.");
  chain.stop();
});

test("a rejected change, and a wallet on another chain, send nothing", async ({ page, origin, chain }) => {
  const [account] = chain.signers as [Address];
  const conduct: Conduct = { account, rejects: true };
  await asSigner(page, origin, chain, conduct);
  await write(page, "Successor", { "Where other tokens can be sent; empty for nowhere": STRANGER });
  const card = page.locator("details.card", { hasText: "Propose a policy change" });
  const id = (await card.locator("code").textContent()) as Hex;
  const button = page.getByRole("button", { name: "Propose this change" });
  await button.click();
  await expect(page.getByText("You have rejected it in the wallet. Nothing was sent.")).toBeVisible();
  conduct.rejects = false;
  conduct.chainId = 1n;
  await button.click();
  await expect(card.getByRole("alert")).toContainText("The wallet is on chain 1");
  expect(await stateOf(chain, id)).toBe(0);
});

test("a change that a node shows with other fields is caught by its id, and two nodes that disagree let nothing be proposed", async ({ page, origin }) => {
  const chain = await startChain();
  const [account] = chain.signers as [Address];
  const now = { lies: false };
  const swap = (result: unknown): unknown => JSON.parse(JSON.stringify(result).replaceAll(STRANGER.slice(2), "2".repeat(40)));
  const liar = await startProxy(chain.url, ({ method }, result) => (now.lies && method === "eth_getLogs" ? swap(result) : undefined));
  const conduct: Conduct = { account };
  await asSigner(page, origin, chain, conduct, [chain.url]);
  await write(page, "Recipients", { "Recipients, one a line, 200 at most": STRANGER, "They are now": "0", "They shall be": "1" });
  const id = await propose(page);
  now.lies = true;
  await page.goto("about:blank");
  await page.goto(`${origin}/${fragment(chain, [liar.url])}`);
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("button", { name: /^What waits for votes/ }).click();
  const change = page.getByRole("article").last();
  await expect(change.getByRole("alert")).toContainText(`Do not approve. The node states the id ${id}`);
  await expect(change.getByRole("button", { name: "Approve by a call" })).toHaveCount(0);
  await page.goto("about:blank");
  await page.goto(`${origin}/${fragment(chain, [chain.url, liar.url])}`);
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("button", { name: /^What waits for votes/ }).click();
  await expect(page.getByText("The nodes disagree.")).toBeVisible();
  await write(page, "Successor", { "Where other tokens can be sent; empty for nowhere": STRANGER });
  await expect(page.getByRole("button", { name: "Propose this change" })).toBeDisabled();
  liar.stop();
  chain.stop();
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const language of ["en", "zh"] as const) {
    test(`axe finds nothing in policy changes: ${colorScheme}, ${language}`, async ({ page, origin, chain }) => {
      const [account] = chain.signers as [Address];
      await page.emulateMedia({ colorScheme });
      await page.addInitScript((chosen) => localStorage.setItem("tidelock.language", chosen), language);
      await giveWallet(page, chain, { account });
      await page.goto(`${origin}/${fragment(chain, [chain.url])}`);
      await page.locator("form button[type=submit]").click();
      await page.locator("header .wallet button").click();
      await page.locator("nav button").nth(1).click();
      const card = page.locator("details.card").nth(1);
      await card.locator("summary").first().click();
      await card.locator("form select").first().selectOption("Tighten");
      await card.locator("form input").nth(2).fill("50000");
      await card.locator("form button[type=submit]").click();
      await card.locator("summary").nth(1).click();
      await expect(card.locator("dd.data")).toBeVisible();
      await new Axe(page).isClean();
      await card.locator("form select").first().selectOption("Signers");
      await card.locator("form textarea").fill("0x5");
      await card.locator("form button[type=submit]").click();
      await expect(card.locator(".notice.bad").first()).toBeVisible();
      await new Axe(page).isClean();
    });
  }
}
