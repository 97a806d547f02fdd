// Amounts, times and addresses as people read them.
import { formatUnits } from "viem";

/** With its decimals, grouped by a thin space that no locale reads as a decimal sign. */
export function amountText(amount: bigint, decimals: number): string {
  const [whole = "0", fraction] = formatUnits(amount, decimals).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

export const timeText = (seconds: bigint | number): string => `${new Date(Number(seconds) * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;

/** Two largest parts of a span: "3 d 4 h", "59 min 10 s". */
export function spanText(seconds: bigint | number): string {
  let left = Math.max(0, Number(seconds));
  const parts: string[] = [];
  for (const [name, length] of [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]] as const) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0) parts.push(`${count} ${name}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ") || "0 s";
}

export const shortAddress = (address: string): string => `${address.slice(0, 8)}…${address.slice(-6)}`;
