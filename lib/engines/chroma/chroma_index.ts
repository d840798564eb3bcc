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
import { topK } from "../../compare/compare.ts";
import { Matrix } from "../../compare/matrix.ts";
import { type MetricName, metricOf, metrics } from "../../compare/metrics.ts";
import { checkK, checkPut, checkWhole } from "../checks.ts";
import type {
  AskOptions,
  PutOptions,
  VectorHit,
  VectorIndex,
} from "../engines.ts";
import type { Chroma } from "./chroma.ts";
import {
  checkVector,
  type EmbeddingIndex,
  expectedOf,
  type HnswSettings,
  openIndex,
} from "./collection.ts";
import { bySource, complete, countsOf, othersOf } from "./completion.ts";
import { checkMetadata } from "./metadata.ts";
import {
  batchSizeOf,
  deleteRows,
  fingerprintOf,
  inBatches,
  readFingerprints,
  readRows,
  sendChanged,
  withinLimit,
} from "./rows.ts";
import { asStored, type Space, valueOf } from "./spaces.ts";

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
  /** Rows a request, or fewer where the server takes fewer. @default 2000 */
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

/** The server counts in 32 bits. */
const MOST_RESULTS = 2 ** 32 - 1;

/** Vectors of so many come sooner than the server's distances to them. */
const FEW = 500;

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
    batchSize = 2000,
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
  checkWhole("openChromaIndex", "batch size", batchSize);
  checkWhole("openChromaIndex", "number of l1Candidates", l1Candidates);
  const collections = new Map<Space, EmbeddingIndex>();
  for (const space of new Set(asked.map((name) => SPACE_OF[name]))) {
    collections.set(space, await openIndex(chroma, { ...description, space }));
  }
  const opened = [...collections.values()];
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
      checkVector("ChromaIndex", index, query, `query ${row}`);
    }
    if (queries.count === 0) return [];
    let count = Infinity; // Not asked for unless it matters.
    const byL1 = metric === "l1";
    const passes = filter?.passes ?? (() => true);
    // A filter that the server does not know leaves out rows that it found:
    // then it is asked for more, until there are enough or there are no more.
    for (let wanted = byL1 ? k * this.#l1Candidates : k;; wanted *= 4) {
      const [answer, asked] = await withinLimit(
        index,
        Math.min(wanted, count, MOST_RESULTS),
        (nResults) =>
          index.collection.query({
            queryEmbeddings: Array.from(queries, (query) =>
              Array.from(asStored(index.space, query))),
            nResults,
            where: filter?.where,
            include: byL1 ? ["distances", "embeddings"] : ["distances"],
          }),
      );
      const found = answer.rows();
      const passed = found.map((rows) => rows.filter(({ id }) => passes(id)));
      // Nothing more comes from a server, or a plan, that gave fewer or all.
      const isShort = passed.some((rows, i) =>
        rows.length < k && found[i].length === wanted
      );
      if (isShort && asked === wanted && wanted < count) {
        if (count === Infinity) count = await this.count();
        continue;
      }
      return passed.map((rows, i) =>
        byL1
          ? nearestByL1(queries.row(i), rows, k)
          : rows.slice(0, k).map(({ id, distance }) => (
            { id, value: valueOf(index.space, distance!) }
          ))
      );
    }
  }

  async compare(
    query: Float32Array,
    ids: readonly string[],
    metric: MetricName = "cosine",
  ): Promise<Float32Array> {
    const index = await this.#indexBy(metric);
    checkVector("ChromaIndex", index, query, "the query");
    // A server looks over all that it has for the few that are named.
    if (metric === "l1" || ids.length <= FEW) {
      const { measure } = metrics[metric];
      const stored = asStored(index.space, query);
      const vectors = await this.#vectorsOf(index, ids);
      return Float32Array.from(vectors, (row) => measure(stored, row));
    }
    const values = new Map<string, number>();
    const queryEmbeddings = [Array.from(asStored(index.space, query))];
    await this.#inBatches(index, ids, async (batch) => {
      const distances = await distancesTo(index, queryEmbeddings, batch);
      for (const { id, distance } of distances) {
        values.set(id, valueOf(index.space, distance!));
      }
    });
    return Float32Array.from(ids, (id) => values.get(id) ?? NaN);
  }

  /**
   * The vectors of these ids, a row each; NaN throughout where there is none.
   * An index that is not asked by l2 or l1 may give them scaled to length 1,
   * which is how the server keeps them; by correlation alone, centred too.
   */
  vectors(ids: readonly string[]): Promise<Matrix> {
    const raw = (["l2", "cosine"] as const).map((space) =>
      this.collections.get(space)
    ).find((index) => index && !this.#lacking.has(index));
    return this.#vectorsOf(raw ?? this.#first, ids);
  }

  /** What is kept beside the vectors of these ids; undefined where there is none. */
  async metadata(ids: readonly string[]): Promise<(Metadata | undefined)[]> {
    const found = new Map<string, Metadata>();
    const size = await this.#size();
    for await (const [id, kept] of readRows(this.#first, size, possible(ids))) {
      found.set(id, withoutFingerprint(kept));
    }
    return ids.map((id) => found.get(id));
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
   * Without `metadata`, what is kept beside them stays.
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
      checkMetadata("ChromaIndex", ids[row], kept, ["fingerprint"])
    );
    const batchSize = await this.#size();
    const there = new Map<string, Metadata>();
    for await (const [id, kept] of readRows(this.#first, batchSize, ids)) {
      signal?.throwIfAborted();
      there.set(id, kept ?? {});
    }
    const inPlace = new Set(
      metadata ? [] : ids.filter((id) =>
        // The fingerprint is of no use without the vector.
        Object.keys(there.get(id) ?? {}).length > 1
      ),
    );
    const metadatas = ids.map((id, row) => {
      const kept = metadata?.[row] ?? withoutFingerprint(there.get(id));
      const inOrder = Object.entries(kept).sort(([a], [b]) => a < b ? -1 : 1);
      return { ...kept, fingerprint: fingerprintOf(vectors.row(row), inOrder) };
    });
    const spaces = await this.#all();
    for (const [nth, index] of spaces.entries()) {
      const options = {
        batchSize,
        signal,
        // Of so many collections, one after the other.
        onProgress: (done: number, total: number) =>
          onProgress?.(
            Math.floor((nth * total + done) / spaces.length),
            total,
          ),
      };
      const stored = index === this.#first
        ? new Map(Array.from(there, ([id, kept]) => [id, kept.fingerprint]))
        : await readFingerprints(index, options, ids);
      const rows = { ids, vectors, metadatas, inPlace };
      await sendChanged(index, rows, stored, options);
    }
  }

  /** Takes these out of all collections of this data set × encoder. */
  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const batchSize = await this.#size();
    for (const index of (await this.#all()).reverse()) {
      await deleteRows(index, possible(ids), { batchSize });
    }
  }

  /** Nothing to write: the server keeps what it has acknowledged. */
  close(): Promise<void> {
    return Promise.resolve();
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

  /** Hands on those that can be ids, each once, in parts that the server takes. */
  async #inBatches(
    index: EmbeddingIndex,
    ids: readonly string[],
    send: (batch: string[]) => Promise<void>,
  ): Promise<void> {
    const batchSize = await this.#size();
    await inBatches(index, possible(ids), { batchSize }, send);
  }

  async #vectorsOf(
    index: EmbeddingIndex,
    ids: readonly string[],
  ): Promise<Matrix> {
    const found = new Map<string, number[]>();
    await this.#inBatches(index, ids, async (batch) => {
      const include = ["embeddings" as const];
      const page = await index.collection.get({ ids: batch, include });
      page.ids.forEach((id, i) => found.set(id, page.embeddings[i]!));
    });
    const vectors = Matrix.zeros(ids.length, index.dimensions);
    ids.forEach((id, row) => {
      const vector = found.get(id);
      if (vector) vectors.set(row, vector);
      else vectors.row(row).fill(NaN);
    });
    return vectors;
  }
}

