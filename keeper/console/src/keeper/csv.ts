// A table that is safe to open in a spreadsheet: no cell begins as a formula does, and each is quoted.
import type { Withdrawal } from "./client.ts";

const FORMULA = /^[=+\-@\t\r\n]/;

export const cell = (text: string): string => `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;

export const asCells = (rows: (string | null | undefined)[][]): string => rows.map((row) => `${row.map((each) => cell(each ?? "")).join(",")}\r\n`).join("");

const HEAD = ["ref", "recipient", "amount", "status", "hold", "detail", "batch", "transaction"];

export const asCsv = (rows: Withdrawal[]): string =>
  asCells([HEAD, ...rows.map(({ ref, to, amount, status, hold, batch, transaction }) => [ref, to, amount, status, hold?.reason, hold?.detail, batch, transaction])]);
