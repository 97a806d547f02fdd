import { expect, test } from "@playwright/test";
import { compare, differences } from "../../src/vault/compare.ts";
import { lookAlike } from "../../src/vault/lookalike.ts";
import { amountText, spanText } from "../../src/vault/words.ts";
import { en } from "../../src/words/en.ts";
import { zh } from "../../src/words/zh.ts";

const BOOK = "0x8D2f5D3CBeeB2C68a278aC1Ef52818cCEC71F69c";

test("an address that begins and ends like another is marked, itself is not", () => {
  expect(lookAlike("0x8d2f000000000000000000000000000000001f69", [BOOK])).toBeUndefined();
  expect(lookAlike("0x8D2f00000000000000000000000000000000f69C", [BOOK])).toBe(BOOK);
  expect(lookAlike("0x8d2f5d3cbeeb2c68a278ac1ef52818ccec71f69c", [BOOK])).toBeUndefined();
  expect(lookAlike("0x9D2f00000000000000000000000000000000f69c", [BOOK])).toBeUndefined();
});

test("two nodes' tales differ by field, also where one keeps a proposal back", () => {
  expect(differences({ a: 1n, b: [1, { c: 2n }] }, { a: 1n, b: [1, { c: 3n }] })).toEqual([{ field: "b.1.c", one: '"2"', other: '"3"' }]);
  const proposals = [{ id: "0x01" }, { id: "0x02" }];
  const told = compare({ proposals } as never, { proposals: proposals.slice(1) } as never);
  expect(told).toEqual([{ field: "proposals.0x01", one: '{"id":"0x01"}', other: "–" }]);
});

test("amounts keep every digit, spans their two largest parts", () => {
  expect(amountText(978843133977n, 6)).toBe("978\u202f843.133977");
  expect(amountText(2n ** 127n, 18)).toBe("170\u202f141\u202f183\u202f460\u202f469\u202f231\u202f731.687303715884105728");
  expect([0, 59, 3_600, 90_061, 86_400].map((seconds) => spanText(seconds))).toEqual(["0 s", "59 s", "1 h", "1 d 1 h", "1 d"]);
});

test("both languages fill in the same", () => {
  const blanks = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? "").sort();
  for (const [key, text] of Object.entries(en)) expect(blanks(zh[key as keyof typeof en]), key).toEqual(blanks(text));
});
