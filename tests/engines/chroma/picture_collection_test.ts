import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Matrix } from "#lib/compare/matrix.ts";
import type { Encoder } from "#lib/encoders/encoder.ts";
import { openEncoder } from "#lib/encoders/encoders.ts";
import { type Chroma, startChroma } from "#lib/engines/chroma/chroma.ts";
import { openIndex } from "#lib/engines/chroma/collection.ts";
import { EncoderFunction } from "#lib/engines/chroma/encoder_function.ts";
import { openPictureCollection } from "#lib/engines/chroma/picture_collection.ts";
import { paths } from "#lib/paths.ts";
import { samplePath } from "#lib/photo_site/sample.ts";

const ignore = !existsSync(paths.venv);
if (ignore) console.warn(`picture_collection_test skipped: no ${paths.venv}`);

const pictures = ["lemon", "banana", "orange"].map((term) => ({
  id: term,
  path: samplePath({ path: `food/fruit/${term}.jpg` }),
  metadata: { letters: term.length },
})).filter(({ path }) => existsSync(path));

function testWithEncoder(
  name: string,
  body: (chroma: Chroma, encoder: Encoder, folder: string) => Promise<void>,
) {
  Deno.test(name, { ignore }, async () => {
    const folder = await Deno.makeTempDir();
    const chroma = await startChroma({ folder });
    const encoder = await openEncoder("offline");
    try {
      await body(chroma, encoder, folder);
    } finally {
      await encoder.close();
      await chroma.stop();
    }
  });
}

testWithEncoder(
  "a collection of pictures is asked in words and with pictures",
  async (chroma, encoder) => {
    ok(pictures.length >= 2);
    const fruit = await openPictureCollection(chroma, {
      name: "fruit",
      encoder,
    });
    const progress: number[] = [];
    deepEqual(
      await fruit.addPictures(pictures, {
        batchSize: 2,
        onProgress: (done) => progress.push(done),
      }),
      { added: pictures.length, failures: [] },
    );
    deepEqual(progress, pictures.length === 3 ? [2, 3] : [2]);
    const words = await fruit.collection.query({
      queryTexts: pictures.map(({ id }) => `a photo of a ${id}`),
      nResults: 1,
    });
    deepEqual(words.ids, pictures.map(({ id }) => [id]));
    const seen = await fruit.queryPictures([
      pictures[1].path,
      await Deno.readFile(pictures[0].path),
    ], { nResults: 1 });
    deepEqual(seen.ids, [["banana"], ["lemon"]]);
    deepEqual(seen.uris, [[pictures[1].path], [pictures[0].path]]);
    const long = await fruit.queryPictures([pictures[0].path], {
      where: { letters: 6 },
    });
    deepEqual(
      long.ids[0].toSorted(),
      pictures.filter(({ id }) => id.length === 6).map(({ id }) => id)
        .toSorted(),
    );
    // Words become rows as pictures do.
    await fruit.collection.upsert({ ids: ["text"], documents: ["a banana"] });
    equal(
      (await fruit.collection.query({ queryTexts: ["a banana"], nResults: 1 }))
        .ids[0][0],
      "text",
    );
  },
);

testWithEncoder(
  "a collection opened elsewhere knows its encoder",
  async (chroma, encoder, folder) => {
    const fruit = await openPictureCollection(chroma, {
      name: "fruit",
      encoder,
    });
    await fruit.addPictures(pictures);
    const run = spawnSync(Deno.execPath(), [
      "eval",
      `
    import { startChroma } from "#lib/engines/chroma/chroma.ts";
    import { openPictureCollection } from "#lib/engines/chroma/picture_collection.ts";
    const chroma = await startChroma({ folder: ${JSON.stringify(folder)} });
    // By the client alone, and by the library.
    const plain = await chroma.client.getCollection({ name: "fruit" });
    const { ids } = await plain.query({ queryTexts: ["a banana"], nResults: 1 });
    const fruit = await openPictureCollection(chroma, { name: "fruit" });
    const seen = await fruit.queryPictures([${
        JSON.stringify(pictures[0].path)
      }], { nResults: 1 });
    console.log(fruit.encoder, ids[0][0], seen.ids[0][0]);
    await fruit.close();
    await chroma.stop();
  `,
    ], { cwd: paths.root, encoding: "utf8" });
    equal(run.stdout, `${encoder.id} banana lemon\n`, run.stderr);
  },
);

testWithEncoder(
  "a collection refuses another encoder and its vectors by name",
  async (chroma, encoder) => {
    const fruit = await openPictureCollection(chroma, {
      name: "fruit",
      encoder,
    });
    const other = { ...encoder, id: "other/fp32" } as Encoder;
    await rejects(
      openPictureCollection(chroma, { name: "fruit", encoder: other }),
      new RegExp(
        `collection fruit holds vectors of encoder ${encoder.id}, asked for other/fp32`,
      ),
    );
    const vectors = Matrix.zeros(1, encoder.dimensions);
    vectors.data[0] = 1;
    const rows = { ids: ["a"], vectors };
    await rejects(
      fruit.addVectors({ encoder: "other/fp32", ...rows }),
      new RegExp(
        `fruit holds vectors of encoder ${encoder.id}, got some of other/fp32`,
      ),
    );
    await rejects(
      fruit.addVectors({ encoder: encoder.id, ids: ["a", "b"], vectors }),
      /each of 2 ids, got 1/,
    );
    equal(await fruit.collection.count(), 0);
    await fruit.addVectors({ encoder: encoder.id, ...rows });
    equal(await fruit.collection.count(), 1);
    await chroma.client.createCollection({
      name: "plain",
      embeddingFunction: null,
    });
    await rejects(
      openPictureCollection(chroma, { name: "plain" }),
      /no encoder known here, asked for its own/,
    );
    await rejects(
      openPictureCollection(chroma, { name: "none" }),
      /there is no collection none: hand over an encoder to make it/,
    );
    await rejects(
      openPictureCollection(chroma, { name: "fruit", encoder, space: "l2" }),
      /collection fruit measures by cosine, asked for l2/,
    );
    throws(
      () =>
        new EncoderFunction({ encoder: "a", dimensions: 2 })
          .validateConfigUpdate(
            { encoder: "b" },
          ),
      /expected encoder a, whose vectors the collection holds, got b/,
    );
  },
);

