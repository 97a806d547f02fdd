// When withdrawals that are not paid yet may be, as far as vault and lens tell: the keeper's records, held to the chain.
import { isAddress, parseUnits } from "viem";
import type { Withdrawal } from "../keeper/client.ts";
import { earliest, passing } from "./passing.ts";
import type { Proposal } from "./proposals.ts";
import type { Snapshot } from "./snapshot.ts";

/** What the next step of one is. */
export interface Arrival {
  row: Withdrawal;
  tier: number | undefined;
  /** Not before; undefined if nobody knows. [seconds] */
  time: bigint | undefined;
  by: "held" | "refused" | "proposal" | "block" | "batch";
  proposal: Proposal | undefined;
}

const WAITS = ["waiting", "requested", "held", "open", "sealed"];

function arrivalOf(snapshot: Snapshot, proposals: Map<string, Proposal>, row: Withdrawal): Arrival {
  const proposal = row.status === "sealed" ? proposals.get((row.batch ?? "").toLowerCase()) : undefined;
  const told = { row, tier: row.tier ?? undefined, time: undefined, proposal };
  if (row.status === "held") return { ...told, by: "held" };
  if (proposal) return { ...told, by: "proposal", time: proposal.waits && proposal.waits.earliest > 0 ? BigInt(proposal.waits.earliest) : undefined };
  if (row.status === "sealed") return { ...told, by: row.route === "proposal" ? "proposal" : "block", time: row.route === "proposal" ? undefined : snapshot.block.time };
  if (!isAddress(row.to, { strict: false })) return { ...told, by: "batch" };
  const made = passing(snapshot, row.to, parseUnits(row.amount, snapshot.token.decimals));
  if (made.refusal !== "None") return { ...told, by: "refused" };
  return { ...told, by: "batch", tier: made.tier, time: earliest(snapshot, made) };
}

/** Those that are not over, by tier, the soonest first; what nobody knows comes last. */
export function arrivals(snapshot: Snapshot, rows: Iterable<Withdrawal>): Arrival[] {
  const proposals = new Map(snapshot.proposals.map((proposal) => [proposal.id.toLowerCase(), proposal]));
  const open = [...rows].filter(({ status }) => WAITS.includes(status));
  const last = 1n << 64n;
  return open.map((row) => arrivalOf(snapshot, proposals, row)).sort((a, b) => Number((a.time ?? last) - (b.time ?? last)) || a.row.arrival - b.row.arrival);
}
