// Which vault, and by which nodes. Kept in this browser; a link may propose others, which nobody uses unasked.
import { getAddress, isAddress, type Address } from "viem";
import type { Say } from "./words/index.ts";
import { LENS_ADDRESS } from "./vault/abi.ts";

export interface Settings {
  vault: Address;
  nodes: string[];
  lens: Address;
  from: bigint;
}

/** As it is typed. */
export interface Draft {
  vault: string;
  nodes: string;
  lens: string;
  from: string;
}

const PLACE = "tidelock.settings";
const EMPTY: Draft = { vault: "", nodes: "", lens: LENS_ADDRESS, from: "0" };
/** Hosts to which plain HTTP leaves the machine nowhere. */
const LOCAL = ["localhost", "127.0.0.1"];

function isNode(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, origin } = new URL(text);
  return protocol === "https:" || (protocol === "http:" && (LOCAL.includes(hostname) || origin === location.origin));
}

/** Where a node is, however it is spelt: two names of one place are one node's word. */
function placeOf(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/\.$/, "");
  return `${protocol}//${LOCAL.includes(host) || host === "[::1]" ? "localhost" : host}:${port}`;
}

/** Nodes at the place of one before them. */
function again(nodes: string[]): { value: string; before: string }[] {
  return nodes.flatMap((value, i) => {
    const before = nodes.slice(0, i).find((each) => placeOf(each) === placeOf(value));
    return before === undefined ? [] : [{ value, before }];
  });
}

/** The settings, or every rule that the draft breaks. */
export function parse(draft: Draft, say: Say): { settings: Settings } | { broken: string[] } {
  const nodes = draft.nodes.split(/\s+/).filter((url) => url !== "");
  const broken = nodes.filter((url) => !isNode(url)).map((value) => say("badUrl", { value }));
  broken.push(...again(nodes.filter(isNode)).map((given) => say("nodeTwice", given)));
  if (nodes.length === 0) broken.push(say("needNode"));
  for (const [field, value] of [[say("vaultAddress"), draft.vault.trim()], [say("lensAddress"), draft.lens.trim()]] as const) {
    if (!isAddress(value)) broken.push(say("badAddress", { field, value }));
  }
  if (!/^\d+$/.test(draft.from.trim())) broken.push(say("badBlock", { value: draft.from }));
  if (broken.length > 0) return { broken };
  return { settings: { vault: getAddress(draft.vault.trim()), nodes, lens: getAddress(draft.lens.trim()), from: BigInt(draft.from.trim()) } };
}

export const stored = (): Draft => {
  try {
    return { ...EMPTY, ...(JSON.parse(localStorage.getItem(PLACE) ?? "{}") as Partial<Draft>) };
  } catch {
    return EMPTY;
  }
};
export const store = (draft: Draft): void => localStorage.setItem(PLACE, JSON.stringify(draft));

/** What the address bar proposes: `#vault=…&node=…&node=…&lens=…&from=…`. */
export function proposed(fragment: string): Draft | undefined {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const vault = given.get("vault");
  if (vault === null) return undefined;
  return { vault, nodes: given.getAll("node").join("\n"), lens: given.get("lens") ?? EMPTY.lens, from: given.get("from") ?? EMPTY.from };
}
