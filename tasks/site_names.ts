/**
 * The names of the library's sites, for `--help` and what a shell completes:
 * these come before any package is installed, and without packages no site can
 * be imported.
 *
 * @module
 */
import { readFileSync } from "node:fs";

const table = new URL("../lib/crawl/sites/sites.ts", import.meta.url);

/**
 * The names in the table of sites.ts, in its order.
 *
 * @param source The text of sites.ts, as `deno fmt` writes it.
 */
export function siteNames(source = readFileSync(table, "utf8")): string[] {
  const [, lines = ""] = /^export const sites\b.*= \{\n([^}]*)^\};/m
    .exec(source) ?? [];
  return [...lines.matchAll(/^ {2}"?([\w-]+)"?[,:]/gm)].map(([, name]) => name);
}
