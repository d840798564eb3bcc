/**
 * A vector database asked like any other engine (engines.ts): vectors under ids,
 * in batches as large as the server takes, by all four metrics.
 *
 * | metric      | collection                    | values are              |
 * | ----------- | ----------------------------- | ----------------------- |
 * | cosine, l2  | the server's own space        | the server's            |
 * | correlation | of vectors less their mean    | the server's            |
 * | l1          | l2's: its nearest, re-ranked  | exact, of these nearest |
 *
 * Beside this file: nearest.ts asks for the nearest, named_rows.ts for rows by
 * their ids, put.ts sends what differs, completion.ts keeps the collections of
 * one data set × encoder alike.
 *
 * Touches no files; talks to the server only.
 *
 * ```ts
 * import { startChroma } from "#lib/engines/chroma/chroma.ts";
 * import { openChromaIndex } from "#lib/engines/chroma/chroma_index.ts";
 * import { Matrix } from "#lib/compare/matrix.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const chroma = await startChroma({ folder: await Deno.makeTempDir() });
 * const birds = { dataset: "birds", encoder: "by hand", dimensions: 2 };
 * const index = await openChromaIndex(chroma, { ...birds, metrics: ["l2"] });
 * await index.put(["owl", "hen"], Matrix.of([[3, 4], [9, 9]]));
 * const hits = await index.nearest(Float32Array.of(0, 0), 1, { metric: "l2" });
 * deepStrictEqual(hits, [{ id: "owl", value: 5 }]);
 * await chroma.stop();
 * ```
 *
 * @module
 */
import type { Metadata } from "chromadb";
import { Matrix } from "../../compare/matrix.ts";
import { type MetricName, metricOf } from "../../compare/metrics.ts";
import { checkK, checkPut, checkVector, checkWhole } from "../checks.ts";
import type {
  AskOptions,
  PutOptions,
  VectorHit,
  VectorIndex,
} from "../engines.ts";
import { Turns } from "../turns.ts";
import type { Chroma } from "./chroma.ts";
import {
  type EmbeddingIndex,
  expectedOf,
  type HnswSettings,
  openIndex,
} from "./collection.ts";
import { bySource, complete, countsOf, othersOf } from "./completion.ts";
import { checkMetadata } from "./metadata.ts";
import {
  compareRows,
  metadataOfRows,
  possibleIds,
  vectorsOfRows,
} from "./named_rows.ts";
import { nearestRows } from "./nearest.ts";
import { FINGERPRINT, putRows, withoutFingerprint } from "./put.ts";
import { batchSizeOf, deleteRows, readRows, rowsARequest } from "./rows.ts";
import type { Space } from "./spaces.ts";

/** Whose vectors, and how they are to be compared. */
export interface ChromaIndexOptions {
  /** The data set's name: "sample". */
  dataset: string;
  /** The encoder's id; vectors of another have collections of their own. */
  encoder: string;
  /** Length of every vector. */
  dimensions: number;
  /**
   * What it can be asked by; each space that these need is a collection.
   * @default ["cosine"]
   */
  metrics?: readonly MetricName[];
  /** Where left out: as the collections were made, else Chroma's own. */
  hnsw?: Partial<HnswSettings>;
  /**
   * Rows a request, or fewer where the server takes fewer.
   * @default {vectors of 12 MB}
   */
  batchSize?: number;
  /**
   * By l1, so many nearest by l2 are compared for each that is wanted.
   * @default 10
   */
  l1Candidates?: number;
  /** Called after each batch while a collection is filled from another. */
  onProgress?: (done: number, total: number) => void;
  /** Stops that between two batches, by throwing its reason. */
  signal?: AbortSignal;
}

/** Which space answers by a metric. */
const SPACE_OF: Record<MetricName, Space> = {
  cosine: "cosine",
  l2: "l2",
  l1: "l2",
  correlation: "correlation",
};

/**
 * Opens the collections of a data set × encoder; makes them where needed. Rows
 * that another of its collections holds are copied, where they are there as they
 * were put: l2's collection has all that the others need.
 *
 * @throws {RangeError} If a metric is unknown, or dimensions, batch size or
 *   candidates are not a whole number of 1 or more.
 * @throws {Error} If a collection holds another encoder's vectors.
 */
