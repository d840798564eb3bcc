import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { Matrix } from "#lib/compare/matrix.ts";
import { writeNpy } from "#lib/compare/npy.ts";
import { writeDataset } from "#lib/dataset/dataset.ts";
import { embedPictures } from "#lib/embeddings/embeddings.ts";
import { paths } from "#lib/paths.ts";
import type { DatasetPicture } from "#lib/records.ts";
import { datasetSource, folderSource } from "#lib/search_page/index/sources.ts";
import { openSearchApp } from "#lib/search_page/search_page.ts";
import { colourEncoder, plain } from "../../support/colour_encoder.ts";
import { ask, openOver, withFolder } from "../../support/search_app.ts";

Deno.test("the seeds' files come in: images.txt, metadata.json, embeddings.npy", () =>
  withFolder(async (folder) => {
    const colours = ["red", "green", "blue"];
    const encoder = colourEncoder();
    const pictures = await Promise.all(colours.map((c) => plain(c)));
    const lines = pictures.map((bytes) =>
      Buffer.from(bytes).toString("base64")
    );
    lines[1] = `data:image/png;base64,${lines[1]}`;
    await writeFile(join(folder, "images.txt"), lines.join("\n") + "\n");
    await writeFile(
      join(folder, "metadata.json"),
      JSON.stringify(colours.map((title) => ({ title: `A ${title} wall` }))),
    );
    const vectors = await encoder.encodeImages(pictures);
    const npy = (rows: Matrix) =>
      writeNpy(join(folder, "embeddings.npy"), rows);
    await npy(vectors);
    const start = async () => {
      const counted = { pictures: 0, texts: 0 };
      const app = await openSearchApp(await folderSource(folder), {
        encoders: [colourEncoder(counted)],
        log: () => {},
      });
      await app.ready;
      const { hits: [{ title }] } = await app.search({ text: "green" });
      const { problems } = app.status();
      const id = app.searcher.spaces[0].collection.idOf(2);
      const thumbnail = await ask(app, `thumbnail/${id}`);
      equal((await sharp(thumbnail.bytes).stats()).dominant.b > 200, true);
      await app.close();
      return { embedded: counted.pictures, title, problems };
    };
    // As few as they are, all are embedded to see whose the vectors are.
    deepEqual(await start(), {
      embedded: 3,
      title: "A green wall",
      problems: [],
    });
    await npy(new Matrix(new Float32Array(3 * 512).fill(0.1), 512));
    const foreign = await start();
    // They are in the store by now.
    deepEqual([foreign.embedded, foreign.title], [0, "A green wall"]);
    match(
      foreign.problems[0],
      /rows of 512 numbers are not colours-1's, which have 4: the pictures are/,
    );
  }));

Deno.test("vectors of another encoder are found out, though they are as long", () =>
  withFolder(async (folder) => {
    const pictures = await Promise.all(["red", "green"].map((c) => plain(c)));
    const lines = pictures.map((bytes) =>
      Buffer.from(bytes).toString("base64")
    );
    await writeFile(join(folder, "images.txt"), lines.join("\n"));
    const own = await colourEncoder().encodeImages(pictures);
    await writeNpy(join(folder, "embeddings.npy"), own.pick([1, 0]));
    const counted = { pictures: 0, texts: 0 };
    const app = await openOver(folder, colourEncoder(counted));
    equal(counted.pictures, 2);
    match(
      app.status().problems[0],
      /rows 1, 2, of 2 compared, are not colours/,
    );
    equal(
      (await app.search({ text: "red", mode: "visual" })).hits[0].path,
      "1",
    );
    await app.close();
  }));

Deno.test("a line that is no picture keeps its place; a row too few is said", () =>
  withFolder(async (folder) => {
    const [red, blue] = await Promise.all(["red", "blue"].map((c) => plain(c)));
    const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
    const lines = [base64(red), "no picture!", "", base64(blue)];
    await writeFile(join(folder, "images.txt"), lines.join("\n"));
    await writeFile(
      join(folder, "metadata.json"),
      '["A red wall", "Nothing", {"name": "A blue wall", "subreddit": "walls"}]',
    );
    const own = await colourEncoder().encodeImages([red, red, blue]);
    await writeNpy(join(folder, "embeddings.npy"), own);
    const counted = { pictures: 0, texts: 0 };
    const app = await openOver(folder, colourEncoder(counted));
    const { hits } = await app.search({
      text: "blue",
      mode: "visual",
      fold: 2,
    });
    deepEqual(
      hits.map(({ path, title, term }) => [path, title, term]),
      [["3", "A blue wall", "walls"], ["1", "A red wall", ""]],
    );
    equal(counted.pictures, 2, "the others' vectors are theirs");
    deepEqual(app.status().problems, [
      "images.txt, picture 2 is no base64: left out",
    ]);
    await app.close();
    await writeNpy(join(folder, "embeddings.npy"), own.pick([0, 1]));
    const { problems, vectors } = await folderSource(folder);
    equal(vectors, undefined);
    match(problems.at(-1)!, /2 rows, images.txt 3 pictures: .*embedded again/);
  }));

