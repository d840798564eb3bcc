/**
 * One picture of the web in one file, so that no byte of it is fetched twice.
 *
 * ```text
 * 2_downloads/
 *   snowy_owl-3f….jpg                whole: what is here under its name is
 *   .parts/snowy_owl-3f….jpg.V.part  what is here of a large one; V names the
 *                                    version at the other end
 *   .tags/3f.jsonl                   what the site calls the version of each file
 * ```
 *
 * A large one goes on where it stopped, as long as the other end has the same
 * version, after a cut, a stop, or kill -9. A file that is asked for again stays
 * if the site says that it still has that version. A tag holds the sum of the
 * bytes that it was sent with, and is good for no others.
 *
 * ```ts
 * import { openFolder } from "#lib/dataset/picture_file.ts";
 * import { pictureClient } from "#lib/dataset/fetch.ts";
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 *
 * const site = await startPhotoSite({ port: 0 });
 * const client = pictureClient({ allowedHosts: [site.host] });
 * const folder = await openFolder(await mkdtemp("/tmp/owls-"), client);
 * const url = `${site.origin}/pictures/1001-any_m.jpg`;
 * strictEqual(await folder.fetch(url, "1001.jpg"), "new");
 * strictEqual(await folder.fetch(url, "1001.jpg"), "same");
 * await site.close();
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { removeUnfinished } from "../files.ts";
import { FinalError } from "../http/final_error.ts";
import { addToPart, goesOnFrom } from "../http/part.ts";
import { at } from "../http/stages.ts";
import {
  checkPicture,
  checkStart,
  type Client,
  DEFAULT_LIMITS,
  tooLarge,
} from "./fetch.ts";

/** What arrives on the disk instead of in memory, in bytes. */
export const LARGE = 5_000_000;

/** A longer name of a version would not fit into a file's name. */
const LONGEST_VERSION = 90;

/** A folder of pictures. */
export interface Folder {
  /** Whether a picture is there. */
  has(name: string): boolean;
  /**
   * Fetches a picture into the file of that name, in place of what is there.
   *
   * @returns "same" if what is there is still what the site has.
   * @throws {Error} The reason, if there is none to be had.
   */
  fetch(url: string, name: string): Promise<"new" | "same">;
}

/** What a site calls the version of a file, and the sum of its bytes. */
interface Tag {
  name: string;
  etag?: string;
  modified?: string;
  sum: string;
}

/** Opens a folder, which may not be there yet, and tidies it. */
export async function openFolder(
  folder: string,
  client: Client,
  maxBytes: number = DEFAULT_LIMITS.maxBytes,
): Promise<Folder> {
  const parts = await openParts(join(folder, ".parts"));
  const tags = openTags(folder);
  const inMemory = Math.min(LARGE, maxBytes);
  await removeUnfinished(folder);
  const has = (name: string) => {
    const path = join(folder, name);
    // For a file that is not there, Deno's statSync() makes an error.
    return existsSync(path) && statSync(path).size > 0;
  };

  /** Puts bytes, or the file of a whole part, into their place. */
  function finish(name: string, content: Uint8Array | string, from: Response) {
    const isPart = typeof content === "string";
    const written = isPart ? content : join(folder, `.${name}.part`);
    onDisk(written, () => {
      // Synchronous, this takes a quarter of the processor's time. Without a
      // sync(), a power cut may leave an empty file, which `has` does not count.
      if (!isPart) writeFileSync(written, content);
      renameSync(written, join(folder, name));
    });
    const { etag, modified } = versionsOf(from);
    if (!etag && !modified) return;
    const sum = sumOf(isPart ? readFileSync(join(folder, name)) : content);
    tags.add({ name, etag, modified, sum });
  }

  /** Reads a picture from its first byte on, or from where its part ends. */
  async function receive(
    name: string,
    response: Response,
    here: number,
    arrived: () => void,
  ): Promise<void> {
    const goesOn = goesOnFrom(response, here) &&
      isOfVersion(response, parts.versionOf(name)!);
    if (!goesOn) parts.drop(name);
    if (!goesOn && here > 0 && response.status === 206) {
      const range = response.headers.get("content-range");
      throw at(
        "status",
        new Error(`expected bytes from ${here}, got ${range}`),
      );
    }
    if (!goesOn) checkStart(response, maxBytes);
    const rest = chunksOf(response, arrived);
    const start: Uint8Array[] = [];
    let size = goesOn
      ? Infinity
      : Number(response.headers.get("content-length"));
    if (size <= inMemory) {
      size = 0;
      for (let next; size <= inMemory && !(next = await rest.next()).done;) {
        start.push(next.value);
        size += next.value.length;
      }
      if (size > maxBytes) throw tooLarge(maxBytes);
    }
    if (size <= inMemory) {
      const bytes = Buffer.concat(start);
      checkPicture(bytes);
      return finish(name, bytes, response);
    }
    const part = goesOn
      ? parts.pathOf(name)
      : parts.begin(name, versionsOf(response).strong);
    async function* all() {
      yield* start;
      yield* rest;
    }
    size = await addToPart(all(), part, goesOn ? here : 0, maxBytes);
    if (size > maxBytes) throw tooLarge(maxBytes);
    const [, total] =
      /\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? [];
    if (goesOn && Number(total ?? size) !== size) {
      // Nothing came to what is here: another attempt would end no better.
      if (size === here) parts.drop(name);
      throw at("transfer", new Error(`expected ${total} bytes, got ${size}`));
    }
    checkPicture(startOf(part));
    finish(name, part, response);
    parts.drop(name);
  }

  /** Asks from where the part ends, or for what has changed, or for all. */
  async function ask(url: string, name: string): Promise<"new" | "same"> {
    const tag = has(name) ? tags.of(name) : undefined;
    let here = 0;
    return await client(url, {
      headers(): Record<string, string> {
        here = parts.sizeOf(name);
        if (here > 0) {
          return {
            range: `bytes=${here}-`,
            "if-range": parts.versionOf(name)!,
          };
        }
        const { etag, modified } = tag ?? {};
        return {
          ...etag && { "if-none-match": etag },
          ...modified && { "if-modified-since": modified },
        };
      },
      async read(response, arrived) {
        if (response.status === 304 && tag) return "same";
        await receive(name, response, here, arrived);
        return "new";
      },
    });
  }

  return {
    has,
    async fetch(url, name) {
      try {
        return await ask(url, name);
      } catch (error) {
        const hadPart = parts.sizeOf(name) > 0;
        const isFinal = error instanceof FinalError;
        // Nobody goes on with what is no picture, or has no version.
        if (isFinal || !parts.versionOf(name)) parts.drop(name);
        // Nothing is behind the part: it is whole, or not of this file.
        if (isFinal && hadPart && error.status === 416) {
          return await ask(url, name);
        }
        throw error;
      }
    },
  };
}

