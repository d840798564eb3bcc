/**
 * Whose the pictures are: CREDITS.md to read and credits.json for programs, both
 * beside a data set, and the line that stands below one picture.
 *
 * What a site says is text from outside: in Markdown its signs are escaped, and
 * only addresses of the web become links.
 *
 * ```ts
 * import { creditLine } from "#lib/dataset/credits.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * strictEqual(
 *   creditLine({ caption: "A snowy owl", author: "Ada", license: "CC BY 4.0",
 *     page: "https://photos.example.org/ada/1" }),
 *   "“A snowy owl” by Ada, CC BY 4.0 (photos.example.org)",
 * );
 * ```
 *
 * @module
 */
import { dirname, join } from "node:path";
import { licenceName, licenceUrl } from "../crawl/licences.ts";
import { writeAtomic, writeJsonObject } from "../files.ts";
import type { DatasetPicture, FoundPicture, Records } from "../records.ts";
import { RowFile } from "./row_file.ts";

/** What a credit is made of. */
export type Credited = Pick<
  FoundPicture,
  "caption" | "author" | "license" | "page"
>;

/** Longest title in a credit, in characters. */
const TITLE_LENGTH = 60;

/**
 * The credit that a figure needs, in one line of plain text: title, author,
 * licence, and the site where the picture's page is.
 */
export function creditLine(
  { caption, author, license, page }: Credited,
): string {
  const title = caption.trim() === "" ? "Untitled" : `“${shortTitle(caption)}”`;
  const by = inOneLine(author) || "unknown author";
  const terms = inOneLine(licenceName(license)) || "licence unknown";
  const site = webAddress(page)?.host;
  return `${title} by ${by}, ${terms}${site ? ` (${site})` : ""}`;
}

/**
 * Writes CREDITS.md and credits.json beside a data set's manifest.
 *
 * @param records Gives all records, as often as it is called.
 * @param manifest The same records in the same order, as JSON Lines.
 */
export async function writeCredits(
  records: Records,
  manifest: string,
): Promise<void> {
  const folder = dirname(manifest);
  await writeJsonObject(join(folder, "credits.json"), entries());
  const rows = await rowsOf(records);
  await writeAtomic(join(folder, "CREDITS.md"), creditsText(rows, manifest));

  async function* entries() {
    for await (const { path, caption, url, ...picture } of records()) {
      const { author, page } = picture;
      const license = licenceName(picture.license);
      const licence = { license, licenceUrl: licenceUrl(license) ?? "" };
      const title = caption;
      yield [path, { title, author, ...licence, page, url }] as const;
    }
  }
}

/** Of each licence and author, the numbers of their rows in the manifest. */
type Rows = Map<string, Map<string, number[]>>;

/** Records are read again where they are needed: of 100,000, few are held. */
async function rowsOf(records: Records): Promise<Rows> {
  const rows: Rows = new Map();
  let row = 0;
  for await (const picture of records()) {
    const license = inOneLine(licenceName(picture.license));
    const author = inOneLine(picture.author);
    if (!rows.has(license)) rows.set(license, new Map());
    const authors = rows.get(license)!;
    if (!authors.has(author)) authors.set(author, []);
    authors.get(author)!.push(row++);
  }
  return rows;
}

/** CREDITS.md: licences, below each its authors, below each their pictures. */
function* creditsText(rows: Rows, manifest: string): Generator<string> {
  const records = RowFile.open<DatasetPicture>(manifest);
  try {
    yield "# Credits\n";
    for (const [license, authors] of byName(rows)) {
      const count = [...authors.values()].flat().length;
      yield `\n## ${escaped(license) || "Licence unknown"}\n\n`;
      yield count === 1 ? "1 picture" : `${count} pictures`;
      const terms = licenceUrl(license);
      yield terms ? `, under [these terms](<${terms}>).\n` : ".\n";
      for (const [author, theirs] of byName(authors)) {
        yield `\n### ${escaped(author) || "Author unknown"}\n\n`;
        for (const row of theirs) yield `- ${creditItem(records.read(row))}\n`;
      }
    }
  } finally {
    records.close();
  }
}

/** Sorted by name; what has none comes last. */
function byName<Value>(named: Map<string, Value>): [string, Value][] {
  return [...named].sort(([a], [b]) =>
    Number(a === "") - Number(b === "") || a.localeCompare(b, "en")
  );
}

/** A picture's title, which leads to its page, and its path. */
function creditItem({ caption, page, url, path }: DatasetPicture): string {
  // Else "- dash" and "1. one" would begin a list within the item.
  const title = escaped(shortTitle(caption))
    .replace(/^(\d*)([-+.)])/, "$1\\$2") || "Untitled";
  const address = webAddress(page) ?? webAddress(url);
  // Within <…>, a backslash would still escape.
  const link = address?.href.replaceAll("\\", "%5C");
  return `${link ? `[${title}](<${link}>)` : title}, ${escaped(path)}`;
}

/** A caption's beginning, where it is too long for a title: whole words. */
function shortTitle(caption: string): string {
  const letters = [...inOneLine(caption)];
  if (letters.length <= TITLE_LENGTH) return letters.join("");
  const start = letters.slice(0, TITLE_LENGTH - 1).join("");
  return `${start.replace(/\s+\S*$/, "")}…`;
}

/** An address of the web; undefined for anything else, "javascript:" say. */
function webAddress(text: string): URL | undefined {
  const url = URL.parse(text);
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
}

/** Without breaks of lines, and without what turns the direction of others. */
function inOneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}\p{Bidi_C}]+/gu, " ").trim();
}

/** As Markdown that shows the very text, and links to nothing. */
function escaped(text: string): string {
  return inOneLine(text).replaceAll(
    /[\\`*_{}[\]<>#|~&!@$]|:(?=\/\/)|(?<=www)\./gi,
    "\\$&",
  );
}
