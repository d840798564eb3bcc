import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { Matrix } from "#lib/compare/matrix.ts";
import { writeNpy } from "#lib/compare/npy.ts";
import { writeDataset } from "#lib/dataset/dataset.ts";
import { embedPictures } from "#lib/embeddings/embeddings.ts";
import { paths } from "#lib/paths.ts";
import { type DatasetPicture } from "#lib/records.ts";
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
      const thumbnail = await ask(app, "thumbnail/2");
      equal((await sharp(thumbnail.bytes).stats()).dominant.b > 200, true);
      await app.close();
      return { embedded: counted.pictures, title, problems };
    };
    // One picture is embedded to see whether the vectors are this encoder's.
    deepEqual(await start(), {
      embedded: 1,
      title: "A green wall",
      problems: [],
    });
    const damaged = vectors.pick([0, 1, 2]);
    damaged.row(1).fill(0);
    const long = new Matrix(new Float32Array(3 * 512).fill(0.1), 512);
    // The first time; then they are in the store.
    for (const [rows, embedded] of [[long, 3], [damaged, 0]] as const) {
      await npy(rows);
      const foreign = await start();
      deepEqual([foreign.embedded, foreign.title], [embedded, "A green wall"]);
      match(
        foreign.problems[0],
        /not colours's: the pictures are embedded again/,
      );
    }
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
    equal(counted.pictures, 1 + 2, "one to see whose they are, then all");
    match(app.status().problems[0], /not colours's/);
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
    equal(counted.pictures, 1, "the others' vectors are theirs");
    deepEqual(app.status().problems, [
      "images.txt, picture 2 is no base64: left out",
    ]);
    await app.close();
    await writeNpy(join(folder, "embeddings.npy"), own.pick([0, 1]));
    const { problems, vectors } = await folderSource(folder);
    equal(vectors, undefined);
    match(problems.at(-1)!, /2 rows, images.txt 3 pictures: .*embedded again/);
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
      await writeDataset(records);
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
