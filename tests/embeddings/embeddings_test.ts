import { deepEqual, equal, rejects } from "node:assert/strict";
import { rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Matrix } from "#lib/compare/matrix.ts";
import { metrics } from "#lib/compare/metrics.ts";
import { readNpy } from "#lib/compare/npy.ts";
import { search } from "#lib/compare/compare.ts";
import {
  embedPictures,
  embedTexts,
  leaveOutFailures,
  readEmbeddings,
  writeEmbeddings,
} from "#lib/embeddings/embeddings.ts";
import { embedBatches } from "#lib/embeddings/pipeline.ts";
import { EmbeddingStore } from "#lib/embeddings/store.ts";
import type { Encoder } from "#lib/encoders/encoder.ts";
import type { ImageSource } from "#lib/pictures/pictures.ts";
import { withOwnStore } from "../support/own_store.ts";

/**
 * A stand-in encoder: the "picture" is one byte n, its vector (cos n, sin n);
 * 255 cannot be decoded. A text's n is its length. It counts what it is given.
 */
function countingEncoder(id = "counting") {
  const batches: number[] = [];
  const encode = (numbers: number[]) => {
    batches.push(numbers.length);
    return Promise.resolve(
      Matrix.of(numbers.map((n) => [Math.cos(n), Math.sin(n)]), 2),
    );
  };
  const decodeImage = (image: ImageSource) =>
    image[0] === 255 || typeof image === "string"
      ? Promise.reject(new Error(`picture ${image} cannot be decoded`))
      : Promise.resolve(Float32Array.of(image[0]));
  const encodeDecoded = (pixels: Float32Array[]) =>
    encode(pixels.map(([n]) => n));
  const encoder: Encoder = {
    id,
    name: id,
    dimensions: 2,
    describe: () => `${id}: counts`,
    decodeImage,
    encodeDecoded,
    encodeImages: async (images) =>
      encodeDecoded(await Promise.all(images.map(decodeImage))),
    encodeTexts: (texts) => encode(texts.map(({ length }) => length)),
    close: () => Promise.resolve(),
  };
  return { encoder, batches };
}

const bytes = (...numbers: number[]) => numbers.map((n) => Uint8Array.of(n));
const pictures = (...numbers: number[]) =>
  numbers.map((n) => ({
    path: `${n}.jpg`,
    source: Uint8Array.of(n),
    sha256: `hash ${n}`,
  }));
const angle = ([x, y]: Float32Array) =>
  Math.round(Math.atan2(y, x) * 100) / 100;
const angles = (vectors: Matrix) => Array.from(vectors, angle);

const upTo = (count: number) => [...new Array(count).keys()];
/** Angles come back as between -π and π. */
const turned = (n: number) => angle(Float32Array.of(Math.cos(n), Math.sin(n)));

Deno.test("embedBatches() keeps order over batches, and takes an empty list", async () => {
  const { encoder, batches } = countingEncoder();
  const results = [];
  for await (const batch of embedBatches(encoder, bytes(...upTo(40)))) {
    results.push(...batch);
  }
  deepEqual(
    results.map((one) => angle(one as Float32Array)),
    upTo(40).map(turned),
  );
  deepEqual(batches, [16, 16, 8]);
  equal((await embedBatches(encoder, []).next()).done, true);
});

Deno.test("embedPictures() gives a row a picture; one that fails keeps its place", () =>
  withOwnStore(async () => {
    const { encoder } = countingEncoder();
    const { vectors, failures, embedded } = await embedPictures(
      encoder,
      [...pictures(1, 255, 3, 255), { path: "gone.jpg", source: "/gone.jpg" }],
    );
    deepEqual(angles(vectors), [1, NaN, 3, NaN, NaN]);
    equal(embedded, 2);
    const reason = "picture 255 cannot be decoded";
    deepEqual(failures, [
      { index: 1, path: "255.jpg", reason },
      { index: 3, path: "255.jpg", reason },
      {
        index: 4,
        path: "gone.jpg",
        reason: "picture /gone.jpg cannot be decoded",
      },
    ]);
    // A failed picture compares with nothing, and ranks last.
    const hits = search(vectors.row(2), vectors, metrics.cosine);
    deepEqual(hits.map(({ index }) => index), [2, 0, 1, 3, 4]);
    const kept = leaveOutFailures(["a", "b", "c", "d", "e"], {
      vectors,
      failures,
    });
    deepEqual([kept.pictures, angles(kept.vectors)], [["a", "c"], [1, 3]]);
  }));

Deno.test("embedPictures() embeds what is new, and follows renames", () =>
  withOwnStore(async () => {
    const { encoder, batches } = countingEncoder();
    equal((await embedPictures(encoder, pictures(0, 1, 2))).embedded, 3);
    const reported: number[][] = [];
    const renamed = { ...pictures(1)[0], path: "renamed.jpg" };
    const next = [...pictures(3), renamed, ...pictures(2)];
    const updated = await embedPictures(encoder, next, {
      onProgress: (done, total) => reported.push([done, total]),
    });
    equal(updated.embedded, 1);
    deepEqual(batches, [3, 1]);
    deepEqual(angles(updated.vectors), [3, 1, 2]);
    // What was embedded before counts as done.
    deepEqual(reported, [[2, 3], [3, 3]]);
  }));

Deno.test("embedPictures() embeds equal contents once", () =>
  withOwnStore(async () => {
    const { encoder, batches } = countingEncoder();
    const twin = { ...pictures(1)[0], path: "twin.jpg" };
    const { vectors } = await embedPictures(encoder, [...pictures(1, 2), twin]);
    deepEqual(batches, [2]);
    deepEqual(angles(vectors), [1, 2, 1]);
  }));

