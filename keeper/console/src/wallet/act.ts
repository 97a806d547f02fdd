// What a signer does: a call of the vault, or a signature over a vote. Each refusal has words.
import { BaseError, ContractFunctionRevertedError, encodeFunctionData, isAddress, isHex, parseAbi, recoverAddress, toHex, type Address, type Hex } from "viem";
import { VAULT } from "../vault/abi.ts";
import { nodeOf, type Node } from "../vault/node.ts";
import type { DrawnChange } from "../vault/changeDraft.ts";
import type { Drawn } from "../vault/draft.ts";
import type { Proposal } from "../vault/proposals.ts";
import { KINDS, type Domain, type Signable } from "../vault/typed.ts";
import { reason } from "../watch.ts";
import { en, type Words } from "../words/en.ts";
import type { Say } from "../words/index.ts";
import type { Session } from "./discover.ts";

const REJECTED = 4001; // EIP-1193
const LOOK_MS = 500;
const PATIENCE_MS = 5 * 60_000; // a transaction with too low a fee may wait for hours

/** What the vault may refuse an act of a signer with. */
const REFUSALS = parseAbi([
  "error VaultNotSigner(address caller)",
  "error VaultNotFreezer(address caller)",
  "error VaultAlreadyApproved(bytes32 id, address signer)",
  "error VaultNotApproved(bytes32 id, address signer)",
  "error VaultVoteRevoked(bytes32 id, address signer)",
  "error VaultSignatureInvalid(address signer)",
  "error VaultStateInvalid(bytes32 id, uint8 state)",
  "error VaultFreezeCoolingDown(address party, uint256 freezeAgainAt)",
  "error VaultExpiryOutOfRange(uint256 expiresAt, uint256 earliest, uint256 latest)",
  "error VaultExpired(uint256 expiresAt, uint256 time)",
  "error VaultLocked()",
  "error VaultNotProposer(address caller)",
  "error VaultNotExecutor(address caller)",
  "error VaultNotGuardian(address caller)",
  "error VaultNotVetoable(bytes32 id)",
  "error VaultFrozen(uint256 haltedUntil)",
  "error VaultAlreadyProposed(bytes32 id, uint8 state)",
  "error VaultPaymentRefused(uint256 index, address recipient, uint256 amount, uint256 limit, uint8 refusal)",
  "error VaultNothingToPay(bytes32 id)",
  "error VaultNothingPaid(bytes32 id, bytes32 returned)",
  "error VaultCapExceeded(uint256 tier, uint256 requested, uint256 headroom)",
  "error VaultBalanceTooLow(uint256 requested, uint256 balance)",
  "error VaultTierUnknown(uint256 tier, uint256 tiers)",
  "error VaultTierAutomatic(uint256 tier)",
  "error PolicyOutOfRange(uint8 field, uint256 index, uint256 value, uint256 least, uint256 most)",
  "error PolicyNotMultipleOfUnit(uint8 field, uint256 index, uint256 value, uint256 unit)",
  "error VaultAddressInvalid(address account)",
  "error VaultUnfreezeStale(uint256 stated, uint256 actual)",
  "error VaultTiersStale(uint256 stated, uint256 actual)",
  "error VaultTiersCoolingDown(uint256 until)",
  "error VaultStandingStale(address recipient, uint8 stated, uint8 actual)",
  "error VaultRoleStale(address account, uint8 role, uint256 stated, uint256 actual)",
  "error VaultRoleNotGrantable(uint8 role)",
  "error VaultSweepOfToken(address token)",
  "error VaultSweepFailed(address token, address successor, uint256 balance)",
  "error VaultBalanceMismatch(uint256 expected, uint256 actual)",
]);

export interface Vote {
  signer: Address;
  signature: Hex;
}

export interface Call {
  functionName: "approve" | "approveBySig" | "approveChange" | "approveChangeBySig" | "revoke" | "freeze" | "propose" | "proposeChange" | "execute" | "executeChange" | "cancel";
  args: readonly unknown[];
}

/** What calls about a proposal carry of it. */
const carried = ({ batch, change }: Proposal): unknown[] => (change ? [KINDS.indexOf(change.kind), change.encoded] : [batch?.header]);

export const approveCall = (proposal: Proposal): Call => ({ functionName: proposal.change ? "approveChange" : "approve", args: carried(proposal) });
export const bringCall = (proposal: Proposal, votes: Vote[]): Call => ({
  functionName: proposal.change ? "approveChangeBySig" : "approveBySig",
  args: [...carried(proposal), votes],
});
export const revokeCall = ({ id }: Proposal): Call => ({ functionName: "revoke", args: [id] });
export const cancelCall = ({ id }: Proposal): Call => ({ functionName: "cancel", args: [id] });
export const proposeCall = ({ order, packed }: Drawn): Call => ({ functionName: "propose", args: [order, packed] });
export const proposeChangeCall = ({ kind, encoded }: DrawnChange): Call => ({ functionName: "proposeChange", args: [KINDS.indexOf(kind), encoded] });
/** Pays what is not paid yet, or puts the change into effect. */
export function executeCall({ batch, change }: Proposal): Call {
  if (!batch) return { functionName: "executeChange", args: change ? [KINDS.indexOf(change.kind), change.encoded] : [] };
  const paid = batch.payments.reduce((mask, { paid }, i) => (paid ? mask | (1n << BigInt(i)) : mask), 0n);
  return { functionName: "execute", args: [batch.order, batch.packed, paid] };
}
export const freezeCall: Call = { functionName: "freeze", args: [] };

