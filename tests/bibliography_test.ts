import { deepStrictEqual, ok } from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { readNotebook } from "../tasks/check_notebooks.ts";
import { listNotebooks } from "../tasks/execute.ts";

const bibliography = await readFile(
  join(paths.root, "docs", "bibliography.md"),
  "utf8",
);
const entries = bibliography.match(/^\| .*\]\(https?:.*$/gm) ?? [];

Deno.test("the bibliography has every work of a notebook's Further reading", async () => {
  const missing: string[] = [];
  for (const path of await listNotebooks()) {
    const { name, cells } = await readNotebook(path);
    const prose = cells.map(({ source }) => source.join("")).join("\n\n");
    const [reading = ""] =
      prose.match(/^## Further reading$[^]*?(?=^## |$(?![^]))/m) ?? [];
    for (const [, link] of reading.matchAll(/\]\((https?:[^\s)]+)\)/g)) {
      if (!bibliography.includes(`](${link})`)) {
        missing.push(`${name}: ${link}`);
      }
    }
  }
  deepStrictEqual(missing, []);
});

Deno.test("the bibliography has every work that a comment of lib/ cites", async () => {
  const cited = (await Promise.all((await sources()).map(citations))).flat();
  ok(cited.length >= 8, "citations are still found");
  const missing = cited.filter(({ names, year }) =>
    !entries.some((entry) =>
      names.every((name) => entry.includes(name)) && entry.includes(year)
    )
  );
  deepStrictEqual(missing, []);
});

interface Citation {
  file: string;
  names: string[];
  year: string;
}

/** "Chen et al., Title, 2015", "Järvelin, Kekäläinen, Title, 2002", "RFC 9309". */
async function citations(file: string): Promise<Citation[]> {
  const text = await readFile(file, "utf8");
  const comments = (text.match(/\/\*\*[^]*?\*\/|\/\/.*/g) ?? [])
    .map((comment) => comment.replace(/\s*\n\s*(\*|\/\/)?\s*/g, " "));
  return comments.flatMap((comment) => [
    ...comment.matchAll(
      /(\p{Lu}\p{L}+)(?: et al\.)?, (?:(\p{Lu}\p{L}+), )?["\p{Lu}][^.;()]{12,160}?, ((?:19|20)\d\d)\b/gu,
    ).map(([, name, second, year]) => (
      { file, names: [name, second ?? ""], year }
    )),
    ...comment.matchAll(/RFC \d+/g).map(([name]) => (
      { file, names: [name], year: "" }
    )),
  ]);
}

/** TypeScript and JavaScript of lib/. */
async function sources(): Promise<string[]> {
  const lib = join(paths.root, "lib");
  const names = await readdir(lib, { recursive: true });
  return names.filter((name) => /\.(ts|js)$/.test(name))
    .map((name) => join(lib, name));
}