/** Writes images.txt with pictures of these colours, and gives their bytes. */
async function writeSeeds(folder: string, colours: (string | object)[]) {
  const pictures = await Promise.all(
    colours.map((colour) => plain(colour as string)),
  );
  const lines = pictures.map((bytes) => Buffer.from(bytes).toString("base64"));
  await writeFile(join(folder, "images.txt"), lines.join("\n"));
  return pictures;
}

/** Greys of which no two have the same bytes. */
const shades = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ r: 9 * i, g: 255 - 9 * i, b: 0 }));

for (
  const [name, damage] of Object.entries({
    "NaN": (row: Float32Array) => row[1] = NaN,
    "infinity": (row: Float32Array) => row[3] = -Infinity,
    "zeros": (row: Float32Array) => row.fill(0),
  })
) {
  Deno.test(`a row of ${name} is embedded again and said, and no other is`, () =>
    withFolder(async (folder) => {
      const pictures = await writeSeeds(folder, shades(24));
      const vectors = await colourEncoder().encodeImages(pictures);
      damage(vectors.row(7));
      await writeNpy(join(folder, "embeddings.npy"), vectors);
      const counted = { pictures: 0, texts: 0 };
      const app = await openOver(folder, colourEncoder(counted));
      const { indexed, problems } = app.status();
      equal(indexed, 24);
      deepEqual(problems, [
        "embeddings.npy, row 8: not finite, or zeros alone: embedded again",
      ]);
      equal(counted.pictures, 16 + 1, "those compared, and the one");
      const query = { like: ["8"], mode: "visual" as const, fold: 2 };
      const { hits: [{ path }] } = await app.search(query);
      match(path, /^[79]$/);
      await app.close();
    }));
}

Deno.test("vectors of which only the first are the encoder's are not trusted", () =>
  withFolder(async (folder) => {
    const pictures = await writeSeeds(folder, shades(24));
    const vectors = await colourEncoder().encodeImages(pictures);
    for (let row = 1; row < 24; row++) vectors.set(row, [0, 0, 1, 0]);
    await writeNpy(join(folder, "embeddings.npy"), vectors);
    const counted = { pictures: 0, texts: 0 };
    const app = await openOver(folder, colourEncoder(counted));
    equal(counted.pictures, 24);
    match(app.status().problems[0], /10 more, of 16 compared, are not colours/);
    await app.close();
  }));

Deno.test("a picture that cannot be decoded does not cost the others their vectors", () =>
  withFolder(async (folder) => {
    const pictures = await writeSeeds(folder, shades(3));
    const vectors = await colourEncoder().encodeImages(pictures);
    const cut = pictures[0].subarray(0, 40);
    const lines = [cut, ...pictures.slice(1)]
      .map((bytes) => Buffer.from(bytes).toString("base64"));
    await writeFile(join(folder, "images.txt"), lines.join("\n"));
    await writeNpy(join(folder, "embeddings.npy"), vectors);
    const counted = { pictures: 0, texts: 0 };
    const app = await openOver(folder, colourEncoder(counted));
    deepEqual([counted.pictures, app.status().problems], [2, []]);
    await app.close();
  }));

Deno.test("metadata of too few pictures, or under their numbers, stays with its own", () =>
  withFolder(async (folder) => {
    await writeSeeds(folder, shades(3));
    const read = async (metadata: unknown) => {
      const path = join(folder, "metadata.json");
      await writeFile(path, JSON.stringify(metadata));
      const { pictures, problems } = await folderSource(folder);
      return [pictures.map(({ title }) => title), problems.length];
    };
    deepEqual(await read(["a"]), [["a", "", ""], 1]);
    deepEqual(await read({ "2": "c", "0": "a" }), [["a", "", "c"], 1]);
    deepEqual(await read(["a", null, 5]), [["a", "", ""], 0]);
    for (const other of [null, "0", 7, { title: ["a"] }]) {
      deepEqual(await read(other), [["", "", ""], 1]);
    }
  }));