Deno.test("embedPictures() keeps what was embedded before a stop", () =>
  withOwnStore(async () => {
    const { encoder, batches } = countingEncoder();
    const stop = new AbortController();
    await rejects(
      embedPictures(encoder, pictures(...upTo(40)), {
        signal: stop.signal,
        onProgress: (done) =>
          done > 0 && stop.abort(new Error("stopped by the reader")),
      }),
      /stopped by the reader/,
    );
    const reported: number[] = [];
    const again = await embedPictures(encoder, pictures(...upTo(40)), {
      onProgress: (done) => reported.push(done),
    });
    equal(again.embedded, 24);
    deepEqual(batches, [16, 16, 8]);
    deepEqual(reported, [16, 32, 40]);
    deepEqual(angles(again.vectors), upTo(40).map(turned));
  }));

Deno.test("a file is hashed again only where its size or time differs", () =>
  withOwnStore(async (folder) => {
    const { encoder } = countingEncoder();
    const read: string[] = [];
    encoder.decodeImage = async (image) => {
      const content = await Deno.readFile(image as string);
      read.push(new TextDecoder().decode(content));
      return Float32Array.of(content[0]);
    };
    const source = join(folder, "a.jpg");
    const time = new Date(1e12);
    const write = async (content: string, at: Date) => {
      await writeFile(source, content);
      await utimes(source, at, at);
      await embedPictures(encoder, [{ path: "a.jpg", source }]);
      return [...read];
    };
    deepEqual(await write("one", time), ["one"]);
    // As if nothing had happened to it.
    deepEqual(await write("two", time), ["one"]);
    deepEqual(await write("two", new Date(2e12)), ["one", "two"]);
    deepEqual(await write("three", new Date(2e12)), ["one", "two", "three"]);
    deepEqual(await write("three", new Date(3e12)), ["one", "two", "three"]);
  }));

Deno.test("embedTexts() embeds each text once, pictures' keys apart", () =>
  withOwnStore(async () => {
    const { encoder, batches } = countingEncoder();
    const texts = ["a", "bcd", "a", "ef"];
    deepEqual(angles(await embedTexts(encoder, texts)), [1, 3, 1, 2]);
    deepEqual(angles(await embedTexts(encoder, ["ef", "g"])), [2, 1]);
    deepEqual(batches, [3, 1]);
    equal((await embedTexts(encoder, [])).count, 0);
    const source = new TextEncoder().encode("a");
    const { embedded } = await embedPictures(encoder, [{ path: "a", source }]);
    equal(embedded, 1, "the bytes of a text are another content");
  }));

Deno.test("a store of another encoder is refused", () =>
  withOwnStore(async () => {
    const store = await EmbeddingStore.open({ id: "other", dimensions: 2 });
    const { encoder } = countingEncoder();
    await rejects(
      embedPictures(encoder, pictures(1), { store }),
      /expected a store of counting, got one of other/,
    );
  }));

Deno.test("the data set's embeddings come back in its order, failures in place", () =>
  withOwnStore(async (folder) => {
    const { encoder } = countingEncoder("a/q8");
    const listed = pictures(3, 255, 1);
    await embedPictures(encoder, pictures(1, 2));
    const embedded = await embedPictures(encoder, listed);
    await writeEmbeddings(encoder, listed, embedded);
    const read = await readEmbeddings("a/q8");
    deepEqual(read.paths, ["3.jpg", "255.jpg", "1.jpg"]);
    deepEqual(angles(read.vectors), [3, NaN, 1]);
    deepEqual(read.failures, embedded.failures);

    const place = join(folder, "a_q8");
    const npy = await readNpy(join(place, "embeddings.npy"));
    deepEqual(angles(npy), [3, NaN, 1]);
    const index = JSON.parse(await Deno.readTextFile(`${place}/index.json`));
    deepEqual(
      [index.encoder, index.dimensions, index.pictures[2]],
      ["a/q8", 2, { path: "1.jpg", sha256: "hash 1" }],
    );
  }));

Deno.test("embeddings that are missing, damaged or another encoder's say what to run", () =>
  withOwnStore(async (folder) => {
    const { encoder } = countingEncoder("a/q8");
    const write = async () =>
      await writeEmbeddings(
        encoder,
        pictures(1, 2),
        await embedPictures(encoder, pictures(1, 2)),
      );
    await rejects(
      readEmbeddings("a/q8"),
      /index\.json not found: run notebook 4 first/,
    );
    await write();
    // "a_q8" and "a/q8" have the same folder.
    await rejects(
      readEmbeddings("a_q8"),
      /\(expected embeddings of a_q8, got a\/q8's\): run notebook 4 again/,
    );
    await writeFile(join(folder, "a_q8", "index.json"), '{"half');
    await rejects(
      readEmbeddings("a/q8"),
      /index\.json cannot be read \(.*\): run notebook 4 again/,
    );
    await write();
    await rm(join(folder, "a_q8", "parts"), { recursive: true });
    await rejects(
      readEmbeddings("a/q8"),
      /has 0 of 2 embeddings\): run notebook 4 again/,
    );
    await write();
    equal((await readEmbeddings("a/q8")).vectors.count, 2);
    const old = { encoder: "a/q8", dimensions: 2, rows: [{ id: "1.jpg" }] };
    await writeFile(join(folder, "a_q8", "index.json"), JSON.stringify(old));
    await rejects(readEmbeddings("a/q8"), /run notebook 4 again/);
  }));
