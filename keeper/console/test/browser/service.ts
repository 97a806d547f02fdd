// `keeper up --dev` and `keeper serve`, as a person starts them.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
export const KEEPER = process.env.TIDELOCK_KEEPER ?? `${root}target/debug/keeper`;
const PATIENCE_MS = 120_000;

export interface Service {
  origin: string;
  key: string;
  vault: string;
  lens: string;
  url: string;
  stopServer: () => void;
  stop: () => void;
}

/** What a process says that matches, once it says so. */
function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = "";
    const timer = setTimeout(() => reject(new Error(`it never said ${pattern}:\n${output}`)), PATIENCE_MS);
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const found = output.match(pattern);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[1] ?? "");
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.on("exit", (code) => reject(new Error(`it ended with ${code}:\n${output}`)));
  });
}

export async function startService(): Promise<Service> {
  const folder = mkdtempSync(`${tmpdir()}/tidelock-console-`);
  const dev = spawn(KEEPER, ["up", "--dev", "--dir", folder], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  await said(dev, /^(paid) /m);
  const config = readFileSync(`${folder}/keeper.toml`, "utf8");
  const setting = (name: string): string => config.match(new RegExp(`^${name} = "([^"]*)"`, "m"))?.[1] ?? "";
  const options = { cwd: folder, env: { ...process.env, KEEPER_SERVE__LISTEN: "127.0.0.1:0" } };
  const key = execFileSync(KEEPER, ["api-key", "add", "--name", "console", "--scope", "request,read", "--days", "1"], { ...options, encoding: "utf8" }).trim();
  const serve = spawn(KEEPER, ["serve"], { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const address = await said(serve, /(127\.0\.0\.1:[1-9]\d*)/);
  const stopServer = (): void => void serve.kill("SIGKILL");
  return {
    origin: `http://${address}`,
    key,
    vault: setting("address"),
    lens: setting("lens"),
    url: setting("rpc_url"),
    stopServer,
    stop: () => {
      stopServer();
      dev.kill("SIGINT");
      dev.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    },
  };
}
