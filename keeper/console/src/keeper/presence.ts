// What is known of the server at the page's origin and of who is signed in there. Only an answer changes it: nobody is signed in if the server says so,
// not if it is asked too much, in trouble or out of reach.
import { mayPass, type Person } from "./client.ts";

export interface Known {
  served?: boolean;
  offer?: string | undefined;
  person?: Person | undefined;
  /** Whose place who is signed in now has taken. */
  replaced?: string | undefined;
}

/** What the server is asked; each throws if that is not answered. */
export interface Asked {
  served: () => Promise<boolean>;
  offer: () => Promise<string | undefined>;
  person: () => Promise<Person | undefined>;
  /** Signs out. */
  end: () => Promise<void>;
}

export class Presence {
  known: Known = {};
  private begun = 0;
  /** What was asked before this says nothing any more. */
  private settled = 0;

  constructor(
    private readonly asked: Asked,
    private readonly tell: (known: Known) => void,
  ) {}

  /** Whether that was all answered, or asking again helps nothing. */
  async look(): Promise<boolean> {
    const mine = ++this.begun;
    const found: Known = {};
    let isOver = true;
    try {
      found.served = await this.asked.served();
      found.offer = found.served ? await this.asked.offer() : undefined;
      found.person = found.offer === undefined ? undefined : await this.asked.person();
    } catch (error) {
      isOver = !mayPass(error);
      found.served ??= this.known.served ?? false;
    }
    this.take(mine, found);
    return isOver;
  }

  /** Before something is done as somebody, whom another tab may have signed out or replaced. */
  async mustBe(id: string): Promise<void> {
    const mine = ++this.begun;
    const person = await this.asked.person();
    this.take(mine, { person });
    if (person?.id !== id || this.known.person?.id !== id) throw new Error("nothing was sent: who is signed in has changed");
  }

  async signOut(id: string): Promise<void> {
    await this.mustBe(id);
    await this.asked.end();
    this.take(++this.begun, { person: undefined });
  }

  private take(asked: number, found: Known): void {
    if (asked < this.settled) return;
    this.settled = asked;
    const before = this.known;
    this.known = { ...before, ...found };
    const { person } = this.known;
    if (before.person && person && before.person.id !== person.id) this.known.replaced = before.person.name;
    if (!person) this.known.replaced = undefined;
    this.tell(this.known);
  }
}
