import { encodeFunctionData, getAbiItem, toEventSelector, toFunctionSelector, type AbiEvent, type AbiFunction } from "viem";
import { LENS, VAULT } from "../../src/vault/abi.ts";
import { startProxy } from "./proxy.ts";
import type { Page } from "@playwright/test";
import { expect, fragment, giveWallet, openPage, somePayments, test, type Chain } from "./world.ts";

const PROPOSED = toEventSelector(getAbiItem({ abi: VAULT, name: "BatchProposed" }) as AbiEvent);
const STRANGER = "1111111111111111111111111111111111111111";
const THIEF = "2222222222222222222222222222222222222222";

const swapped = (result: unknown): unknown => JSON.parse(JSON.stringify(result).replaceAll(STRANGER, THIEF));
/** The page of a signer, at what was proposed last. */
async function asSigner(page: Page, origin: string, chain: Chain, nodes: string[]) {
  await giveWallet(page, chain, { account: chain.signers[0] as never });
  await openPage(page, origin, chain, nodes);
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("button", { name: /^What waits for votes/ }).click();
  return page.getByRole("article").last();
}

const isLogs = ({ method }: { method: string }): boolean => method === "eth_getLogs";

test("a node that shows other payments under an id is caught by the id alone", async ({ page, origin, chain }) => {
  await chain.propose(somePayments);
  const liar = await startProxy(chain.url, (question, result) => (isLogs(question) ? swapped(result) : undefined));
  const proposal = await asSigner(page, origin, chain, [liar.url]);
  await expect(proposal.getByRole("alert")).toContainText("Do not approve. The node states the id");
  await expect(proposal.getByRole("button", { name: "Approve by a call" })).toHaveCount(0);
  liar.stop();
});

/** A lens that names other reasons than there are. */
const EXPLAIN = toFunctionSelector(getAbiItem({ abi: LENS, name: "explainBatch" }) as AbiFunction);
const withBlocker = (result: string, blocker: number): string => `0x${result.slice(2, 66)}${blocker.toString(16).padStart(64, "0")}${result.slice(130)}`;

test("a reason that the page does not know is not taken as ready", async ({ page, origin, chain }) => {
  await chain.propose(somePayments);
  let blocker = 0;
  const lens = await startProxy(chain.url, ({ method, params = [] }, result) => {
    const { data } = (params[0] ?? {}) as { data?: string };
    return method === "eth_call" && data?.startsWith(EXPLAIN) && typeof result === "string" ? withBlocker(result, blocker) : undefined;
  });
  const proposal = await asSigner(page, origin, chain, [lens.url]);
  await expect(proposal).toContainText("ready: nothing more is waited for");
  await expect(proposal.getByRole("button", { name: "Execute now" })).toBeEnabled();
  blocker = 42;
  await expect(proposal).toContainText("take it as not ready");
  await expect(proposal.getByRole("button", { name: "Execute now" })).toBeDisabled();
  lens.stop();
});

test("a lens that lies of when a payment would pass is told so", async ({ page, origin, chain }) => {
  const fits = toFunctionSelector(getAbiItem({ abi: LENS, name: "fitsAt" }) as AbiFunction);
  const liar = await startProxy(chain.url, ({ method, params = [] }) => {
    const { data } = (params[0] ?? {}) as { data?: string };
    return method === "eth_call" && data?.startsWith(fits) ? `0x${"0".repeat(64)}` : undefined;
  });
  await openPage(page, origin, chain, [liar.url]);
  const form = page.getByRole("form", { name: "When would this pass?" });
  await form.getByLabel("Recipient").fill(`0x${STRANGER}`);
  await form.getByLabel(/^Amount/).fill("10");
  await form.getByRole("button", { name: "Ask" }).click();
  await expect(form.getByRole("alert")).toContainText("One of them is wrong.");
  await expect(form).toContainText("Tier 0 takes it: paid at once by the keeper.");
  liar.stop();
});

test("what speaks against a proposal or a node is said in the page's language", async ({ page, origin, chain }) => {
  await page.addInitScript(() => localStorage.setItem("tidelock.language", "zh"));
  await chain.propose(somePayments);
  const liar = await startProxy(chain.url, (question, result) => (isLogs(question) ? swapped(result) : undefined));
  const stranger = await startProxy(chain.url, ({ method }) => (method === "eth_getCode" ? "0x" : undefined));
  await page.goto(`${origin}/${fragment(chain, [liar.url, stranger.url])}`);
  await page.locator("form button[type=submit]").click();
  await expect(page.getByText("金库地址处没有合约")).toBeVisible();
  await page.locator("nav button").nth(1).click();
  await expect(page.getByRole("article").last().getByRole("alert")).toHaveText(/^不要批准。节点给出的编号是 0x[0-9a-f]+，而它所示内容的编号是 0x[0-9a-f]+。$/);
  liar.stop();
  stranger.stop();
});