Deno.test("images.txt of another kind does not hide the pictures beside it", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "red.png"), await plain("red"));
    const names = ["metadata.json", "embeddings.npy", "results_20130124.token"];
    for (const name of names) await writeFile(join(folder, name), "other");
    await writeFile(join(folder, "annotations"), "a file");
    const lists = ["1 001.Owl/a.jpg\n2 001.Owl/b.jpg\n", "aGVsbG8=\n", "", "a"];
    for (const list of lists) {
      await writeFile(join(folder, "images.txt"), list);
      const { pictures } = await folderSource(folder);
      deepEqual(pictures.map(({ path }) => path), ["red.png"]);
    }
    const base64 = Buffer.from(await plain("red")).toString("base64");
    const seeds = [`\ufeff\r\n${base64}\r\n`, `none\n${base64}`];
    for (const list of seeds) {
      await writeFile(join(folder, "images.txt"), list);
      const { pictures: [{ source }] } = await folderSource(folder);
      ok(source instanceof Uint8Array);
    }
  }));

Deno.test("a folder of seeds without one picture says so", () =>
  withFolder(async (folder) => {
    const path = join(folder, "images.txt");
    await writeFile(path, "data:image/svg+xml;base64,PHN2Zz4=\n");
    await rejects(folderSource(folder), {
      message: `no line of ${path} is a picture as base64; ` +
        "images.txt, picture 1 is not JPEG, PNG, GIF, WebP, AVIF or TIFF: left out",
    });
    await writeFile(path, "a.jpg\n");
    await rejects(folderSource(folder), /images\.txt has no pictures/);
  }));

Deno.test("what a folder leaves out is listed, and said in a line", () =>
  withFolder(async (folder) => {
    await writeFile(join(folder, "red.png"), await plain("red"));
    for (const name of ["a.heic", "b.HEIC", "c.jp2"]) {
      await writeFile(join(folder, name), "x");
    }
    const { problems, leftOut } = await folderSource(folder);
    deepEqual(problems, [
      "left out: 2 .heic, 1 .jp2: not JPEG, PNG, GIF, WebP, AVIF or TIFF",
    ]);
    deepEqual(leftOut?.map(({ path }) => path), ["a.heic", "b.HEIC", "c.jp2"]);
    await Deno.remove(join(folder, "red.png"));
    await rejects(folderSource(folder), /no pictures .*2 \.heic, 1 \.jp2: not/);
  }));

Deno.test("a folder's pictures are filed by where they lie", () =>
  withFolder(async (folder) => {
    for (
      const path of ["birds/owl/barn-owl.png", "birds/IMG_0042.png", "x.png"]
    ) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), await plain("red"));
    }
    const { pictures } = await folderSource(folder);
    deepEqual(
      pictures.map((
        { path, title, term, category },
      ) => [path, title, term, category]).sort(),
      [
        ["birds/IMG_0042.png", "", "birds", ""],
        ["birds/owl/barn-owl.png", "barn owl", "owl", "birds"],
        ["x.png", "", "", ""],
      ],
    );
    await rejects(
      folderSource(join(folder, "gone")),
      /gone cannot be read \(ENOENT\): expected a folder of pictures/,
    );
    await rejects(folderSource(join(folder, "x.png")), /is a file: expected/);
    await mkdir(join(folder, "empty"));
    await rejects(folderSource(join(folder, "empty")), /holds no pictures/);
  }));

Deno.test("the data set comes with the embeddings of notebook 4", () =>
  withFolder(async (folder) => {
    const { dataset, embeddings } = paths;
    Object.assign(paths, {
      dataset: folder,
      embeddings: join(folder, "embeddings"),
    });
    try {
      const record = (colour: string): DatasetPicture => ({
        ...{ category: "paint", term: colour, url: "", page: "" },
        ...{ caption: `${colour} paint`, author: "Ada", license: "CC0" },
        ...{ path: `train/${colour}/a.png`, split: "train" },
        ...{ width: 32, height: 32, sha256: colour },
      });
      const records = ["blue", "red"].map(record);
      for (const { path, term } of records) {
        await mkdir(join(folder, "train", term), { recursive: true });
        await writeFile(join(folder, path), await plain(term));
      }
      await writeDataset(() => records);
      await embedPictures(
        colourEncoder(),
        records.map((one) => ({ ...one, source: join(folder, one.path) })),
      );
      const counted = { pictures: 0, texts: 0 };
      const app = await openSearchApp(await datasetSource(), {
        encoders: [colourEncoder(counted)],
        log: () => {},
      });
      await app.ready;
      const { hits: [{ path, author }] } = await app.search({ text: "red" });
      deepEqual([path, author], ["train/red/a.png", "Ada"]);
      equal(counted.pictures, 0, "all were in the store");
      await app.close();
    } finally {
      Object.assign(paths, { dataset, embeddings });
    }
  }));

