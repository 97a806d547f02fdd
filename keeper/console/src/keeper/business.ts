// The four figures of the business, as docs/metrics.md defines them, out of the keeper's events. Times are the chain's.
import type { Happened } from "./client.ts";

const ABNORMAL = ["token_refuses", "cannot_simulate", "keeps_failing", "foreign_proposal", "paid_elsewhere"];
const SETTLED = ["paid", "rejected", "cancelled", "displaced"];

/** What happened in one span of time. */
export interface Span {
  /** [seconds since 1970] */
  from: number;
  accepted: number;
  settled: number;
  paid: number;
  /** Stopped by what no rule and no person wanted. */
  abnormal: number;
  /** Paid, and explained by the log or not. */
  whole: number;
  broken: number;
  arrived: number;
  /** From taken in to final, of those that arrived. [seconds] */
  waited: number;
}

const none = (from: number): Span => ({ from, accepted: 0, settled: 0, paid: 0, abnormal: 0, whole: 0, broken: 0, arrived: 0, waited: 0 });

/** Widths that a chart may have: minutes to weeks. [seconds] */
const WIDTHS = [60, 300, 3_600, 21_600, 86_400, 604_800];
const FINEST = 60;
const MOST_BARS = 48;

/** Counts from events, in order. What was taken in before the first of them is told by `accepted`. */
export class Business {
  private readonly spans = new Map<number, Span>();
  private readonly accepted: Map<string, number>;
  private unfinal: string[] = [];
  last = 0;

  /** `isWhole`: the events begin with the log. */
  constructor(accepted: Map<string, number> = new Map()) {
    this.accepted = accepted;
  }

  /** Whether the log of what was read says that somebody asked for it. */
  knows(ref: string): boolean {
    return this.accepted.has(ref);
  }

  take({ type, time, sequence, data }: Happened): void {
    this.last = Number(sequence);
    const at = Math.floor(Date.parse(time) / 1_000);
    const span = this.at(at);
    const word = type.replace(/^tidelock\.\w+\./, "");
    const count = data.refs.length;
    if (type === "tidelock.withdrawal.accepted") {
      span.accepted += count;
      for (const ref of data.refs) this.accepted.set(ref, at);
    } else if (type === "tidelock.withdrawal.held" && ABNORMAL.includes(data.hold?.reason ?? "")) {
      span.abnormal += count;
    } else if (type === "tidelock.vault.foreign") {
      span.broken += 1;
    } else if (type === "tidelock.chain.advanced") {
      // What was paid has arrived once the block after which it is final is taken in.
      for (const ref of this.unfinal.splice(0)) {
        span.arrived += 1;
        span.waited += at - (this.accepted.get(ref) ?? at);
      }
    } else if (type.startsWith("tidelock.withdrawal.") && SETTLED.includes(word)) {
      span.settled += count;
      if (word === "displaced") {
        span.abnormal += count;
        span.broken += count;
      }
      if (word === "paid") this.pay(span, data.refs);
    }
  }

  private pay(span: Span, refs: string[]): void {
    span.paid += refs.length;
    const known = refs.filter((ref) => this.accepted.has(ref));
    span.whole += known.length;
    span.broken += refs.length - known.length;
    this.unfinal.push(...known);
  }

  private at(time: number): Span {
    const from = time - (time % FINEST);
    const found = this.spans.get(from) ?? none(from);
    this.spans.set(from, found);
    return found;
  }

  /** All of it in at most so many bars of one width, without gaps. */
  bars(): { width: number; bars: Span[]; all: Span } {
    const times = [...this.spans.keys()];
    const [first, end] = [Math.min(...times), Math.max(...times)];
    if (times.length === 0) return { width: FINEST, bars: [], all: none(0) };
    const width = WIDTHS.find((each) => (end - first) / each < MOST_BARS) ?? (WIDTHS.at(-1) as number);
    const begin = first - (first % width);
    const bars = Array.from({ length: Math.floor((end - begin) / width) + 1 }, (_, i) => none(begin + i * width));
    const all = none(begin);
    for (const span of this.spans.values()) {
      const bar = bars[Math.floor((span.from - begin) / width)];
      for (const name of Object.keys(span) as (keyof Span)[]) {
        if (name === "from") continue;
        if (bar) bar[name] += span[name];
        all[name] += span[name];
      }
    }
    return { width, bars: bars.slice(-MOST_BARS), all };
  }
}

const share = (part: number, of: number): number | undefined => (of === 0 ? undefined : part / of);
/** The four; undefined where nothing happened that could count. */
export const successRate = ({ paid, settled }: Span): number | undefined => share(paid, settled);
export const meanArrival = ({ waited, arrived }: Span): number | undefined => share(waited, arrived);
export const abnormalRate = ({ abnormal, accepted }: Span): number | undefined => share(abnormal, accepted);
export const complianceRate = ({ whole, broken }: Span): number | undefined => share(whole, whole + broken);
