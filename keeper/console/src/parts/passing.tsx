// "When would this pass, and why not now": from the lens, and from what the page makes of the vault's own words.
import { useState } from "preact/hooks";
import { isAddress, parseUnits } from "viem";
import type { Node } from "../vault/node.ts";
import { askLens, earliest, passing, type Passing } from "../vault/passing.ts";
import { isAutomatic } from "../vault/packed.ts";
import type { Snapshot } from "../vault/snapshot.ts";
import { amountText, spanText, timeText } from "../vault/words.ts";
import { reason } from "../watch.ts";
import { useSay, type Say } from "../words/index.ts";
import { Notice } from "./common.tsx";

type Line = [kind: "bad" | "warn" | "good", text: string];

/** Everything that there is to say of it, the worst first. */
function lines(snapshot: Snapshot, told: Passing, amount: bigint, say: Say): Line[] {
  const { block, hot, tiers, balance, token } = snapshot;
  const shape = told.tier === undefined ? undefined : tiers[told.tier];
  if (told.refusal !== "None" || !shape) return [["bad", say(`refusal${told.refusal === "None" ? "Unknown" : told.refusal}`)]];
  const made: Line[] = [];
  const span = (time: bigint): string => spanText(time - block.time);
  const by = isAutomatic(shape) ? say("automatic") : say("terms", { approvals: shape.approvals, delay: spanText(shape.delay) });
  if (told.fitsAt === undefined) made.push(["bad", say("fitsNever", { tier: told.tier })]);
  else if (told.fitsAt > block.time) made.push(["warn", say("fitsLater", { tier: told.tier, time: timeText(told.fitsAt), span: span(told.fitsAt) })]);
  if (hot.haltedUntil > block.time) made.push(["warn", say("frozen", { time: timeText(hot.haltedUntil), span: span(hot.haltedUntil) })]);
  if (amount > balance) made.push(["warn", say("balanceShort", { amount: `${amountText(amount - balance, token.decimals)} ${token.symbol}` })]);
  if (told.tierWithRoom !== undefined && told.tierWithRoom !== told.tier) made.push(["good", say("roomAbove", { tier: told.tierWithRoom })]);
  const time = earliest(snapshot, told);
  const when = time === undefined ? say("never") : time <= block.time ? say("atOnce") : `${timeText(time)} (${say("in", { span: span(time) })})`;
  return [["good", say("passes", { tier: told.tier, by, when })], ...made];
}

export function PassingForm({ snapshot, node, lens }: { snapshot: Snapshot; node: Node; lens: `0x${string}` }) {
  const say = useSay();
  const { token } = snapshot;
  const [to, setTo] = useState("");
  const [amount, setAmount] = useState("");
  const [said, setSaid] = useState<Line[]>([]);
  const ask = async (event: Event): Promise<void> => {
    event.preventDefault();
    const recipient = to.trim();
    if (!isAddress(recipient)) return setSaid([["bad", say("badAddress", { field: say("recipient"), value: recipient })]]);
    if (!new RegExp(`^\\d+(\\.\\d{1,${Math.max(1, token.decimals)}})?$`).test(amount.trim())) return setSaid([["bad", say("badAmount", { value: amount })]]);
    const wanted = parseUnits(amount.trim(), token.decimals);
    const made = passing(snapshot, recipient, wanted);
    const told = await askLens(node, lens, snapshot, recipient, wanted).catch((error: unknown) => reason(error));
    const asText = (each: Passing): string => Object.values(each).join();
    const notes: Line[] = [];
    if (typeof told === "string") notes.push(["warn", say("lensSilent", { why: told })]);
    else if (asText(told) !== asText(made)) notes.push(["bad", say("lensDiffers")]);
    setSaid([...notes, ...lines(snapshot, made, wanted, say)]);
  };
  return (
    <form class="card" onSubmit={(event) => void ask(event)} aria-labelledby="passing" noValidate>
      <h2 id="passing">{say("passingHead")}</h2>
      <p class="muted">{say("passingHint")}</p>
      <label>
        {say("recipient")}
        <input value={to} onInput={(event) => setTo(event.currentTarget.value)} spellcheck={false} autocomplete="off" />
      </label>
      <label>
        {say("amount")} [{token.symbol}]
        <input value={amount} onInput={(event) => setAmount(event.currentTarget.value)} inputMode="decimal" autocomplete="off" />
      </label>
      <button type="submit">{say("ask")}</button>
      <div aria-live="polite">
        {said.map(([kind, text]) => (
          <Notice key={text} kind={kind}>
            {text}
          </Notice>
        ))}
      </div>
    </form>
  );
}
