// Those alerts of keeper/operations/alerts.yml that one look at the figures can judge, by the same limits. What takes a rate over time only
// Prometheus can. A test holds names and limits to that file.
import type { Figures } from "./figures.ts";

const DAY = 86_400; // seconds
const least = (values: number[]): number => Math.min(...values);
const most = (values: number[]): number => Math.max(...values);
type Judge = (figures: Figures, now: number) => boolean;

const above = (name: string, limit: number, labels?: Record<string, string>): Judge => (figures) => (figures.one(name, labels) ?? 0) > limit;
const halted = (causes: string[], isOther = false): Judge => (figures) =>
  figures.each("halted").some(({ labels, value }) => value === 1 && causes.includes(labels.cause ?? "") !== isOther);

export const ALERTS: Record<string, Judge> = {
  KeeperDown: (figures) => figures.isEmpty,
  KeeperHangs: above("beat_age_seconds", 15),
  KeeperStarts: (figures) => !figures.isEmpty && figures.one("sends") === undefined,
  KeeperHalted: halted(["restored", "reopened", "operator"], true),
  LogReopened: halted(["reopened"]),
  KeeperHaltedLong: halted(["restored", "operator"]),
  KeeperAlerts: above("alerts", 0),
  StoreUnreadable: (figures) => figures.one("store_readable") === 0 && figures.one("sends") !== undefined,
  NoUsableAnswer: above("failing", 0),
  NodeBehind: (figures) => {
    const times = figures.each("node_time_seconds").map(({ value }) => value);
    return times.length > 1 && most(times) - least(times) > 120;
  },
  FinalityStandsStill: (figures, now) => now - (figures.one("final_time_seconds") ?? now) > 3_600,
  FeeAtCap: (figures) => (figures.one("fee_gwei", { what: "needed" }) ?? 0) > (figures.one("fee_gwei", { what: "payment cap" }) ?? Infinity),
  GasLow: (figures) => (figures.one("gas_balance_coins") ?? Infinity) < (figures.one("gas_reserve_coins") ?? 0),
  GasBudget: (figures) => {
    const used = figures.each("gas_day_coins").filter(({ labels }) => labels.what !== "budget");
    return used.reduce((sum, { value }) => sum + value, 0) > 0.9 * (figures.one("gas_day_coins", { what: "budget" }) ?? Infinity);
  },
  RoleEnds: (figures, now) => figures.each("role_ends_seconds").some(({ value }) => value > 0 && value - now < 30 * DAY),
  PaymentsHeld: above("payments", 0, { state: "held" }),
  CapNearlyUsed: (figures) =>
    figures.each("tier_headroom_tokens").some(({ labels, value }) => value < 0.1 * (figures.one("tier_cap_tokens", { tier: labels.tier ?? "" }) ?? 0)),
  VaultNeedsMoney: (figures) => (figures.one("vault_balance_tokens") ?? Infinity) < (figures.one("tier_headroom_tokens", { tier: "0" }) ?? 0),
  VaultFrozen: (figures, now) => (figures.one("vault_frozen_until_seconds") ?? 0) > now,
};

/** Names of those that hold now. */
export const raised = (figures: Figures, now: number): string[] =>
  Object.entries(ALERTS).flatMap(([name, judge]) => (figures.isEmpty && name !== "KeeperDown" ? [] : judge(figures, now) ? [name] : []));
