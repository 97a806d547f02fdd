// The auditor's part: the keeper's log and acts as they are, held here to their hashes, and to what the vault's own log has of them.
import { useEffect, useState } from "preact/hooks";
import type { Hex } from "viem";
import { anchorOf, batchesOn, type Anchor } from "../keeper/anchors.ts";
import { START, actLink, hold, linkOf, type Held } from "../keeper/chain.ts";
import type { Act, Client, LogEntry } from "../keeper/client.ts";
import { asCells } from "../keeper/csv.ts";
import type { Keeper } from "../keeper/session.ts";
import type { Settings } from "../settings.ts";
import { nodeAt } from "../vault/node.ts";
import type { Snapshot } from "../vault/snapshot.ts";
import { reason } from "../watch.ts";
import { useSay } from "../words/index.ts";
import { Notice, Table } from "./common.tsx";
import { download } from "./download.ts";
import { WithKey } from "./key.tsx";
import { Rows } from "./list.tsx";

/** What is read and held so far. */
interface Read {
  entries: LogEntry[];
  log: Held;
  acts: Act[];
  deeds: Held;
  isWhole: boolean;
  trouble: string | undefined;
}
const NOTHING: Read = { entries: [], log: START, acts: [], deeds: START, isWhole: false, trouble: undefined };

/** Reads both chains once, from their beginnings. */
function useChains(client: Client, round: number): Read {
  const [read, setRead] = useState(NOTHING);
  useEffect(() => {
    let isOver = false;
    const all = async (): Promise<void> => {
      let { log, deeds } = NOTHING;
      const entries: LogEntry[] = [];
      const acts: Act[] = [];
      for (;;) {
        const page = await client.log(entries.at(-1)?.seq ?? 0);
        if (isOver) return;
        if (page.length === 0) break;
        entries.push(...page);
        log = hold(log, page.map(linkOf));
        setRead({ ...NOTHING, entries: [...entries], log });
      }
      for (;;) {
        const page = await client.acts(acts.at(-1)?.id ?? 0);
        if (isOver) return;
        if (page.length === 0) break;
        acts.push(...page);
        deeds = hold(deeds, page.map(actLink));
      }
      setRead({ entries, log, acts, deeds, isWhole: true, trouble: undefined });
    };
    setRead(NOTHING);
    all().catch((error: Error) => !isOver && setRead((before) => ({ ...before, trouble: error.message })));
    return () => {
      isOver = true;
    };
  }, [client, round]);
  return read;
}

interface Compared {
  anchors: Anchor[];
  /** Of these, those whose batch every node that is named has in the vault's log. */
  onChain: Set<Hex>;
}

async function compare({ nodes, vault, from }: Settings, snapshot: Snapshot, entries: LogEntry[]): Promise<Compared> {
  const hashOf = (seq: number): Hex | undefined => entries[seq - 1]?.hash;
  const anchors = entries.map((entry) => anchorOf(snapshot.domain, entry, hashOf)).filter((each) => each !== undefined);
  const told = await Promise.all(nodes.map((url) => batchesOn(nodeAt(url), vault, from, snapshot.block.number)));
  return { anchors, onChain: new Set(anchors.map(({ id }) => id).filter((id) => told.every((ids) => ids.has(id)))) };
}

