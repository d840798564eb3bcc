/**
 * Pictures as one zip: their files as they are, and CREDITS.txt, which says who
 * made each and under which terms. It is made while it is sent, file by file.
 *
 * Reads the pictures' files.
 *
 * ```ts
 * import { archiveOf } from "#lib/search_page/server/archive.ts";
 * import { sampleSource } from "#lib/search_page/index/sources.ts";
 * import { equal } from "node:assert/strict";
 *
 * const { pictures } = await sampleSource();
 * const zip = await new Response(archiveOf(pictures.slice(0, 2))).bytes();
 * equal(new TextDecoder().decode(zip.subarray(0, 2)), "PK");
 * ```
 *
 * @module
 */
import { createReadStream } from "node:fs";
import { Readable } from "node:stream";
import { TextReader, Uint8ArrayReader, ZipWriter } from "@zip.js/zip.js";
import { creditLine } from "../../dataset/credits.ts";
import { statOf } from "../../files.ts";
import { formatOf } from "../../pictures/formats.ts";
import type { SourcePicture } from "../index/collection.ts";
import { refusal } from "./server.ts";

/** Most pictures in an archive. */
export const MOST_FILES = 5000;

/** Most bytes in it: what a browser can still hold. */
const MOST_BYTES = 2e9;

/**
 * A zip of pictures.
 *
 * @param gone Paths of those asked for that are no longer there: CREDITS.txt says
 *   so.
 * @returns Its bytes, as they are made.
 * @throws {HTTPException} 413 if they are too many or too large.
 */
export function archiveOf(
  pictures: readonly SourcePicture[],
  gone: readonly string[] = [],
): ReadableStream<Uint8Array> {
  const bytes = pictures.reduce((sum, { source }) => sum + sizeOf(source), 0);
  if (pictures.length > MOST_FILES || bytes > MOST_BYTES) {
    throw refusal(
      413,
      `${pictures.length} pictures of ${(bytes / 1e9).toFixed(1)} GB: ` +
        `expected at most ${MOST_FILES} and ${
          MOST_BYTES / 1e9
        } GB in one archive`,
    );
  }
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  // Pictures are compressed already.
  const zip = new ZipWriter(writable, { level: 0, useWebWorkers: false });
  const names = namesOf(pictures);
  const write = async () => {
    const credits = gone.map((path) =>
      inOneLine(`${path}: left out, it is gone or has another name`) + "\n"
    );
    for (const [i, picture] of pictures.entries()) {
      const { source } = picture;
      // One that is gone by now is left out, and the others come.
      const isThere = typeof source !== "string" || sizeOf(source) > 0;
      credits.push(creditOf(names[i], picture, isThere));
      if (!isThere) continue;
      const input = typeof source === "string"
        ? Readable.toWeb(createReadStream(source)) as ReadableStream
        : new Uint8ArrayReader(source);
      // Of a photograph without the camera's notes, it is the only date.
      const changed = typeof source === "string"
        ? statOf(source)?.mtime
        : undefined;
      await zip.add(names[i], input, { lastModDate: changed });
    }
    await zip.add("CREDITS.txt", new TextReader(credits.join("\n")));
    await zip.close();
  };
  write().catch((error) => writable.abort(error).catch(() => undefined));
  return readable;
}

/** A picture's bytes; 0 where its file is gone. */
function sizeOf(source: SourcePicture["source"]): number {
  if (typeof source !== "string") return source.length;
  const found = statOf(source);
  return found?.isFile() ? found.size : 0;
}

/** Names in the archive: below it on every system, and each one's own. */
function namesOf(pictures: readonly SourcePicture[]): string[] {
  const taken = new Set(["credits.txt"]);
  return pictures.map(({ path, source }) => {
    const parts = path.split(/[/\\]/)
      .filter((part) => !/^\.*$/.test(part))
      .map((part) => part.replaceAll(/[\p{Cc}:*?"<>|]/gu, "_"));
    const name = parts.join("/") || "picture";
    const ending = typeof source === "string"
      ? /\.\w{1,5}$/.exec(name)?.[0] ?? ""
      : `.${formatOf(source).toLowerCase()}`;
    const start = name.endsWith(ending)
      ? name.slice(0, name.length - ending.length)
      : name;
    let own = `${start}${ending}`;
    for (let i = 2; taken.has(own.toLowerCase()); i++) {
      own = `${start} (${i})${ending}`;
    }
    taken.add(own.toLowerCase());
    return own;
  });
}

/** A few lines on a picture: what is known of whose it is. */
function creditOf(
  name: string,
  picture: SourcePicture,
  isThere: boolean,
): string {
  const { author, license, page } = picture;
  const lines = [
    isThere ? name : `${name}: left out, its file is gone`,
    // Of a picture about which nothing is known, nothing is said.
    (author || license || page) && `  ${creditLine(picture)}`,
    page && `  ${page}`,
  ];
  return lines.filter(Boolean).map(inOneLine).join("\n") + "\n";
}

const inOneLine = (text: string) =>
  text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
