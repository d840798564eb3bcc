import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { cp, mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Matrix } from "#lib/compare/matrix.ts";
import { writeNpy } from "#lib/compare/npy.ts";
import { folderSource } from "#lib/search_page/index/sources.ts";
import { openSearchApp } from "#lib/search_page/search_page.ts";
import { colourEncoder, plain } from "../../support/colour_encoder.ts";
import { withFolder } from "../../support/search_app.ts";

const FIXTURE = fileURLToPath(
  new URL("../../fixtures/clip_retrieval", import.meta.url),
);

/** Writes pictures of these colours. */
async function write(folder: string, ...colours: string[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const colour of colours) {
    await writeFile(join(folder, `${colour}.png`), await plain(colour));
  }
}

/** Opens the page, and says what was embedded and what there is to say. */
async function open(folder: string, encoder = colourEncoder) {
  const counted = { pictures: 0, texts: 0 };
  const app = await openSearchApp(folder, {
    encoders: [encoder(counted)],
    log() {},
  });
  await app.ready;
  const { problems, indexed } = app.status();
  return { app, counted, problems, indexed };
}

Deno.test("an index of clip-retrieval's opens without embedding more than is compared", () =>
  withFolder(async (folder) => {
    await write(join(folder, "photos"), "red", "green", "blue");
    await cp(FIXTURE, join(folder, "embeddings"), { recursive: true });
    const { app, counted, problems } = await open(folder);
    strictEqual(counted.pictures, 3, "as few as they are, all are compared");
    deepStrictEqual(problems, [
      "left out: /data/photos/gone.png: no such picture, in img_emb",
    ]);
    const { hits: [{ path, caption, license }] } = await app.search({
      text: "blue",
      mode: "visual",
    });
    deepStrictEqual([path, caption, license], [
      ...["photos/blue.png", "A blue wall", "CC0"],
    ]);
    await app.close();
  }));

Deno.test("an index is found in a folder of any name, and what cannot be used is said", () =>
  withFolder(async (folder) => {
    await write(join(folder, "photos"), "red", "green", "blue");
    const place = join(folder, "out", "idx");
    await cp(FIXTURE, place, { recursive: true });
    const { vectors, vectorsFrom } = await folderSource(folder);
    deepStrictEqual([vectors?.count, vectorsFrom], [3, "img_emb"]);
    await rm(join(place, "metadata"), { recursive: true });
    const broken = await folderSource(folder);
    strictEqual(broken.vectors, undefined);
    match(broken.problems[0], /metadata_0\.parquet is not there/);
    await rm(place, { recursive: true });
    await writeNpy(join(folder, "rows.npy"), Matrix.of([[1]]));
    match(
      (await folderSource(folder)).problems[0],
      /^rows\.npy is not used: no list of its pictures lies beside it/,
    );
  }));

Deno.test("metadata may be packed as any tool packs Parquet", () =>
  withFolder(async (folder) => {
    await write(folder, "red", "green", "blue");
    await mkdir(join(folder, "img_emb"));
    await mkdir(join(folder, "metadata"));
    const rows = Matrix.of([[1, 0], [0, 1], [1, 1]]);
    await writeNpy(join(folder, "img_emb", "img_emb_0.npy"), rows);
    // Written by pyarrow, of three rows: image_path and caption.
    for (const packing of ["gzip", "brotli", "zstd"]) {
      await cp(
        join(FIXTURE, "..", "parquet", `${packing}.parquet`),
        join(folder, "metadata", "metadata_0.parquet"),
      );
      const { vectors, pictures, problems } = await folderSource(folder);
      deepStrictEqual([vectors?.count, problems], [3, []], packing);
      strictEqual(pictures[0].caption, "A red wall");
    }
  }));

Deno.test("of many given vectors, those of sixteen pictures are compared", () =>
  withFolder(async (folder) => {
    const pictures: Uint8Array[] = [];
    const names = Array.from({ length: 40 }, (_, i) => `${i}.png`);
    for (const [i, name] of names.entries()) {
      pictures.push(await plain({ r: 6 * i, g: 250 - 6 * i, b: 9 }));
      await writeFile(join(folder, name), pictures[i]);
    }
    const vectors = await colourEncoder().encodeImages(pictures);
    await writeNpy(join(folder, "embeddings.npy"), vectors);
    const lists: [string, string][] = [
      ["paths.txt", names.map((name) => `/elsewhere/${name}\r\n`).join("")],
      ["embeddings.json", JSON.stringify(names)],
      ["filenames.json", JSON.stringify({ paths: names })],
      [
        "images.jsonl",
        names.map((name) => JSON.stringify({ image_path: name })).join("\n"),
      ],
    ];
    for (const [name, text] of lists) {
      await writeFile(join(folder, name), text);
      const { vectors, vectorsFrom, problems } = await folderSource(folder);
      deepStrictEqual([vectorsFrom, problems], ["embeddings.npy", []], name);
      strictEqual(vectors?.count, 40);
      if (name === "paths.txt") {
        const { app, counted } = await open(folder);
        strictEqual(counted.pictures, 16);
        // One that changes is another picture, whatever its vector was.
        const file = join(folder, names[3]);
        await writeFile(file, await plain("white"));
        await utimes(file, new Date(), new Date(Date.now() + 5000));
        await app.rescan();
        const { hits: [{ path }] } = await app.search({
          text: "white",
          mode: "visual",
        });
        strictEqual(path, names[3]);
        await writeFile(file, pictures[3]);
        await app.close();
      }
      await rm(join(folder, name));
    }
  }));

