// Whether a keeper's server is at the page's origin, and as whom it is asked: with a key, which lives as long as the page does, or as somebody who
// has signed in, by a cookie that no script can read.
import { useEffect, useMemo, useState } from "preact/hooks";
import { Client, isServed, personNow, signInOffer, type Person } from "./client.ts";

export interface Keeper {
  /** Undefined until it is known. */
  served: boolean | undefined;
  /** Where people sign in, if they can. */
  offer: string | undefined;
  /** Who is signed in. */
  person: Person | undefined;
  /** Asks with the key that was typed in, or as who is signed in. */
  client: Client | undefined;
  hasKey: boolean;
  use: (key: string | undefined) => void;
  /** Finds out whether one is served, and who is signed in: not before somebody opens a part that asks it. */
  look: () => void;
  signOut: () => Promise<void>;
}

interface Known {
  served?: boolean;
  offer?: string | undefined;
  person?: Person | undefined;
}

async function find(): Promise<Known> {
  if (!(await isServed())) return { served: false };
  const offer = await signInOffer();
  return { served: true, offer, person: offer === undefined ? undefined : await personNow() };
}

const LONGEST_MS = 2 ** 31 - 1; // that a timer of a browser takes

export function useKeeper(): Keeper {
  const [{ served, offer, person }, setKnown] = useState<Known>({});
  const [key, use] = useState<string>();
  const look = (): void => void find().then(setKnown);
  const id = person?.id;
  // A session that is over, or was ended elsewhere, is found out about by its first refusal.
  const client = useMemo(() => (key !== undefined ? new Client(key) : id !== undefined ? new Client(undefined, look) : undefined), [key, id]);
  const endsAt = person?.ends_at;
  useEffect(() => {
    if (endsAt === undefined) return undefined;
    const timer = window.setTimeout(look, Math.min(LONGEST_MS, Math.max(0, endsAt * 1_000 - Date.now()) + 1_000));
    return () => window.clearTimeout(timer);
  }, [endsAt]);
  const signOut = async (): Promise<void> => {
    await new Client().signOut();
    setKnown((before) => ({ ...before, person: undefined }));
  };
  return { served, offer, person, client, hasKey: key !== undefined, use, look, signOut };
}

const PLACE = "tidelock.part";
/** Whoever signs in comes back to the part that they left. */
export const leave = (part: string): void => sessionStorage.setItem(PLACE, part);
export function cameBackTo(): string | undefined {
  const part = sessionStorage.getItem(PLACE) ?? undefined;
  sessionStorage.removeItem(PLACE);
  return part;
}
