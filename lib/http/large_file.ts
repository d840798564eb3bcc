/**
 * Downloads a large file so that nothing that has arrived is fetched again.
 *
 * It arrives as `FILE.VERSION.part` and gets its own name when it is whole and
 * its checksum is right. An interrupted download goes on where it stopped (HTTP
 * ranges), as long as the version, which names what is at the other end, is
 * still the same.
 *
 * ```ts
 * import { Host } from "#lib/http/hosts.ts";
 * import { downloadLargeFile } from "#lib/http/large_file.ts";
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { equal } from "node:assert/strict";
 * import { mkdtemp, readFile } from "node:fs/promises";
 *
 * const faults = [{ match: /second/, answer: "cut off" as const, times: 1 }];
 * const site = await startPhotoSite({ port: 0, faults });
 * const style = await (await fetch(`${site.origin}/site.css`)).text();
 * const destination = `${await mkdtemp("/tmp/large-")}/site.css`;
 * await downloadLargeFile(new Host("the photo site", { backoffMs: 10 }), {
 *   name: "the style sheet",
 *   address: `${site.origin}/site.css?second`,
 *   destination,
 *   size: style.length,
 *   version: "1",
 *   isRight: () => Promise.resolve(true),
 * }, { allowedHosts: [site.host] });
 * equal(await readFile(destination, "utf8"), style);
 * await site.close();
 * ```
 *
 * @module
 */
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Host } from "./hosts.ts";
import { fetchOnce, type FetchOptions, send } from "./http.ts";
import { addToPart, goesOnFrom } from "./part.ts";

/** A file at the other end, and where it goes. */
export interface LargeFile {
  /** What messages call it. */
  name: string;
  /** Where it is asked for. */
  address: string;
  /** Its place when it is whole; missing folders are made. */
  destination: string;
  /** Bytes. */
  size: number;
  /** Tells it from an older or newer file of that name; "" if nobody knows. */
  version: string;
  /** Whether the content of a file is the right one. */
  isRight: (path: string) => Promise<boolean>;
}

/**
 * Downloads a file, from where the last attempt stopped.
 *
 * @param options How it is asked for. After a stop by its signal, what has
 *   arrived stays for the next run.
 * @param onBytes Called with the number of bytes that are here.
 * @throws {Error} If it did not arrive whole and right; another run may succeed.
 */
export async function downloadLargeFile(
  host: Host,
  file: LargeFile,
  options: FetchOptions = {},
  onBytes?: (received: number) => void,
): Promise<void> {
  const { name, destination, size, version, isRight } = file;
  const part = `${destination}.${version}.part`;
  await mkdir(dirname(part), { recursive: true });
  await send(host, async () => {
    let here = (await stat(part).catch(() => ({ size: 0 }))).size;
    // Without a version, nobody knows whether the file is still the same.
    if (!version || here > size) here = 0;
    if (here < size) await receive(file, part, here, options, onBytes);
    if (await isRight(part)) return;
    await rm(part);
    throw new Error(`${name} arrived with a wrong checksum`);
  }, options.signal);
  await rename(part, destination);
  for (const other of await readdir(dirname(part))) {
    // What is left of an older file of this name.
    const isPart = other.startsWith(`${basename(destination)}.`) &&
      other.endsWith(".part");
    if (isPart) await rm(join(dirname(part), other));
  }
}

/** Adds to the part, of which so many bytes are here, what is missing. */
async function receive(
  { name, address, size }: LargeFile,
  part: string,
  here: number,
  { headers, ...options }: FetchOptions,
  onBytes?: (received: number) => void,
): Promise<void> {
  if (here) headers = { ...headers, range: `bytes=${here}-` };
  const received = await fetchOnce(address, (response, arrived) => {
    // A server that knows no ranges sends the file from its start.
    const from = goesOnFrom(response, here) ? here : 0;
    return addToPart(response.body ?? [], part, from, size, (received) => {
      arrived();
      onBytes?.(received);
    });
  }, { ...options, headers });
  if (received > size) await rm(part);
  if (received !== size) {
    throw new Error(`expected ${size} bytes of ${name}, got ${received}`);
  }
}
