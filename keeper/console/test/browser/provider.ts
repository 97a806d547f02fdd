// The provider of OpenID Connect that the API's tests use (npm's oidc-provider), and a server of the keeper where people sign in by it.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { claimPort } from "./port.ts";
import type { Service } from "./service.ts";

const folder = fileURLToPath(new URL("../../../tests/serve/provider/", import.meta.url));
export const hasProvider = existsSync(`${folder}/node_modules`);
const SECRET = readFileSync(`${folder}/provider.js`, "utf8").match(/SECRET = "([^"]+)"/)?.[1] ?? "";

async function startProvider(redirect: string): Promise<{ issuer: string; stop: () => void }> {
  const child = spawn("node", ["provider.js", "0", redirect], { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
  process.on("exit", () => child.kill());
  const issuer = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk: Buffer) => {
      const [line] = chunk.toString().match(/^http:\/\/\S+/m) ?? [];
      if (line) resolve(line);
    });
    child.on("exit", (code) => reject(new Error(`the provider ended with ${code}`)));
  });
  return { issuer, stop: () => void child.kill() };
}

export interface SignIns {
  origin: string;
  issuer: string;
  stop: () => Promise<void>;
}

/** The page is at `localhost`, the provider at 127.0.0.1: to a browser these are two sites. */
export async function startSignIns(service: Service, hours = 8): Promise<SignIns> {
  const port = await claimPort();
  const origin = `http://localhost:${port.number}`;
  const provider = await startProvider(`${origin}/sign-in/callback`);
  writeFileSync(`${service.folder}/oidc-secret`, `${SECRET}\n`, { mode: 0o600 });
  const settings = `
[serve.sign_in]
issuer = "${provider.issuer}"
client_id = "tidelock"
client_secret_file = "oidc-secret"
public_url = "${origin}"
scopes = ["profile", "groups"]
session_hours = ${hours}
[serve.sign_in.grants]
operators = ["read", "request", "operate"]
`;
  writeFileSync(`${service.folder}/sign-in.toml`, readFileSync(`${service.folder}/keeper.toml`, "utf8") + settings);
  const served = await service.serve("sign-in.toml", { KEEPER_SERVE__LISTEN: `127.0.0.1:${port.number}` });
  const stop = async (): Promise<void> => {
    await served.stop();
    provider.stop();
    port.release();
  };
  return { origin, issuer: provider.issuer, stop };
}
