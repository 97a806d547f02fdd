// What one command gives: a chain, a vault, money that moves, and the page at the address that is printed.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Hex, TransactionSerializable } from "viem";
import { accountOf, needsKeeper, startService, type Service } from "./service.ts";
import { giveWallet, type Backing, type Conduct } from "./world.ts";
import { expect, test, type Page } from "@playwright/test";

let service: Service;
needsKeeper();
test.beforeAll(async () => {
  test.setTimeout(660_000);
  service = await startService();
});
test.afterAll(async () => service?.stop());

/** A wallet with the keys of the folder's files, which signs by itself and sends by the node. */
async function walletOf(names: string[]): Promise<Backing & { addresses: Hex[] }> {
  const accounts = names.map((name) => accountOf(service, name));
  const of = (address: unknown) => accounts.find((each) => each.address === address);
  const chainId = BigInt(await service.rpc<Hex>("eth_chainId"));
  const rpc = async (method: string, ...params: unknown[]): Promise<unknown> => {
    if (method === "eth_signTypedData_v4") return of(params[0])?.signTypedData(params[1] as never);
    if (method !== "eth_sendTransaction") return service.rpc(method, ...params);
    const { from, to, data } = params[0] as { from: Hex; to: Hex; data: Hex };
    const nonce = Number(await service.rpc<Hex>("eth_getTransactionCount", from, "pending"));
    const transaction: TransactionSerializable = { to, data, nonce, chainId: Number(chainId), gas: 3_000_000n, maxFeePerGas: 10n ** 11n, maxPriorityFeePerGas: 10n ** 9n, type: "eip1559" };
    return service.rpc("eth_sendRawTransaction", await of(from)?.signTransaction(transaction));
  };
  return { chainId, rpc, addresses: accounts.map(({ address }) => address) };
}

/** The page, its vault open, its wallet connected, its key typed in. */
async function openAll(page: Page): Promise<void> {
  await page.goto(service.page);
  await page.getByRole("button", { name: "Open", exact: true }).click();
  await expect(page.getByText("Not frozen: payments flow.")).toBeVisible();
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("button", { name: "Withdrawals" }).click();
  await page.getByLabel("API key").fill(service.key);
  await page.getByRole("button", { name: "Use this key" }).click();
}

test("a withdrawal is filed in the page and one with curl, a large one is approved by a wallet, and all are paid; the cap returns; a guardian freezes", async ({ page }) => {
  const asked = new Set<string>();
  page.on("request", (request) => asked.add(new URL(request.url()).origin));
  const wallet = await walletOf(["signer-1", "signer-2", "guardian"]);
  const [first, second, guardian] = wallet.addresses as [Hex, Hex, Hex];
  const conduct: Conduct = { account: first };
  await giveWallet(page, wallet, conduct);
  await openAll(page);
  const file = async (to: string, amount: string): Promise<string> => {
    await page.getByRole("textbox", { name: "Recipient" }).fill(to);
    await page.getByRole("textbox", { name: /^Amount/ }).fill(amount);
    await page.getByRole("button", { name: "File", exact: true }).click();
    const filed = page.getByText(/^Filed as 0x[0-9a-f]{32}: /);
    await expect(filed).toBeVisible();
    return ((await filed.textContent()) ?? "").match(/0x[0-9a-f]{32}/)?.[0] ?? "";
  };
  const small = await file(`0x${"6".repeat(40)}`, "12.5");
  const byCurl = `0x${"7".repeat(32)}`;
  const body = JSON.stringify({ ref: byCurl, to: `0x${"7".repeat(40)}`, amount: "7.5" });
  await promisify(execFile)("curl", ["-sS", "--fail-with-body", "-H", `@${service.folder}/api.header`, "-H", "Content-Type: application/json", `${service.origin}/v1/withdrawals`, "-d", body]);
  const row = (ref: string) => page.getByRole("table", { name: "History" }).getByRole("row").filter({ hasText: ref });
  for (const ref of [small, byCurl]) await expect(row(ref)).toContainText("paid", { timeout: 150_000 });
  const large = await file(`0x${"8".repeat(40)}`, "15000");
  const arrivals = page.getByRole("region", { name: "Next arrivals" }).last();
  await expect(arrivals.getByRole("row").filter({ hasText: large })).toContainText("waits for votes", { timeout: 150_000 });

  await page.getByRole("button", { name: /^What waits for votes/ }).click();
  const proposal = page.getByRole("article").filter({ hasText: `0x${"8".repeat(40)}` });
  await proposal.getByRole("button", { name: "Approve by a call" }).click();
  await expect(proposal).toContainText("1 of 2 votes");
  conduct.account = second;
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await proposal.getByRole("button", { name: "Approve by a signature" }).click();
  await proposal.getByRole("button", { name: "Bring it now, from this account" }).click();
  await expect(proposal).toContainText("has its votes; waits for its delay");
  await service.later(61);
  await page.getByRole("button", { name: "Withdrawals" }).click();
  await expect(row(large)).toContainText("paid", { timeout: 150_000 });

  await page.getByRole("button", { name: "What can leave" }).click();
  const tier = page.getByRole("region", { name: "Tier 1", exact: true });
  await expect(tier).toContainText("485\u202f000 USDT of 500\u202f000 USDT can leave now");
  await service.later(28 * 3_600);
  await expect(tier).toContainText("the cap is whole");
  await expect(tier).toContainText("500\u202f000 USDT of 500\u202f000 USDT can leave now");

  conduct.account = guardian;
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("button", { name: "Connect Test Wallet" }).click();
  await page.getByRole("button", { name: "Freeze", exact: true }).click();
  await page.getByRole("button", { name: "Yes, freeze" }).click();
  await expect(page.getByText(/^Frozen: nothing leaves before/)).toBeVisible();
  expect(asked).toEqual(new Set([service.origin, service.url.replace(/\/$/, "")]));
});
