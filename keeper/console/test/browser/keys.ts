// A page that is used by keys alone.
import { expect, type Page } from "@playwright/test";

/** Goes on until what has the focus is called so, which is seen. */
export async function go(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press("Tab");
    const [text, outline] = await page.evaluate(() => {
      const { activeElement: element } = document;
      const label = (element as HTMLInputElement | null)?.labels?.[0]?.textContent;
      return [(label ?? element?.textContent ?? "").trim(), element ? getComputedStyle(element).outlineStyle : ""];
    });
    if (text.startsWith(name)) return expect(outline).not.toBe("none");
  }
  throw new Error(`no key leads to ${name}`);
}

/** Goes there from the top of the page, and presses Enter. */
export async function press(page: Page, name: string): Promise<void> {
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    window.getSelection()?.removeAllRanges();
  });
  await go(page, name);
  await page.keyboard.press("Enter");
}
