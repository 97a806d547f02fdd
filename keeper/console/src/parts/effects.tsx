// A policy change in words: what it does to the vault as it stands, and when that may happen.
import { effectsOf, whenOf } from "../vault/policy.ts";
import type { Proposal } from "../vault/proposals.ts";
import type { Snapshot } from "../vault/snapshot.ts";
import type { Content, Kind } from "../vault/typed.ts";
import { useSay, words } from "../words/index.ts";
import { Notice } from "./common.tsx";

const LOOK = { tightens: "Known", loosens: "Blocked", moves: "Unknown" } as const;

export function Effects({ snapshot, kind, content, waits }: { snapshot: Snapshot; kind: Kind; content: Content; waits: Proposal["waits"] }) {
  const say = useSay();
  const effects = effectsOf(snapshot, kind, content);
  const lines = effects.map(({ way, said }) => ({ way, text: words(said, say) }));
  return (
    <div class="effects">
      {lines.length === 0 && <Notice kind="warn">{say("effectNone")}</Notice>}
      <ul>
        {lines.map(({ way, text }) => (
          <li key={text}>
            <span class={`tag ${LOOK[way]}`}>{say(way)}</span> {text}
          </li>
        ))}
      </ul>
      <p>{whenOf(snapshot, kind, content, waits).map((each) => words(each, say)).join(" ")}</p>
    </div>
  );
}
