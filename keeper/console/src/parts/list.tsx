// A list of any length: only the rows in sight are in the page.
import { useState } from "preact/hooks";
import type { Withdrawal } from "../keeper/client.ts";
import { useSay } from "../words/index.ts";

const ROW = 36; // pixels
const SIGHT = 480; // pixels
const BEYOND = 6; // rows drawn above and below

export function List({ rows }: { rows: Withdrawal[] }) {
  const say = useSay();
  const [top, setTop] = useState(0);
  const first = Math.max(0, Math.floor(top / ROW) - BEYOND);
  const last = Math.min(rows.length, Math.ceil((top + SIGHT) / ROW) + BEYOND);
  const head = [say("ref"), say("recipient"), say("amount"), say("status")];
  return (
    <div role="table" aria-label={say("history")} aria-rowcount={rows.length + 1} class="list">
      <div role="row" class="row head" aria-rowindex={1}>
        {head.map((each) => (
          <span role="columnheader" key={each}>
            {each}
          </span>
        ))}
      </div>
      <div class="sight" role="rowgroup" tabIndex={0} aria-label={say("history")} onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
        <div role="presentation" style={{ height: `${first * ROW}px` }} />
        {rows.slice(first, last).map((row, i) => (
          <div role="row" class="row" key={row.ref} aria-rowindex={first + i + 2}>
            <span role="cell" class="mono">
              {row.ref}
            </span>
            <span role="cell" class="mono">
              {row.to}
            </span>
            <span role="cell" class="number">
              {row.amount}
            </span>
            <span role="cell" title={row.hold?.detail ?? ""}>
              {row.status}
              {row.hold && ` (${row.hold.reason})`}
            </span>
          </div>
        ))}
        <div role="presentation" style={{ height: `${(rows.length - last) * ROW}px` }} />
      </div>
    </div>
  );
}
