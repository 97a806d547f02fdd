// A policy change of one's own: its fields, held to the vault's rules, and what the wallet will be asked to send, before it is asked.
import { useState } from "preact/hooks";
import { begin, drawChange, type DrawnChange } from "../vault/changeDraft.ts";
import type { Typed } from "../vault/reading.ts";
import type { Snapshot } from "../vault/snapshot.ts";
import { KINDS, type Kind } from "../vault/typed.ts";
import { timeText } from "../vault/words.ts";
import { proposeChangeCall, send } from "../wallet/act.ts";
import { useSay, words, type Said } from "../words/index.ts";
import { rolesOf, useAct, type Means } from "./acts.tsx";
import { changeText } from "./change.ts";
import { Notice } from "./common.tsx";
import { Effects } from "./effects.tsx";

interface Shape {
  name: string;
  label: Said;
  as: "line" | "lines" | { value: string; label: Said }[];
}

const plain = (...choices: [string, Said["key"]][]) => choices.map(([value, key]) => ({ value, label: { key } }));
const STANDS = plain(["0", "standingUnknown"], ["1", "standingKnown"], ["2", "standingBlocked"]);

function rowShapes(count: number, symbol: string): Shape[] {
  const names = ["maxKnown", "maxUnknown", "cap", "approvals", "delay"] as const;
  const each = Array.from({ length: count }, (_, tier) => names.map((name): Shape => ({ name: `${name}.${tier}`, label: { key: `field_${name}`, given: { tier, symbol } }, as: "line" })));
  return [{ name: "count", label: { key: "fieldCount" }, as: ["1", "2", "3", "4"].map((value) => ({ value, label: { key: "plain", given: { text: value } } })) }, ...each.flat()];
}

/** The fields of a kind's form, in order. */
function shapesOf(kind: Kind, typed: Typed, symbol: string): Shape[] {
  const until: Shape = { name: "until", label: { key: "fieldUntil" }, as: "line" };
  switch (kind) {
    case "Signers":
      return [{ name: "signers", label: { key: "fieldSigners" }, as: "lines" }, { name: "threshold", label: { key: "fieldThreshold" }, as: "line" }];
    case "Tiers":
      return [...rowShapes(Number(typed.count), symbol), { name: "policyDelay", label: { key: "fieldPolicyDelay" }, as: "line" }];
    case "Tighten":
      return rowShapes(Number(typed.count), symbol);
    case "Recipients":
      return [
        { name: "recipients", label: { key: "fieldRecipients" }, as: "lines" },
        { name: "from", label: { key: "fieldFrom" }, as: STANDS },
        { name: "to", label: { key: "fieldTo" }, as: STANDS },
      ];
    case "Role":
      return [
        { name: "account", label: { key: "account" }, as: "line" },
        { name: "role", label: { key: "role" }, as: plain(["0", "roleKeeper"], ["1", "roleProposer"]) },
        { ...until, label: { key: "fieldRoleUntil" } },
      ];
    case "Guardians":
      return [{ name: "guardians", label: { key: "fieldGuardians" }, as: "lines" }, until];
    case "Successor":
      return [{ name: "successor", label: { key: "fieldSuccessor" }, as: "line" }];
    case "Sweep":
      return [{ name: "token", label: { key: "fieldToken" }, as: "line" }];
    case "Unfreeze":
      return [];
  }
}

function Input({ shape, value, set }: { shape: Shape; value: string; set: (value: string) => void }) {
  const say = useSay();
  const { as, label } = shape;
  const onInput = (event: { currentTarget: { value: string } }): void => set(event.currentTarget.value);
  return (
    <label>
      {words(label, say)}
      {as === "line" && <input value={value} onInput={onInput} spellcheck={false} autocomplete="off" />}
      {as === "lines" && <textarea rows={4} value={value} onInput={onInput} spellcheck={false} />}
      {typeof as !== "string" && (
        <select value={value} onChange={onInput}>
          {as.map((choice) => (
            <option key={choice.value} value={choice.value} selected={choice.value === value}>
              {words(choice.label, say)}
            </option>
          ))}
        </select>
      )}
    </label>
  );
}

