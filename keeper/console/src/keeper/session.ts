// Whether a keeper's server is at the page's origin, and with which key it is asked. The key lives as long as the page does.
import { useEffect, useMemo, useState } from "preact/hooks";
import { Client, isServed } from "./client.ts";

export interface Keeper {
  /** Undefined until it is known. */
  served: boolean | undefined;
  client: Client | undefined;
  use: (key: string | undefined) => void;
}

export function useKeeper(): Keeper {
  const [served, setServed] = useState<boolean>();
  const [key, use] = useState<string>();
  useEffect(() => void isServed().then(setServed), []);
  const client = useMemo(() => (key === undefined ? undefined : new Client(key)), [key]);
  return { served, client, use };
}
