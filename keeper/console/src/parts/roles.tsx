import type { Address } from "viem";
import type { Snapshot } from "../vault/snapshot.ts";
import { spanText, timeText } from "../vault/words.ts";
import { useSay } from "../words/index.ts";
import { Account, Table } from "./common.tsx";

const SOON = 14n * 86_400n; // seconds

export function Roles({ snapshot, now, me }: { snapshot: Snapshot; now: bigint; me: Address | undefined }) {
  const say = useSay();
  const end = (until: bigint): string => {
    if (until <= now) return say("ended", { time: timeText(until) });
    return until - now < SOON ? `${timeText(until)} – ${say("endsSoon", { span: spanText(until - now) })}` : timeText(until);
  };
  const held = Object.entries(snapshot.members).flatMap(([account, member]) => {
    const timed = [
      ["roleKeeper", member.keeperUntil],
      ["roleProposer", member.proposerUntil],
      ["roleGuardian", member.guardianUntil],
    ] as const;
    const roles = timed.filter(([, until]) => until > 0n).map(([role, until]) => ({ account, role, text: end(until), over: until <= now }));
    const isSigner = snapshot.signers.includes(account as Address);
    return [...(isSigner ? [{ account, role: "roleSigner" as const, text: say("untilChanged"), over: false }] : []), ...roles];
  });
  return (
    <section class="card" aria-labelledby="roles">
      <h2 id="roles">{say("tabRoles")}</h2>
      <p class="muted">
        {say("signers")}: {say("threshold", { threshold: snapshot.threshold, count: snapshot.signers.length })}
      </p>
      <Table label={say("account")} head={[say("account"), say("role"), say("until")]}>
        {held.map(({ account, role, text, over }) => (
          <tr key={account + role} class={over ? "over" : ""}>
            <td>
              <Account address={account as Address} /> {account === me && <span class="tag">{say("you")}</span>}
            </td>
            <td>{say(role)}</td>
            <td>{text}</td>
          </tr>
        ))}
      </Table>
    </section>
  );
}
