// Every withdrawal, by ref, kept up by events.
import { useEffect, useState } from "preact/hooks";
import { isFinal, mayPass, type Client, type Withdrawal } from "./client.ts";
import { follow } from "./events.ts";

const GATHER_MS = 300;
const AGAIN_MS = 2_000;
const AT_ONCE = 8; // questions for single withdrawals

export interface History {
  rows: Map<string, Withdrawal>;
  isLive: boolean;
  trouble: string | undefined;
  put: (some: Withdrawal[]) => void;
}

export function useHistory(client: Client): History {
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
