import { deepEqual, equal, rejects } from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { embedPictures } from "#lib/embeddings/pipeline.ts";
import {
  readEmbeddings,
  updateEmbeddings,
} from "#lib/embeddings/embeddings.ts";
import type { Encoder } from "#lib/encoders/encoder.ts";
import type { ImageSource } from "#lib/pictures/pictures.ts";
import { Matrix } from "#lib/compare/matrix.ts";
import { readNpy } from "#lib/compare/npy.ts";

/**
 * A stand-in encoder: the "picture" is one byte n, its vector (cos n, sin n);
 * 255 cannot be decoded. It counts what it is given.
 */
function countingEncoder(id = "counting") {
  const batches: number[] = [];
  const encodeDecoded = (pixels: Float32Array[]) => {
    batches.push(pixels.length);
    return Promise.resolve(
      Matrix.of(pixels.map(([n]) => [Math.cos(n), Math.sin(n)]), 2),
    );
  };
  const decodeImage = (image: ImageSource) =>
    image[0] === 255
      ? Promise.reject(new Error("picture 255 cannot be decoded"))
      : Promise.resolve(Float32Array.of(Number(image[0])));
  const encoder: Encoder = {
    id,
    dimensions: 2,
    describe: () => "counts",
    decodeImage,
    encodeDecoded,
    encodeImages: async (images) =>
      encodeDecoded(await Promise.all(images.map(decodeImage))),
    encodeTexts: () => Promise.reject(new Error("no texts")),
    close: () => Promise.resolve(),
  };
  return { encoder, batches };
}

const bytes = (...numbers: number[]) => numbers.map((n) => Uint8Array.of(n));
const pictures = (...numbers: number[]) =>
  numbers.map((n) => ({
    id: `${n}.jpg`,
    source: Uint8Array.of(n),
    sha256: `hash ${n}`,
  }));
const angle = ([x, y]: Float32Array) =>
  Math.round(Math.atan2(y, x) * 100) / 100;

Deno.test("embedPictures() keeps order over batches and reports progress", async () => {
  const { encoder, batches } = countingEncoder();
  const seen: number[] = [];
  const { vectors } = await embedPictures(encoder, bytes(0, 1, 2, 3, 2), {
    batchSize: 2,
    onProgress: (done) => seen.push(done),
  });
  deepEqual(Array.from(vectors, angle), [0, 1, 2, 3, 2]);
  deepEqual(batches, [2, 2, 1]);
  deepEqual(seen, [2, 4, 5]);
});

Deno.test("embedPictures() leaves a corrupt picture's row empty and moves no other", async () => {
  const { encoder } = countingEncoder();
  const { vectors, failures } = await embedPictures(
    encoder,
    bytes(1, 255, 3, 255),
    { batchSize: 3 },
  );
  deepEqual(Array.from(vectors, angle), [1, NaN, 3, NaN]);
  deepEqual(failures, [
    { index: 1, reason: "picture 255 cannot be decoded" },
    { index: 3, reason: "picture 255 cannot be decoded" },
  ]);
});

Deno.test("embedPictures() takes an empty list, and refuses a batch of none", async () => {
  const { encoder } = countingEncoder();
  const { vectors, failures } = await embedPictures(encoder, []);
  deepEqual([vectors.count, failures], [0, []]);
  await rejects(embedPictures(encoder, [], { batchSize: 0 }), /got 0/);
});

Deno.test("updateEmbeddings() embeds what is new, drops what is gone, follows renames", async () => {
  const folder = await Deno.makeTempDir();
  const { encoder, batches } = countingEncoder();
  equal(
    (await updateEmbeddings(encoder, pictures(0, 1, 2), { folder })).embedded,
    3,
  );

  const renamed = { ...pictures(1)[0], id: "renamed.jpg" };
  const next = [...pictures(3), renamed, ...pictures(2)];
  const updated = await updateEmbeddings(encoder, next, { folder });
  equal(updated.embedded, 1);
  deepEqual(batches, [3, 1]);
  deepEqual(updated.ids, ["3.jpg", "renamed.jpg", "2.jpg"]);
  deepEqual(Array.from(updated.vectors, angle), [3, 1, 2]);

  const read = await readEmbeddings("counting", folder);
  deepEqual(read.ids, updated.ids);
  deepEqual(Array.from(read.vectors, angle), [3, 1, 2]);
  const npy = await readNpy(join(folder, "counting", "embeddings.npy"));
  deepEqual([npy.count, npy.dimensions], [3, 2]);
});