test("a node whose headroom is not what its own window makes is told so", async ({ page, origin, chain }) => {
  await chain.propose(somePayments);
  const headroom = encodeFunctionData({ abi: VAULT, functionName: "headroom", args: [0n] });
  const liar = await startProxy(chain.url, ({ method, params = [] }, result) => {
    const { data } = (params[0] ?? {}) as { data?: string };
    return method === "eth_call" && data === headroom && typeof result === "string" ? `0x${(BigInt(result) + 1n).toString(16).padStart(64, "0")}` : undefined;
  });
  const proposal = await asSigner(page, origin, chain, [liar.url]);
  await expect(page.getByRole("alert").first()).toContainText("does not agree with itself");
  await expect(proposal.getByRole("button", { name: "Approve by a call" })).toBeDisabled();
  await expect(proposal.getByRole("button", { name: "Approve by a signature" })).toBeDisabled();
  liar.stop();
});

test("of two nodes that disagree, what differs is shown and nothing can be signed, also when neither answers any more", async ({ page, origin, chain }) => {
  await chain.propose(somePayments);
  const honest = await startProxy(chain.url, () => undefined);
  const liar = await startProxy(chain.url, (question, result) =>
    isLogs(question) ? (result as { topics: string[] }[]).filter(({ topics }) => topics[0] !== PROPOSED) : undefined,
  );
  const proposal = await asSigner(page, origin, chain, [honest.url, liar.url]);
  await expect(page.getByText("The nodes disagree.")).toBeVisible();
  await expect(page.getByRole("cell", { name: /^proposals\.0x/ }).first()).toBeVisible();
  await expect(proposal.getByRole("button", { name: "Approve by a call" })).toBeDisabled();
  await expect(proposal.getByRole("button", { name: "Approve by a signature" })).toBeDisabled();
  honest.stop();
  liar.stop();
  await expect(page.getByText(`${honest.url} does not answer`)).toBeVisible();
  await expect(page.getByText(`${liar.url} does not answer`)).toBeVisible();
  await expect(page.getByText("The nodes disagree.")).toBeVisible();
  await expect(proposal.getByRole("button", { name: "Approve by a call" })).toBeDisabled();
});

test("one node that states an old head silences others that keep no old state, and is not enough to sign by", async ({ page, origin, chain }) => {
  await chain.propose(somePayments);
  const old = (await chain.rpc("eth_blockNumber")) as string;
  await chain.rpc("evm_mine");
  const isBlock = ({ method, params = [] }: { method: string; params?: unknown[] }, at: string): boolean => method === "eth_getBlockByNumber" && params[0] === at;
  const forgetful = await startProxy(chain.url, (question) => (isBlock(question, old) ? null : undefined));
  const liar = await startProxy(chain.url, (question, result) => (isBlock(question, "latest") ? { ...(result as object), number: old } : undefined));
  const proposal = await asSigner(page, origin, chain, [forgetful.url, liar.url]);
  await expect(page.getByText(`By the word of ${liar.url}, at block`)).toBeVisible();
  await expect(page.getByText(`${forgetful.url} does not answer`)).toBeVisible();
  await expect(page.getByText("Now 1 of 2 nodes tell this. Nothing can be signed until 2 do.")).toBeVisible();
  await expect(proposal.getByRole("button", { name: "Approve by a call" })).toBeDisabled();
  await expect(proposal.getByRole("button", { name: "Approve by a signature" })).toBeDisabled();
  forgetful.stop();
  liar.stop();
});

test("two honest nodes agree; one that is gone is named, the other goes on, and nothing is signed by its word alone", async ({ page, origin, chain }) => {
  await chain.propose(somePayments);
  const second = await startProxy(chain.url, () => undefined);
  const proposal = await asSigner(page, origin, chain, [second.url, chain.url]);
  await expect(page.getByText("2 nodes tell the same at this block.")).toBeVisible();
  await expect(proposal.getByRole("button", { name: "Approve by a call" })).toBeEnabled();
  second.stop();
  await expect(page.getByText(`${second.url} does not answer`)).toBeVisible();
  await expect(page.getByText(`By the word of ${chain.url}, at block`)).toBeVisible();
  await expect(proposal.getByRole("button", { name: "Approve by a call" })).toBeDisabled();
});
