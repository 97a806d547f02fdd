// Acts as they come: each is read once, and an act that answers another ends what that one asked for.
import type { Act, Client } from "./client.ts";

/** The same list with more of it. */
export function withMore(known: Act[], more: Act[]): Act[] {
  const fresh = more.filter(({ id }) => id > (known.at(-1)?.id ?? 0));
  if (fresh.length === 0) return known;
  const answers = new Map(fresh.flatMap(({ id, answers }) => (answers === null ? [] : [[answers, id] as const])));
  return [...known.map((act) => (answers.has(act.id) ? { ...act, answered_by: answers.get(act.id) ?? null } : act)), ...fresh];
}

/** All of them, of which only the new ones are asked for. */
export class Acts {
  private known: Act[] = [];

  constructor(private readonly client: Pick<Client, "acts">) {}

  async look(): Promise<Act[]> {
    for (;;) {
      const more = await this.client.acts(this.known.at(-1)?.id ?? 0);
      this.known = withMore(this.known, more);
      if (more.length === 0) return this.known;
    }
  }
}
