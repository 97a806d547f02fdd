import type { Address, Hex } from "viem";
import { go, press } from "./keys.ts";
import { startProxy } from "./proxy.ts";
import { expect, giveWallet, openPage, somePayments, startChain, test, type Chain, type Conduct } from "./world.ts";
import type { Page } from "@playwright/test";

const button = (page: Page, name: string) => page.getByRole("article").last().getByRole("button", { name });

/** The page of a person with a wallet, at what was proposed last. */
async function atProposal(page: Page, origin: string, chain: Chain, conduct: Conduct, nodes = [chain.url]): Promise<Hex> {
  await chain.propose(somePayments);
  await giveWallet(page, chain, conduct);
  await openPage(page, origin, chain, nodes);
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("button", { name: /^What waits for votes/ }).click();
  const id = await page.getByRole("article").last().locator("code").textContent();
  return id as Hex;
}

/** A node that can fall silent. */
async function startNode(chain: Chain) {
  const now = { isSilent: false };
  const { url, stop } = await startProxy(chain.url, () => {
    if (now.isSilent) throw new Error("silent");
    return undefined;
  });
  return { url, stop, now };
}

const hasVoted = (chain: Chain, id: Hex, signer: Address | undefined): Promise<boolean> => chain.read("VaultLens", "hasApproved", [chain.vault, id, signer]);

test("a signer approves by a call, is told of the block, and takes the vote back", async ({ page, origin, chain }) => {
  const [account] = chain.signers as [Address];
  const id = await atProposal(page, origin, chain, { account });
  await button(page, "Approve by a call").click();
  await expect(page.getByText(/^In block \d+\.$/)).toBeVisible();
  expect(await hasVoted(chain, id, account)).toBe(true);
  await expect(page.getByText("This account has voted.")).toBeVisible();
  await expect(page.getByRole("article").last()).toContainText("1 of 2 votes");
  await button(page, "Take my vote back").click();
  await expect(page.getByRole("article").last()).toContainText("0 of 2 votes");
  expect(await hasVoted(chain, id, account)).toBe(false);
});

test("a signer connects a wallet, reads what waits and approves it by keys alone", async ({ page, origin, chain }) => {
  const [, , account] = chain.signers as [Address, Address, Address];
  await chain.propose(somePayments);
  await giveWallet(page, chain, { account });
  await openPage(page, origin, chain);
  await expect(page.getByText("Not frozen: payments flow.")).toBeVisible();
  await press(page, "Connect Test Wallet");
  await expect(page.getByRole("button", { name: "Disconnect" })).toBeVisible();
  await press(page, "What waits for votes");
  const id = (await page.getByRole("article").last().locator("code").textContent()) as Hex;
  await page.getByRole("article").last().getByRole("region").focus();
  await go(page, "Approve by a call");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/^In block \d+\.$/)).toBeVisible();
  expect(await hasVoted(chain, id, account)).toBe(true);
});

test("a vote is taken back by the wallet's own node, whatever those that are named do", async ({ page, origin, chain }) => {
  const [account] = chain.signers as [Address];
  const node = await startNode(chain);
  const id = await atProposal(page, origin, chain, { account }, [node.url]);
  await button(page, "Approve by a call").click();
  await expect(page.getByText(/^In block \d+\.$/)).toBeVisible();
  node.now.isSilent = true;
  await expect(page.getByText(`${node.url} does not answer`)).toBeVisible();
  await expect(button(page, "Approve by a signature")).toBeDisabled();
  await button(page, "Take my vote back").click();
  await expect.poll(() => hasVoted(chain, id, account)).toBe(false);
  node.stop();
});

