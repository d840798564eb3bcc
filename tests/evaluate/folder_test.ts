import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Encoder } from "#lib/encoders/encoder.ts";
import { evaluateCaptions } from "#lib/evaluate/captions.ts";
import { evaluateFolder } from "#lib/evaluate/folder.ts";
import { paths } from "#lib/paths.ts";
import { colourEncoder, type Counted } from "../support/colour_encoder.ts";
import { withOwnStore } from "../support/own_store.ts";
import { colourPicture } from "../support/colour_picture.ts";

const red = [1, 0, 0], green = [0, 1, 0], blue = [0, 0, 1];

/** The colour encoder; it names what it cannot decode, as encoders do. */
function openEncoder(counted?: Counted): Encoder {
  const encoder = colourEncoder(counted);
  return {
    ...encoder,
    decodeImage: (image) =>
      encoder.decodeImage(image).catch((error) => {
        throw new Error(`${image} cannot be decoded: ${error.message}`);
      }),
  };
}

/** A folder with these pictures; a colour as text is written as it is. */
async function folderOf(
  files: Record<string, number[] | string>,
): Promise<string> {
  const folder = await Deno.makeTempDir();
  let seed = 0;
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(
      join(folder, path),
      typeof content === "string"
        ? content
        : await colourPicture(content, seed++),
    );
  }
  return folder;
}

const classes = {
  "train/red/1.jpg": red,
  "train/red/2.jpg": red,
  "train/green/1.jpg": green,
  "train/green/2.jpg": green,
  "test/red/3.jpg": red,
  "test/green/3.jpg": green,
};