Deno.test("vectors of another encoder are not used, and what was expected is said", () =>
  withFolder(async (folder) => {
    await write(folder, "red", "green", "blue");
    await writeFile(
      join(folder, "paths.txt"),
      "red.png\ngreen.png\nblue.png\n",
    );
    const features = (rows: number[][]) =>
      writeNpy(join(folder, "features.npy"), Matrix.of(rows));
    await features([[1, 0, 0], [0, 1, 0], [0, 0, 1]]);
    let { app, problems, indexed } = await open(folder);
    deepStrictEqual([indexed, problems], [3, [
      "features.npy: rows of 3 numbers are not colours-1's, which have 4: the " +
      "pictures are embedded again",
    ]]);
    await app.close();
    await features([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0]]);
    ({ app, problems, indexed } = await open(folder));
    match(
      problems[0],
      /^features\.npy: rows .*, of 3 compared, are not colours-1's/,
    );
    strictEqual(indexed, 3);
    await app.close();
    await features([[1, 0, 0, 0], [0, 0, 1, 0]]);
    ({ app, problems, indexed } = await open(folder));
    deepStrictEqual([indexed, problems], [3, [
      "features.npy has 2 rows, paths.txt 3 paths: the pictures are embedded again",
    ]]);
    await app.close();
  }));

Deno.test("an index names files elsewhere, and none that is no picture", () =>
  withFolder(async (folder) => {
    const elsewhere = join(folder, "..", "elsewhere");
    await write(elsewhere, "red");
    await writeFile(join(elsewhere, "secret"), "key");
    await mkdir(folder, { recursive: true });
    const red = join(elsewhere, "red.png");
    const paths = [red, join(elsewhere, "secret"), "../elsewhere/red.png", red];
    await writeFile(join(folder, "paths.json"), JSON.stringify(paths));
    const vectors = await colourEncoder().encodeImages([
      ...new Array(4).fill(await plain("red")),
    ]);
    await writeNpy(join(folder, "features.npy"), vectors);
    const { pictures, leftOut } = await folderSource(folder);
    deepStrictEqual(pictures.map(({ path }) => path), [red]);
    strictEqual(leftOut?.length, 3);
    const { app, indexed } = await open(folder);
    strictEqual(indexed, 1);
    await app.close();
  }));

Deno.test("damaged indexes cost no picture", () =>
  withFolder(async (folder) => {
    await write(folder, "red", "green", "blue");
    await cp(FIXTURE, folder, { recursive: true });
    const parquet = join(folder, "metadata", "metadata_1.parquet");
    const damage: [what: string, words: RegExp][] = [
      [
        "PAR1 no",
        /metadata_1\.parquet cannot be read \(.*\): expected Parquet/,
      ],
      ["", /metadata_1\.parquet cannot be read/],
    ];
    for (const [text, words] of damage) {
      await writeFile(parquet, text);
      const { pictures, vectors, problems } = await folderSource(folder);
      deepStrictEqual([pictures.length, vectors], [3, undefined]);
      match(problems[0], words);
    }
    await rm(parquet);
    match(
      (await folderSource(folder)).problems[0],
      /is not there, which names/,
    );
    await writeFile(join(folder, "img_emb", "img_emb_0.npy"), "no npy");
    match((await folderSource(folder)).problems[0], /expected a \.npy file/);
  }));

Deno.test("a row whose picture another row has is said to be there twice", () =>
  withFolder(async (folder) => {
    await write(join(folder, "photos"), "red", "green");
    const rows = [
      ...["photos/red.png", "photos/red.png", "photos/./red.png"],
      ...["photos\\red.png", "green.png", "green.png", "gone/red.png"],
    ];
    await writeNpy(
      join(folder, "rows.npy"),
      Matrix.of(rows.map((_, i) => [i, 1])),
    );
    await writeFile(join(folder, "rows.json"), JSON.stringify(rows));
    const { leftOut } = await folderSource(folder);
    deepStrictEqual(
      leftOut?.map(({ path, reason }) => `${path}: ${reason}`),
      [
        "photos/red.png: there twice, in rows.npy",
        "photos/red.png: there twice, in rows.npy",
        "photos\\red.png: there twice, in rows.npy",
        "green.png: there twice, in rows.npy",
        "gone/red.png: no such picture, in rows.npy",
      ],
    );
  }));
