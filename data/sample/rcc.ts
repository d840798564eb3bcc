/**
 * Qt resource files (.rcc): folders of files in one file.
 *
 * All numbers are big-endian. The head holds "qres", the version, and where
 * the tree, the data and the names begin. A node of the tree has 22 bytes from
 * version 2 on, 14 before: its name at byte 0, flags at 4; then a folder (flag
 * 2) has the number of its children and the first one's place in the tree, and
 * a file has its content's place at byte 10. A name is UTF-16 after its length
 * and a hash; a file's content comes after its length.
 *
 * ```ts
 * import { readResource } from "./rcc.ts";
 * import { throws } from "node:assert/strict";
 *
 * throws(() => readResource(new Uint8Array(20), "a.webp"), /no Qt resource/);
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Flags of a node: its content is compressed in one way or another; a folder. */
const COMPRESSED = 1 | 4, FOLDER = 2;

/**
 * The content of one file, of those that are stored as they are.
 *
 * @param path From the top, with "/".
 * @throws {Error} If it is not there, or compressed.
 */
export function readResource(rcc: Uint8Array, path: string): Uint8Array {
  const bytes = Buffer.from(rcc.buffer, rcc.byteOffset, rcc.length);
  if (bytes.toString("latin1", 0, 4) !== "qres") {
    throw new Error(`this is no Qt resource file: looked for ${path} in it`);
  }
  const number = (at: number) => bytes.readUInt32BE(at);
  const [version, tree, data, names] = [4, 8, 12, 16].map(number);
  const nodeAt = (index: number) => tree + index * (version < 2 ? 14 : 22);
  const flagsOf = (node: number) => bytes.readUInt16BE(node + 4);
  const nameOf = (node: number) => {
    const at = names + number(node);
    const text = bytes.subarray(at + 6, at + 6 + 2 * bytes.readUInt16BE(at));
    return Buffer.from(text).swap16().toString("utf16le");
  };

  let node = nodeAt(0);
  for (const part of path.split("/")) {
    const [count, first] = flagsOf(node) & FOLDER
      ? [number(node + 6), number(node + 10)]
      : [0, 0];
    const children = Array.from({ length: count }, (_, i) => nodeAt(first + i));
    const child = children.find((child) => nameOf(child) === part);
    if (child === undefined) throw new Error(`${path} is not there`);
    node = child;
  }
  if (flagsOf(node) & COMPRESSED) throw new Error(`${path} is compressed`);
  const at = data + number(node + 10);
  return bytes.subarray(at + 4, at + 4 + number(at));
}
