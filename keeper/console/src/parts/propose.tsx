// A proposal of one's own: written, read over, and only then sent.
import { useState } from "preact/hooks";
import { draw, type Drawn } from "../vault/draft.ts";
import { asUuid } from "../vault/payments.ts";
import type { Snapshot } from "../vault/snapshot.ts";
import { amountText, timeText } from "../vault/words.ts";
import { proposeCall, send } from "../wallet/act.ts";
import { useSay, words } from "../words/index.ts";
import { rolesOf, useAct, type Means } from "./acts.tsx";
import { Notice, Table } from "./common.tsx";

export function Propose({ snapshot, means }: { snapshot: Snapshot; means: Means }) {
  const say = useSay();
  const { node, session, isTrusted, again } = means;
  const { said, isBusy, run } = useAct(again);
  const [text, setText] = useState("");
  const [drawn, setDrawn] = useState<Drawn>();
  const [broken, setBroken] = useState<string[]>([]);
  if (!session || !rolesOf(snapshot, session.account).mayPropose) return null;
  const { decimals, symbol } = snapshot.token;
  const read = (event: Event): void => {
    event.preventDefault();
    const made = draw(snapshot, text);
    setDrawn("drawn" in made ? made.drawn : undefined);
    setBroken("broken" in made ? made.broken.map((each) => words(each, say)) : []);
  };
  return (
    <details class="card">
      <summary>{say("proposeHead")}</summary>
      <form onSubmit={read} noValidate aria-label={say("proposeHead")}>
        <label>
          {say("proposeHint")}
          <textarea
            rows={4}
            value={text}
            spellcheck={false}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setDrawn(undefined);
            }}
          />
        </label>
        <button type="submit" class="quiet">
          {say("readOver")}
        </button>
      </form>
      {broken.map((rule) => (
        <Notice key={rule} kind="bad">
          {rule}
        </Notice>
      ))}
      {drawn && (
        <>
          <p>
            {say("tier", { n: drawn.header.tier })}; {say("proposalBatch", { count: drawn.header.count, total: `${amountText(drawn.header.total, decimals)} ${symbol}` })}; {say("until")}{" "}
            {timeText(drawn.header.expiresAt)}
          </p>
          <Table label={`${say("proposeHead")}: ${say("recipient")}`} head={[say("recipient"), `${say("amount")} [${symbol}]`, say("ref")]}>
            {drawn.payments.map(({ recipient, amount, reference }) => (
              <tr key={reference}>
                <td class="mono">{recipient}</td>
                <td class="number">{amountText(amount, decimals)}</td>
                <td class="mono">{asUuid(reference)}</td>
              </tr>
            ))}
          </Table>
          <p class="id">
            {say("id")}: <code>{drawn.id}</code>
          </p>
          <button type="button" disabled={isBusy || !isTrusted} onClick={() => void run((progress) => send(node, snapshot.domain, session, proposeCall(drawn), say, progress))}>
            {say("propose")}
          </button>
        </>
      )}
      {said && <Notice kind={said.kind}>{said.text}</Notice>}
    </details>
  );
}