export async function openChromaIndex(
  chroma: Chroma,
  {
    metrics: asked = ["cosine"],
    batchSize: wantedSize,
    l1Candidates = 10,
    onProgress,
    signal,
    ...description
  }: ChromaIndexOptions,
): Promise<ChromaIndex> {
  const unknown = asked.find((name) => !Object.hasOwn(SPACE_OF, name));
  if (unknown !== undefined || asked.length === 0) {
    throw new RangeError(
      `openChromaIndex: expected metrics ${
        Object.keys(SPACE_OF).join(", ")
      }, ` +
        `got ${unknown ?? "none"}`,
    );
  }
  if (wantedSize !== undefined) {
    checkWhole("openChromaIndex", "batch size", wantedSize);
  }
  checkWhole("openChromaIndex", "number of l1Candidates", l1Candidates);
  const collections = new Map<Space, EmbeddingIndex>();
  for (const space of new Set(asked.map((name) => SPACE_OF[name]))) {
    collections.set(space, await openIndex(chroma, { ...description, space }));
  }
  const opened = [...collections.values()];
  const batchSize = wantedSize ?? rowsARequest(description.dimensions);
  const all = [...opened, ...await othersOf(opened[0], collections)];
  const lacking = await complete(opened, all, {
    ...{ onProgress, signal },
    batchSize: await batchSizeOf(opened[0], batchSize),
  });
  const counts = await countsOf(opened);
  return new ChromaIndex(
    collections,
    opened[counts.indexOf(Math.max(...counts))],
    lacking,
    chroma.url,
    batchSize,
    l1Candidates,
  );
}

/** Vectors on a Chroma server; `openChromaIndex` makes one. */
export class ChromaIndex implements VectorIndex {
  readonly engine = "chroma";
  readonly label: string;
  readonly dimensions: number;
  /** The collections, by space, for what this class does not wrap. */
  readonly collections: ReadonlyMap<Space, EmbeddingIndex>;
  /** One that holds all rows, as the others do unless they are lacking. */
  readonly #first: EmbeddingIndex;
  readonly #lacking: Set<EmbeddingIndex>;
  readonly #batchSize: number;
  readonly #l1Candidates: number;
  /** Two changes at once could reach one collection in another order than the next. */
  readonly #turns = new Turns();

  constructor(
    collections: ReadonlyMap<Space, EmbeddingIndex>,
    fullest: EmbeddingIndex,
    lacking: readonly EmbeddingIndex[],
    url: string,
    batchSize: number,
    l1Candidates: number,
  ) {
    this.collections = collections;
    this.#first = fullest;
    this.#lacking = new Set(lacking);
    this.dimensions = this.#first.dimensions;
    this.#batchSize = batchSize;
    this.#l1Candidates = l1Candidates;
    const { hnsw } = this.#first;
    const settings = hnsw &&
      `, M ${hnsw.maxNeighbors}, efSearch ${hnsw.efSearch}`;
    this.label = `Chroma at ${url}${settings ?? ""}`;
  }

  count(): Promise<number> {
    return this.#first.collection.count();
  }

  async nearest(
    query: Float32Array,
    k: number,
    options?: AskOptions,
  ): Promise<VectorHit[]> {
    const [hits] = await this.nearestBatch(Matrix.of([query]), k, options);
    return hits;
  }

