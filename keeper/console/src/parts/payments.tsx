// Withdrawals through the keeper: filed, followed live, found again, saved.
import { useEffect, useMemo, useState } from "preact/hooks";
import { asCsv } from "../keeper/csv.ts";
import { Client, isFinal, isServed, keepKey, keptKey, mayPass, type Withdrawal } from "../keeper/client.ts";
import { follow } from "../keeper/events.ts";
import { answered, refOf } from "../keeper/refs.ts";
import type { Snapshot } from "../vault/snapshot.ts";
import { useSay } from "../words/index.ts";
import { Notice } from "./common.tsx";
import { List } from "./list.tsx";

const GATHER_MS = 300;
const AGAIN_MS = 2_000;
const AT_ONCE = 8; // questions for single withdrawals

/** Every withdrawal, by ref, kept up by events. */
function useHistory(client: Client) {
  const [rows, setRows] = useState<Map<string, Withdrawal>>(new Map());
  const [isRead, setRead] = useState(false);
  const [ofStream, setOfStream] = useState<string>();
  const [ofAsking, setOfAsking] = useState<string>();
  const put = (some: Withdrawal[]): void =>
    setRows((before) => {
      const next = new Map(before);
      for (const each of some) next.set(each.ref, each);
      return next;
    });
  useEffect(() => {
    const ended = new AbortController();
    const touched = new Set<string>();
    let mustRead = false;
    let hasRead = false;
    const read = async (): Promise<void> => {
      const all: Withdrawal[] = [];
      for await (const page of client.pages()) {
        if (ended.signal.aborted) return;
        if (all.length === 0) put(page);
        all.push(...page);
      }
      put(all);
    };
    const refresh = async (): Promise<void> => {
      const refs = [...touched];
      for (let i = 0; i < refs.length && !ended.signal.aborted; i += AT_ONCE) {
        const some = refs.slice(i, i + AT_ONCE);
        // Before they are asked for: what happens to one meanwhile has it asked for again.
        for (const ref of some) touched.delete(ref);
        const told = await Promise.allSettled(some.map((ref) => client.show(ref)));
        put(told.flatMap((each) => (each.status === "fulfilled" ? [each.value] : [])));
        const failed = told.flatMap((each, at) => (each.status === "rejected" && mayPass(each.reason) ? [{ ref: some[at] ?? "", why: each.reason as Error }] : []));
        for (const { ref } of failed) touched.add(ref);
        if (failed[0]) throw failed[0].why;
      }
    };
    // One after the other, so that no older answer comes over a newer one.
    let timer: number | undefined;
    const turn = async (): Promise<void> => {
      let wait = GATHER_MS;
      let isGap = mustRead;
      mustRead = false;
      try {
        if (isGap) {
          await read();
          isGap = false;
          hasRead = true;
          if (!mustRead) setRead(true);
        }
        await refresh();
        setOfAsking(undefined);
      } catch (error) {
        if (ended.signal.aborted) return;
        setOfAsking((error as Error).message);
        if (isFinal(error)) return;
        mustRead ||= isGap;
        wait = AGAIN_MS;
      }
      if (!ended.signal.aborted) timer = window.setTimeout(() => void turn(), wait);
    };
    // The list is read once the stream is open: what is not in the one is told by the other.
    const fromNow = (): void => {
      mustRead = true;
      setRead(false);
    };
    const state = (trouble: string | undefined): void => {
      setOfStream(trouble);
      // Without a stream the list is better than nothing.
      if (trouble !== undefined && !hasRead) mustRead = true;
    };
    void follow(client, ended.signal, { fromNow, told: (refs) => refs.forEach((ref) => touched.add(ref)), state });
    void turn();
    return () => {
      ended.abort();
      window.clearTimeout(timer);
    };
  }, [client]);
  const trouble = ofStream ?? ofAsking;
  return { rows, isLive: isRead && trouble === undefined, trouble, put };
}

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

function Known({ client, snapshot }: { client: Client; snapshot: Snapshot | undefined }) {
  const say = useSay();
  const { rows, isLive, trouble, put } = useHistory(client);
  const [wanted, setWanted] = useState("");
  const all = useMemo(() => [...rows.values()].sort((a, b) => b.arrival - a.arrival), [rows]);
  const found = useMemo(() => {
    const word = wanted.trim().toLowerCase().replaceAll(/^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/g, "0x$1$2$3$4$5");
    if (word === "") return all;
    return all.filter(({ ref, to, status, amount, hold }) => `${ref} ${to.toLowerCase()} ${status} ${amount} ${hold?.reason ?? ""}`.includes(word));
  }, [all, wanted]);
  const save = (): void => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([asCsv(found)], { type: "text/csv" }));
    link.download = "withdrawals.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <>
      {trouble && <Notice kind="warn">{say("keeperDown", { why: trouble })}</Notice>}
      <File client={client} snapshot={snapshot} rows={rows} put={put} />
      <section class="card" aria-labelledby="history">
        <h3 id="history">{say("history")}</h3>
        <label>
          {say("search")}
          <input type="search" value={wanted} onInput={(event) => setWanted(event.currentTarget.value)} spellcheck={false} />
        </label>
        <p role="status">
          {say("found", { count: found.length, all: all.length })} – {isLive ? say("live") : say("catching")}
        </p>
        <List rows={found} />
        <div class="buttons">
          <button type="button" class="quiet" onClick={save}>
            {say("exportCsv")}
          </button>
        </div>
      </section>
    </>
  );
}

export function Payments({ snapshot }: { snapshot: Snapshot | undefined }) {
  const say = useSay();
  const [served, setServed] = useState<boolean>();
  const [key, setKey] = useState(keptKey);
  const [typed, setTyped] = useState("");
  useEffect(() => void isServed().then(setServed), []);
  const client = useMemo(() => (key === undefined ? undefined : new Client(key)), [key]);
  const use = (next: string | undefined): void => {
    keepKey(next);
    setKey(next);
    setTyped("");
  };
  if (served === false) return <Notice kind="warn">{say("keeperNone")}</Notice>;
  return (
    <section aria-labelledby="payments">
      <h2 id="payments">{say("keeperHead")}</h2>
      <p class="muted">{say("keeperHint")}</p>
      {client ? (
        <>
          <button type="button" class="quiet" onClick={() => use(undefined)}>
            {say("apiKeyForget")}
          </button>
          <Known client={client} snapshot={snapshot} />
        </>
      ) : (
        <form
          class="card"
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            if (typed.trim() !== "") use(typed.trim());
          }}
        >
          <label>
            {say("apiKey")}
            <input type="password" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} autocomplete="off" />
          </label>
          <button type="submit">{say("apiKeyUse")}</button>
        </form>
      )}
    </section>
  );
}
