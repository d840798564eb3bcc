/**
 * Requests that go to a server past Chroma's own client, which takes its time
 * over numbers: it visits each one of a query, and writes the bytes of vectors
 * one by one. For 2,000 vectors of 512 numbers it takes 0.3 s, this 0.01 s.
 *
 * Touches no files; talks to the server only.
 *
 * ```ts
 * import { base64Of } from "#lib/engines/chroma/requests.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * // 32 bits a number, the lowest byte first, as every usual machine has them.
 * strictEqual(base64Of(Float32Array.of(1)), "AACAPw==");
 * ```
 *
 * @module
 */
import type { Metadata, Where } from "chromadb";
import { Buffer } from "node:buffer";
import type { EmbeddingIndex } from "./collection.ts";

/** Where rows are: a collection, and the client that leads to it. */
export type Target = Pick<EmbeddingIndex, "client" | "collection">;

/** A query in the server's words. */
export interface ServerQuery {
  query_embeddings: number[][];
  n_results: number;
  /** Only these rows. */
  ids?: string[];
  where?: Where;
  include: "distances"[];
}

/** Its answer: for each query the rows found, nearest first. */
export interface ServerAnswer {
  ids: string[][];
  /** Where they were asked for. */
  distances: number[][];
}

/** A vector's bytes, in base64. */
export function base64Of(
  { buffer, byteOffset, byteLength }: Float32Array,
): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("base64");
}

/** Puts rows in, in place of those that have these ids. */
export async function upsertRows(
  target: Target,
  ids: string[],
  vectors: Float32Array[],
  metadatas?: Metadata[],
): Promise<void> {
  if (await target.client.supportsBase64Encoding()) {
    const embeddings = vectors.map(base64Of);
    await post(target, "upsert", { ids, embeddings, metadatas });
  } else {
    const embeddings = vectors.map((vector) => Array.from(vector));
    await target.collection.upsert({ ids, embeddings, metadatas });
  }
}

/** Asks for the nearest rows. */
export async function queryRows(
  target: Target,
  query: ServerQuery,
): Promise<ServerAnswer> {
  const { query_embeddings: queryEmbeddings, n_results: nResults, ...rest } =
    query;
  // The client says what is wrong with a filter, where the server does not.
  if (query.where !== undefined) {
    const asked = { queryEmbeddings, nResults, ...rest };
    return await target.collection.query(asked) as ServerAnswer;
  }
  const answer = await post(target, "query", query);
  return await answer.json();
}

/** Sends what a collection is to do. */
function post(
  { client, collection }: Target,
  what: "upsert" | "query",
  content: unknown,
): Promise<Response> {
  const { tenant, database, id } = collection;
  const path = [tenant, database, id].map(encodeURIComponent);
  const { baseUrl, fetch } = client["apiClient"].getConfig();
  return (fetch as typeof globalThis.fetch)(
    `${baseUrl}/api/v2/tenants/${path[0]}/databases/${path[1]}` +
      `/collections/${path[2]}/${what}`,
    {
      method: "POST",
      headers: { ...client.headers, "content-type": "application/json" },
      body: JSON.stringify(content),
    },
  );
}