Deno.test("a COCO folder brings its captions and licences", () =>
  withFolder(async (folder) => {
    await mkdir(join(folder, "val2017"));
    await mkdir(join(folder, "annotations"));
    await writeFile(
      join(folder, "val2017", "000000000009.jpg"),
      await plain("red", "jpeg"),
    );
    await writeFile(
      join(folder, "annotations", "captions_val2017.json"),
      JSON.stringify({
        licenses: [{ id: 4, name: "CC BY 2.0", url: "" }],
        images: [{ id: 9, file_name: "000000000009.jpg", license: 4 }],
        annotations: [{ id: 1, image_id: 9, caption: "Walls <b>in</b> red." }],
      }),
    );
    const app = await openOver(folder);
    const { hits: [hit] } = await app.search({ text: "red", mode: "text" });
    deepEqual([hit.caption, hit.license, hit.term], [
      "Walls <b>in</b> red.",
      "CC BY 2.0",
      "", // "val2017" would tell nothing of any of them
    ]);
    await app.close();
  }));

Deno.test("all captions of a picture are indexed and shown, by any form of its name", () =>
  withFolder(async (folder) => {
    for (const name of ["Sa\u0308ge", "A"]) {
      await writeFile(join(folder, `${name}.png`), await plain("white"));
    }
    const captions = ["A red wall.", "It is also green.", "And blue."];
    await writeFile(
      join(folder, "captions.jsonl"),
      `{"file_name": "S\u00e4ge.png", "captions": ${JSON.stringify(captions)}}
       {"file_name": "A.png", "text": "A green wall.", "score": NaN}`,
    );
    const app = await openOver(folder);
    const search = (text: string) =>
      app.search({ text, mode: "text", cut: "none", fold: 2 });
    const { hits: [first, second] } = await search("blue");
    deepEqual([first.path, first.caption], ["Sa\u0308ge.png", captions[0]]);
    deepEqual([first.captions, second.captions], [captions, undefined]);
    equal((await search("red")).hits[0].path, "Sa\u0308ge.png");
    equal((await search("green")).hits[0].path, "A.png");
    const { json } = await ask(app, "detail", JSON.stringify(first));
    deepEqual(json.captions, captions);
    deepEqual(app.status().problems, []);
    await app.close();
  }));

Deno.test("a caption goes to the file that it names, not to another of that name", () =>
  withFolder(async (folder) => {
    for (const part of ["a", "b"]) {
      await mkdir(join(folder, part));
      await writeFile(join(folder, part, "1.png"), await plain("red"));
    }
    await writeFile(join(folder, "captions.json"), '{"a/1.png": "A wall."}');
    const { pictures } = await folderSource(folder);
    deepEqual(pictures.map(({ caption }) => caption), ["A wall.", ""]);
  }));

Deno.test("equal pictures score equally under the names that devices give", () =>
  withFolder(async (folder) => {
    for (const name of ["PXL_20200101_101112123", "IMG_0001", "image (3)"]) {
      await writeFile(join(folder, `${name}.png`), await plain("red"));
    }
    const app = await openOver(folder);
    const { hits } = await app.search({ text: "red", cut: "none", fold: 2 });
    equal(new Set(hits.map(({ value }) => value)).size, 1);
    await app.close();
  }));

Deno.test("metadata.json may hold Python's NaN, and a record a line", () =>
  withFolder(async (folder) => {
    const line = Buffer.from(await plain("red")).toString("base64");
    await writeFile(join(folder, "images.txt"), `${line}\n${line}\n`);
    const records = ['{"title": "One", "score": NaN}', '{"title": "Two"}'];
    for (const text of [`[${records.join()}]`, records.join("\n")]) {
      await writeFile(join(folder, "metadata.json"), text);
      const { pictures, problems } = await folderSource(folder);
      deepEqual(pictures.map(({ title }) => title), ["One", "Two"]);
      deepEqual(problems, []);
    }
    await writeFile(join(folder, "metadata.json"), '[{"title": "One"');
    const { problems } = await folderSource(folder);
    deepEqual(problems, [
      "metadata.json is cut off at line 1, column 17: download it again",
    ]);
  }));
