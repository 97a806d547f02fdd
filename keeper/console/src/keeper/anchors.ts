// What the log's batches commit to, and whether the chain has them: a batch's id covers its `context`, and that covers an entry of the log.
import type { Address, Hex } from "viem";
import { VAULT } from "../vault/abi.ts";
import { logsOf, type Node } from "../vault/node.ts";
import { batchId, type Header } from "../vault/payments.ts";
import type { Domain } from "../vault/typed.ts";
import { contextOf } from "./chain.ts";
import type { LogEntry } from "./client.ts";

export interface Anchor {
  /** The entry that seals the batch, and the one that the batch commits to. */
  seq: number;
  anchor: number;
  id: Hex;
  /** Whether `context` is what that entry makes. */
  holds: boolean;
}

/** JSON whose whole numbers may be above 2^53: those of 16 digits or more become strings. */
const parsed = (body: string): Record<string, unknown> => JSON.parse(body.replace(/([:[,]\s*)(\d{16,})(?=\s*[,}\]])/g, '$1"$2"')) as Record<string, unknown>;

interface Sealed {
  anchor: number;
  batch: {
    first_number: string | number;
    count: number;
    tier: number;
    total: string | number;
    recipient: Address;
    expires_at: number;
    payments_hash: Hex;
    context: Hex;
  };
}

/** The batch that an entry seals; `hashOf` knows every entry before it. */
export function anchorOf(domain: Domain, entry: LogEntry, hashOf: (seq: number) => Hex | undefined): Anchor | undefined {
  if (entry.kind !== "batch_sealed") return undefined;
  const { anchor, batch } = Object.values(parsed(entry.body))[0] as Sealed;
  const header: Header = {
    firstNumber: BigInt(batch.first_number),
    count: batch.count,
    tier: batch.tier,
    total: BigInt(batch.total),
    recipient: batch.recipient,
    expiresAt: batch.expires_at,
    paymentsHash: batch.payments_hash,
    context: batch.context,
  };
  const hash = hashOf(anchor);
  const holds = hash !== undefined && anchor < entry.seq && batch.context.toLowerCase() === contextOf(anchor, hash);
  return { seq: entry.seq, anchor, id: batchId(domain, header), holds };
}

const SEEN = VAULT.filter((item) => item.type === "event" && (item.name === "BatchProposed" || item.name === "BatchPaid"));

/** Ids of all batches that the vault's log has, by one node. */
export async function batchesOn(node: Node, vault: Address, from: bigint, to: bigint): Promise<Set<Hex>> {
  const logs = await logsOf(node, vault, from, to, SEEN as never);
  return new Set(logs.map(({ args }) => (args.id as Hex).toLowerCase() as Hex));
}