Deno.test("updateEmbeddings() embeds equal contents once and lists failures by id", async () => {
  const folder = await Deno.makeTempDir();
  const { encoder, batches } = countingEncoder();
  const twin = { ...pictures(1)[0], id: "twin.jpg" };
  const updated = await updateEmbeddings(
    encoder,
    [...pictures(1, 255), twin],
    { folder },
  );
  deepEqual(batches, [1]);
  deepEqual(updated.ids, ["1.jpg", "twin.jpg"]);
  deepEqual(updated.failures, [
    { id: "255.jpg", reason: "picture 255 cannot be decoded" },
  ]);
});

Deno.test("updateEmbeddings() keeps what was embedded before a stop", async () => {
  const folder = await Deno.makeTempDir();
  const { encoder, batches } = countingEncoder();
  const stop = new AbortController();
  await rejects(
    updateEmbeddings(encoder, pictures(1, 2, 3, 4), {
      folder,
      batchSize: 2,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error("stopped by the reader")),
    }),
    /stopped by the reader/,
  );
  const { embedded, ids } = await updateEmbeddings(
    encoder,
    pictures(1, 2, 3, 4),
    { folder },
  );
  equal(embedded, 2);
  equal(ids.length, 4);
  deepEqual(batches, [2, 2]);
});

Deno.test("a run killed between the index and the last renaming is caught up with", async () => {
  const folder = await Deno.makeTempDir();
  const { encoder } = countingEncoder();
  const place = join(folder, "counting");
  await updateEmbeddings(encoder, pictures(1, 2), { folder });
  await rename(join(place, "embeddings.npy"), join(place, "next.npy"));
  await writeFile(join(place, "embeddings.npy"), "the file before");
  deepEqual(
    Array.from((await readEmbeddings("counting", folder)).vectors, angle),
    [1, 2],
  );
  // Killed one step earlier: the index still belongs to the old file.
  await writeFile(join(place, "next.npy"), "half of a new file");
  deepEqual(
    Array.from((await readEmbeddings("counting", folder)).vectors, angle),
    [1, 2],
  );
});

Deno.test("two encoders have a folder each, and a missing one says what to run", async () => {
  const folder = await Deno.makeTempDir();
  await updateEmbeddings(countingEncoder("a/q8").encoder, pictures(1), {
    folder,
  });
  await updateEmbeddings(countingEncoder("a/fp32").encoder, pictures(2), {
    folder,
  });
  equal((await readEmbeddings("a/q8", folder)).encoder, "a/q8");
  deepEqual((await readEmbeddings("a/fp32", folder)).ids, ["2.jpg"]);
  await rejects(readEmbeddings("b", folder), /not found: run notebook 4 first/);
});

Deno.test("damaged embeddings are named when read, and made anew", async () => {
  const folder = await Deno.makeTempDir();
  const { encoder, batches } = countingEncoder();
  for (const file of ["embeddings.npy", "index.json"]) {
    await updateEmbeddings(encoder, pictures(1, 2), { folder });
    await writeFile(join(folder, "counting", file), '{"half');
    await rejects(
      readEmbeddings("counting", folder),
      /counting.index\.json cannot be read \(.*\): run notebook 4 again/,
    );
  }
  await updateEmbeddings(encoder, pictures(1, 2), { folder });
  deepEqual(batches, [2, 2, 2]);
  deepEqual(
    Array.from((await readEmbeddings("counting", folder)).vectors, angle),
    [1, 2],
  );
});