/** Each once, without what the server takes for no id, which none can have. */
function possible(ids: readonly string[]): string[] {
  return [...new Set(ids)].filter((id) => id !== "" && id.isWellFormed());
}

/** Candidates with their vectors, compared exactly. */
function nearestByL1(
  query: Float32Array,
  candidates: readonly { id: string; embedding?: number[] | null }[],
  k: number,
): VectorHit[] {
  const values = candidates.map(({ embedding }) =>
    metrics.l1.measure(query, embedding!)
  );
  return topK(values, k, "lower").map(({ index, value }) => (
    { id: candidates[index].id, value }
  ));
}

/** The server's distances to these rows; none for a row that is not there. */
async function distancesTo(
  { collection }: EmbeddingIndex,
  queryEmbeddings: number[][],
  ids: string[],
) {
  for (let attempt = 1;; attempt++) {
    // It takes an id that it does not know for a mistake of its own.
    const known = await collection.get({ ids, include: [] });
    if (known.ids.length === 0) return [];
    try {
      const answer = await collection.query({
        queryEmbeddings,
        ids: known.ids,
        nResults: known.ids.length,
        include: ["distances"],
      });
      return answer.rows()[0];
    } catch (error) {
      // Another program has deleted one meanwhile.
      const isGone = /finding id/i.test((error as Error).message);
      if (!isGone || attempt === 5) throw error;
    }
  }
}

function withoutFingerprint(kept?: Metadata | null): Metadata {
  const { fingerprint: _, ...metadata } = kept ?? {};
  return metadata;
}