  async nearestBatch(
    queries: Matrix,
    k: number,
    { metric = "cosine", filter }: AskOptions = {},
  ): Promise<VectorHit[][]> {
    const index = await this.#indexBy(metric);
    checkK("ChromaIndex", k);
    for (const [row, query] of [...queries].entries()) {
      checkVector(expectedOf("ChromaIndex", index), query, `query ${row}`);
    }
    return await nearestRows(index, queries, k, {
      filter,
      ...(metric === "l1" && { l1Candidates: this.#l1Candidates }),
      batchSize: await this.#size(),
    });
  }

  async compare(
    query: Float32Array,
    ids: readonly string[],
    metric: MetricName = "cosine",
  ): Promise<Float32Array> {
    const index = await this.#indexBy(metric);
    checkVector(expectedOf("ChromaIndex", index), query, "the query");
    return await compareRows(index, query, ids, metric, await this.#size());
  }

  /**
   * The vectors of these ids, a row each; NaN throughout where there is none.
   * An index that is not asked by l2 or l1 may give them scaled to length 1,
   * which is how the server keeps them; by correlation alone, centred too.
   */
  async vectors(ids: readonly string[]): Promise<Matrix> {
    const raw = (["l2", "cosine"] as const).map((space) =>
      this.collections.get(space)
    ).find((index) => index && !this.#lacking.has(index));
    return await vectorsOfRows(raw ?? this.#first, ids, await this.#size());
  }

  /** What is kept beside the vectors of these ids; undefined where there is none. */
  async metadata(ids: readonly string[]): Promise<(Metadata | undefined)[]> {
    const found = await metadataOfRows(this.#first, ids, await this.#size());
    return ids.map((id) => {
      const kept = found.get(id);
      return kept && withoutFingerprint(kept);
    });
  }

  /** Every row's id and what is kept beside its vector, in no order. */
  async *rows(): AsyncGenerator<{ id: string; metadata: Metadata }> {
    for await (const [id, kept] of readRows(this.#first, await this.#size())) {
      yield { id, metadata: withoutFingerprint(kept) };
    }
  }

  /**
   * Puts vectors in, in place of those that have these ids, in all collections
   * of this data set × encoder, those that were opened for other metrics too.
   * Without `metadata`, what is kept beside them stays. A change begins when
   * those that were asked for before it, of this index, are done.
   *
   * @throws {RangeError} Before anything is sent, if something of it is none that
   *   the database keeps: names the id.
   */
  async put(
    ids: readonly string[],
    vectors: Matrix,
    { metadata, onProgress, signal }: PutOptions = {},
  ): Promise<void> {
    if (metadata && metadata.length !== ids.length) {
      throw new RangeError(
        `ChromaIndex: expected metadata for each of ${ids.length} ids, ` +
          `got ${metadata.length}`,
      );
    }
    checkPut(expectedOf("ChromaIndex", this.#first), ids, vectors);
    metadata?.forEach((kept, row) =>
      checkMetadata("ChromaIndex", ids[row], kept, [FINGERPRINT])
    );
    const rows = { ids, vectors, metadata };
    await this.#turns.take(async () => {
      const pace = { batchSize: await this.#size(), onProgress, signal };
      await putRows(this.#first, await this.#all(), rows, pace);
    });
  }

  /** Takes these out of all collections of this data set × encoder. */
  async remove(ids: readonly string[]): Promise<void> {
    const possible = possibleIds(ids);
    if (possible.length === 0) return;
    await this.#turns.take(async () => {
      const batchSize = await this.#size();
      for (const index of (await this.#all()).reverse()) {
        await deleteRows(index, possible, { batchSize });
      }
    });
  }

  /** Waits for changes under way; the server keeps what it has acknowledged. */
  close(): Promise<void> {
    return this.#turns.allDone();
  }

  #size(): Promise<number> {
    return batchSizeOf(this.#first, this.#batchSize);
  }

  /**
   * All collections that there are now, since another program may have made one:
   * those first of which others can be made, if work is broken off after them.
   */
  async #all(): Promise<EmbeddingIndex[]> {
    const others = await othersOf(this.#first, this.collections);
    return bySource([...this.collections.values(), ...others]);
  }

  async #indexBy(metric: MetricName): Promise<EmbeddingIndex> {
    metricOf(metric);
    const index = this.collections.get(SPACE_OF[metric]);
    if (!index) {
      throw new RangeError(
        `ChromaIndex: expected a metric that ${this.#first.collection.name} was ` +
          `opened for, got ${metric}: name it in openChromaIndex's metrics`,
      );
    }
    if (this.#lacking.has(index)) {
      const [there, all] = await countsOf([index, this.#first]);
      if (there < all) {
        throw new Error(
          `ChromaIndex: ${index.collection.name} lacks ${
            all - there
          } of ${all} ` +
            `vectors, and other collections have them no more as they were put: ` +
            `put them again to ask by ${metric}, or remove them`,
        );
      }
      this.#lacking.delete(index);
    }
    return index;
  }
}
