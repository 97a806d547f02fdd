// The keeper's API, at the page's own origin. The key is kept for this tab alone, and is in no URL.

export interface Withdrawal {
  ref: string;
  to: string;
  amount: string;
  status: string;
  hold: { reason: string; detail: string | null } | null;
  batch: string | null;
  transaction: string | null;
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

const PLACE = "tidelock.key";
export const keptKey = (): string | undefined => sessionStorage.getItem(PLACE) ?? undefined;
export const keepKey = (key: string | undefined): void => (key === undefined ? sessionStorage.removeItem(PLACE) : sessionStorage.setItem(PLACE, key));

const PAGE = 500; // rows, the most that the server gives

export class Client {
  constructor(private readonly key: string) {}

  async ask(path: string, options: RequestInit = {}): Promise<Response> {
    const response = await fetch(path, { ...options, headers: { ...options.headers, Authorization: `Bearer ${this.key}` }, cache: "no-store" });
    if (response.ok) return response;
    const { title, detail, errors = [] } = (await response.json().catch(() => ({}))) as Problem;
    const rules = errors.map(({ field, value, rule }) => `${field} ${value}: ${rule}`);
    throw new Refused(response.status, [`${response.status} ${title ?? ""}`, rules.length > 0 ? rules.join("; ") : (detail ?? "")].join(": "));
  }

  async json<T>(path: string, options?: RequestInit): Promise<T> {
    return (await this.ask(path, options)).json() as Promise<T>;
  }

  /** Files one; the same ref is filed once, however often it is sent. */
  file(request: { ref: string; to: string; amount: string }): Promise<Withdrawal> {
    return this.json("/v1/withdrawals", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request) });
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

/** Whether a keeper's server is at the page's origin. A file has none. */
export async function isServed(): Promise<boolean> {
  if (!location.protocol.startsWith("http")) return false;
  const response = await fetch("/healthz", { cache: "no-store" }).catch(() => undefined);
  return response?.ok === true && ((await response.json().catch(() => ({}))) as { status?: string }).status === "ok";
}
