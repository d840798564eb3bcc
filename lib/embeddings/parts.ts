/**
 * A part of the store: embeddings that were written together, and their keys.
 *
 * ```text
 * <random>.npy     float32 [n, D], for numpy.load
 * <random>.jsonl   {"id": …, "dimensions": D}, then the n keys, one a line
 * ```
 *
 * The keys come last: a part without them does not count.
 *
 * ```ts
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { copyRows, readParts, writePart } from "#lib/embeddings/parts.ts";
 * import { deepEqual } from "node:assert/strict";
 * import { mkdtemp } from "node:fs/promises";
 *
 * const folder = await mkdtemp("/tmp/parts-");
 * const encoder = { id: "offline", dimensions: 2 };
 * await writePart(folder, encoder, ["owl", "oak"], Matrix.of([[1, 2], [3, 4]]));
 * const [{ path, keys }] = await readParts(folder);
 * const rows = Matrix.of([[0, 0]]);
 * await copyRows(path, [{ from: keys.indexOf("oak"), to: 0 }], rows);
 * deepEqual([...rows.data], [3, 4]);
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { randomUUID } from "node:crypto";
import { open, readdir } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { Matrix } from "../compare/matrix.ts";
import { NPY_HEADER_BYTES, npyHeader, writeNpy } from "../compare/npy.ts";
import type { Encoder } from "../encoders/encoder.ts";
import { readJsonLines, writeJsonLines } from "../files.ts";

/** Whose embeddings they are. */
export type EncoderIdentity = Pick<Encoder, "id" | "dimensions">;

/** A part without its rows. */
export interface Part extends EncoderIdentity {
  /** Without the ending. */
  path: string;
  /** Each row's. */
  keys: string[];
}

/** Writes a part. */
export async function writePart(
  folder: string,
  { id, dimensions }: EncoderIdentity,
  keys: readonly string[],
  vectors: Matrix,
): Promise<Part> {
  const path = join(folder, randomUUID());
  await writeNpy(`${path}.npy`, vectors);
  await writeJsonLines(`${path}.jsonl`, [{ id, dimensions }, ...keys]);
  return { id, dimensions, path, keys: [...keys] };
}

/** The parts in a folder; one that is damaged is left out. */
export async function readParts(folder: string): Promise<Part[]> {
  const names = (await readdir(folder).catch(() => []))
    .flatMap((name) => /^(.+)\.jsonl$/.exec(name)?.[1] ?? []);
  const parts = await pLimit(16).map(
    names,
    (name) => readPart(join(folder, name)).catch(() => []),
  );
  return parts.flat();
}

/** A part, or none where it is not whole. */
async function readPart(path: string): Promise<Part[]> {
  const [{ id, dimensions }, ...keys] = await readJsonLines(
    `${path}.jsonl`,
  ) as [EncoderIdentity, ...string[]];
  const header = npyHeader(keys.length, dimensions);
  const file = await open(`${path}.npy`);
  try {
    const found = new Uint8Array(header.length);
    await file.read({ buffer: found });
    const { size } = await file.stat();
    const isWhole = Buffer.compare(found, header) === 0 &&
      size === header.length + 4 * keys.length * dimensions;
    return isWhole ? [{ id, dimensions, path, keys }] : [];
  } finally {
    await file.close();
  }
}

/**
 * Copies rows of a part into a matrix. Rows that lie side by side are read at
 * once, and no others: to look up ten of 100,000, ten are read.
 *
 * @param copies Rows of the part, and the rows of the matrix that they go to.
 * @throws {Error} With code "ENOENT" if the part is gone.
 */
export async function copyRows(
  path: string,
  copies: readonly { from: number; to: number }[],
  vectors: Matrix,
): Promise<void> {
  const { dimensions } = vectors;
  const inOrder = copies.toSorted((a, b) => a.from - b.from);
  const file = await open(`${path}.npy`);
  try {
    while (inOrder.length > 0) {
      const gap = inOrder.findIndex(({ from }, i) =>
        i > 0 && from > inOrder[i - 1].from + 1
      );
      const side = inOrder.splice(0, gap < 0 ? inOrder.length : gap);
      const [first] = side;
      const count = side.at(-1)!.from - first.from + 1;
      // Mostly they go where they are read to, and are not moved again.
      const isInOrder = side.every(({ from, to }) =>
        from - first.from === to - first.to
      );
      const run = isInOrder
        ? vectors.slice(first.to, first.to + count)
        : Matrix.zeros(count, dimensions);
      const { buffer, byteOffset, byteLength } = run.data;
      const { bytesRead } = await file.read({
        buffer: new Uint8Array(buffer, byteOffset, byteLength),
        position: NPY_HEADER_BYTES + 4 * first.from * dimensions,
      });
      if (bytesRead < byteLength) {
        throw new Error(`${path}.npy is shorter than it was`);
      }
      if (isInOrder) continue;
      for (const { from, to } of side) {
        vectors.set(to, run.row(from - first.from));
      }
    }
  } finally {
    await file.close();
  }
}