async function evaluate(folder: string) {
  const before = (await readdir(folder, { recursive: true })).toSorted();
  try {
    return await withOwnStore(() =>
      evaluateFolder(folder, openEncoder(), { size: 8 })
    );
  } finally {
    const after = (await readdir(folder, { recursive: true })).toSorted();
    deepEqual(after, before, "nothing is written into the folder");
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("evaluateFolder() scores every method, with hits by path", async () => {
  const { gallery, queries, methods, remarks } = await evaluate(
    await folderOf(classes),
  );
  deepEqual([gallery, queries, remarks], [4, 2, []]);
  deepEqual(methods.map(({ method }) => method), [
    ...["pixel-l1", "pixel-l2", "pixel-cosine", "pixel-correlation"],
    ...["encoder-image", "encoder-text"],
  ]);
  for (const { method, top1, precisionAt5, meanAveragePrecision } of methods) {
    // Correlation is blind to colour, the only thing that differs here.
    if (method === "pixel-correlation") continue;
    deepEqual(
      [top1.value, precisionAt5.value, meanAveragePrecision.value],
      [1, 2 / 5, 1],
      method,
    );
  }
  const hits = methods[0].hits["test/red/3.jpg"];
  deepEqual(hits.slice(0, 2).map(([path]) => path).toSorted(), [
    "train/red/1.jpg",
    "train/red/2.jpg",
  ]);
  ok(Number.isInteger(hits[0][1]) && hits[0][1] <= hits[1][1]);
  equal(methods[5].hits["green"][0][0].startsWith("train/green/"), true);
});

Deno.test("evaluateFolder() without test/ searches for each among the others", async () => {
  const { gallery, queries, methods, remarks } = await evaluate(
    await folderOf({
      "red/1.jpg": red,
      "red/2.jpg": red,
      "green/1.jpg": green,
      "green/2.jpg": green,
      "blue/1.jpg": blue,
      "lonely.jpg": red,
    }),
  );
  deepEqual([gallery, queries], [5, 4]);
  match(remarks[0], /^1 of the pictures in .* lie in no class's folder/);
  match(remarks[1], /^There is no test\/: .*leave-one-out/);
  match(
    remarks[2],
    /^Class blue has one picture: it is searched among, not for/,
  );
  const [[nearest]] = methods[0].hits["red/1.jpg"];
  equal(nearest, "red/2.jpg", "not the query itself");
});

Deno.test("evaluateFolder() leaves out what cannot be decoded, and goes on", async () => {
  const { gallery, queries, methods, remarks } = await evaluate(
    await folderOf({
      ...classes,
      "train/green/0 broken.jpg": "no picture",
      "test/green/empty.png": "",
      "test/blue/1.jpg": blue,
    }),
  );
  deepEqual([gallery, queries], [4, 2]);
  equal(
    remarks[0],
    "Class blue has pictures in test/ and none in train/: its query is left out",
  );
  match(remarks.join("\n"), /Left out: .*0 broken\.jpg cannot be decoded/);
  match(remarks.join("\n"), /Left out: .*empty\.png cannot be decoded/);
  for (const { method, hits, top1 } of methods) {
    if (method !== "pixel-correlation") equal(top1.value, 1, method);
    for (const [path, value] of Object.values(hits).flat()) {
      ok(classes[path as keyof typeof classes] && Number.isFinite(value), path);
    }
  }
});

Deno.test("evaluateFolder() leaves out what pixels cannot be read of", async () => {
  const folder = await folderOf({
    ...classes,
    "train/red/0.jpg": "no picture",
  });
  // An encoder that takes anything.
  const encoder = openEncoder();
  const { decodeImage } = encoder;
  encoder.decodeImage = (image) =>
    decodeImage(image).catch(() => Float32Array.of(255, 0, 0));
  const { gallery, remarks } = await withOwnStore(() =>
    evaluateFolder(folder, encoder, { size: 8 })
  );
  await Deno.remove(folder, { recursive: true });
  equal(gallery, 4);
  match(remarks.join(), /^Left out: \S*0\.jpg: not a JPEG/);
});

Deno.test("evaluateFolder() reads a class's name as words", async () => {
  const { methods } = await evaluate(
    await folderOf({
      "train/very_red/1.jpg": red,
      "train/quite-green/1.jpg": green,
      "train/-blue_/1.jpg": blue,
      "test/very_red/2.jpg": red,
    }),
  );
  const byName = methods.find(({ method }) => method === "encoder-text")!;
  equal(byName.top1.value, 1);
  deepEqual(Object.keys(byName.hits).toSorted(), [
    ...["-blue_", "quite-green", "very_red"],
  ]);
});

Deno.test("evaluateFolder() with an empty test/ searches for each among the others", async () => {
  const { queries, remarks } = await evaluate(
    await folderOf({
      "train/red/1.jpg": red,
      "train/red/2.jpg": red,
      "train/green/1.jpg": green,
      "train/green/2.jpg": green,
      "test/red/notes.txt": "none yet",
    }),
  );
  equal(queries, 4);
  match(remarks[0], /^test\/ holds no pictures: .*leave-one-out/);
});

Deno.test("evaluateFolder() says what it expected where there is nothing", async () => {
  await rejects(
    evaluate(await folderOf({ "train/red/1.jpg": red, "notes.txt": "x" })),
    /nothing to evaluate: expected train\/CLASS\/ .*got 1 pictures of 1 classes/,
  );
  await rejects(
    evaluate(await folderOf({ "notes.txt": "x" })),
    /nothing to evaluate: .*got 0 pictures of 0 classes/,
  );
  await rejects(
    evaluate(
      await folderOf({
        ...{ "red/1.jpg": "x", "red/2.jpg": "y" },
        ...{ "green/1.jpg": "x", "green/2.jpg": "y" },
      }),
    ),
    /nothing to evaluate: .*got 0 pictures of 0 classes in the gallery, and 4 that cannot be read$/,
  );
  await rejects(
    evaluateFolder("nowhere", openEncoder(), { size: 8 }),
    /nowhere not found/,
  );
});

Deno.test("evaluateFolder() says and lists what may be a picture and is left out", async () => {
  const { remarks, leftOut } = await evaluate(
    await folderOf({
      ...classes,
      ...{ "train/red/4.HEIC": "x", "test/red/5.heic": "x" },
      ...{ "train/red/6.jpg": "x", "train/notes.txt": "x" },
    }),
  );
  deepEqual(leftOut.map(({ path }) => path), [
    ...["train/red/4.HEIC", "test/red/5.heic", "train/red/6.jpg"],
  ]);
  equal(
    remarks[0],
    "left out: 2 .heic: not JPEG, PNG, GIF, WebP, AVIF or TIFF",
  );
  await rejects(
    evaluate(await folderOf({ "red/1.heic": "x" })),
    /nothing to evaluate in .*; left out: 1 \.heic: not JPEG/,
  );
});

Deno.test("evaluateFolder() takes a file called train for no folder of pictures", async () => {
  const { gallery } = await evaluate(
    await folderOf({
      ...{ train: "a file", test: "a file", "red/1.jpg": red },
      ...{ "red/2.jpg": red, "green/1.jpg": green, "green/2.jpg": green },
    }),
  );
  equal(gallery, 4);
});

Deno.test("evaluateFolder() stops when asked, and says which size fits", async () => {
  const folder = await folderOf(classes);
  const encoder = openEncoder();
  const signal = AbortSignal.abort(new Error("stopped"));
  const run = (options: { size: number; signal?: AbortSignal }) =>
    withOwnStore(() => evaluateFolder(folder, encoder, options));
  await rejects(run({ size: 8, signal }), /stopped/);
  await rejects(
    run({ size: 20_000 }),
    /6 pictures of 20000 x 20000 pixels do not fit in 4 GB: choose .* up to 15/,
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("evaluateCaptions() searches both ways and reports what is missing", async () => {
  const folder = await folderOf({
    "images/r.jpg": red,
    "images/g.jpg": green,
    "images/b.jpg": blue,
    "images/broken.jpg": "no picture",
    "captions.json": JSON.stringify({
      "images/r.jpg": ["something red", "a red thing"],
      "images/g.jpg": ["green grass"],
      "elsewhere/b.jpg": ["the blue sky"],
      "images/broken.jpg": ["red again"],
      "images/gone.jpg": ["a", "b"],
    }),
  });
  const counted = { pictures: 0, texts: 0 };
  const run = () =>
    evaluateCaptions(
      join(folder, "images"),
      join(folder, "captions.json"),
      openEncoder(counted),
    );
  const [result, again] = await withOwnStore(async () => [
    await run(),
    await run(),
  ]);
  deepEqual(result.pictures.map(({ path }) => path), [
    "r.jpg",
    "g.jpg",
    "b.jpg",
  ]);
  deepEqual(result.pictureOf, [0, 0, 1, 2]);
  equal(result.textToImage.scores.r1.value, 1);
  deepEqual(result.imageToText.ranks, [[1, 2], [1], [1]]);
  equal(result.remarks.length, 2);
  match(
    result.remarks[0],
    /^images\/gone\.jpg is not in .*: .* its 2 captions/,
  );
  match(result.remarks[1], /^Left out: .*broken\.jpg cannot be decoded/);
  deepEqual(again, result, "from disk");
  deepEqual(counted, { pictures: 3, texts: 4 });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("evaluateFolder() refuses one class alone, also where it is left alone", async () => {
  const one = { "cat/a.png": red, "cat/b.png": red };
  const cases: [files: Record<string, string | number[]>, message: RegExp][] = [
    [
      one,
      /^nothing to tell apart: expected pictures of at least two classes, or captions \(--captions\), got 2 in the gallery, all of class cat$/,
    ],
    [
      { ...one, "dog/a.png": "none", "dog/b.png": "none" },
      /of class cat, and 2 that cannot be read$/,
    ],
    [
      {
        "train/cat/a.png": red,
        "test/cat/b.png": red,
        "test/dog/c.png": red,
      },
      /got 1 in the gallery, all of class cat$/,
    ],
  ];
  for (const [files, message] of cases) {
    const folder = await folderOf(files);
    await withOwnStore(() =>
      rejects(evaluateFolder(folder, openEncoder(), { size: 4 }), { message })
    );
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a class's name is the same in either Unicode form", async () => {
  const folder = await folderOf({
    "train/Sa\u0308ge/a.png": red,
    "train/Bus/a.png": green,
    "test/S\u00e4ge/b.png": red,
  });
  const { queries, methods } = await withOwnStore(() =>
    evaluateFolder(folder, openEncoder(), { size: 4 })
  );
  await Deno.remove(folder, { recursive: true });
  equal(queries, 1);
  equal(methods[0].top1.value, 1);
});

Deno.test("evaluateCaptions() meets files whose names are in the other Unicode form", async () => {
  const folder = await folderOf({
    "Sa\u0308ge.png": red,
    "\u0438\u0306.png": green,
    "captions.json": JSON.stringify({
      "S\u00e4ge.png": "red",
      "\u0439.png": "green",
    }),
  });
  const { pictures, remarks } = await withOwnStore(() =>
    evaluateCaptions(folder, join(folder, "captions.json"), openEncoder())
  );
  await Deno.remove(folder, { recursive: true });
  deepEqual(pictures.map(({ path }) => path), [
    "Sa\u0308ge.png",
    "\u0438\u0306.png",
  ]);
  deepEqual(remarks, []);
});

Deno.test("evaluateCaptions() takes a file for one picture, the first that names it", async () => {
  const folder = await folderOf({
    "1.jpg": red,
    "2.jpg": green,
    "captions.json": JSON.stringify({
      "a/1.jpg": "red",
      "b/1.jpg": "green",
      "2.jpg": "green",
    }),
  });
  const { pictures, remarks } = await withOwnStore(() =>
    evaluateCaptions(folder, join(folder, "captions.json"), openEncoder())
  );
  await Deno.remove(folder, { recursive: true });
  deepEqual(pictures.map(({ path, captions: [caption] }) => [path, caption]), [
    ["1.jpg", "red"],
    ["2.jpg", "green"],
  ]);
  match(remarks.join(), /^b\/1\.jpg is not in /);
});

Deno.test("evaluateCaptions() takes the test split alone, and refuses an empty set", async () => {
  const picture = (filename: string, split: string) => ({
    filename,
    split,
    sentences: [{ raw: "red" }],
  });
  const folder = await folderOf({
    "1.jpg": red,
    "2.jpg": green,
    "split.json": JSON.stringify({
      images: [picture("1.jpg", "train"), picture("2.jpg", "test")],
    }),
    "none.json": JSON.stringify({ "3.jpg": "red" }),
  });
  const run = (file: string) =>
    withOwnStore(() =>
      evaluateCaptions(folder, join(folder, file), openEncoder())
    );
  const { pictures, remarks } = await run("split.json");
  deepEqual(pictures.map(({ path }) => path), ["2.jpg"]);
  deepEqual(remarks, ["Of 2 pictures, the 1 of the test split are evaluated"]);
  await rejects(
    run("none.json"),
    /nothing to evaluate: none of the 1 pictures/,
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("evaluateFolder() scores pixels on the sample as Pillow and NumPy do", () =>
  withOwnStore(async () => {
    const { methods } = await evaluateFolder(paths.sample, openEncoder(), {
      size: 64,
    });
    // Printed by tests/fixtures/pixel_scores.py; a query or two differ by the
    // resizing.
    const expected = [
      ["pixel-l1", 0.5237, 0.458, 0.3393],
      ["pixel-l2", 0.5489, 0.4467, 0.335],
      ["pixel-cosine", 0.4732, 0.412, 0.3229],
      ["pixel-correlation", 0.4826, 0.417, 0.3331],
    ] as const;
    for (const { hits } of methods) {
      ok(Object.values(hits).every(({ length }) => length === 5));
    }
    expected.forEach(([method, ...values], i) => {
      const { top1, precisionAt5, meanAveragePrecision } = methods[i];
      equal(methods[i].method, method);
      [top1, precisionAt5, meanAveragePrecision].forEach(({ value }, k) => {
        const difference = Math.abs(value - values[k]);
        ok(difference < [0.012, 0.005, 0.001][k], `${method}: ${value}`);
      });
    });
  }));
