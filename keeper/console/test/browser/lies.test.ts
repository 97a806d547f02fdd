import { encodeFunctionData, getAbiItem, toEventSelector, type AbiEvent } from "viem";
import { VAULT } from "../../src/vault/abi.ts";
import { startProxy } from "./proxy.ts";
import { expect, giveWallet, openPage, somePayments, test } from "./world.ts";

const PROPOSED = toEventSelector(getAbiItem({ abi: VAULT, name: "BatchProposed" }) as AbiEvent);
const STRANGER = "1111111111111111111111111111111111111111";
const THIEF = "2222222222222222222222222222222222222222";

const swapped = (result: unknown): unknown => JSON.parse(JSON.stringify(result).replaceAll(STRANGER, THIEF));
const isLogs = ({ method }: { method: string }): boolean => method === "eth_getLogs";

test("a node that shows other payments under an id is caught by the id alone", async ({ page, origin, chain }) => {
  await chain.propose(somePayments);
  const liar = await startProxy(chain.url, (question, result) => (isLogs(question) ? swapped(result) : undefined));
  await giveWallet(page, chain, { account: chain.signers[0] as never });
  await openPage(page, origin, chain, [liar.url]);
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("button", { name: /^What waits for votes/ }).click();
  const proposal = page.getByRole("article").last();
  await expect(proposal.getByRole("alert")).toContainText("Do not approve. the node states the id");
  await expect(proposal.getByRole("button", { name: "Approve by a call" })).toHaveCount(0);
  liar.stop();
});

test("a node whose headroom is not what its own window makes is told so", async ({ page, origin, chain }) => {
  const headroom = encodeFunctionData({ abi: VAULT, functionName: "headroom", args: [0n] });
  const liar = await startProxy(chain.url, ({ method, params = [] }, result) => {
    const { data } = (params[0] ?? {}) as { data?: string };
    return method === "eth_call" && data === headroom && typeof result === "string" ? `0x${(BigInt(result) + 1n).toString(16).padStart(64, "0")}` : undefined;
  });
  await openPage(page, origin, chain, [liar.url]);
  await expect(page.getByRole("alert")).toContainText("does not agree with itself");
  liar.stop();
});

test("of two nodes that disagree, what differs is shown and nothing can be signed", async ({ page, origin, chain }) => {
  await chain.propose(somePayments);
  const liar = await startProxy(chain.url, (question, result) =>
    isLogs(question) ? (result as { topics: string[] }[]).filter(({ topics }) => topics[0] !== PROPOSED) : undefined,
  );
  await giveWallet(page, chain, { account: chain.signers[0] as never });
  await openPage(page, origin, chain, [chain.url, liar.url]);
  await expect(page.getByText("The nodes disagree.")).toBeVisible();
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("button", { name: /^What waits for votes/ }).click();
  const proposal = page.getByRole("article").last();
  await expect(page.getByRole("cell", { name: /^proposals\.0x/ }).first()).toBeVisible();
  await expect(proposal.getByRole("button", { name: "Approve by a call" })).toBeDisabled();
  await expect(proposal.getByRole("button", { name: "Approve by a signature" })).toBeDisabled();
  liar.stop();
});

test("two honest nodes agree; one that is gone is named, and the other goes on", async ({ page, origin, chain }) => {
  const second = await startProxy(chain.url, () => undefined);
  await openPage(page, origin, chain, [second.url, chain.url]);
  await expect(page.getByText("2 nodes tell the same at this block.")).toBeVisible();
  second.stop();
  await expect(page.getByText(`${second.url} does not answer`)).toBeVisible();
  await expect(page.getByText(`By the word of ${chain.url}, at block`)).toBeVisible();
});