function Anchors({ settings, snapshot, read }: { settings: Settings; snapshot: Snapshot; read: Read }) {
  const say = useSay();
  const [compared, setCompared] = useState<Compared>();
  const [trouble, setTrouble] = useState<string>();
  useEffect(() => {
    setCompared(undefined);
    compare(settings, snapshot, read.entries).then(setCompared, (error: unknown) => setTrouble(reason(error)));
  }, [read]);
  if (trouble !== undefined) return <Notice kind="warn">{say("nodeSays", { why: trouble })}</Notice>;
  if (!compared) return <p role="status">{say("loading")}</p>;
  const { anchors, onChain } = compared;
  const bad = anchors.filter(({ holds }) => !holds);
  const last = Math.max(0, ...anchors.filter(({ id }) => onChain.has(id)).map(({ anchor }) => anchor));
  return (
    <>
      <Notice kind={bad.length > 0 ? "bad" : "good"}>
        {bad.length > 0
          ? say("anchorsBroken", { entries: bad.map(({ seq }) => seq).join(", ") })
          : say("anchorsHold", { count: anchors.length, onChain: onChain.size, last, nodes: settings.nodes.length })}
      </Notice>
      <Table label={say("anchors")} head={[say("entry"), say("commitsTo"), say("id"), say("onChain")]}>
        {anchors.slice(-20).reverse().map(({ seq, anchor, id, holds }) => (
          <tr key={seq}>
            <td class="number">{seq}</td>
            <td class="number">{anchor}</td>
            <td class="mono">{id}</td>
            <td>{!holds ? say("broken") : onChain.has(id) ? say("yes") : say("notYet")}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

function Chain({ held, count, isWhole, name }: { held: Held; count: number; isWhole: boolean; name: string }) {
  const say = useSay();
  if (held.broken !== undefined) return <Notice kind="bad">{say("chainBroken", { name, place: held.broken, end: held.end })}</Notice>;
  if (!isWhole) return <p role="status">{say("chainReading", { name, count })}</p>;
  return <Notice kind="good">{say("chainHolds", { name, count, hash: held.hash })}</Notice>;
}

const asLines = (rows: unknown[]): string[] => rows.map((row) => `${JSON.stringify(row)}\n`);
const HEAD = ["seq", "kind", "body", "prev", "hash"];

function Books({ client, settings, snapshot }: { client: Client; settings: Settings | undefined; snapshot: Snapshot | undefined }) {
  const say = useSay();
  const [round, setRound] = useState(0);
  const read = useChains(client, round);
  const { entries, acts, log, deeds, isWhole, trouble } = read;
  return (
    <>
      {trouble && <Notice kind="warn">{say("keeperDown", { why: trouble })}</Notice>}
      <section class="card" aria-labelledby="log">
        <h3 id="log">{say("log")}</h3>
        <Chain held={log} count={entries.length} isWhole={isWhole} name={say("log")} />
        <Chain held={deeds} count={acts.length} isWhole={isWhole} name={say("acts")} />
        <Rows
          label={say("log")}
          head={[say("entry"), say("kind"), say("body"), say("hash")]}
          rows={entries}
          keyOf={({ seq }) => seq}
          cells={({ seq, kind, body, hash }) => [`${seq}`, kind, body, hash]}
        />
        <div class="buttons">
          <button type="button" class="quiet" onClick={() => setRound(round + 1)}>
            {say("readAgain")}
          </button>
          <button type="button" class="quiet" disabled={!isWhole} onClick={() => download("log.jsonl", "application/jsonl", asLines(entries))}>
            {say("logJson")}
          </button>
          <button
            type="button"
            class="quiet"
            disabled={!isWhole}
            onClick={() => download("log.csv", "text/csv", [asCells([HEAD, ...entries.map(({ seq, kind, body, prev, hash }) => [`${seq}`, kind, body, prev, hash])])])}
          >
            {say("logCsv")}
          </button>
          <button type="button" class="quiet" disabled={!isWhole} onClick={() => download("acts.jsonl", "application/jsonl", asLines(acts))}>
            {say("actsJson")}
          </button>
        </div>
      </section>
      <section class="card" aria-labelledby="anchors">
        <h3 id="anchors">{say("anchors")}</h3>
        <p class="muted">{say("anchorsHint")}</p>
        {(!settings || !snapshot) && <p>{say("anchorsNoVault")}</p>}
        {settings && snapshot && isWhole && log.broken === undefined && <Anchors settings={settings} snapshot={snapshot} read={read} />}
      </section>
    </>
  );
}

export function Auditor({ keeper, settings, snapshot }: { keeper: Keeper; settings: Settings | undefined; snapshot: Snapshot | undefined }) {
  const say = useSay();
  return (
    <WithKey id="auditor" head={say("tabAuditor")} hint={say("auditorHint")} keeper={keeper}>
      {(client) => <Books client={client} settings={settings} snapshot={snapshot} />}
    </WithKey>
  );
}
