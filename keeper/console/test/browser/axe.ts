// axe-core, run in the page by the tests' own channel: the page's policy lets no other script in.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, type Page } from "@playwright/test";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export default class Axe {
  constructor(private readonly page: Page) {}

  async isClean(): Promise<void> {
    await this.page.evaluate(source);
    const found = await this.page.evaluate(async (tags) => {
      const { axe } = window as unknown as { axe: { run: (where: Document, options: unknown) => Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } };
      const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`);
    }, TAGS);
    expect(found).toEqual([]);
  }
}
