// The keeper's API, at the page's own origin. A key is in this page's memory alone, in a header, and in no URL; without one the browser shows who is
// signed in, by a cookie.
import type { Hex } from "viem";

export interface Withdrawal {
  ref: string;
  to: string;
  amount: string;
  status: string;
  hold: { reason: string; detail: string | null } | null;
  batch: string | null;
  transaction: string | null;
  tier?: number | null;
  route?: string | null;
  /** [seconds since 1970] */
  accepted_at?: number | null;
  arrival: number;
}

interface Problem {
  title?: string;
  detail?: string;
  errors?: { field: string; value: string; rule: string }[];
}

/** A refusal, in the server's words. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  /** Whether asking again with this key helps nothing. */
  get isFinal(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

export const isFinal = (error: unknown): boolean => error instanceof Refused && error.isFinal;

const TOO_MANY = 429;
/** Whether the same question may yet be answered: nobody did, the server is in trouble, or it is asked too much. */
export const mayPass = (error: unknown): boolean => !(error instanceof Refused) || error.status >= 500 || error.status === TOO_MANY;

const PAGE = 500; // rows, the most that the server gives
const EVENTS = 1_000; // events and entries, the most that the server gives

/** An event of the keeper's log, as CloudEvents have it. */
export interface Happened {
  type: string;
  /** The chain's time: that of the last block that was final. [RFC 3339] */
  time: string;
  sequence: string;
  data: { refs: string[]; hold?: { reason: string }; block?: number };
}

/** An entry of the keeper's log, as it is hashed. */
export interface LogEntry {
  seq: number;
  kind: string;
  body: string;
  prev: Hex;
  hash: Hex;
}

export type ActName = "halt" | "resume" | "hold" | "release" | "cancel";

/** How something stands: a withdrawal, the keeper, an API key. */
export interface Situation {
  status: string;
  reason?: string;
  detail?: string;
}

/** What operators and administrators did, as it is hashed. */
export interface Act {
  id: number;
  answers: number | null;
  answered_by: number | null;
  deed: { act: string; step: string; at: number; by: string; ref?: string; key?: string; reason: string; before: Situation; after: Situation; until?: number } | null;
  body: string;
  prev: Hex;
  hash: Hex;
}

/** What the keeper's own pages say. */
export interface KeeperPages {
  ready: boolean;
  unready: string[];
  figures: string;
}

const UNKNOWN = 401;

export class Client {
  /** `unknown` is told when nobody is signed in any more; `before` is waited for before anything is changed, and throws if it must not be. */
  constructor(
    private readonly key?: string,
    private readonly unknown: () => void = () => undefined,
    private readonly before: () => Promise<void> = async () => undefined,
  ) {}

  async ask(path: string, options: RequestInit = {}): Promise<Response> {
    if (options.method === "POST") await this.before();
    const shown = this.key === undefined ? {} : { Authorization: `Bearer ${this.key}` };
    const response = await fetch(path, { ...options, headers: { ...options.headers, ...shown }, cache: "no-store" });
    if (response.ok) return response;
    if (response.status === UNKNOWN) this.unknown();
    const { title, detail, errors = [] } = (await response.json().catch(() => ({}))) as Problem;
    const rules = errors.map(({ field, value, rule }) => `${field} ${value}: ${rule}`);
    throw new Refused(response.status, [`${response.status} ${title ?? ""}`, rules.length > 0 ? rules.join("; ") : (detail ?? "")].join(": "));
  }

  async json<T>(path: string, options?: RequestInit): Promise<T> {
    return (await this.ask(path, options)).json() as Promise<T>;
  }

  /** Files one; the same ref is filed once, however often it is sent. */
  file(request: { ref: string; to: string; amount: string }): Promise<Withdrawal> {
    return this.post("/v1/withdrawals", request);
  }

  /** Events after one, in order. */
  async events(after: number, limit = EVENTS): Promise<Happened[]> {
    return (await this.json<{ events: Happened[] }>(`/v1/events?after=${after}&limit=${limit}`)).events;
  }

  /** Entries of the log after one, in order. */
  async log(after: number): Promise<LogEntry[]> {
    return (await this.json<{ items: LogEntry[] }>(`/v1/log?after=${after}&limit=${EVENTS}`)).items;
  }

  /** Acts after one, in order. */
  async acts(after: number): Promise<Act[]> {
    return (await this.json<{ items: Act[] }>(`/v1/acts?after=${after}&limit=${EVENTS}`)).items;
  }

  act(act: ActName, reason: string, ref?: string): Promise<Act> {
    return this.post("/v1/acts", { act, reason, ...(ref !== undefined && { ref }) });
  }

  /** The second person's word. */
  answer(id: number, word: "confirmation" | "refusal", reason: string): Promise<Act> {
    return this.post(`/v1/acts/${id}/${word}`, { reason });
  }

  keeper(): Promise<KeeperPages> {
    return this.json("/v1/keeper");
  }

  /** Ends every session of whoever is signed in. */
  async signOut(): Promise<void> {
    await this.ask("/v1/session/end", { method: "POST" });
  }

  private post<T>(path: string, body: object): Promise<T> {
    return this.json(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }

  show(ref: string): Promise<Withdrawal> {
    return this.json(`/v1/withdrawals/${ref}`);
  }

  /** All of them, page by page. */
  async *pages(): AsyncGenerator<Withdrawal[]> {
    for (let cursor: string | null = ""; cursor !== null; ) {
      const from: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page: { items: Withdrawal[]; next?: string | null } = await this.json(`/v1/withdrawals?limit=${PAGE}${from}`);
      yield page.items;
      cursor = page.next ?? null;
    }
  }
}

/** Who is signed in. */
export interface Person {
  id: string;
  name: string;
  scopes: string[];
  /** [seconds since 1970] */
  ends_at: number;
}

/** Where people sign in; nothing if they cannot, or only another page could be led there. Throws if that may yet be answered. */
export async function signInOffer(): Promise<string | undefined> {
  const told = await new Client().json<{ sign_in: string | null }>("/sign-in/offer").catch((error: unknown) => {
    if (mayPass(error)) throw error;
    return undefined;
  });
  return told?.sign_in?.startsWith("/") === true && !told.sign_in.startsWith("//") ? told.sign_in : undefined;
}

/** Nobody only if the server says so; throws if it says anything else, or nothing. */
export const personNow = (): Promise<Person | undefined> =>
  new Client().json<Person>("/v1/session").catch((error: unknown) => {
    if (error instanceof Refused && error.status === UNKNOWN) return undefined;
    throw error;
  });

/** Whether a keeper's server is at the page's origin. A file has none. Throws if that may yet be answered. */
export async function isServed(): Promise<boolean> {
  if (!location.protocol.startsWith("http")) return false;
  const response = await fetch("/healthz", { cache: "no-store" });
  if (!response.ok) {
    const refused = new Refused(response.status, `${response.status}`);
    if (mayPass(refused)) throw refused;
    return false;
  }
  return ((await response.json().catch(() => ({}))) as { status?: string }).status === "ok";
}
