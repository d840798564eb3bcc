import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Matrix } from "#lib/compare/matrix.ts";
import { clusteredVectors } from "#lib/compare/synthetic.ts";
import type { VectorIndex } from "#lib/engines/engines.ts";
import { ExactIndex } from "#lib/engines/exact.ts";
import type { SearchQuery } from "#lib/search_page/engine/query.ts";
import { Searcher } from "#lib/search_page/engine/searcher.ts";
import { SpaceIndex } from "#lib/search_page/engine/space_index.ts";
import type { EncoderSpace } from "#lib/search_page/engine/spaces.ts";
import { vectorSpace } from "../../support/vector_space.ts";

const DIMENSIONS = 32;
const COUNT = 6000;

/** Pictures that share a few texts; their own vectors lie in clusters. */
const vectors = clusteredVectors(COUNT, DIMENSIONS);
const written = clusteredVectors(30, DIMENSIONS, { seed: 7 });
const asked = clusteredVectors(1, DIMENSIONS, { seed: 3 });
const pictures = Array.from(vectors, (vector, i) => ({
  ...{ vector: [...vector], text: [...written.row(i % 30)] },
  title: `word ${i % 30}`,
}));

/** What an index was asked, in its order. */
interface Asked {
  named: number[];
  compared: number[];
  vectors: string[][];
  /** How often vectors were waited for. */
  waits: number;
}

/** A space of these whose vectors an index alone has, and what that is asked. */
async function served(): Promise<{ space: EncoderSpace; said: Asked }> {
  const space = vectorSpace(pictures, () => [...asked.row(0)], false);
  // Asked as a server is: for candidates.
  const index = Object.assign(new ExactIndex(DIMENSIONS), { engine: "chroma" });
  space.index = new SpaceIndex(
    space.collection,
    index,
    new ExactIndex(DIMENSIONS),
  );
  await space.index.sync();
  const said: Asked = { named: [], compared: [], vectors: [], waits: 0 };
  const real: Pick<VectorIndex, "nearest" | "compare" | "vectors"> = {
    nearest: index.nearest.bind(index),
    compare: index.compare.bind(index),
    vectors: index.vectors.bind(index),
  };
  index.nearest = (vector, k, options) => {
    said.named.push(k);
    return real.nearest(vector, k, options);
  };
  index.compare = (vector, ids, metric) => {
    said.compared.push(ids.length);
    return real.compare(vector, ids, metric);
  };
  let waiting = 0;
  index.vectors = async (ids) => {
    said.vectors.push([...ids]);
    if (waiting++ === 0) said.waits++;
    const found = await real.vectors(ids);
    await new Promise((resolve) => setTimeout(resolve, 5));
    waiting--;
    return found;
  };
  return { space, said };
}

/** Of a query without a line, so that no picture stands for all. */
const query: Partial<SearchQuery> = { text: "x", cut: "none", k: 60 };

Deno.test("the first page's vectors come with those of the rest, none of them twice", async () => {
  const { space, said } = await served();
  const { hits } = await new Searcher([space]).search(query);
  strictEqual(hits.length, 60);
  const ids = said.vectors.flat();
  strictEqual(new Set(ids).size, ids.length);
  ok(hits.every(({ path }) => ids.includes(path)));
  // 60, the next one, and 100 that may be copies; and of each candidate a tenth.
  ok(ids.length <= 161 + 20, `${ids.length}`);
  deepStrictEqual(said.compared, []);
  // They are asked for at once, not one after the other.
  strictEqual(said.waits, 1);
  ok(said.vectors.every((part) => part.length <= 61));
});

Deno.test("where copies are not folded, no vectors of the first page come", async () => {
  const { space, said } = await served();
  const { hits } = await new Searcher([space]).search({ ...query, fold: 2 });
  const ids = said.vectors.flat();
  ok(ids.length <= 20, `${ids.length}`);
  strictEqual(hits.length, 60);
});

Deno.test("a server names more pictures the more texts weigh", async () => {
  const { space, said } = await served();
  const searcher = new Searcher([space]);
  for (const textWeight of [0.1, 0.3, 0.35]) {
    await searcher.search({ ...query, textWeight });
  }
  deepStrictEqual(said.named, [1200, 1200, 4000]);
});

Deno.test("values are those of exact search, where some came with the candidates and some were asked for", async () => {
  const { space } = await served();
  const exact = new Searcher([
    vectorSpace(pictures, () => [...asked.row(0)]),
  ]);
  for (const mode of ["smart", "text", "visual"] as const) {
    const whole = { ...query, mode, fold: 2 };
    const found = await new Searcher([space]).search(whole);
    const truth = await exact.search(whole);
    const valuesOf = ({ hits }: typeof truth) =>
      hits.map(({ value }) => value.toFixed(5));
    deepStrictEqual(valuesOf(found), valuesOf(truth), mode);
  }
});

Deno.test("vectors that are known are not asked for again", async () => {
  const { space, said } = await served();
  const known = new Map([[3, Float32Array.from({ length: 32 }, () => 0.5)]]);
  const found = await space.vectorsOf([2, 3, 4], known);
  deepStrictEqual(said.vectors, [["2", "4"]]);
  deepStrictEqual([...found.row(1)], [...known.get(3)!]);
  deepStrictEqual(
    found.row(2),
    (await space.index!.pictures.vectors(["4"])).row(0),
  );
  strictEqual(found instanceof Matrix, true);
});
