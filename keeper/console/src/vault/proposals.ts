// What is proposed, rebuilt from the vault's log. An id is the digest of what was rebuilt, or the proposal is shown as one to refuse.
import type { Address, Hex } from "viem";
import { BLOCKERS, LENS, STATES, type Blocker, type Standing, type State } from "./abi.ts";
import { lookAlike } from "./lookalike.ts";
import type { Block, Node, VaultLog } from "./node.ts";
import { votesOf, type Hot } from "./packed.ts";
import { batchId, headerOf, unpackPayments, type Header, type Order, type Payment } from "./payments.ts";
import { KINDS, changeId, decodeChange, type Content, type Domain, type Kind } from "./typed.ts";
import type { Said } from "../words/index.ts";

export interface ShownPayment extends Payment {
  standing: Standing;
  paid: boolean;
  /** An address of the vault or its book that this one could be taken for. */
  like: Address | undefined;
}

export interface Proposal {
  /** As it was rebuilt. */
  id: Hex;
  proposer: Address;
  state: State;
  /** Bit `i`: signer `i` has voted, or took its vote back. */
  votes: bigint;
  revoked: bigint;
  /** As the lens tells; undefined if there is none. */
  waits: { blocker: Blocker; earliest: number; votes: number; required: number; delay: number; quorumAt: number } | undefined;
  expiresAt: number;
  batch: { header: Header; order: Order; packed: Hex; payments: ShownPayment[] } | undefined;
  change: { kind: Kind; content: Content; encoded: Hex } | undefined;
  /** Why it must not be approved. */
  objections: Said[];
}

interface Asked {
  node: Node;
  vault: Address;
  lens: Address;
  domain: Domain;
  block: Block;
  hot: Hot;
  logs: VaultLog[];
  ask: <T>(name: never, ...args: unknown[]) => Promise<T>;
  standing: (recipient: Address) => Promise<Standing>;
  others: Address[];
}

const OVER: State[] = ["None", "Executed", "Cancelled", "Expired"];

function objectionsTo(stated: Hex, rebuilt: Hex, state: State): Said[] {
  const differs = stated.toLowerCase() !== rebuilt;
  return [
    ...(differs ? [{ key: "objectionId", given: { stated, rebuilt } } as const] : []),
    ...(state === "Unknown" ? [{ key: "objectionState" } as const] : []),
  ];
}

/** A log of either kind, rebuilt; undefined if nothing can be made of it. */
function rebuild(domain: Domain, { eventName, args }: VaultLog) {
  if (eventName === "BatchProposed") {
    const header = headerOf(args.order as Order, args.payments as Hex);
    const [order, packed] = [args.order as Order, args.payments as Hex];
    return { id: batchId(domain, header), header, order, packed, payments: unpackPayments(packed, header.firstNumber) };
  }
  const kind = KINDS[args.kind as number];
  if (kind === undefined) return undefined;
  const encoded = args.change as Hex;
  const content = decodeChange(kind, encoded);
  return { id: changeId(domain, kind, content), change: { kind, content, encoded } };
}

async function judge(asked: Asked, log: VaultLog): Promise<Proposal | undefined> {
  const { domain, hot, standing, others } = asked;
  const ask = asked.ask as <T>(name: string, ...args: unknown[]) => Promise<T>;
  const stated = log.args.id as Hex;
  const state: State = STATES[await ask<number>("stateOf", stated)] ?? "Unknown";
  if (OVER.includes(state)) return undefined;
  const rebuilt = rebuild(domain, log);
  if (!rebuilt) return undefined;
  const word = await ask<bigint>("proposal", stated);
  const shared = { id: rebuilt.id, proposer: log.args.proposer as Address, state, ...votesOf(word, hot.epoch), objections: objectionsTo(stated, rebuilt.id, state) };
  if (rebuilt.change) {
    const { kind, content, encoded } = rebuilt.change;
    const waits = await explain(asked, "explainChange", [KINDS.indexOf(kind), encoded]);
    return { ...shared, waits, expiresAt: Number(content.expiresAt), batch: undefined, change: rebuilt.change };
  }
  const { header, order, packed, payments } = rebuilt;
  const [waits, mask, standings] = await Promise.all([
    explain(asked, "explainBatch", [header]),
    ask<bigint>("paidMask", header.firstNumber, header.count),
    Promise.all(payments.map(({ recipient }) => standing(recipient))),
  ]);
  const shown = payments.map((payment, i): ShownPayment => {
    const stands = standings[i] ?? "Unknown";
    const like = stands === "Known" ? undefined : lookAlike(payment.recipient, others);
    return { ...payment, standing: stands, paid: ((mask >> BigInt(i)) & 1n) === 1n, like };
  });
  return { ...shared, waits, expiresAt: header.expiresAt, batch: { header, order, packed, payments: shown }, change: undefined };
}

/** What the lens says; nothing if there is no lens, which only advises. */
async function explain({ node, vault, lens, block }: Asked, functionName: "explainBatch" | "explainChange", args: unknown[]): Promise<Proposal["waits"]> {
  const question = { address: lens, abi: LENS, functionName, args: [vault, ...args], blockNumber: block.number };
  try {
    const told = (await node.client.readContract(question as never)) as { blocker: number; earliest: number; votes: number; required: number; delay: number; quorumAt: number };
    const { earliest, votes, required, delay, quorumAt } = told;
    return { blocker: BLOCKERS[told.blocker] ?? "Unknown", earliest, votes, required, delay, quorumAt };
  } catch {
    return undefined;
  }
}

/** What is open, the one that ends first before the others. */
export async function readProposals(asked: Asked): Promise<Proposal[]> {
  const made = asked.logs.filter(({ eventName }) => eventName === "BatchProposed" || eventName === "ChangeProposed");
  const all = await Promise.all(made.map((log) => judge(asked, log)));
  return all.filter((each) => each !== undefined).sort((a, b) => a.expiresAt - b.expiresAt);
}
