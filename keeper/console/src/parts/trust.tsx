// By what the page knows what it shows, and what speaks against it.
import type { View } from "../watch.ts";
import { spanText, timeText } from "../vault/words.ts";
import { useSay, words } from "../words/index.ts";
import { Notice, Table } from "./common.tsx";

const OLD = 120n; // seconds

/** Nodes that must have told the same: two, where two or more are named. One that states an old head can silence honest ones that keep no old state. */
const needed = ({ agreeing, differs, silent }: View): number => Math.min(2, agreeing.length + differs.length + silent.length);

/** Whether anything may be signed on what is shown. */
export const isTrusted = (view: View): boolean => {
  const { agreeing, differs, snapshot } = view;
  return differs.length === 0 && agreeing.length >= needed(view) && snapshot !== undefined && snapshot.objections.length === 0;
};

export function Trust({ view, now }: { view: View; now: bigint }) {
  const say = useSay();
  const { snapshot, agreeing, differs, silent } = view;
  const age = snapshot ? now - snapshot.block.time : 0n;
  return (
    <div class="trust">
      {snapshot && (
        <p class="muted">
          {say("knownBy", {
            nodes: (agreeing.length > 0 ? agreeing : [view.node.name]).join(", "),
            block: snapshot.block.number,
            time: timeText(snapshot.block.time),
            ago: spanText(age),
            chain: snapshot.domain.chainId,
          })}{" "}
          {agreeing.length > 1 && say("nodesAgree", { count: agreeing.length })}
          {agreeing.length === 1 && needed(view) === 1 && say("oneNode")}
        </p>
      )}
      {snapshot && differs.length === 0 && agreeing.length < needed(view) && (
        <Notice kind="warn">{say("tooFew", { told: agreeing.length, named: agreeing.length + silent.length, needed: needed(view) })}</Notice>
      )}
      {age > OLD && <Notice kind="warn">{say("stale", { ago: spanText(age) })}</Notice>}
      {silent.map(({ node, why }) => (
        <Notice key={node} kind="warn">
          {say("nodeSilent", { node, why: typeof why === "string" ? why : words(why, say) })}
        </Notice>
      ))}
      {snapshot && snapshot.objections.length > 0 && (
        <Notice kind="bad">
          {say("contradicts")}
          <ul>
            {snapshot.objections.map((objection) => words(objection, say)).map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        </Notice>
      )}
      {differs.map(({ node, fields }) => (
        <Notice key={node} kind="bad">
          {say("nodesDiffer")}
          <Table label={say("nodesDiffer")} head={[say("differsField"), view.node.name, node]}>
            {fields.slice(0, 20).map(({ field, one, other }) => (
              <tr key={field}>
                <td>{field}</td>
                <td class="mono">{one}</td>
                <td class="mono">{other}</td>
              </tr>
            ))}
          </Table>
        </Notice>
      ))}
    </div>
  );
}