testWithEncoder(
  "one picture that cannot be decoded is named, and the others are in",
  async (chroma, encoder, folder) => {
    const fruit = await openPictureCollection(chroma, {
      name: "fruit",
      encoder,
    });
    const bad = join(folder, "bad.jpg");
    await writeFile(bad, "no picture");
    const { added, failures } = await fruit.addPictures([pictures[0], {
      path: bad,
    }, pictures[1]]);
    equal(added, 2);
    deepEqual(failures.map(({ path }) => path), [bad]);
    ok(failures[0].reason.includes("bad.jpg"), failures[0].reason);
    equal(await fruit.collection.count(), 2);
    await rejects(
      fruit.addPictures([pictures[0], pictures[0]]),
      /expected each id once, got "lemon" twice/,
    );
  },
);

testWithEncoder(
  "vectors of any number go in, in batches that the server takes",
  async (chroma) => {
    const encoder = { id: "by hand", dimensions: 4 } as Encoder;
    const made = await openPictureCollection(chroma, { name: "made", encoder });
    const most = await chroma.client.getMaxBatchSize();
    const count = most + 10;
    const ids = Array.from({ length: count }, (_, n) => `${n}`);
    const vectors = Matrix.of(ids.map((_, n) => [1, n, n % 7, n % 11]));
    const progress: number[] = [];
    const add = (rows = {}, options = {}) =>
      made.addVectors({ encoder: encoder.id, ids, vectors, ...rows }, options);
    await add({}, {
      batchSize: 1e9,
      onProgress: (n: number) => progress.push(n),
    });
    deepEqual(progress, [most, count]);
    equal(await made.collection.count(), count);
    await add({ ids: [], vectors: Matrix.empty(4) });
    const one = vectors.slice(0, 1);
    for (
      const [rows, message] of [
        [{ vectors: Matrix.zeros(count, 3) }, /expected 4 numbers .*, got 3/],
        [{ ids: [""], vectors: one }, /text of one character or more, got ""/],
        [
          { ids: ["0"], vectors: one, metadatas: [{ year: NaN }] },
          /expected year of "0" to be/,
        ],
        [{ ids: ["0"], vectors: one, metadatas: [] }, /each of 1 ids, got 0/],
      ] as const
    ) {
      await rejects(add(rows), (error: Error) => {
        equal(error.name, "RangeError");
        ok(message.test(error.message), error.message);
        return true;
      });
    }
    const kept = async () =>
      (await made.collection.get({ ids: ["0"] })).metadatas[0];
    const first = { ids: ["0"], vectors: one };
    await add({ ...first, metadatas: [{ a: 1, b: 2 }] });
    await add({ ...first, metadatas: [{ b: 3 }] });
    deepEqual(await kept(), { b: 3 });
    await add(first);
    deepEqual(await kept(), { b: 3 });
    await made.close();
  },
);

testWithEncoder(
  "a picture that is added again has what is kept of it replaced",
  async (chroma, encoder) => {
    const fruit = await openPictureCollection(chroma, {
      name: "fruit",
      encoder,
    });
    const { path } = pictures[0];
    await fruit.addPictures([{ path, metadata: { a: 1, b: 2 } }]);
    await fruit.addPictures([{ path, metadata: { b: 3 } }]);
    deepEqual((await fruit.collection.get({})).metadatas, [{ path, b: 3 }]);
    await rejects(
      fruit.addPictures([{ path }, { path: "x", metadata: { a: NaN } }]),
      /expected a of "x" to be text/,
    );
    for (const batchSize of [0, -1, 1.5, NaN]) {
      await rejects(fruit.addPictures(pictures, { batchSize }), {
        name: "RangeError",
        message: /addPictures: expected a whole batch size of 1 or more/,
      });
    }
    await rejects(fruit.queryPictures([]), /one picture or more/);
    await rejects(fruit.queryPictures([path], { nResults: 0 }), /got 0/);
    equal(await fruit.collection.count(), 1);
  },
);

testWithEncoder(
  "an index's own collection is asked in words, where its encoder has a name",
  async (chroma, encoder) => {
    const { id, dimensions } = encoder;
    for (const space of ["cosine", "correlation"] as const) {
      const index = await openIndex(chroma, {
        dataset: "d",
        encoder: id,
        dimensions,
        space,
      });
      const [vector] = await new EncoderFunction({
        encoder: id,
        dimensions,
        space,
      }, encoder).generate(["an owl"]);
      await index.collection.upsert({ ids: ["owl"], embeddings: [vector] });
      const { distances } = await index.collection.query({
        queryTexts: ["an owl"],
      });
      ok(Math.abs(distances[0][0]!) < 1e-5);
    }
    const index = await openIndex(chroma, {
      dataset: "d",
      encoder: "by hand",
      dimensions: 2,
      space: "l2",
    });
    await rejects(
      index.collection.query({ queryTexts: ["an owl"] }),
      /encoder is by hand, which has no name to open it by/,
    );
  },
);
