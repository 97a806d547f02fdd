// Fields of a form, read one by one; each rule that is broken is kept with its field and value.
import { formatUnits, getAddress, isAddress, parseUnits, zeroAddress, type Address } from "viem";
import type { Snapshot } from "./snapshot.ts";
import { amountText, timeText } from "./words.ts";
import type { Said } from "../words/index.ts";

/** As it is typed, by field. */
export type Typed = Record<string, string>;

/** An amount as it is typed. */
export const asAmount = (amount: bigint, decimals: number): string => formatUnits(amount, decimals);
/** A time as it is typed: UTC, to the minute. */
export const asTime = (seconds: bigint): string => timeText(seconds).replace(" UTC", "");

export class Reading {
  readonly broken: Said[] = [];

  constructor(
    private readonly snapshot: Snapshot,
    private readonly typed: Typed,
  ) {}

  private text(name: string): string {
    return (this.typed[name] ?? "").trim();
  }

  isEmpty(name: string): boolean {
    return this.text(name) === "";
  }

  shown(amount: bigint): string {
    return `${amountText(amount, this.snapshot.token.decimals)} ${this.snapshot.token.symbol}`;
  }

  whole(name: string, field: Said, least: number, most: number): number {
    const value = this.text(name);
    const read = /^\d{1,12}$/.test(value) ? Number(value) : undefined;
    if (read === undefined) this.broken.push({ key: "ruleWhole", given: { field, value } });
    else if (read < least || read > most) this.broken.push({ key: "ruleRange", given: { field, value, least, most } });
    return read ?? least;
  }

  /** [base units] */
  amount(name: string, field: Said, least: bigint, most: bigint, unit: bigint): bigint {
    const value = this.text(name);
    const { decimals } = this.snapshot.token;
    if (!new RegExp(decimals === 0 ? "^\\d{1,30}$" : `^\\d{1,30}(\\.\\d{1,${decimals}})?$`).test(value)) {
      this.broken.push({ key: "ruleAmount", given: { field, value } });
      return least;
    }
    const read = parseUnits(value, decimals);
    if (read % unit !== 0n) this.broken.push({ key: "ruleUnit", given: { field, value, unit: this.shown(unit) } });
    if (read < least || read > most) this.broken.push({ key: "ruleRange", given: { field, value, least: this.shown(least), most: this.shown(most) } });
    return read;
  }

  /** One that may be somebody in the vault: not zero, nor the vault, nor its token. */
  address(name: string, field: Said): Address {
    return this.one(this.text(name), field);
  }

  private one(value: string, field: Said): Address {
    if (!isAddress(value)) {
      this.broken.push({ key: "badAddress", given: { field, value } });
      return zeroAddress;
    }
    const { domain, token } = this.snapshot;
    const own = [zeroAddress, domain.verifyingContract, token.address].map((each) => each.toLowerCase());
    if (own.includes(value.toLowerCase())) this.broken.push({ key: "ruleReserved", given: { field, value } });
    return getAddress(value);
  }

  /** One a line, none twice. */
  addresses(name: string, field: Said, most: number): Address[] {
    const lines = this.text(name).split(/[\s,;]+/).filter((line) => line !== "");
    if (lines.length === 0 || lines.length > most) this.broken.push({ key: "ruleLines", given: { field, count: lines.length, most } });
    const all = lines.map((line) => this.one(line, field));
    const twice = all.filter((each, i) => all.indexOf(each) !== i);
    this.broken.push(...twice.map((value): Said => ({ key: "ruleTwice", given: { field, value } })));
    return all;
  }

  /** [seconds] */
  anyTime(name: string, field: Said): bigint {
    const value = this.text(name);
    const [, day, minute] = value.match(/^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d))?(?: ?UTC)?$/) ?? [];
    const read = Date.parse(`${day}T${minute ?? "00:00"}:00Z`);
    if (day === undefined || Number.isNaN(read)) {
      this.broken.push({ key: "ruleTime", given: { field, value } });
      return 0n;
    }
    return BigInt(Math.floor(read / 1_000));
  }

  /** The same between two times, unless it is before `tightensBefore`, when there is nothing more to hold it to. [seconds] */
  time(name: string, field: Said, least: bigint, most: bigint, tightensBefore = 0n): bigint {
    const before = this.broken.length;
    const read = this.anyTime(name, field);
    const isBad = read >= tightensBefore && (read < least || read > most);
    if (this.broken.length === before && isBad) this.broken.push({ key: "ruleRange", given: { field, value: this.text(name), least: timeText(least), most: timeText(most) } });
    return read;
  }
}
