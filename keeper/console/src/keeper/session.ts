// Whether a keeper's server is at the page's origin, and as whom it is asked: with a key, which lives as long as the page does, or as somebody who
// has signed in, by a cookie that no script can read.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Client, isServed, personNow, signInOffer, type Person } from "./client.ts";
import { Presence, type Known } from "./presence.ts";

export interface Keeper {
  /** Undefined until it is known. */
  served: boolean | undefined;
  /** Where people sign in, if they can. */
  offer: string | undefined;
  /** Who is signed in. */
  person: Person | undefined;
  /** Who was before, if that has changed without a sign-out here. */
  replaced: string | undefined;
  /** Asks with the key that was typed in, or as who is signed in. */
  client: Client | undefined;
  hasKey: boolean;
  use: (key: string | undefined) => void;
  /** Finds out whether one is served, and who is signed in: not before somebody opens a part that asks it. */
  look: () => void;
  signOut: () => Promise<void>;
}

const LONGEST_MS = 2 ** 31 - 1; // that a timer of a browser takes
const AGAIN_MS = 5_000; // after a question that was not answered

export function useKeeper(): Keeper {
  const [{ served, offer, person, replaced }, setKnown] = useState<Known>({});
  const [key, use] = useState<string>();
  const presence = useMemo(() => new Presence({ served: isServed, offer: signInOffer, person: personNow, end: () => new Client().signOut() }, setKnown), []);
  const next = useRef<number | undefined>(undefined);
  const look = (): void =>
    void presence.look().then((isOver) => {
      window.clearTimeout(next.current);
      if (!isOver) next.current = window.setTimeout(look, AGAIN_MS);
    });
  const id = person?.id;
  const client = useMemo(() => {
    if (key !== undefined) return new Client(key);
    // A session that is over, or was ended elsewhere, is found out about by its first refusal; another person's, before anything is done.
    return id === undefined ? undefined : new Client(undefined, look, () => presence.mustBe(id));
  }, [key, id]);
  const endsAt = person?.ends_at;
  useEffect(() => {
    if (endsAt === undefined) return undefined;
    const timer = window.setTimeout(look, Math.min(LONGEST_MS, Math.max(0, endsAt * 1_000 - Date.now()) + 1_000));
    return () => window.clearTimeout(timer);
  }, [endsAt]);
  useEffect(() => {
    const seen = (): void => {
      if (document.visibilityState === "visible" && presence.known.served === true) look();
    };
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, []);
  const signOut = async (): Promise<void> => (id === undefined ? undefined : presence.signOut(id));
  return { served, offer, person, replaced, client, hasKey: key !== undefined, use, look, signOut };
}

const PLACE = "tidelock.part";
/** Whoever signs in comes back to the part that they left. */
export const leave = (part: string): void => sessionStorage.setItem(PLACE, part);
export function cameBackTo(): string | undefined {
  const part = sessionStorage.getItem(PLACE) ?? undefined;
  sessionStorage.removeItem(PLACE);
  return part;
}
