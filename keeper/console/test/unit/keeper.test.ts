import { expect, test } from "@playwright/test";
import { Acts } from "../../src/keeper/acts.ts";
import type { Act } from "../../src/keeper/client.ts";
import { asCsv, cell } from "../../src/keeper/csv.ts";
import { readEvents } from "../../src/keeper/events.ts";

test("no cell begins as a formula does", () => {
  for (const text of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]) expect(cell(text)).toBe(`"'${text}"`);
  expect(cell('a "b", c')).toBe('"a ""b"", c"');
  const row = { ref: "0x01", to: "0x02", amount: "12.5", status: "held", hold: { reason: "operator", detail: '=HYPERLINK("x")' }, batch: null, transaction: null, arrival: 1 };
  expect(asCsv([row]).split("\r\n")[1]).toBe('"0x01","0x02","12.5","held","operator","\'=HYPERLINK(""x"")","",""');
});

test("events are whole, however they arrive", () => {
  const text = 'id: 7\nevent: a\ndata: {"x":\ndata: 1}\n\n:\n\nid: 8\r\ndata: y\r\n\r\nid: 9\nda';
  expect(readEvents(text)).toEqual({ events: [{ id: "7", data: '{"x":\n1}' }, { id: "8", data: "y" }], rest: "id: 9\nda" });
});

test("each act is asked for once, and an answer ends what was asked for", async () => {
  const act = (id: number, answers: number | null = null): Act => ({ id, answers, answered_by: null, deed: null, body: "", prev: "0x", hash: "0x" });
  const kept = [act(1), act(2), act(3, 1)];
  const asked: number[] = [];
  const acts = new Acts({ acts: async (after) => (asked.push(after), kept.filter(({ id }) => id > after).slice(0, 2)) });
  const answers = async () => (await acts.look()).map(({ id, answered_by }) => [id, answered_by]);
  expect(await answers()).toEqual([[1, 3], [2, null], [3, null]]);
  expect(await answers()).toEqual([[1, 3], [2, null], [3, null]]);
  kept.push(act(4, 2));
  // Two looks at once, as after an act: nothing comes twice.
  await Promise.all([acts.look(), acts.look()]);
  expect(await answers()).toEqual([[1, 3], [2, 4], [3, null], [4, null]]);
  expect(asked.filter((after) => after === 0)).toEqual([0]);
});