/** An act that did not happen; its message is for the person. */
export class NotDone extends Error {}

const isRejected = (error: unknown): boolean => (error as { code?: number }).code === REJECTED || (error as { cause?: { code?: number } }).cause?.code === REJECTED;

export async function asked<T>(say: Say, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new NotDone(isRejected(error) ? say("rejected") : say("walletSays", { why: reason(error) }));
  }
}

async function requireChain({ wallet }: Session, vaultChain: bigint, say: Say): Promise<void> {
  const chain = BigInt(await asked(say, () => wallet.provider.request({ method: "eth_chainId" })));
  if (chain !== vaultChain) throw new NotDone(say("wrongChain", { wallet: chain, vault: vaultChain }));
}

export async function switchChain({ wallet }: Session, chainId: bigint, say: Say): Promise<void> {
  await asked(say, () => wallet.provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: `0x${chainId.toString(16)}` }] }));
}

/** Tries it on the node: what the vault would refuse is not sent. */
async function rehearse(node: Node, vault: Address, account: Address, { functionName, args }: Call, say: Say): Promise<void> {
  try {
    await node.client.simulateContract({ address: vault, abi: [...VAULT, ...REFUSALS], functionName, args, account } as never);
  } catch (error) {
    const reverted = error instanceof BaseError ? error.walk((each) => each instanceof ContractFunctionRevertedError) : undefined;
    if (!(reverted instanceof ContractFunctionRevertedError)) throw new NotDone(say("nodeSays", { why: reason(error) }));
    const name = reverted.data?.errorName ?? reverted.signature ?? reverted.reason ?? "";
    throw new NotDone(name in en ? say(name as keyof Words) : say("refused", { why: name }));
  }
}

export type Progress = (text: string) => void;

/** The wallet's own node: what stops something asks no other, so that no node that is named can keep it from being sent. */
export const ownNode = ({ wallet }: Session): Node => nodeOf(wallet.name, wallet.provider);

/** Sends a call from the session's account to the vault that is shown, on its chain, and waits minutes at most until the node has a block with it. */
export async function send(node: Node, { chainId, verifyingContract: vault }: Domain, session: Session, call: Call, say: Say, progress: Progress): Promise<void> {
  await requireChain(session, chainId, say);
  await rehearse(node, vault, session.account, call, say);
  progress(say("wait"));
  const data = encodeFunctionData({ abi: VAULT, functionName: call.functionName, args: call.args } as never);
  const transaction = { from: session.account, to: vault, data, chainId: toHex(chainId) };
  const hash = await asked(say, () => session.wallet.provider.request({ method: "eth_sendTransaction", params: [transaction] }));
  progress(say("sent", { hash }));
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
    // viem's own wait also reads the transaction, and refuses chain ids above 2^53.
    const receipt = await node.client.request({ method: "eth_getTransactionReceipt", params: [hash] }).catch(() => null);
    if (receipt) {
      const block = BigInt(receipt.blockNumber);
      if (BigInt(receipt.status) === 0n) throw new NotDone(say("reverted", { block }));
      progress(say("done", { block }));
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new NotDone(say("sentLong", { hash }));
}

/** A signed vote, which is this account's over the digest shown, or is thrown away. */
export async function sign(chainId: bigint, session: Session, { document, digest }: Signable, say: Say, check: (vote: Vote) => Promise<boolean>): Promise<Vote> {
  await requireChain(session, chainId, say);
  const { account, wallet } = session;
  const signature = await asked(say, () => wallet.provider.request({ method: "eth_signTypedData_v4", params: [account, JSON.stringify(document)] }));
  const by = await recoverAddress({ hash: digest, signature }).catch(() => undefined);
  const vote = { signer: account, signature };
  // Of a contract's wallet no address can be recovered: its contract is asked, through the vault.
  if (by !== account && !(await check(vote))) throw new NotDone(say("otherSignature", { account }));
  return vote;
}

/** Whether the vault would take the vote, from anybody. */
export async function isTaken(node: Node, vault: Address, proposal: Proposal, vote: Vote, say: Say): Promise<boolean> {
  return rehearse(node, vault, vote.signer, bringCall(proposal, [vote]), say).then(
    () => true,
    () => false,
  );
}

/** Votes as people hand them on: one object, or a list. */
export function readVotes(text: string, say: Say): Vote[] {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new NotDone(say("badVote", { why: (error as Error).message }));
  }
  return (Array.isArray(given) ? given : [given]).map((each: Partial<Vote> | null, i) => {
    if (!each || !isAddress(each.signer ?? "")) throw new NotDone(say("badVote", { why: `[${i}].signer` }));
    if (!isHex(each.signature)) throw new NotDone(say("badVote", { why: `[${i}].signature` }));
    return { signer: each.signer as Address, signature: each.signature };
  });
}
