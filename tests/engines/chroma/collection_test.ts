import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import {
  dropIndex,
  type HnswSettings,
  openIndex,
} from "#lib/engines/chroma/collection.ts";
import type { Space } from "#lib/engines/chroma/spaces.ts";
import { testWithChroma } from "../../support/chroma.ts";

const description = (space: Space, dimensions = 2) => (
  { dataset: "tests", encoder: "angles/1", dimensions, space }
);

testWithChroma("openIndex() keeps two encoders apart", async (chroma) => {
  await openIndex(chroma, description("cosine"));
  await openIndex(chroma, { ...description("cosine"), encoder: "other" });
  equal(await chroma.client.countCollections(), 2);
  // Another id that looks the same where only letters and digits can stand.
  await openIndex(chroma, { ...description("cosine"), encoder: "angles:1" });
  equal(await chroma.client.countCollections(), 3);
  await rejects(
    openIndex(chroma, description("cosine", 3)),
    /holds data set tests, encoder angles\/1, 2 dimensions; asked for data set tests, encoder angles\/1, 3 dimensions/,
  );
});

testWithChroma(
  "openIndex() takes any name of a data set, and other names to other collections",
  async (chroma) => {
    const datasets = [
      ...["birds", "Birds", "birds_", "a.b", "a..b", "a-b", "a/b", "a b", "_x"],
      ...["-x", "x", "", " ", "鸟", "鹰", "S\u00e4ge", "1.2.3.4", "\ud800"],
      ...["x".repeat(600), "x".repeat(601)],
    ];
    const open = async (dataset: string, encoder = "offline") => {
      const of = { dataset, encoder, dimensions: 2, space: "l2" } as const;
      return (await openIndex(chroma, of)).collection.name;
    };
    const names = new Set<string>();
    for (const dataset of datasets) names.add(await open(dataset));
    // "a" and "b.c" are not "a.b" and "c".
    for (const parts of [["a", "b.c"], ["a.b", "c"]]) {
      names.add(await open(parts[0], parts[1]));
    }
    equal(names.size, datasets.length + 2);
    equal(await open("Sa\u0308ge"), await open("S\u00e4ge"));
    ok(names.has("birds.offline.l2"), "as plain as it can be");
  },
);

testWithChroma(
  "openIndex() refuses an unknown space and settings that cannot change",
  async (chroma) => {
    await rejects(openIndex(chroma, description("ip" as Space)), {
      name: "RangeError",
      message: "openIndex: expected space l2, cosine or correlation, got ip",
    });
    const open = (hnsw?: Partial<HnswSettings>) =>
      openIndex(chroma, { ...description("l2"), hnsw });
    const made = await open({ maxNeighbors: 8 });
    deepEqual(made.hnsw, {
      maxNeighbors: 8,
      efConstruction: 100,
      efSearch: 100,
    });
    equal((await open()).hnsw?.maxNeighbors, 8);
    await rejects(
      open({ maxNeighbors: 32 }),
      /built with maxNeighbors 8, asked for 32/,
    );
    equal((await open({ efSearch: 20 })).hnsw?.efSearch, 20);
    equal((await open()).hnsw?.efSearch, 20);
    await dropIndex(made);
    const again = await open({ maxNeighbors: 32, efConstruction: 50 });
    deepEqual([again.hnsw?.maxNeighbors, again.hnsw?.efConstruction], [32, 50]);
    await rejects(
      open({ efConstruction: 60 }),
      /built with efConstruction 50, asked for 60/,
    );
  },
);
