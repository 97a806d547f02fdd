// A provider of OpenID Connect on a free port of this host, for tests: signs in whoever the browser names by login_hint, or picks from a list, without
// asking for a password. Whoever is called lie:… gets an id token that lies about that.
//
// node provider.js <port> <redirect URL>; prints its issuer.

import { createServer } from "node:http";
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT, decodeJwt, decodeProtectedHeader } from "jose";
import Provider from "oidc-provider";

const [port, redirect] = process.argv.slice(2);
const SECRET = "a secret of the client that is long enough for HMAC";
const PEOPLE = {
  anna: { name: "Anna", groups: ["operators"] },
  ben: { name: "Ben", groups: ["operators", "others"] },
  dora: { name: "Dora", groups: "administrators" },
  rose: { name: "Rose", groups: ["nobody"] },
};

const { privateKey } = await generateKeyPair("RS256", { extractable: true });
const other = (await generateKeyPair("RS256")).privateKey;
const kid = Math.random().toString(36);
const jwk = { ...(await exportJWK(privateKey)), kid, use: "sig", alg: "RS256" };

const server = createServer();
await new Promise((resolve) => server.listen(Number(port), "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{ client_id: "tidelock", client_secret: SECRET, redirect_uris: [redirect] }],
  jwks: { keys: [jwk] },
  claims: { openid: ["sub"], profile: ["name"], groups: ["groups"] },
  scopes: ["openid", "profile", "groups"],
  cookies: { keys: ["for tests"] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, ...(PEOPLE[id] ?? { name: id, groups: ["operators"] }) }),
  }),
});

const lies = {
  nonce: (claims) => sign({ ...claims, nonce: "another" }),
  issuer: (claims) => sign({ ...claims, iss: "https://id.example" }),
  audience: (claims) => sign({ ...claims, aud: "another" }),
  time: (claims) => sign({ ...claims, exp: claims.iat - 1 }),
  key: (claims) => sign(claims, other),
  none: (claims) => new UnsecuredJWT(claims).encode(),
  secret: (claims) => new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(SECRET)),
  access: (claims) => sign({ ...claims, at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }),
  nothing: () => undefined,
};

function sign(claims, key = privateKey) {
  return new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid }).sign(key);
}

provider.use(async (context, next) => {
  const [, uid] = context.path.match(/^\/interaction\/(.+)$/) ?? [];
  if (uid) {
    const { params } = await provider.interactionDetails(context.req, context.res);
    const accountId = params.login_hint ?? context.query.as;
    if (!accountId) {
      const links = Object.entries(PEOPLE).map(([id, { name }]) => `<p><a href="?as=${id}">${name}</a></p>`);
      context.type = "html";
      context.body = `<!doctype html><title>Who are you?</title>${links.join("")}`;
      return;
    }
    const grant = new provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    const result = { login: { accountId, remember: false }, consent: { grantId: await grant.save() } };
    if (accountId === "no") {
      await provider.interactionFinished(context.req, context.res, { error: "access_denied" });
    } else {
      await provider.interactionFinished(context.req, context.res, result);
    }
    context.respond = false;
    return;
  }
  await next();
  const token = context.path === "/token" && context.body?.id_token;
  if (token) {
    if (decodeProtectedHeader(token).kid !== kid) throw new Error("another key");
    const claims = decodeJwt(token);
    const lie = claims.sub.startsWith("lie:") && lies[claims.sub.slice(4)];
    if (lie) context.body = { ...context.body, id_token: await lie(claims) };
  }
});

server.on("request", provider.callback());
console.log(issuer);
