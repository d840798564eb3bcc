/**
 * Asks axe-core what is wrong with a page for those who use it by keyboard or
 * by ear.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "puppeteer-core";
import { paths } from "#lib/paths.ts";

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string }[];
}

/**
 * What is seriously wrong, one fault a line; "" if nothing is. The page must
 * have been told to let the checker's script in: `page.setBypassCSP(true)`,
 * then loaded.
 */
export async function seriousFaults(page: Page): Promise<string> {
  const path = join(paths.root, "node_modules", "axe-core", "axe.min.js");
  await page.evaluate(await readFile(path, "utf8"));
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: Violation[] }> };
    };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) =>
        `${id}: ${nodes.map(({ html }) => html).join(" ")}`
      ).join("\n");
  });
}
