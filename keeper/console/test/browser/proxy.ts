// A node that lies: a real one, with what it answers changed on the way.
import { createServer } from "node:http";

interface Question {
  id: number;
  method: string;
  params?: unknown[];
}
/** What it answers instead, or undefined to pass the answer on. */
export type Lie = (question: Question, result: unknown) => unknown;

export interface Proxy {
  url: string;
  stop: () => void;
}

export async function startProxy(behind: string, lie: Lie): Promise<Proxy> {
  const answer = async (body: string): Promise<string> => {
    const asked = JSON.parse(body) as Question | Question[];
    const response = await fetch(behind, { method: "POST", headers: { "content-type": "application/json" }, body });
    const told = (await response.json()) as { id: number; result?: unknown } | { id: number; result?: unknown }[];
    const questions = [asked].flat();
    for (const each of [told].flat()) {
      const question = questions.find(({ id }) => id === each.id);
      const other = question && lie(question, each.result);
      if (other !== undefined) each.result = other;
    }
    return JSON.stringify(told);
  };
  const server = createServer((request, response) => {
    response.setHeader("access-control-allow-origin", "*");
    response.setHeader("access-control-allow-headers", "content-type");
    if (request.method !== "POST") return response.writeHead(204).end();
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      answer(Buffer.concat(parts).toString()).then(
        (text) => response.setHeader("content-type", "application/json").end(text),
        () => response.writeHead(502).end(),
      );
    });
    return response;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  const stop = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${address.port}`, stop };
}
