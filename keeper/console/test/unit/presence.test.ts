// Who is taken to be signed in, whatever the server answers and in whichever order.
import { expect, test } from "@playwright/test";
import { Client, Refused, isServed, personNow, signInOffer, type Person } from "../../src/keeper/client.ts";
import { Presence } from "../../src/keeper/presence.ts";

const person = (name: string): Person => ({ id: `person_${name}`, name, scopes: ["read"], ends_at: 2_000_000_000 });
const [ANNA, BEN] = [person("Anna"), person("Ben")];

/** A server of which somebody is signed in, and what was done there. */
function world(first: Person | undefined) {
  const server = { person: async (): Promise<Person | undefined> => first, served: async () => true, ended: 0 };
  const presence = new Presence({ served: () => server.served(), offer: async () => "/sign-in", person: () => server.person(), end: async () => void server.ended++ }, () => undefined);
  return { server, presence, name: () => presence.known.person?.name };
}

test("only who is said to be nobody is nobody: what is not answered keeps what was known", async () => {
  const { server, presence, name } = world(ANNA);
  expect(await presence.look()).toBe(true);
  for (const trouble of [new Refused(429, "asked too much"), new Refused(503, "in trouble"), new TypeError("Failed to fetch")]) {
    server.person = () => Promise.reject(trouble);
    expect([await presence.look(), name(), presence.known.served]).toEqual([false, "Anna", true]);
    server.person = async () => ANNA;
    server.served = () => Promise.reject(trouble);
    expect([await presence.look(), name(), presence.known.served]).toEqual([false, "Anna", true]);
    server.served = async () => true;
  }
  server.person = async () => undefined;
  expect([await presence.look(), name()]).toEqual([true, undefined]);
});

test("where nothing was ever answered no keeper is known, and it is asked again", async () => {
  const { server, presence } = world(ANNA);
  server.served = () => Promise.reject(new TypeError("Failed to fetch"));
  expect([await presence.look(), presence.known.served]).toEqual([false, false]);
});

test("a look that was under way puts nobody back after a sign-out, nor an older one in the place of a newer", async () => {
  const { server, presence, name } = world(ANNA);
  await presence.look();
  const answers: ((answer: Person) => void)[] = [];
  const slow = (): Promise<Person> => new Promise((resolve) => answers.push(resolve));
  server.person = slow;
  const under = presence.look();
  await expect.poll(() => answers.length).toBe(1);
  server.person = async () => ANNA;
  await presence.signOut(ANNA.id);
  expect([server.ended, name()]).toEqual([1, undefined]);
  answers[0]?.(ANNA);
  await under;
  expect(name()).toBeUndefined();
  server.person = slow;
  const older = presence.look();
  await expect.poll(() => answers.length).toBe(2);
  server.person = async () => BEN;
  await presence.look();
  answers[1]?.(ANNA);
  await older;
  expect([name(), presence.known.replaced]).toEqual(["Ben", undefined]);
});

test("nothing is done as somebody whose place another has taken, who has signed out elsewhere, or of whom the server says nothing", async () => {
  const { server, presence, name } = world(ANNA);
  await presence.look();
  await presence.mustBe(ANNA.id);
  server.person = async () => BEN;
  await expect(presence.mustBe(ANNA.id)).rejects.toThrow("nothing was sent");
  expect([name(), presence.known.replaced]).toEqual(["Ben", "Anna"]);
  await expect(presence.signOut(ANNA.id)).rejects.toThrow("nothing was sent");
  expect([server.ended, name()]).toEqual([0, "Ben"]);
  server.person = () => Promise.reject(new Refused(503, "in trouble"));
  await expect(presence.mustBe(BEN.id)).rejects.toThrow("in trouble");
  expect(name()).toBe("Ben");
  server.person = async () => undefined;
  await expect(presence.mustBe(BEN.id)).rejects.toThrow("nothing was sent");
  expect([name(), presence.known.replaced]).toEqual([undefined, undefined]);
});

test("an answer of the server is told from none", async () => {
  const real = { fetch: globalThis.fetch, location: globalThis.location };
  const asked: string[] = [];
  const answers = (status: number, body: object): void => {
    globalThis.fetch = async (path, options) => (asked.push(`${options?.method ?? "GET"} ${path}`), new Response(JSON.stringify(body), { status }));
  };
  globalThis.location = { protocol: "http:" } as Location;
  try {
    answers(401, {});
    expect(await personNow()).toBeUndefined();
    for (const status of [429, 500, 503]) {
      answers(status, {});
      for (const ask of [personNow, signInOffer, isServed]) await expect(ask()).rejects.toBeInstanceOf(Refused);
    }
    answers(404, {});
    expect([await isServed(), await signInOffer()]).toEqual([false, undefined]);
    await expect(personNow()).rejects.toBeInstanceOf(Refused);
    // What changes something waits for who is signed in; what reads does not.
    answers(200, {});
    asked.length = 0;
    const client = new Client(undefined, undefined, () => Promise.reject(new Error("another")));
    await client.acts(0);
    for (const act of [client.act("halt", "why"), client.answer(1, "confirmation", "why"), client.file({ ref: "0x", to: "0x", amount: "1" })]) await expect(act).rejects.toThrow("another");
    expect(asked).toEqual(["GET /v1/acts?after=0&limit=1000"]);
  } finally {
    globalThis.fetch = real.fetch;
    globalThis.location = real.location;
  }
});