test("a signer signs, the digest is the one shown, and anybody brings the vote", async ({ page, origin, chain }) => {
  const [, account] = chain.signers as [Address, Address];
  const conduct: Conduct = { account };
  const id = await atProposal(page, origin, chain, conduct);
  await button(page, "Approve by a signature").click();
  const votes = page.locator("pre.votes");
  await expect(votes).toContainText("signature");
  const [vote] = JSON.parse((await votes.textContent()) ?? "");
  expect(vote.signer).toBe(account);
  expect(await hasVoted(chain, id, account)).toBe(false);
  await page.locator("summary", { hasText: "Compare with what your device shows" }).last().click();
  for (const name of ["Digest", "Domain hash", "Message hash"]) {
    await expect(page.locator("dt", { hasText: new RegExp(`^${name}$`) }).last()).toBeVisible();
    await expect(page.locator(`dt:text-is("${name}") + dd`).last()).toHaveText(/^0x[0-9a-f]{64}$/);
  }
  // A stranger's page brings it: the votes are read from what was copied.
  conduct.account = chain.accounts[9] as Address;
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await expect(page.getByText(`${conduct.account} is no signer of this vault`).last()).toBeVisible();
  await expect(button(page, "Approve by a call")).toBeDisabled();
  await page.locator("summary", { hasText: "Bring votes of others" }).last().click();
  await page.getByRole("textbox").last().fill("{}");
  await button(page, "Bring votes of others").click();
  await expect(page.getByText("no vote can be read: [0].signer")).toBeVisible();
  await page.getByRole("textbox").last().fill(JSON.stringify(vote));
  await button(page, "Bring votes of others").click();
  await expect(page.getByRole("article").last()).toContainText("1 of 2 votes");
  expect(await hasVoted(chain, id, account)).toBe(true);
});

test("what a person rejects in the wallet is said, and nothing is sent", async ({ page, origin, chain }) => {
  const [account] = chain.signers as [Address];
  const id = await atProposal(page, origin, chain, { account, rejects: true });
  for (const name of ["Approve by a call", "Approve by a signature"]) {
    await button(page, name).click();
    await expect(page.getByText("You have rejected it in the wallet. Nothing was sent.")).toBeVisible();
  }
  expect(await hasVoted(chain, id, account)).toBe(false);
});

test("a wallet on another chain is named, asked to change, and sends nothing before", async ({ page, origin, chain }) => {
  const [account] = chain.signers as [Address];
  const id = await atProposal(page, origin, chain, { account, chainId: 1n });
  await expect(page.getByText(`The wallet is on chain 1, the vault on chain ${chain.chainId}.`)).toBeVisible();
  await button(page, "Approve by a call").click();
  await expect(page.getByRole("article").last().getByRole("alert")).toContainText("The wallet is on chain 1");
  expect(await hasVoted(chain, id, account)).toBe(false);
  await page.getByRole("button", { name: "Ask the wallet to change" }).click();
  await expect(page.getByRole("button", { name: "Ask the wallet to change" })).toHaveCount(0);
  await button(page, "Approve by a call").click();
  await expect(page.getByText(/^In block \d+\.$/)).toBeVisible();
});

test("a signature by another key is thrown away", async ({ page, origin, chain }) => {
  const [account, other] = chain.signers as [Address, Address];
  await atProposal(page, origin, chain, { account, signsAs: other });
  await button(page, "Approve by a signature").click();
  await expect(page.getByText("The wallet has signed something else")).toBeVisible();
  await expect(page.locator("pre.votes")).toHaveCount(0);
});

