// The operator's part: how the keeper does, what to look at, and the acts that stop it or let it go on.
import { useMemo, useState } from "preact/hooks";
import runbooks from "../../../../docs/runbooks.md?raw";
import { Acts } from "../keeper/acts.ts";
import { ALERTS, raised } from "../keeper/alerts.ts";
import type { Act, ActName, Client, Situation } from "../keeper/client.ts";
import { Figures, readFigures } from "../keeper/figures.ts";
import { usePolled } from "../keeper/polled.ts";
import type { Keeper } from "../keeper/session.ts";
import { timeText } from "../vault/words.ts";
import { useSay, type Say } from "../words/index.ts";
import { Notice, Table } from "./common.tsx";
import { WithKey } from "./key.tsx";

const PAUSE_MS = 2_000;
const COMPONENTS = ["keeper", "engine", "store", "chain", "key", "mode", "waits"] as const;
const LAST = 20; // acts that are shown
const now = (): number => Date.now() / 1_000;

/** A section of docs/runbooks.md, as it is there. */
function runbook(name: string): string {
  const section = runbooks.split(/^## /m).find((each) => each.startsWith(`${name}\n`)) ?? "";
  return section.slice(name.length).replace(/\[([^\]]+)\]\([^)]+\)/g, "$1").replaceAll(/[`*]/g, "").trim();
}

function Health({ unready }: { unready: string[] }) {
  const say = useSay();
  const of = (component: string): string => unready.filter((line) => line.startsWith(`${component}: `)).map((line) => line.slice(component.length + 2)).join("; ");
  return (
    <Table label={`${say("health")}: ${say("component")}`} head={[say("component"), say("state")]}>
      {COMPONENTS.filter((each) => of(each) !== "" || (each !== "keeper" && each !== "waits")).map((each) => (
        <tr key={each}>
          <td>{each}</td>
          <td>{of(each) === "" ? <span class="tag Known">{say("asItShould")}</span> : <strong class="mark bad">{of(each)}</strong>}</td>
        </tr>
      ))}
    </Table>
  );
}

function Alerts({ figures }: { figures: Figures }) {
  const say = useSay();
  const names = raised(figures, now());
  return (
    <>
      <p class="muted">{say("alertsJudged", { count: Object.keys(ALERTS).length })}</p>
      {names.length === 0 && <p>{say("noAlerts")}</p>}
      {names.map((name) => (
        <details key={name} class="alert">
          <summary>
            <strong>{name}</strong>
          </summary>
          <p lang="en">{runbook(name)}</p>
        </details>
      ))}
    </>
  );
}

/** What a unit of gas costs, beside the most that may be offered for it. */
function Fees({ figures }: { figures: Figures }) {
  const say = useSay();
  const fees = figures.each("fee_gwei");
  const needed = figures.one("fee_gwei", { what: "needed" });
  const cap = figures.one("fee_gwei", { what: "payment cap" });
  const coins = [
    ["gasBalance", figures.one("gas_balance_coins")],
    ["gasReserve", figures.one("gas_reserve_coins")],
  ] as const;
  const text = (value: number): string => String(Number(value.toPrecision(6)));
  return (
    <>
      {needed !== undefined && cap !== undefined && cap > 0 && (
        <meter min={0} max={cap} high={cap * 0.8} optimum={0} value={Math.min(needed, cap)} aria-label={say("feeOfCap", { needed: text(needed), cap: text(cap) })} />
      )}
      <Table label={`${say("fees")}: gwei`} head={[say("fees"), "gwei"]}>
        {fees.map(({ labels, value }) => (
          <tr key={labels.what}>
            <td lang="en">{labels.what}</td>
            <td class="number">{text(value)}</td>
          </tr>
        ))}
      </Table>
      <p>{coins.map(([word, value]) => (value === undefined ? "" : `${say(word)}: ${text(value)}`)).filter((each) => each !== "").join("; ")}</p>
    </>
  );
}

function Nonces({ figures }: { figures: Figures }) {
  const say = useSay();
  const rows = [
    ...figures.each("nonces").map(({ labels, value }) => [labels.state ?? "", value] as const),
    ["attempts", figures.one("attempts")] as const,
    ["in no block", figures.one("transactions_unincluded")] as const,
    ["reverted", figures.one("transactions_reverted_total")] as const,
  ];
  return (
    <Table label={`${say("nonces")}: ${say("count")}`} head={[say("nonces"), say("count")]}>
      {rows.map(([name, value]) => (
        <tr key={name}>
          <td lang="en">{name}</td>
          <td class="number">{value ?? "–"}</td>
        </tr>
      ))}
    </Table>
  );
}

/** Acts that wait for a second person, and still may have one. */
const waiting = (acts: Act[]): Act[] => acts.filter(({ deed, answered_by }) => deed?.step === "asked" && answered_by === null && (deed.until ?? 0) > now());

/** One thing at a time, and what came of it. */
function useDoing(again: () => void) {
  const say = useSay();
  const [said, setSaid] = useState<{ kind: "bad" | "good"; text: string }>();
  const run = (work: () => Promise<Act>) =>
    void work().then(
      ({ id, deed }) => {
        setSaid({ kind: "good", text: stepText(id, deed, say) });
        again();
      },
      (error: Error) => setSaid({ kind: "bad", text: error.message }),
    );
  return { said, run };
}

function stepText(id: number, deed: Act["deed"], say: Say): string {
  const step = deed?.step === "asked" ? "stepAsked" : deed?.step === "refused" ? "stepRefused" : "stepDone";
  return say(step, { id, act: deed?.act });
}

function DoIt({ client, again }: { client: Client; again: () => void }) {
  const say = useSay();
  const [act, setAct] = useState<ActName>("halt");
  const [ref, setRef] = useState("");
  const [why, setWhy] = useState("");
  const { said, run } = useDoing(again);
  const isAboutOne = act !== "halt" && act !== "resume";
  return (
    <form
      noValidate
      aria-labelledby="act"
      onSubmit={(event) => {
        event.preventDefault();
        run(() => client.act(act, why, isAboutOne ? ref.trim() : undefined));
      }}
    >
      <h3 id="act">{say("actHead")}</h3>
      <label>
        {say("act")}
        <select value={act} onChange={(event) => setAct(event.currentTarget.value as ActName)}>
          {(["halt", "resume", "hold", "release", "cancel"] as const).map((each) => (
            <option key={each} value={each} selected={each === act}>
              {say(`act_${each}`)}
            </option>
          ))}
        </select>
      </label>
      {isAboutOne && (
        <label>
          {say("ref")}
          <input value={ref} onInput={(event) => setRef(event.currentTarget.value)} spellcheck={false} autocomplete="off" />
        </label>
      )}
      <label>
        {say("why")}
        <input value={why} onInput={(event) => setWhy(event.currentTarget.value)} autocomplete="off" />
      </label>
      <button type="submit" class={act === "halt" ? "danger" : ""}>
        {say("doIt")}
      </button>
      {said && <Notice kind={said.kind}>{said.text}</Notice>}
    </form>
  );
}

/** Whoever confirms sees all that there is to say of it: of a key what it may do, where and until when. */
const stands = (situation?: Situation): string => [situation?.status, situation?.reason, situation?.detail].filter((each) => each).join(": ");

function Second({ client, acts, again }: { client: Client; acts: Act[]; again: () => void }) {
  const say = useSay();
  const [why, setWhy] = useState("");
  const { said, run } = useDoing(again);
  const asked = waiting(acts);
  return (
    <section aria-labelledby="second">
      <h3 id="second">{say("secondHead")}</h3>
      <p class="muted">{say("secondHint")}</p>
      {asked.length === 0 && <p>{say("noProposals")}</p>}
      {asked.map(({ id, deed }) => (
        <article key={id} class="card" aria-labelledby={`act-${id}`}>
          <h4 id={`act-${id}`}>{`${id}: ${deed?.act} ${deed?.ref ?? deed?.key ?? ""}`}</h4>
          <p>
            {say("why")}: {deed?.reason}
          </p>
          <p class="muted">
            {stands(deed?.before)} → {stands(deed?.after)}; {say("until")} {timeText(deed?.until ?? 0)}
          </p>
          <label>
            {say("why")}
            <input value={why} onInput={(event) => setWhy(event.currentTarget.value)} autocomplete="off" />
          </label>
          <div class="buttons">
            <button type="button" onClick={() => run(() => client.answer(id, "confirmation", why))}>
              {say("confirm")}
            </button>
            <button type="button" class="quiet" onClick={() => run(() => client.answer(id, "refusal", why))}>
              {say("sayNo")}
            </button>
          </div>
        </article>
      ))}
      {said && <Notice kind={said.kind}>{said.text}</Notice>}
    </section>
  );
}

function Desk({ client }: { client: Client }) {
  const say = useSay();
  const pages = usePolled(() => client.keeper(), PAUSE_MS, client);
  const kept = useMemo(() => new Acts(client), [client]);
  const acts = usePolled(() => kept.look(), PAUSE_MS, kept);
  const figures = new Figures(readFigures(pages.told?.figures ?? ""));
  return (
    <>
      {pages.trouble && <Notice kind="warn">{say("keeperDown", { why: pages.trouble })}</Notice>}
      {pages.told && (
        <>
          <section class="card" aria-labelledby="health">
            <h3 id="health">{say("health")}</h3>
            <Notice kind={pages.told.ready ? "good" : "warn"}>{say(pages.told.ready ? "keeperReady" : "keeperUnready")}</Notice>
            <Health unready={pages.told.unready} />
          </section>
          <section class="card" aria-labelledby="alerts">
            <h3 id="alerts">{say("alerts")}</h3>
            <Alerts figures={figures} />
          </section>
          <div class="cards">
            <section class="card" aria-labelledby="fees">
              <h3 id="fees">{say("fees")}</h3>
              <Fees figures={figures} />
            </section>
            <section class="card" aria-labelledby="nonces">
              <h3 id="nonces">{say("nonces")}</h3>
              <Nonces figures={figures} />
            </section>
          </div>
        </>
      )}
      <section class="card" aria-labelledby="acts">
        <h3 id="acts">{say("acts")}</h3>
        {acts.trouble && <Notice kind="warn">{say("keeperDown", { why: acts.trouble })}</Notice>}
        {acts.told && (
          <>
            <DoIt client={client} again={acts.again} />
            <Second client={client} acts={acts.told} again={acts.again} />
            <Table label={`${say("acts")}: ${say("number")}`} head={[say("number"), say("act"), say("step"), say("when"), say("by"), say("why")]}>
              {acts.told.slice(-LAST).reverse().map(({ id, deed }) => (
                <tr key={id}>
                  <td class="number">{id}</td>
                  <td lang="en">{`${deed?.act ?? "?"} ${deed?.ref ?? ""}`}</td>
                  <td lang="en">{deed?.step}</td>
                  <td>{timeText(deed?.at ?? 0)}</td>
                  <td class="mono">{deed?.by}</td>
                  <td>{deed?.reason}</td>
                </tr>
              ))}
            </Table>
          </>
        )}
      </section>
    </>
  );
}

export function Operator({ keeper }: { keeper: Keeper }) {
  const say = useSay();
  return (
    <WithKey id="operator" head={say("tabOperator")} hint={say("operatorHint")} keeper={keeper}>
      {(client) => <Desk client={client} />}
    </WithKey>
  );
}
