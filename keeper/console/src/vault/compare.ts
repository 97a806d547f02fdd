// Two nodes at one block: all that differs between what they tell, by field.
import type { Snapshot } from "./snapshot.ts";

export interface Difference {
  field: string;
  one: string;
  other: string;
}

const asText = (value: unknown): string => (value === undefined ? "–" : JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}` : each)));
const isPlain = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

/** Every leaf at which the two are not the same. */
export function differences(one: unknown, other: unknown, field = ""): Difference[] {
  if (isPlain(one) && isPlain(other)) {
    const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    return names.flatMap((name) => differences(one[name], other[name], field === "" ? name : `${field}.${name}`));
  }
  return one === other || asText(one) === asText(other) ? [] : [{ field, one: asText(one), other: asText(other) }];
}

/** Proposals by their id, so that one that is kept back shifts no others. */
const comparable = (snapshot: Snapshot): unknown => ({ ...snapshot, proposals: Object.fromEntries(snapshot.proposals.map((proposal) => [proposal.id, proposal])) });

export const compare = (one: Snapshot, other: Snapshot): Difference[] => differences(comparable(one), comparable(other));
