// The four figures of the business, each with its bars over time and the numbers behind them.
import { useEffect, useState } from "preact/hooks";
import { Business, abnormalRate, complianceRate, endOf, meanArrival, successRate, type Span } from "../keeper/business.ts";
import { isFinal, type Client } from "../keeper/client.ts";
import type { Keeper } from "../keeper/session.ts";
import { spanText, timeText } from "../vault/words.ts";
import { useSay } from "../words/index.ts";
import { Notice, Table } from "./common.tsx";
import { WithKey } from "./key.tsx";

const PAUSE_MS = 3_000;
/** Events that are looked at; what is older is left out. */
const MOST = 100_000;
const AT_ONCE = 8;
const WIDTH = 560;
const HEIGHT = 96;
const WIDEST = 40; // of a bar

/** The sequence after which the last `MOST` events begin. */
async function begin(client: Client): Promise<number> {
  const end = await endOf(async (sequence) => (await client.events(sequence - 1, 1)).length > 0);
  return Math.max(0, end - MOST);
}

/** When those were taken in that are paid in these events and were taken in before them. */
async function lookUp(client: Client, business: Business, refs: string[]): Promise<void> {
  const missing = refs.filter((ref) => !business.knows(ref));
  for (let i = 0; i < missing.length; i += AT_ONCE) {
    const told = await Promise.all(missing.slice(i, i + AT_ONCE).map((ref) => client.show(ref)));
    for (const { ref, arrival, accepted_at } of told) if (arrival > 0 && accepted_at) business.learn(ref, accepted_at);
  }
}

function useBusiness(client: Client) {
  const [made, setMade] = useState<ReturnType<Business["bars"]> & { events: number; after: number; isRead: boolean }>();
  const [trouble, setTrouble] = useState<string>();
  useEffect(() => {
    let isOver = false;
    let timer: number | undefined;
    let after: number | undefined;
    let first = 0;
    const business = new Business();
    const turn = async (): Promise<void> => {
      try {
        if (after === undefined) first = after = await begin(client);
        for (;;) {
          const events = await client.events(after);
          if (first > 0) await lookUp(client, business, events.filter(({ type }) => type === "tidelock.withdrawal.paid").flatMap(({ data }) => data.refs));
          if (isOver) return;
          for (const event of events) business.take(event);
          after = business.last || after;
          setMade({ ...business.bars(), events: after - first, after: first, isRead: events.length === 0 });
          if (events.length === 0) break;
        }
        setTrouble(undefined);
      } catch (error) {
        if (isOver) return;
        setTrouble((error as Error).message);
        if (isFinal(error)) return;
      }
      timer = window.setTimeout(() => void turn(), PAUSE_MS);
    };
    void turn();
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [client]);
  return { made, trouble };
}

interface Drawn {
  id: string;
  title: string;
  means: string;
  bars: Span[];
  all: Span;
  width: number;
  value: (span: Span) => number | undefined;
  text: (value: number) => string;
  /** What fills the height; none for the highest bar. */
  full?: number;
}

function Chart({ id, title, means, bars, all, width, value, text, full }: Drawn) {
  const say = useSay();
  const total = value(all);
  const top = full ?? Math.max(1, ...bars.map((bar) => value(bar) ?? 0));
  const step = Math.min(WIDEST, WIDTH / Math.max(1, bars.length));
  const shown = (span: Span): string => {
    const one = value(span);
    return one === undefined ? "–" : text(one);
  };
  return (
    <section class="card" aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      <p class="figure">{total === undefined ? say("nothingYet") : text(total)}</p>
      <p class="muted">{means}</p>
      <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT + 16}`} role="img" aria-label={say("barsOver", { title, count: bars.length, span: spanText(width) })}>
        <path class="line" d={`M0 ${HEIGHT} H${WIDTH}`} />
        {bars.map((bar, i) => {
          const one = value(bar);
          const height = one === undefined ? 0 : Math.max(1, (one / top) * (HEIGHT - 4));
          return one === undefined ? null : <rect key={bar.from} class="bar" x={i * step + 1} y={HEIGHT - height} width={Math.max(1, step - 2)} height={height} />;
        })}
        <text x={0} y={HEIGHT + 13}>
          {bars[0] && timeText(bars[0].from)}
        </text>
        <text class="end" x={WIDTH} y={12}>
          {total !== undefined && text(top)}
        </text>
      </svg>
      <details>
        <summary>{say("numbers")}</summary>
        <Table label={`${title}: ${say("numbers")}`} head={[say("from"), title]}>
          {bars.map((bar) => (
            <tr key={bar.from}>
              <td>{timeText(bar.from)}</td>
              <td class="number">{shown(bar)}</td>
            </tr>
          ))}
        </Table>
      </details>
    </section>
  );
}

const percent = (share: number): string => `${Math.round(share * 10_000) / 100} %`;

function Figures({ client }: { client: Client }) {
  const say = useSay();
  const { made, trouble } = useBusiness(client);
  const shared = made && { bars: made.bars, all: made.all, width: made.width };
  return (
    <>
      {trouble && <Notice kind="warn">{say("keeperDown", { why: trouble })}</Notice>}
      {made && (
        <p role="status">
          {say(made.after > 0 ? "eventsSince" : "eventsAll", { count: made.events, after: made.after })} – {say(made.isRead ? "live" : "catching")}
        </p>
      )}
      {shared && (
        <div class="cards">
          <Chart id="success" title={say("successRate")} means={say("successMeans")} value={successRate} text={percent} full={1} {...shared} />
          <Chart id="arrival" title={say("meanArrival")} means={say("arrivalMeans")} value={meanArrival} text={(seconds) => spanText(Math.round(seconds))} {...shared} />
          <Chart id="abnormal" title={say("abnormalRate")} means={say("abnormalMeans")} value={abnormalRate} text={percent} full={1} {...shared} />
          <Chart id="compliance" title={say("complianceRate")} means={say("complianceMeans")} value={complianceRate} text={percent} full={1} {...shared} />
        </div>
      )}
    </>
  );
}

export function BusinessPart({ keeper }: { keeper: Keeper }) {
  const say = useSay();
  return (
    <WithKey id="business" head={say("tabBusiness")} hint={say("businessHint")} keeper={keeper}>
      {(client) => <Figures client={client} />}
    </WithKey>
  );
}
