// Reads the vault again and again, from every node that is named, at one block.
import { useEffect, useState } from "preact/hooks";
import { compare, type Difference } from "./vault/compare.ts";
import { NotThere, blockAt, nodeAt, type Node } from "./vault/node.ts";
import { emptyCache, readSnapshot, type LogCache, type Snapshot } from "./vault/snapshot.ts";
import type { Settings } from "./settings.ts";
import type { Said } from "./words/index.ts";

const PAUSE_MS = 3_000;

export interface View {
  node: Node;
  /** Nodes that told the same, the first included. */
  agreeing: string[];
  snapshot: Snapshot | undefined;
  differs: { node: string; fields: Difference[] }[];
  silent: { node: string; why: string | Said }[];
  /** Monotonic, of when it was read. [milliseconds] */
  readAt: number;
}

export const reason = (error: unknown): string => {
  const { shortMessage, message, details } = error as { shortMessage?: string; message?: string; details?: string };
  return [shortMessage ?? message ?? String(error), details].filter((part) => part).join(" ").slice(0, 300);
};

interface Source {
  node: Node;
  cache: LogCache;
}

async function look(sources: Source[], { vault, lens }: Settings): Promise<View> {
  const silent: View["silent"] = [];
  const answers = async <T>(work: (source: Source) => Promise<T>, asked: Source[]): Promise<{ source: Source; value: T }[]> => {
    const all = await Promise.allSettled(asked.map(work));
    return all.flatMap((result, i) => {
      const source = asked[i];
      if (source === undefined) return [];
      if (result.status === "fulfilled") return [{ source, value: result.value }];
      const why = result.reason instanceof NotThere ? result.reason.said : reason(result.reason);
      silent.push({ node: source.node.name, why });
      return [];
    });
  };
  const heads = await answers(({ node }) => blockAt(node, "latest"), sources);
  const common = heads.reduce<bigint | undefined>((least, { value }) => (least === undefined || value.number < least ? value.number : least), undefined);
  const read = await answers(({ node, cache }) => readSnapshot(node, vault, lens, cache, common), heads.map(({ source }) => source));
  const [first, ...others] = read;
  const node = first?.source.node ?? (sources[0] as Source).node;
  const compared = first ? others.map(({ source, value }) => ({ node: source.node.name, fields: compare(first.value, value) })) : [];
  const agreeing = compared.filter(({ fields }) => fields.length === 0).map(({ node }) => node);
  const differs = compared.filter(({ fields }) => fields.length > 0);
  return { node, agreeing: first ? [node.name, ...agreeing] : [], snapshot: first?.value, differs, silent, readAt: performance.now() };
}

/** What was last seen. `again` looks at once. */
export function useView(settings: Settings | undefined): { view: View | undefined; again: () => void } {
  const [view, setView] = useState<View>();
  const [round, setRound] = useState(0);
  useEffect(() => setView(undefined), [settings]);
  const [sources, setSources] = useState<Source[]>([]);
  useEffect(() => setSources((settings?.nodes ?? []).map((url) => ({ node: nodeAt(url), cache: emptyCache(settings?.from ?? 0n) }))), [settings]);
  useEffect(() => {
    if (settings === undefined || sources.length === 0) return undefined;
    let over = false;
    let timer: number | undefined;
    const turn = async (): Promise<void> => {
      const seen = await look(sources, settings);
      if (over) return;
      // What was read before stays on the page, with its age, while no node answers; so does what the nodes disagreed about.
      setView((before) => (seen.snapshot || !before ? seen : { ...before, silent: seen.silent, agreeing: [] }));
      timer = window.setTimeout(() => void turn(), PAUSE_MS);
    };
    void turn();
    return () => {
      over = true;
      window.clearTimeout(timer);
    };
  }, [settings, sources, round]);
  return { view, again: () => setRound((before) => before + 1) };
}

/** The chain's time now: its newest block's, and what has passed here since it was read. [seconds] */
export function useNow(view: View | undefined): bigint {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => tick((before) => before + 1), 1_000);
    return () => window.clearInterval(timer);
  }, []);
  if (!view?.snapshot) return 0n;
  return view.snapshot.block.time + BigInt(Math.floor((performance.now() - view.readAt) / 1_000));
}