/** Parts of large files; each has the name of its version in its own. */
async function openParts(folder: string) {
  const versions = new Map<string, string>();
  for (const file of await readdir(folder).catch(() => [])) {
    const [, name, version] = /^(.*)\.([\w-]*)\.part$/.exec(file) ?? [];
    if (name && version) versions.set(name, fromName(version));
    else rmSync(join(folder, file), { force: true });
  }
  const pathOf = (name: string) =>
    join(folder, `${name}.${toName(versions.get(name) ?? "")}.part`);
  return {
    pathOf,
    /** "" if nobody knows which version it is; undefined without a part. */
    versionOf: (name: string) => versions.get(name),
    /** Bytes with which the next attempt may go on. */
    sizeOf: (name: string) =>
      versions.get(name) &&
        statSync(pathOf(name), { throwIfNoEntry: false })?.size || 0,
    begin(name: string, version = "") {
      versions.set(name, version.length > LONGEST_VERSION ? "" : version);
      onDisk(pathOf(name), () => writeFileSync(pathOf(name), ""));
      return pathOf(name);
    },
    drop(name: string) {
      if (versions.has(name)) rmSync(pathOf(name), { force: true });
      versions.delete(name);
    },
  };
}

const toName = (text: string) => Buffer.from(text).toString("base64url");
const fromName = (name: string) => Buffer.from(name, "base64url").toString();

/** What sites call the versions of files. Is read where it is needed: there may be millions. */
function openTags(folder: string) {
  const pathOf = (name: string) =>
    join(folder, ".tags", `${sumOf(name).slice(0, 2)}.jsonl`);
  return {
    add(tag: Tag): void {
      const path = pathOf(tag.name);
      onDisk(path, () => appendFileSync(path, JSON.stringify(tag) + "\n"));
    },
    /** The last one of a file, if the file is still the one that it was given. */
    of(name: string): Tag | undefined {
      try {
        const lines = readFileSync(pathOf(name), "utf8");
        const start = lines.lastIndexOf(`{"name":${JSON.stringify(name)},`);
        const tag: Tag = JSON.parse(lines.slice(start).split("\n", 1)[0]);
        const bytes = readFileSync(join(folder, name));
        return tag.sum === sumOf(bytes) ? tag : undefined;
      } catch { /* None, or half of one: then all of the file is asked for. */ }
    },
  };
}

/**
 * How an answer names its version. A weak name, W/"…", tells whether a picture has
 * changed; whether its bytes have, only a strong one does.
 */
function versionsOf({ headers }: Response) {
  const etag = headers.get("etag") ?? undefined;
  const modified = headers.get("last-modified") ?? undefined;
  const strong = etag?.startsWith('"') ? etag : modified;
  return { etag, modified, strong };
}

/**
 * Whether a part of a file is of the version that was asked for. The answer to
 * If-Range names its ETag again (RFC 9110, 15.3.7), and a date only perhaps.
 */
function isOfVersion(response: Response, version: string): boolean {
  const { etag, modified } = versionsOf(response);
  return version.startsWith('"')
    ? etag === version
    : modified === undefined || modified === version;
}

async function* chunksOf(
  { body }: Response,
  arrived: () => void,
): AsyncGenerator<Uint8Array, undefined> {
  for await (const chunk of body ?? []) {
    arrived();
    yield chunk;
  }
}

/** As many bytes of a file as say what it is. */
function startOf(path: string): Uint8Array {
  const start = new Uint8Array(4096);
  const file = openSync(path, "r");
  try {
    return start.subarray(0, readSync(file, start));
  } finally {
    closeSync(file);
  }
}

function sumOf(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

/**
 * Writes, if need be into a new folder.
 *
 * @throws {FinalError} If that fails.
 */
function onDisk(path: string, write: () => void): void {
  try {
    try {
      write();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      mkdirSync(dirname(path), { recursive: true });
      write();
    }
  } catch (error) {
    rmSync(path, { force: true });
    const { code, message } = error as NodeJS.ErrnoException;
    throw at(
      "disk",
      new FinalError(
        `${path} cannot be written (${
          code ?? message
        }): expected a folder with ` +
          "space left that this user may write to",
      ),
    );
  }
}
