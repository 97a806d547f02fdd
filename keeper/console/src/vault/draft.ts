// A proposal of payments, as a person writes it: one payment a line. By the rules of `keeper propose`, under numbers that no keeper uses.
import { concat, isAddress, numberToHex, parseUnits, type Address, type Hex } from "viem";
import type { Said } from "../words/index.ts";
import { isAutomatic } from "./packed.ts";
import { passing } from "./passing.ts";
import { batchId, headerOf, packPayments, type Header, type Order } from "./payments.ts";
import type { Snapshot } from "./snapshot.ts";

const MOST = 256; // payments of a batch
const VOTING = 7n * 86_400n; // seconds that votes may take
const SETTLE = 29n * 3_600n; // seconds of life that the vault wants beyond the delay
const ZERO: Hex = `0x${"00".repeat(32)}`;
/** Numbers of proposals begin here; people's are the first 2^40 of them, of which each second has two times 256. */
const PROPOSALS = 1n << 63n;
const COUNTER = (1n << 40n) - 1n;

export interface Drawn {
  id: Hex;
  header: Header;
  order: Order;
  packed: Hex;
  payments: { recipient: Address; amount: bigint; reference: Hex }[];
}

const random = (bytes: number): Uint8Array => crypto.getRandomValues(new Uint8Array(bytes));
const newRef = (): Hex => `0x${[...random(16)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
const asRef = (text: string): Hex | undefined => {
  const digits = text.replaceAll("-", "").replace(/^0x/i, "").toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) ? `0x${digits}` : undefined;
};

function paymentOf(snapshot: Snapshot, line: string, place: number): Drawn["payments"][number] | Said {
  const [recipient = "", amount = "", ref, ...more] = line.split(/[\s,;]+/).filter((word) => word !== "");
  const reference = ref === undefined ? newRef() : asRef(ref);
  const { decimals } = snapshot.token;
  const isAmount = new RegExp(decimals === 0 ? "^\\d+$" : `^\\d+(\\.\\d{1,${decimals}})?$`).test(amount);
  if (!isAddress(recipient) || !isAmount || reference === undefined || more.length > 0) return { key: "badLine", given: { place, line } };
  return { recipient, amount: parseUnits(amount, decimals), reference };
}

const isSaid = (each: object): each is Said => "key" in each;

/** The batch, or every rule that it breaks. */
export function draw(snapshot: Snapshot, text: string): { drawn: Drawn } | { broken: Said[] } {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0 || lines.length > MOST) return { broken: [{ key: "badCount", given: { count: lines.length, most: MOST } }] };
  const read = lines.map((line, i) => paymentOf(snapshot, line, i + 1));
  const broken = read.filter(isSaid);
  const payments = read.filter((each) => !isSaid(each)) as Drawn["payments"];
  if (new Set(payments.map(({ reference }) => reference)).size < payments.length) broken.push({ key: "refTwice" });
  const passes = payments.map(({ recipient, amount }) => passing(snapshot, recipient, amount));
  passes.forEach(({ refusal }, i) => {
    if (refusal !== "None") broken.push({ key: `refusal${refusal}`, given: { place: i + 1 } });
  });
  // Tiers that are automatic come first, and take no proposals.
  const least = snapshot.tiers.findIndex((tier) => !isAutomatic(tier));
  const tier = Math.max(least, ...passes.map((each) => each.tier ?? 0));
  const shape = snapshot.tiers[tier];
  if (least < 0 || !shape) broken.push({ key: "allAutomatic" });
  if (broken.length > 0 || !shape) return { broken };
  const { time } = snapshot.block;
  const half = BigInt((random(1)[0] ?? 0) & 1) << 8n;
  const first = PROPOSALS | ((time << 9n) & COUNTER) | half;
  const expiresAt = time + VOTING + shape.delay + SETTLE;
  const head = concat([numberToHex(first, { size: 8 }), numberToHex(expiresAt, { size: 5 }), numberToHex(tier, { size: 1 })]);
  const order: Order = { context: ZERO, head };
  const packed = packPayments(payments);
  const header = headerOf(order, packed);
  return { drawn: { id: batchId(snapshot.domain, header), header, order, packed, payments } };
}
