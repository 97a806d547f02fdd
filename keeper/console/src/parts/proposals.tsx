// What waits for votes: every payment in words, and by what its id is known.
import type { Proposal, ShownPayment } from "../vault/proposals.ts";
import { asUuid } from "../vault/payments.ts";
import type { Snapshot } from "../vault/snapshot.ts";
import { amountText, spanText, timeText } from "../vault/words.ts";
import { useSay, words } from "../words/index.ts";
import { Acts, type Means } from "./acts.tsx";
import { changeText } from "./change.ts";
import { Account, Notice, Table } from "./common.tsx";
import { Effects } from "./effects.tsx";
import { Propose } from "./propose.tsx";
import { ProposeChange } from "./proposeChange.tsx";
import { waitText } from "./wait.ts";

const asText = (value: unknown): string => JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}` : each), 1);

function Payments({ snapshot, payments, of }: { snapshot: Snapshot; payments: ShownPayment[]; of: string }) {
  const say = useSay();
  const { decimals, symbol } = snapshot.token;
  return (
    <Table label={`${say("recipient")}, ${of}`} head={[say("number"), say("recipient"), say("standing"), `${say("amount")} [${symbol}]`, say("ref")]}>
      {payments.map((payment) => (
        <tr key={`${payment.number}`}>
          <td class="number">{`${payment.number}`}</td>
          <td>
            <Account address={payment.recipient} />
            {payment.like && (
              <p class="mark bad">
                <span aria-hidden="true">⚠ </span>
                {say("looksLike", { like: payment.like })}
              </p>
            )}
          </td>
          <td>
            <span class={`tag ${payment.standing}`}>{say(`standing${payment.standing}`)}</span>
          </td>
          <td class="number">
            {amountText(payment.amount, decimals)}
            {payment.paid && <p class="mark">{say("paidAlready")}</p>}
          </td>
          <td class="mono">{asUuid(payment.reference)}</td>
        </tr>
      ))}
    </Table>
  );
}

function One({ snapshot, proposal, now, means }: { snapshot: Snapshot; proposal: Proposal; now: bigint; means: Means }) {
  const say = useSay();
  const { batch, change, waits } = proposal;
  const { decimals, symbol } = snapshot.token;
  const amount = (value: bigint): string => `${amountText(value, decimals)} ${symbol}`;
  const [only] = batch?.payments ?? [];
  const voters = snapshot.signers.filter((_, i) => ((proposal.votes >> BigInt(i)) & 1n) === 1n);
  const unknown = batch?.payments.filter(({ standing }) => standing !== "Known").length ?? 0;
  const title = () => {
    if (change) return changeText(change.kind, change.content, say);
    if (batch?.header.count === 1 && only) return say("proposalOne", { total: amount(only.amount), recipient: only.recipient });
    return say("proposalBatch", { count: batch?.header.count, total: amount(batch?.header.total ?? 0n) });
  };
  const isSafe = proposal.objections.length === 0;
  return (
    <article class="card proposal" aria-labelledby={`title-${proposal.id}`}>
      <h3 id={`title-${proposal.id}`}>{title()}</h3>
      {proposal.objections.map((objection) => words(objection, say)).map((why) => (
        <Notice key={why} kind="bad">
          {say("idDiffers", { why })}
        </Notice>
      ))}
      <p>
        {batch && `${say("tier", { n: batch.header.tier })}; `}
        {waitText(proposal, now, say)}; {say("expires", { span: spanText(BigInt(proposal.expiresAt) - now), time: timeText(proposal.expiresAt) })}
      </p>
      <p>
        {waits && <strong>{say("quorum", { votes: waits.votes, required: waits.required })}</strong>}{" "}
        {say("votedBy", { who: voters.join(", ") || say("nobody") })}; {say("proposedBy", { who: proposal.proposer })}
      </p>
      {batch && unknown > 0 && <Notice kind="warn">{say("unknownCount", { count: unknown })}</Notice>}
      {batch && <Payments snapshot={snapshot} payments={batch.payments} of={proposal.id} />}
      {change && <Effects snapshot={snapshot} kind={change.kind} content={change.content} waits={waits} />}
      {change && (
        <details>
          <summary>{say("fields")}</summary>
          <pre tabIndex={0}>{asText(change.content)}</pre>
        </details>
      )}
      <p class="id">
        {say("id")}: <code>{proposal.id}</code> {isSafe && <span class="muted">({say(change ? "idRebuiltChange" : "idRebuilt")})</span>}
      </p>
      {isSafe && <Acts snapshot={snapshot} proposal={proposal} means={means} />}
    </article>
  );
}

export function Proposals({ snapshot, now, means }: { snapshot: Snapshot; now: bigint; means: Means }) {
  const say = useSay();
  return (
    <section aria-labelledby="proposals">
      <h2 id="proposals">{say("tabProposals")}</h2>
      <Propose snapshot={snapshot} means={means} />
      <ProposeChange snapshot={snapshot} means={means} />
      {snapshot.proposals.length === 0 && <p>{say("noProposals")}</p>}
      {snapshot.proposals.map((proposal) => (
        <One key={proposal.id} snapshot={snapshot} proposal={proposal} now={now} means={means} />
      ))}
    </section>
  );
}
