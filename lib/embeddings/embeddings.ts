/**
 * Embeddings on disk: embedded once, kept by content.
 *
 * ```text
 * 4_embeddings/<encoder>/
 *   embeddings.npy   float32 [N, D], unit rows, for numpy.load
 *   index.json       encoder, dimensions, and each row's id and content hash
 * ```
 *
 * A picture is known by the hash of its bytes: adding ten pictures to ten
 * thousand embeds ten, a renamed one is not embedded again, and one that is
 * gone leaves. Two encoders never meet in one file: each has its folder.
 *
 * ```ts
 * import { updateEmbeddings } from "#lib/embeddings/embeddings.ts";
 * import type { Encoder } from "#lib/encoders/encoder.ts";
 *
 * async function embedOne(encoder: Encoder) {
 *   const picture = { id: "owl.jpg", source: "/pictures/owl.jpg", sha256: "…" };
 *   const { ids, vectors } = await updateEmbeddings(encoder, [picture]);
 *   console.log(ids[0], vectors.dimensions === encoder.dimensions);
 * }
 * ```
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import {
  embedBatches,
  type EmbeddedBatch,
  type EmbedOptions,
} from "./pipeline.ts";
import type { Encoder } from "../encoders/encoder.ts";
import type { ImageSource } from "../pictures/pictures.ts";
import { Matrix } from "../compare/matrix.ts";
import { requireStage, writeAtomic } from "../files.ts";
import { decodeNpy, encodeNpy, readNpy } from "../compare/npy.ts";
import { paths } from "../paths.ts";

/** A picture to embed. */
export interface PictureToEmbed {
  /** Its name in the results: its path in the data set. */
  id: string;
  /** Where its bytes are. */
  source: ImageSource;
  /** SHA-256 of its bytes, hexadecimal. */
  sha256: string;
}

/** One encoder's vectors, row by row. */
export interface Embeddings {
  /** The encoder's id: vectors of different encoders must not be compared. */
  encoder: string;
  /** Length of each vector. */
  dimensions: number;
  /** Each row's picture. */
  ids: string[];
  /** Unit vectors, in the order of `ids`. */
  vectors: Matrix;
}

/** What an update did beside the embeddings themselves. */
export interface UpdatedEmbeddings extends Embeddings {
  /** How many pictures went through the encoder this time. */
  embedded: number;
  /** Pictures without a row, and why. */
  failures: { id: string; reason: string }[];
}

interface Index {
  encoder: string;
  dimensions: number;
  /** SHA-256 of embeddings.npy, to tell which file this index belongs to. */
  npySha256: string;
  rows: { id: string; sha256: string }[];
}

/**
 * Brings the encoder's file in line with `pictures`, embedding only contents
 * it does not hold yet. Saves every ten seconds: a killed run goes on from there.
 *
 * @param pictures The whole data set, in the order that the rows shall have.
 * @param options.folder Holds one folder an encoder.
 */
export function updateEmbeddings(
  encoder: Encoder,
  pictures: readonly PictureToEmbed[],
  { folder = paths.embeddings, ...options }:
    & EmbedOptions
    & { folder?: string } = {},
): Promise<UpdatedEmbeddings> {
  return updateRows(
    encoder,
    pictures,
    folder,
    (wanted) =>
      embedBatches(encoder, wanted.map(({ source }) => source), options),
  );
}

