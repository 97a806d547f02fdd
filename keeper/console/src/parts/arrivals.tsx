// What arrives next, and the queue of each tier.
import { useMemo } from "preact/hooks";
import { parseUnits } from "viem";
import type { Withdrawal } from "../keeper/client.ts";
import { arrivals, type Arrival } from "../vault/arrivals.ts";
import type { Snapshot } from "../vault/snapshot.ts";
import { amountText, spanText, timeText } from "../vault/words.ts";
import { useSay, type Say } from "../words/index.ts";
import { Table } from "./common.tsx";
import { waitText } from "./wait.ts";

const SHOWN = 30;

function why({ row, by, proposal }: Arrival, now: bigint, say: Say): string {
  if (by === "held") return say("waitsHeld", { reason: row.hold?.reason });
  if (by === "proposal" && proposal) return waitText(proposal, now, say);
  return say(`waits_${by}`);
}

export function Arrivals({ rows, snapshot }: { rows: Map<string, Withdrawal>; snapshot: Snapshot }) {
  const say = useSay();
  const { token, block, tiers } = snapshot;
  const all = useMemo(() => arrivals(snapshot, rows.values()), [snapshot, rows]);
  const sum = (some: Arrival[]): string => `${amountText(some.reduce((total, { row }) => total + parseUnits(row.amount, token.decimals), 0n), token.decimals)} ${token.symbol}`;
  const queues = [...tiers.keys(), undefined].map((tier) => [tier, all.filter((each) => each.tier === tier)] as const).filter(([, queue]) => queue.length > 0);
  return (
    <section class="card" aria-labelledby="arrivals">
      <h3 id="arrivals">{say("arrivalsHead")}</h3>
      {all.length === 0 && <p>{say("noProposals")}</p>}
      {queues.length > 0 && (
        <ul>
          {queues.map(([tier, queue]) => (
            <li key={`${tier}`}>{say("queue", { tier: tier === undefined ? say("noTier") : say("tier", { n: tier }), count: queue.length, sum: sum(queue) })}</li>
          ))}
        </ul>
      )}
      {all.length > 0 && (
        <Table label={`${say("arrivalsHead")}: ${say("when")}`} head={[say("when"), say("ref"), say("recipient"), say("amount"), say("waitsFor")]}>
          {all.slice(0, SHOWN).map((each) => (
            <tr key={each.row.ref}>
              <td>
                {each.time === undefined
                  ? say("notKnown")
                  : each.time <= block.time
                    ? say("atOnce")
                    : `${timeText(each.time)} (${say("in", { span: spanText(each.time - block.time) })})`}
              </td>
              <td class="mono">{each.row.ref}</td>
              <td class="mono">{each.row.to}</td>
              <td class="number">{each.row.amount}</td>
              <td>{why(each, block.time, say)}</td>
            </tr>
          ))}
        </Table>
      )}
      {all.length > SHOWN && <p class="muted">{say("andMore", { count: all.length - SHOWN })}</p>}
    </section>
  );
}