// On a chain of its own, whose clock is put on.
test("a signer proposes after reading it over, executes once it is ready and no sooner; a guardian vetoes another after a second question", async ({ page, origin }) => {
  const chain = await startChain();
  const [account, other] = chain.signers as [Address, Address];
  const conduct: Conduct = { account };
  await giveWallet(page, chain, conduct);
  await openPage(page, origin, chain);
  const connect = async (as: Address): Promise<void> => {
    conduct.account = as;
    if (await page.getByRole("button", { name: "Disconnect" }).isVisible()) await page.getByRole("button", { name: "Disconnect" }).click();
    await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  };
  await connect(account);
  await page.getByRole("button", { name: /^What waits for votes/ }).click();
  await page.locator("summary", { hasText: "Propose payments" }).click();
  const form = page.getByRole("form", { name: "Propose payments" });
  const write = async (text: string): Promise<void> => {
    await form.getByRole("textbox").fill(text);
    await form.getByRole("button", { name: "Read it over" }).click();
  };
  const stranger = `0x${"7".repeat(40)}`;
  await write(`${stranger} 1,5`);
  await expect(page.getByText("must be a recipient, an amount and at most a ref")).toBeVisible();
  await write(`${stranger} 50000`);
  await expect(page.getByText("no tier takes so much for this recipient")).toBeVisible();
  const ref = "01234567-89ab-cdef-0123-456789abcdef";
  await write(`${stranger} 1 ${ref}\n${stranger} 2 ${ref}`);
  await expect(page.getByText("a ref stands there twice")).toBeVisible();
  await write(`${stranger} 12.5 ${ref}\n${stranger} 2000`);
  await expect(page.getByText(ref)).toBeVisible();
  const id = (await page.locator("details.card code").textContent()) as Hex;
  await page.getByRole("button", { name: "Propose this" }).click();
  const proposal = page.getByRole("article").filter({ hasText: id });
  await expect(proposal.getByRole("heading")).toHaveText("2 payments, together 2\u202f012.5 USDT");
  await expect(proposal).toContainText("1 of 2 votes"); // a signer's proposal is its vote
  await expect(proposal.getByRole("button", { name: "Execute now" })).toBeDisabled();
  await connect(other);
  await proposal.getByRole("button", { name: "Approve by a call" }).click();
  await expect(proposal).toContainText("has its votes; waits for its delay");
  await expect(proposal.getByRole("button", { name: "Execute now" })).toBeDisabled();
  await chain.rpc("evm_increaseTime", 86_400);
  await chain.rpc("evm_mine");
  await proposal.getByRole("button", { name: "Execute now" }).click();
  await expect(proposal).toHaveCount(0);
  expect(await chain.read("Vault", "stateOf", [id])).toBe(4); // executed

  await chain.propose(somePayments);
  const second = page.getByRole("article").last();
  await expect(second.getByRole("button", { name: "Veto" })).toHaveCount(0); // a signer is no guardian
  await connect(chain.guardian);
  await second.getByRole("button", { name: "Veto" }).click();
  await second.getByRole("button", { name: "No", exact: true }).click();
  await second.getByRole("button", { name: "Veto" }).click();
  await second.getByRole("button", { name: "Yes, veto" }).click();
  await expect(page.getByText("Nothing waits.")).toBeVisible();
  chain.stop();
});

// On a chain of its own: the vault is frozen for days.
test("a guardian freezes after a second question, though the node that is named is silent; a stranger is told that the vault would refuse", async ({ page, origin }) => {
  const chain = await startChain();
  const conduct: Conduct = { account: chain.accounts[9] as Address };
  const node = await startNode(chain);
  await giveWallet(page, chain, conduct);
  await openPage(page, origin, chain, [node.url]);
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  const freeze = async (): Promise<void> => {
    await page.getByRole("button", { name: "Freeze", exact: true }).click();
    await page.getByRole("button", { name: "Yes, freeze" }).click();
  };
  await freeze();
  await expect(page.getByText("This account is neither guardian nor signer.")).toBeVisible();
  expect(await chain.read("VaultLens", "haltedUntil", [chain.vault])).toBe(0n);
  conduct.account = chain.guardian;
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  node.now.isSilent = true;
  await expect(page.getByText(`${node.url} does not answer`)).toBeVisible();
  await freeze();
  await expect(page.getByText(/^In block \d+\.$/)).toBeVisible();
  expect(await chain.read<bigint>("VaultLens", "haltedUntil", [chain.vault])).toBeGreaterThan(0n);
  node.now.isSilent = false;
  await expect(page.getByText(/^Frozen: nothing leaves before/)).toBeVisible();
  await expect(page.locator(".figures > div").first()).toContainText("0 USDT");
  await freeze();
  await expect(page.getByText("This account has frozen lately, and may not yet again.")).toBeVisible();
  node.stop();
  chain.stop();
});
