import type { ComponentChildren } from "preact";
import type { Address } from "viem";

/** An address in full, in groups that an eye can follow. */
export const Account = ({ address }: { address: Address }) => (
  <span class="address" title={address}>
    {address}
  </span>
);

export const Notice = ({ kind, children }: { kind: "bad" | "warn" | "good"; children: ComponentChildren }) => (
  <div class={`notice ${kind}`} role={kind === "bad" ? "alert" : "status"}>
    {children}
  </div>
);

/** A table that scrolls sideways by keyboard too. */
export const Table = ({ label, head, children }: { label: string; head: string[]; children: ComponentChildren }) => (
  <div class="table" tabIndex={0} role="region" aria-label={label}>
    <table>
      <thead>
        <tr>
          {head.map((each) => (
            <th key={each} scope="col">
              {each}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </div>
);