/** What the wallet will be asked to send, and what its fields come to. */
function Shown({ snapshot, drawn }: { snapshot: Snapshot; drawn: DrawnChange }) {
  const say = useSay();
  const asText = (value: unknown): string => JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}` : each), 1);
  return (
    <>
      <p>
        <strong>{changeText(drawn.kind, drawn.content, say)}</strong>; {say("until")} {timeText(Number(drawn.content.expiresAt))}
      </p>
      <Effects snapshot={snapshot} kind={drawn.kind} content={drawn.content} waits={undefined} />
      {drawn.warnings.map((warning) => words(warning, say)).map((text) => (
        <Notice key={text} kind="warn">
          {say("cannotYet", { why: text })}
        </Notice>
      ))}
      <p class="id">
        {say("id")}: <code>{drawn.id}</code>
      </p>
      <details>
        <summary>{say("whatIsSent")}</summary>
        <dl>
          <dt>{say("vaultAddress")}</dt>
          <dd class="mono">{snapshot.domain.verifyingContract}</dd>
          <dt>{say("callData")}</dt>
          <dd class="mono data" tabIndex={0}>{drawn.data}</dd>
        </dl>
        <pre tabIndex={0} aria-label={say("fields")}>
          {asText(drawn.content)}
        </pre>
      </details>
    </>
  );
}

export function ProposeChange({ snapshot, means }: { snapshot: Snapshot; means: Means }) {
  const say = useSay();
  const { node, session, isTrusted, again } = means;
  const { said, isBusy, run } = useAct(again);
  const [kind, setKind] = useState<Kind>("Recipients");
  const [typed, setTyped] = useState<Typed>(() => begin(snapshot, "Recipients"));
  const [drawn, setDrawn] = useState<DrawnChange>();
  const [broken, setBroken] = useState<Said[]>([]);
  if (!session || !rolesOf(snapshot, session.account).mayPropose) return null;
  const forget = (): void => {
    setDrawn(undefined);
    setBroken([]);
  };
  const choose = (next: Kind): void => {
    setKind(next);
    setTyped(begin(snapshot, next));
    forget();
  };
  const read = (event: Event): void => {
    event.preventDefault();
    const made = drawChange(snapshot, kind, typed);
    setDrawn("drawn" in made ? made.drawn : undefined);
    setBroken("broken" in made ? made.broken : []);
  };
  return (
    <details class="card">
      <summary>{say("proposeChangeHead")}</summary>
      <form onSubmit={read} noValidate aria-label={say("proposeChangeHead")}>
        <label>
          {say("fieldKind")}
          <select value={kind} onChange={(event) => choose(event.currentTarget.value as Kind)}>
            {KINDS.map((each) => (
              <option key={each} value={each} selected={each === kind}>
                {say(`kind${each}`)}
              </option>
            ))}
          </select>
        </label>
        {shapesOf(kind, typed, snapshot.token.symbol).map((shape) => (
          <Input
            key={shape.name}
            shape={shape}
            value={typed[shape.name] ?? ""}
            set={(value) => {
              setTyped((before) => ({ ...before, [shape.name]: value }));
              forget();
            }}
          />
        ))}
        <button type="submit" class="quiet">
          {say("readOver")}
        </button>
      </form>
      {broken.map((rule) => words(rule, say)).map((text) => (
        <Notice key={text} kind="bad">
          {text}
        </Notice>
      ))}
      {drawn && (
        <>
          <Shown snapshot={snapshot} drawn={drawn} />
          <button type="button" disabled={isBusy || !isTrusted} onClick={() => void run((progress) => send(node, snapshot.domain, session, proposeChangeCall(drawn), say, progress))}>
            {say("proposeChange")}
          </button>
        </>
      )}
      {said && <Notice kind={said.kind}>{said.text}</Notice>}
    </details>
  );
}
