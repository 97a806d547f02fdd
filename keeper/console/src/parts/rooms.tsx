// The treasurer's part: what can leave now, and what returns when.
import { RELEASE } from "../vault/lanes.ts";
import { byTheHour, mostOf, roomsOf, type Room } from "../vault/room.ts";
import type { Snapshot } from "../vault/snapshot.ts";
import { amountText, spanText, timeText } from "../vault/words.ts";
import { useSay } from "../words/index.ts";
import { Table } from "./common.tsx";

const WIDTH = 560;
const HEIGHT = 72;

/** Room over the next 28 hours, as steps. */
function Chart({ room, now }: { room: Room; now: bigint }) {
  const say = useSay();
  const x = (time: bigint): number => Number(((time - now) * BigInt(WIDTH)) / RELEASE);
  const y = (amount: bigint): number => HEIGHT - Number((amount * BigInt(HEIGHT - 4)) / (room.cap || 1n));
  const path = room.steps.map(({ time, room }, i) => (i === 0 ? `M0 ${y(room)}` : `H${x(time)} V${y(room)}`)).join(" ");
  return (
    <svg class="chart" viewBox={`0 0 ${WIDTH} ${HEIGHT + 16}`} role="img" aria-label={say("chart", { n: room.tier })}>
      <path class="area" d={`${path} H${WIDTH} V${HEIGHT} H0 Z`} />
      <path class="line" d={`${path} H${WIDTH}`} />
      {[0, 6, 12, 18, 24].map((hours) => (
        <text key={hours} x={(hours * WIDTH) / 28} y={HEIGHT + 13}>
          {hours === 0 ? "0" : `+${hours} h`}
        </text>
      ))}
    </svg>
  );
}

function Gauge({ snapshot, room, now }: { snapshot: Snapshot; room: Room; now: bigint }) {
  const say = useSay();
  const { decimals, symbol } = snapshot.token;
  const amount = (value: bigint): string => `${amountText(value, decimals)} ${symbol}`;
  const tier = snapshot.tiers[room.tier];
  const share = room.cap === 0n ? 0 : Number((room.room * 1000n) / room.cap) / 10;
  return (
    <section class="card" aria-labelledby={`tier-${room.tier}`}>
      <h3 id={`tier-${room.tier}`}>{say("tier", { n: room.tier })}</h3>
      <p class="muted">
        {room.automatic ? say("automatic") : say("terms", { approvals: tier?.approvals, delay: spanText(tier?.delay ?? 0n) })};{" "}
        {tier && say("limits", { known: amount(tier.maxKnown * snapshot.unit), unknown: amount(tier.maxUnknown * snapshot.unit) })}
      </p>
      <p class="figure">{say("roomOf", { room: amount(room.room), cap: amount(room.cap) })}</p>
      <meter min={0} max={100} low={15} optimum={100} value={share} aria-label={say("roomOf", { room: amount(room.room), cap: amount(room.cap) })} />
      {room.steps.length === 1 ? (
        <p class="muted">{say("returnsNone")}</p>
      ) : (
        <>
          <Chart room={room} now={snapshot.block.time} />
          <Table label={`${say("tier", { n: room.tier })}: ${say("returns")}`} head={[say("when"), say("roomThen")]}>
            {room.steps.slice(1).map((step) => (
              <tr key={`${step.time}`}>
                <td>
                  {timeText(step.time)} ({say("in", { span: spanText(step.time - now) })})
                </td>
                <td class="number">{amount(step.room)}</td>
              </tr>
            ))}
          </Table>
          <details>
            <summary>{say("byTheHour")}</summary>
            <Table label={`${say("tier", { n: room.tier })}: ${say("byTheHour")}`} head={[say("when"), say("roomThen")]}>
              {byTheHour(snapshot, room.tier).map((step) => (
                <tr key={`${step.time}`}>
                  <td>{timeText(step.time)}</td>
                  <td class="number">{amount(step.room)}</td>
                </tr>
              ))}
            </Table>
          </details>
        </>
      )}
    </section>
  );
}

export function Rooms({ snapshot, now }: { snapshot: Snapshot; now: bigint }) {
  const say = useSay();
  const most = mostOf(snapshot);
  const amount = (value: bigint): string => `${amountText(value, snapshot.token.decimals)} ${snapshot.token.symbol}`;
  const rows = [
    [most.now, "mostNow"],
    [snapshot.balance, "balance"],
    [most.automatic, "mostAutomatic"],
    [most.policy, "mostPolicy"],
    [most.ceiling, "mostCeiling"],
  ] as const;
  return (
    <>
      <section class="card" aria-labelledby="most">
        <h2 id="most">{say("most")}</h2>
        <dl class="figures">
          {rows.map(([value, key]) => (
            <div key={key}>
              <dt>{say(key)}</dt>
              <dd class="figure">{amount(value)}</dd>
            </div>
          ))}
        </dl>
      </section>
      <div class="cards">
        {roomsOf(snapshot).map((room) => (
          <Gauge key={room.tier} snapshot={snapshot} room={room} now={now} />
        ))}
      </div>
    </>
  );
}
