import { expect, test } from "@playwright/test";
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
