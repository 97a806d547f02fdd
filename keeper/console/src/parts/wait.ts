import type { Proposal } from "../vault/proposals.ts";
import { spanText, timeText } from "../vault/words.ts";
import type { Say } from "../words/index.ts";

/** What keeps a proposal from being executed now, as the lens tells it. */
export function waitText({ waits }: Proposal, now: bigint, say: Say): string {
  if (!waits) return say("noLens");
  const time = waits.earliest === 0 ? say("never") : timeText(waits.earliest);
  return say(`blocker${waits.blocker}`, { time, span: spanText(BigInt(waits.earliest) - now) });
}