/** The same for anything that has an id and a content: embed() embeds some. */
export async function updateRows<Item extends { id: string; sha256: string }>(
  encoder: Encoder,
  items: readonly Item[],
  folder: string,
  embed: (wanted: readonly Item[]) => AsyncIterable<EmbeddedBatch>,
): Promise<UpdatedEmbeddings> {
  const place = encoderFolder(folder, encoder.id);
  const known = await readKnown(place);
  const unseen = new Map<string, Item>();
  for (const item of items) {
    if (!known.has(item.sha256)) unseen.set(item.sha256, item);
  }
  const wanted = [...unseen.values()];
  const reasons = new Map<string, string>();
  const save = () => writeEmbeddings(place, encoder, items, known);

  let savedAt = Date.now();
  try {
    for await (const batch of embed(wanted)) {
      for (const { index, reason } of batch.failures) {
        reasons.set(wanted[index].sha256, reason);
      }
      for (let i = 0; i < batch.vectors.count; i++) {
        const { sha256 } = wanted[batch.start + i];
        if (!reasons.has(sha256)) known.set(sha256, batch.vectors.row(i));
      }
      if (Date.now() - savedAt > 10_000) {
        await save();
        savedAt = Date.now();
      }
    }
  } finally {
    // Also when stopped: what is embedded is kept.
    await save();
  }
  const rows = items.filter(({ sha256 }) => known.has(sha256));
  return {
    encoder: encoder.id,
    dimensions: encoder.dimensions,
    ids: rows.map(({ id }) => id),
    vectors: Matrix.of(
      rows.map(({ sha256 }) => known.get(sha256)!),
      encoder.dimensions,
    ),
    embedded: wanted.length - reasons.size,
    failures: items.flatMap(({ id, sha256 }) => {
      const reason = reasons.get(sha256);
      return reason === undefined ? [] : [{ id, reason }];
    }),
  };
}

/**
 * Reads an encoder's embeddings.
 *
 * @throws {Error} If there are none, "… not found: run notebook 4 first", or
 *   they are damaged.
 */
export async function readEmbeddings(
  encoderId: string,
  folder: string = paths.embeddings,
): Promise<Embeddings> {
  const place = encoderFolder(folder, encoderId);
  const { index, vectors } = await requireStage(
    join(place, "index.json"),
    4,
    () => readPlace(place),
  );
  const { encoder, dimensions, rows } = index;
  return { encoder, dimensions, ids: rows.map(({ id }) => id), vectors };
}

/** An encoder's folder; its id may hold a slash ("clip-vit-b32/q8"). */
function encoderFolder(folder: string, encoderId: string): string {
  return join(folder, encoderId.replaceAll(/[^\w.-]+/g, "_"));
}

/** Vectors by content hash; none where nothing was saved, or it is damaged. */
async function readKnown(place: string): Promise<Map<string, Float32Array>> {
  try {
    const { index, vectors } = await readPlace(place);
    return new Map(
      index.rows.map(({ sha256 }, row) => [sha256, vectors.row(row)]),
    );
  } catch {
    // Made anew, which costs time and no more.
    return new Map();
  }
}

async function readPlace(
  place: string,
): Promise<{ index: Index; vectors: Matrix }> {
  const index: Index = JSON.parse(
    await readFile(join(place, "index.json"), "utf8"),
  );
  const vectors = await currentNpy(place, index.npySha256);
  const { count, dimensions } = vectors;
  if (count !== index.rows.length || dimensions !== index.dimensions) {
    throw new Error(
      `${place}: expected ${index.rows.length} x ${index.dimensions} values, ` +
        `got ${count} x ${dimensions}`,
    );
  }
  return { index, vectors };
}

/**
 * Two files cannot be replaced at once. So the new vectors are written beside
 * the old ones, the index decides which of them count, and the last step, the
 * renaming, is caught up with here where a run was killed before it.
 */
async function currentNpy(place: string, sha256: string) {
  const next = await readFile(join(place, "next.npy")).catch(() => undefined);
  if (next && hash(next) === sha256) {
    await rename(join(place, "next.npy"), join(place, "embeddings.npy"));
    return decodeNpy(next);
  }
  return readNpy(join(place, "embeddings.npy"));
}

async function writeEmbeddings(
  place: string,
  encoder: Encoder,
  items: readonly { id: string; sha256: string }[],
  known: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const rows = items.filter(({ sha256 }) => known.has(sha256));
  const vectors = rows.map(({ sha256 }) => known.get(sha256)!);
  const npy = encodeNpy(Matrix.of(vectors, encoder.dimensions));
  const index: Index = {
    encoder: encoder.id,
    dimensions: encoder.dimensions,
    npySha256: hash(npy),
    rows: rows.map(({ id, sha256 }) => ({ id, sha256 })),
  };
  await writeAtomic(join(place, "next.npy"), npy);
  await writeAtomic(join(place, "index.json"), JSON.stringify(index));
  await rename(join(place, "next.npy"), join(place, "embeddings.npy"));
}

function hash(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
