/**
 * Part of a file: what has arrived of it, and stays for the next attempt.
 *
 * ```ts
 * import { addToPart } from "#lib/http/part.ts";
 * import { strictEqual } from "node:assert/strict";
 * import { mkdtemp, readFile } from "node:fs/promises";
 *
 * const part = `${await mkdtemp("/tmp/part-")}/owl.part`;
 * const bytes = (text: string) => [new TextEncoder().encode(text)];
 * await addToPart(bytes("a snowy ..."), part, 0, 100);
 * strictEqual(await addToPart(bytes("owl"), part, 8, 100), 11);
 * strictEqual(await readFile(part, "utf8"), "a snowy owl");
 * ```
 *
 * @module
 */
import { open } from "node:fs/promises";

/**
 * Whether an answer goes on where a part ends: as it was asked to, by the header
 * "Range: bytes=5000-".
 *
 * @param here Bytes of the part.
 */
export function goesOnFrom(
  { status, headers }: Response,
  here: number,
): boolean {
  const range = headers.get("content-range");
  return status === 206 && here > 0 && !!range?.startsWith(`bytes ${here}-`);
}

/**
 * Writes what arrives into a part.
 *
 * @param part The path of its file.
 * @param from Where to go on, in bytes: what was behind that is lost.
 * @param most How large the file may be, in bytes: then nothing more is read.
 * @param onBytes Called with the number of bytes that are here.
 * @returns The same, at the end; above `most` if there is more.
 */
export async function addToPart(
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  part: string,
  from: number,
  most: number,
  onBytes?: (received: number) => void,
): Promise<number> {
  const file = await open(part, from ? "r+" : "w");
  let here = from;
  try {
    await file.truncate(from);
    for await (const chunk of chunks) {
      if (here + chunk.length > most) return here + chunk.length;
      await file.write(chunk, 0, chunk.length, here);
      here += chunk.length;
      onBytes?.(here);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return here;
}
