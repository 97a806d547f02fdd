import { useEffect, useState } from "preact/hooks";
import { isFinal } from "./client.ts";

export interface Polled<T> {
  /** What was answered last. */
  told: T | undefined;
  /** Why nothing newer is. */
  trouble: string | undefined;
  again: () => void;
}

/** Asks at once, and again after each pause, until `about` is something else. A key that is refused is not tried again. */
export function usePolled<T>(ask: () => Promise<T>, pauseMs: number, about: unknown): Polled<T> {
  const [told, setTold] = useState<T>();
  const [trouble, setTrouble] = useState<string>();
  const [round, setRound] = useState(0);
  useEffect(() => {
    let timer: number | undefined;
    let isOver = false;
    const turn = async (): Promise<void> => {
      try {
        const answer = await ask();
        if (isOver) return;
        setTold(answer);
        setTrouble(undefined);
      } catch (error) {
        if (isOver) return;
        setTrouble((error as Error).message);
        if (isFinal(error)) return;
      }
      timer = window.setTimeout(() => void turn(), pauseMs);
    };
    void turn();
    return () => {
      isOver = true;
      window.clearTimeout(timer);
    };
  }, [about, round]);
  return { told, trouble, again: () => setRound((before) => before + 1) };
}
