// Pays the people of a CSV file (columns ref, recipient, amount) through the API, each once, and waits until every payment is final.
//
// usage: node pay.js <url> <file with the API key> <file.csv>
//
// The types are made from the API's own document: npm run build. Run it again whenever it broke off: a ref is paid once, however often
// it is sent.
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Row = components["schemas"]["WithdrawalRequest"];
type Problem = components["schemas"]["Problem"];

const AT_ONCE = 10_000; // rows that one list may have
const PAUSE = 500; // between two looks when nothing happened [milliseconds]
const LOST = ["rejected", "cancelled", "displaced"].map((word) => `tidelock.withdrawal.${word}`);

/** Every bad value, by field and rule. */
function refused(problem: Problem): never {
  const lines = (problem.errors ?? []).map(({ line, field, value, rule }) => `  row ${line}: ${field} ${JSON.stringify(value)}: ${rule}`);
  throw new Error([problem.detail, ...lines].join("\n"));
}

/** Fields without quotes, as refs, addresses and amounts are. */
function readRows(file: string): Row[] {
  const [header = "", ...lines] = readFileSync(file, "utf8").trim().split(/\r?\n/);
  const names = header.split(",");
  return lines.map((line) => {
    const fields = line.split(",");
    const field = (name: string) => fields[names.indexOf(name)] ?? "";
    return { ref: field("ref"), to: field("recipient"), amount: field("amount") };
  });
}

/** Files every row; answers with the refs, as the API writes them, and how many were new. */
async function fileAll(client: Client<paths>, rows: Row[]): Promise<{ refs: string[]; added: number }> {
  const refs: string[] = [];
  let added = 0;
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const { data, error } = await client.POST("/v1/withdrawals/bulk", { body: rows.slice(start, start + AT_ONCE) });
    if (data === undefined) refused(error);
    const taken = data.rows.filter(({ outcome }) => outcome === "taken").map(({ ref }) => ref);
    if (taken.length > 0) throw new Error(`not filed, somebody used these refs for something else meanwhile: ${taken.join(", ")}`);
    refs.push(...data.rows.map(({ ref }) => ref));
    added += data.filed;
  }
  return { refs, added };
}

/** Reads what happened until each ref is paid by a final block, or can never be. A back end would keep `next` from run to run. */
async function waitFor(client: Client<paths>, refs: string[]): Promise<Set<string>> {
  const waits = new Set(refs);
  const lost = new Set<string>();
  for (let after = 0; waits.size > 0; ) {
    const { data, error } = await client.GET("/v1/events", { params: { query: { after, limit: 1_000 } } });
    if (data === undefined) refused(error);
    for (const { type, data: about } of data.events) {
      for (const ref of about.refs.filter((ref) => waits.has(ref))) {
        if (LOST.includes(type)) lost.add(ref);
        if (type === "tidelock.withdrawal.paid" || LOST.includes(type)) waits.delete(ref);
      }
    }
    if (data.events.length === 0) await setTimeout(PAUSE);
    after = data.next;
  }
  return lost;
}

const [url = "", keyFile = "", listFile = ""] = process.argv.slice(2);
const authorization = `Bearer ${readFileSync(keyFile, "utf8").trim()}`;
const client = createClient<paths>({ baseUrl: url, headers: { authorization } });
const rows = readRows(listFile);
const { refs, added } = await fileAll(client, rows);
console.log(`${rows.length} requests are durable, ${added} of them new`);
const lost = await waitFor(client, refs);
console.log(`${rows.length - lost.size} are paid, by final blocks`);
if (lost.size > 0) throw new Error(`never paid: ${[...lost].join(", ")}`);
