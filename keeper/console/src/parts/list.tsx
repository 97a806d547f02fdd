// A list of any length: only the rows in sight are in the page.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

const ROW = 36; // pixels
const SIGHT = 480; // pixels
const BEYOND = 6; // rows drawn above and below

interface Given<T> {
  /** How wide its columns are. */
  shape: "payments" | "log";
  label: string;
  head: string[];
  rows: T[];
  keyOf: (row: T) => string | number;
  /** What stands in its columns; text is shown in full when it is pointed at. */
  cells: (row: T) => ComponentChildren[];
}

export function Rows<T>({ shape, label, head, rows, keyOf, cells }: Given<T>) {
  const [top, setTop] = useState(0);
  const first = Math.max(0, Math.floor(top / ROW) - BEYOND);
  const last = Math.min(rows.length, Math.ceil((top + SIGHT) / ROW) + BEYOND);
  return (
    <div role="table" aria-label={label} aria-rowcount={rows.length + 1} class={`list ${shape}`}>
      <div role="row" class="row head" aria-rowindex={1}>
        {head.map((each) => (
          <span role="columnheader" key={each}>
            {each}
          </span>
        ))}
      </div>
      <div class="sight" role="rowgroup" tabIndex={0} aria-label={label} onScroll={(event) => setTop(event.currentTarget.scrollTop)}>
        <div role="presentation" style={{ height: `${first * ROW}px` }} />
        {rows.slice(first, last).map((row, i) => (
          <div role="row" class="row" key={keyOf(row)} aria-rowindex={first + i + 2}>
            {cells(row).map((cell, column) => (
              <span role="cell" class="mono" key={head[column]} title={typeof cell === "string" ? cell : ""}>
                {cell}
              </span>
            ))}
          </div>
        ))}
        <div role="presentation" style={{ height: `${(rows.length - last) * ROW}px` }} />
      </div>
    </div>
  );
}
