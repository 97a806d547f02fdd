// A policy change in a sentence.
import type { Content, Kind } from "../vault/typed.ts";
import { spanText, timeText } from "../vault/words.ts";
import type { Say } from "../words/index.ts";

const ROLE = ["roleKeeper", "roleProposer", "roleGuardian"] as const;
const STANDING = ["standingUnknown", "standingKnown", "standingBlocked"] as const;

export function changeText(kind: Kind, content: Content, say: Say): string {
  const list = (value: unknown): string => (value as string[]).join(", ");
  const time = (value: unknown): string => timeText(Number(value));
  const role = (): string => say(ROLE[Number(content.role)] ?? "role");
  const standing = (value: unknown): string => say(STANDING[Number(value)] ?? "standing");
  switch (kind) {
    case "Signers":
      return say("changeSigners", { threshold: content.threshold, signers: list(content.signers) });
    case "Tiers":
      return say("changeTiers", { delay: spanText(Number(content.policyDelay)) });
    case "Tighten":
      return say("changeTighten");
    case "Recipients":
      return say("changeRecipients", { from: standing(content.oldStanding), to: standing(content.standing), recipients: list(content.recipients) });
    case "Role":
      if (Number(content.until) === 0) return say("changeRoleEnd", { role: role(), account: content.account });
      return say("changeRole", { role: role(), until: time(content.until), account: content.account });
    case "Guardians":
      return say("changeGuardians", { until: time(content.until), guardians: list(content.guardians) });
    case "Unfreeze":
      return say("changeUnfreeze", { until: time(content.haltedUntil) });
    case "Successor":
      return say("changeSuccessor", { successor: content.successor });
    case "Sweep":
      return say("changeSweep", { token: content.token });
  }
}
