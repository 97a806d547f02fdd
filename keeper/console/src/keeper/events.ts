// Server-Sent Events over fetch: an EventSource cannot send the key in a header.
import { isFinal, type Client } from "./client.ts";

export interface Told {
  id: string;
  data: string;
}

/** Whole events out of text that arrives in pieces; what is left over comes first next time. */
export function readEvents(text: string): { events: Told[]; rest: string } {
  const blocks = text.replaceAll("\r\n", "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  const events = blocks.map((block) => {
    const field = (name: string): string =>
      block
        .split("\n")
        .filter((line) => line.startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).replace(/^ /, ""))
        .join("\n");
    return { id: field("id"), data: field("data") };
  });
  return { events: events.filter(({ data }) => data !== ""), rest };
}

const PAUSE_MS = 1_000;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

export interface Follower {
  /** The stream is open, and tells what happens from now on: what happened before, it does not. */
  fromNow: () => void;
  told: (refs: string[]) => void;
  state: (trouble: string | undefined) => void;
}

/** Follows what happens until it is ended; goes on where it broke off, if it was told anything before. */
export async function follow(client: Client, ended: AbortSignal, { fromNow, told, state }: Follower): Promise<void> {
  let last: string | undefined;
  while (!ended.aborted) {
    try {
      const response = await client.ask("/v1/events/stream", { signal: ended, headers: last === undefined ? {} : { "Last-Event-ID": last } });
      if (last === undefined) fromNow();
      state(undefined);
      const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; reader; ) {
        const { value, done } = await reader.read();
        if (done) break;
        const read = readEvents(rest + value);
        rest = read.rest;
        for (const { id, data } of read.events) {
          last = id;
          told((JSON.parse(data) as { data: { refs: string[] } }).data.refs);
        }
      }
      state("the stream ended");
    } catch (error) {
      if (!ended.aborted) state((error as Error).message);
      if (isFinal(error)) return;
    }
    await pause();
  }
}
