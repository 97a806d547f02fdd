// Withdrawals through the keeper: filed, followed live, found again, saved.
import { useMemo, useState } from "preact/hooks";
import type { Client, Withdrawal } from "../keeper/client.ts";
import { asCsv } from "../keeper/csv.ts";
import { useHistory } from "../keeper/history.ts";
import { answered, refOf } from "../keeper/refs.ts";
import type { Keeper } from "../keeper/session.ts";
import type { Snapshot } from "../vault/snapshot.ts";
import { useSay } from "../words/index.ts";
import { Arrivals } from "./arrivals.tsx";
import { Notice } from "./common.tsx";
import { download } from "./download.ts";
import { WithKey } from "./key.tsx";
import { Rows } from "./list.tsx";

function File({ client, snapshot, rows, put }: { client: Client; snapshot: Snapshot | undefined; rows: Map<string, Withdrawal>; put: (some: Withdrawal[]) => void }) {
  const say = useSay();
  const [to, setTo] = useState("");
  const [amount, setAmount] = useState("");
  const [filed, setFiled] = useState<string>();
  const [broken, setBroken] = useState<string>();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBroken(undefined);
    const wanted = { to: to.trim(), amount: amount.trim() };
    try {
      const ref = refOf(wanted.to, wanted.amount);
      const answer = await client.file({ ref, ...wanted });
      answered(wanted.to, wanted.amount, ref);
      put([answer]);
      setFiled(answer.ref);
      // A second click would be a second withdrawal.
      setTo("");
      setAmount("");
    } catch (error) {
      setBroken((error as Error).message);
    }
  };
  const isStranger = /^0x[0-9a-f]{40}$/i.test(to.trim()) && snapshot && !snapshot.known.some((each) => each.toLowerCase() === to.trim().toLowerCase());
  return (
    <form class="card" onSubmit={(event) => void submit(event)} aria-labelledby="file" noValidate>
      <h3 id="file">{say("fileHead")}</h3>
      <label>
        {say("recipient")}
        <input value={to} onInput={(event) => setTo(event.currentTarget.value)} spellcheck={false} autocomplete="off" />
      </label>
      {isStranger && <Notice kind="warn">{say("unknownStanding")}</Notice>}
      <label>
        {say("amount")} {snapshot && `[${snapshot.token.symbol}]`}
        <input value={amount} onInput={(event) => setAmount(event.currentTarget.value)} inputMode="decimal" autocomplete="off" />
      </label>
      <button type="submit">{say("file")}</button>
      {broken && <Notice kind="bad">{broken}</Notice>}
      {filed && <Notice kind="good">{say("filed", { ref: filed, status: rows.get(filed)?.status ?? "" })}</Notice>}
    </form>
  );
}

function History({ rows, isLive }: { rows: Map<string, Withdrawal>; isLive: boolean }) {
  const say = useSay();
  const [wanted, setWanted] = useState("");
  const all = useMemo(() => [...rows.values()].sort((a, b) => b.arrival - a.arrival), [rows]);
  const found = useMemo(() => {
    const word = wanted.trim().toLowerCase().replaceAll(/^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/g, "0x$1$2$3$4$5");
    if (word === "") return all;
    return all.filter(({ ref, to, status, amount, hold }) => `${ref} ${to.toLowerCase()} ${status} ${amount} ${hold?.reason ?? ""}`.includes(word));
  }, [all, wanted]);
  return (
    <section class="card" aria-labelledby="history">
      <h3 id="history">{say("history")}</h3>
      <label>
        {say("search")}
        <input type="search" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} spellcheck={false} />
      </label>
      <p role="status">
        {say("found", { count: found.length, all: all.length })} – {isLive ? say("live") : say("catching")}
      </p>
      <Rows
        shape="payments"
        label={say("history")}
        head={[say("ref"), say("recipient"), say("amount"), say("status")]}
        rows={found}
        keyOf={({ ref }) => ref}
        cells={({ ref, to, amount, status, hold }) => [ref, to, amount, hold ? `${status} (${hold.reason}${hold.detail ? `: ${hold.detail}` : ""})` : status]}
      />
      <div class="buttons">
        <button type="button" class="quiet" onClick={() => download("withdrawals.csv", "text/csv", [asCsv(found)])}>
          {say("exportCsv")}
        </button>
      </div>
    </section>
  );
}

function Known({ client, snapshot }: { client: Client; snapshot: Snapshot | undefined }) {
  const say = useSay();
  const { rows, isLive, trouble, put } = useHistory(client);
  return (
    <>
      {trouble && <Notice kind="warn">{say("keeperDown", { why: trouble })}</Notice>}
      <File client={client} snapshot={snapshot} rows={rows} put={put} />
      {snapshot && <Arrivals rows={rows} snapshot={snapshot} />}
      <History rows={rows} isLive={isLive} />
    </>
  );
}

export function Payments({ keeper, snapshot }: { keeper: Keeper; snapshot: Snapshot | undefined }) {
  const say = useSay();
  return (
    <WithKey id="payments" head={say("keeperHead")} hint={say("keeperHint")} keeper={keeper}>
      {(client) => <Known client={client} snapshot={snapshot} />}
    </WithKey>
  );
}
