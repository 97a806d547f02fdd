import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "@playwright/test";

// Whoever names one means that one; scripts/chromium notes the one that it has found.
const note = fileURLToPath(new URL("../../target/chromium/path", import.meta.url));
const executablePath = process.env.CHROMIUM ?? (existsSync(note) ? readFileSync(note, "utf8").trim() : "");

export default defineConfig({
  outputDir: "../../target/console-tests",
  workers: 2,
  fullyParallel: false,
  timeout: 600_000, // some wait for what a keeper pays, on a machine that may be busy
  expect: { timeout: 20_000 },
  reporter: [["./test/lines.ts"]],
  projects: [
    { name: "unit", testDir: "test/unit" },
    {
      name: "browser",
      testDir: "test/browser",
      use: {
        browserName: "chromium",
        viewport: { width: 1100, height: 900 },
        timezoneId: "UTC",
        locale: "en-GB",
        // A sandbox of Chromium's own takes rights that a container may not give.
        launchOptions: { executablePath, args: ["--no-sandbox", "--disable-gpu"] },
      },
    },
  ],
});
