import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { search, topK } from "#lib/compare/compare.ts";
import { Matrix } from "#lib/compare/matrix.ts";
import { multiplyRows } from "#lib/compare/matrix_product.ts";
import { addScaled, dot, l2Normalize, metrics } from "#lib/compare/metrics.ts";
import type { Encoder } from "#lib/encoders/encoder.ts";
import {
  OFFLINE_FOLDER,
  openClassifier,
  readClassNames,
} from "#lib/encoders/offline/classifier.ts";
import { readGroups } from "#lib/encoders/offline/groups.ts";
import {
  JOINT_PARAMETERS,
  softmax,
} from "#lib/encoders/offline/joint_space.ts";
import {
  offlineFiles,
  openOffline,
  readConcepts,
} from "#lib/encoders/offline/offline.ts";
import { openSentences } from "#lib/encoders/offline/sentences.ts";
import { scoreRankings } from "#lib/evaluate/evaluate.ts";
import { readSample, samplePath } from "#lib/photo_site/sample.ts";

/** What PyTorch, Pillow and others found, by fixtures/make_golden.py. */
const golden = JSON.parse(
  await readFile(join(import.meta.dirname!, "../fixtures/golden.json"), "utf8"),
);
const NETWORK = join(OFFLINE_FOLDER, "lite0", "vision.onnx");
const isSetUp = offlineFiles().every((file) => existsSync(file));
const isLargeSetUp = offlineFiles("offline-large")
  .every((file) => existsSync(file));
for (
  const [there, what] of [
    [isSetUp, "The offline encoder is not set up (`deno task setup`)"],
    [isLargeSetUp, "offline-large is not set up (`deno task setup --large`)"],
  ] as const
) {
  if (!there) console.warn(`${what}: its tests are skipped`);
}

/** Registers a test that needs the encoder's files. */
function encoderTest(
  name: string,
  body: () => Promise<void>,
  { ignore = false } = {},
): void {
  Deno.test({ name, fn: body, ignore: !isSetUp || ignore });
}

async function withEncoder(
  body: (encoder: Encoder) => Promise<void>,
): Promise<void> {
  const encoder = await openOffline();
  try {
    await body(encoder);
  } finally {
    await encoder.close();
  }
}

function near(actual: number, expected: number, within: number, what: string) {
  const message = `${what}: expected ${expected} ± ${within}, got ${actual}`;
  ok(Math.abs(actual - expected) <= within + 1e-9, message);
}

/** Compares as many values as are expected. */
function allNear(
  actual: ArrayLike<number>,
  expected: number[],
  within: number,
  what: string,
) {
  expected.forEach((value, i) =>
    near(actual[i], value, within, `${what} ${i}`)
  );
}

/** A picture of the sample's kind: a coloured disc on white. */
function disc(colour: string, side = 256): Promise<Uint8Array> {
  const svg = `<svg width="${side}" height="${side}"><circle cx="50%" cy="50%"
    r="40%" fill="${colour}"/></svg>`;
  return sharp(Buffer.from(svg)).flatten({ background: "#ffffff" }).png()
    .toBuffer();
}

encoderTest(
  "every vector is a unit vector of 984 numbers",
  () =>
    withEncoder(async (encoder) => {
      equal(encoder.dimensions, 984);
      const vectors = [
        ...await encoder.encodeTexts(["an owl", "", "日本", "x".repeat(5000)]),
        ...await encoder.encodeImages([await disc("red"), await disc("blue")]),
      ];
      for (const vector of vectors) {
        equal(vector.length, encoder.dimensions);
        near(dot(vector, vector), 1, 1e-5, "squared length");
      }
    }),
);

encoderTest(
  "a batch gives what its items give one at a time, in order",
  () =>
    withEncoder(async (encoder) => {
      const texts = [
        "a long sentence about a red tractor in a wide green field",
        "owl",
        ...Array.from({ length: 20 }, (_, i) => `${i + 2} apples`),
        "owl",
      ];
      const pictures = await Promise.all(
        Array.from({ length: 18 }, (_, i) => disc(`hsl(${20 * i} 80% 50%)`)),
      );
      const together = [
        ...await encoder.encodeTexts(texts),
        ...await encoder.encodeImages(pictures),
      ];
      const one = [
        ...await Promise.all(
          texts.map(async (text) => (await encoder.encodeTexts([text])).row(0)),
        ),
        ...await Promise.all(
          pictures.map(async (one) =>
            (await encoder.encodeImages([one])).row(0)
          ),
        ),
      ];
      equal(together.length, one.length);
      one.forEach((vector, i) =>
        near(dot(vector, together[i]), 1, 1e-5, `item ${i}`)
      );
      equal((await encoder.encodeTexts([])).count, 0);
      equal((await encoder.encodeImages([])).count, 0);
    }),
);

encoderTest(
  "a picture from a file is the picture from its bytes",
  () =>
    withEncoder(async (encoder) => {
      const folder = await Deno.makeTempDir();
      const path = join(folder, "disc.png");
      await Deno.writeFile(path, await disc("green"));
      const [fromFile, fromBytes] = await encoder.encodeImages([
        path,
        await disc("green"),
      ]);
      deepEqual(fromFile, fromBytes);
      await rm(folder, { recursive: true });
    }),
);

encoderTest(
  "transparent, grey, turned, tiny and huge pictures are read",
  () =>
    withEncoder(async (encoder) => {
      const photo = sharp(await disc("orange", 600));
      const forms = [
        await photo.clone().greyscale().jpeg().toBuffer(),
        await photo.clone().toColourspace("cmyk").jpeg().toBuffer(),
        await photo.clone().resize(8, 8).png().toBuffer(),
        await photo.clone().resize(3000, 2000).jpeg().toBuffer(),
        await photo.clone().resize(900, 5, { fit: "fill" }).png().toBuffer(),
        await photo.clone().ensureAlpha(0.5).webp().toBuffer(),
      ];
      equal((await encoder.encodeImages(forms)).count, forms.length);

      const upright = sharp(await disc("teal", 300)).extract({
        left: 0,
        top: 0,
        width: 180,
        height: 300,
      });
      const turned = await upright.clone().rotate(90).jpeg({ quality: 100 })
        .withMetadata({ orientation: 8 }).toBuffer();
      const [a, b] = await encoder.encodeImages([
        await upright.jpeg({ quality: 100 }).toBuffer(),
        turned,
      ]);
      ok(dot(a, b) > 0.98, `a picture and its turned copy: ${dot(a, b)}`);
    }),
);

encoderTest(
  "a large photo, decoded at a fraction, stays where it was",
  () =>
    withEncoder(async (encoder) => {
      const path = "food/fruit/lemon.jpg";
      const photo = await sharp(samplePath({ path })).resize(640).toBuffer();
      const large = await sharp(photo).resize(2560, null, { kernel: "cubic" })
        .jpeg({ quality: 95 }).toBuffer();
      const [a, b] = await encoder.encodeImages([photo, large]);
      ok(dot(a, b) > 0.95, `a photo and its enlargement: ${dot(a, b)}`);
    }),
);

encoderTest(
  "a corrupt picture is named, a missing one too",
  () =>
    withEncoder(async (encoder) => {
      const folder = await Deno.makeTempDir();
      const path = join(folder, "torn.jpg");
      const whole = await sharp(await disc("navy")).jpeg().toBuffer();
      await Deno.writeFile(path, whole.subarray(0, whole.length / 2));
      await rejects(
        encoder.encodeImages([path]),
        /torn\.jpg cannot be decoded/,
      );
      await rejects(
        encoder.decodeImage(new Uint8Array(10)),
        /a picture cannot be decoded/,
      );
      await rejects(
        encoder.decodeImage(join(folder, "gone.jpg")),
        /gone\.jpg cannot be decoded: file not found/,
      );
      await rm(folder, { recursive: true });
    }),
);

encoderTest(
  "a sentence is nearest to the class it tells of, and like to like",
  () =>
    withEncoder(async (encoder) => {
      const { names: concepts } = await readConcepts();
      const names = await readClassNames();
      const sentences = await openSentences();
      const [piano] = await sentences.encode([
        "somebody plays the grand piano",
      ]);
      await sentences.close();
      const nearest = topK(
        Array.from(concepts, (vector) => dot(vector, piano)),
        1,
        "higher",
      );
      equal(names[nearest[0].index][0], "grand piano");
      const [lemon, banana, dog] = await encoder.encodeTexts([
        "a lemon",
        "a banana",
        "a dog",
      ]);
      ok(dot(lemon, banana) > dot(lemon, dog));
    }),
);

encoderTest(
  "the encoder says what it is, and its id changes with its recipe",
  () =>
    withEncoder((encoder) => {
      equal(encoder.name, "offline");
      equal(encoder.id, "offline-2");
      match(
        encoder.describe(),
        /Lite0 .* 1000 classes and 853 groups .* 2; CPU$/,
      );
      return Promise.resolve();
    }),
);

for (const id of ["offline", "offline-large"] as const) {
  Deno.test(`each file that ${id} lacks is named, with what to run`, async () => {
    const folder = await Deno.makeTempDir();
    const files = offlineFiles(id, folder);
    for (const missing of files) {
      for (const file of files) {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, "");
      }
      await rm(missing);
      await rejects(openOffline(id, folder), ({ message }: Error) => {
        ok(
          message.startsWith(`${missing} not found: run \`npx deno@2.8.1 task`),
        );
        return message.endsWith(id === "offline" ? "setup`" : "setup --large`");
      });
    }
    await rm(folder, { recursive: true });
  });
}

encoderTest(
  "the network for pictures is opened when there is a picture to embed",
  async () => {
    const folder = await Deno.makeTempDir();
    for (const [i, file] of offlineFiles("offline", folder).entries()) {
      await mkdir(dirname(file), { recursive: true });
      await copyFile(offlineFiles()[i], file);
    }
    await writeFile(join(folder, "lite0", "vision.onnx"), "no network");
    const encoder = await openOffline("offline", folder);
    equal((await encoder.encodeTexts(["an owl"])).count, 1);
    const lemon = samplePath({ path: "food/fruit/lemon.jpg" });
    await rejects(encoder.encodeImages([lemon]), /cannot be opened/);
    await encoder.close();
    await rm(folder, { recursive: true });
  },
);

encoderTest(
  "a network cut short, or of a former recipe, is named",
  async () => {
    const folder = await Deno.makeTempDir();
    const file = join(folder, "lite0", "vision.onnx");
    await mkdir(dirname(file));
    await writeFile(file, (await readFile(NETWORK)).subarray(0, 1000));
    await rejects(
      openClassifier("offline", folder),
      /vision\.onnx \(1000 bytes\) cannot be opened: .* delete it and run again$/,
    );
    // It has no "looks", as the first recipe's network had none.
    await copyFile(join(OFFLINE_FOLDER, "minilm", "model.onnx"), file);
    await rejects(
      openClassifier("offline", folder),
      /vision\.onnx is of a former recipe: run `.* task setup --large`$/,
    );
    await rm(folder, { recursive: true });
  },
);

encoderTest(
  "a name's vector is of the name and of a photo's caption",
  async () => {
    const { names: concepts } = await readConcepts();
    const classes = await readClassNames();
    const groups = await readGroups();
    const sentences = await openSentences();
    for (const place of [0, 999, 1000, 1029, 1852]) {
      const names = classes[place] ?? groups[place - 1000].names;
      const texts = names.flatMap((name) => [name, `a photo of a ${name}`]);
      const sum = new Float32Array(384);
      for (const one of await sentences.encode(texts)) addScaled(sum, one);
      near(dot(l2Normalize(sum), concepts.row(place)), 1, 1e-3, names[0]);
    }
    await sentences.close();
  },
);

encoderTest(
  "without groups' names, a class's words are its own name",
  async () => {
    const silent = { ...JOINT_PARAMETERS, groupWeight: 0 };
    const { names, classWords } = await readConcepts(
      "offline",
      undefined,
      silent,
    );
    deepEqual(classWords.row(292), names.row(292));
    const loud = await readConcepts();
    ok(dot(l2Normalize(loud.classWords.row(292)), names.row(292)) < 0.99);
  },
);

encoderTest("the classifier gives PyTorch's looks and logits", async () => {
  const expected = golden.classifier;
  const pixels = new Float32Array(3 * 224 * 224);
  for (let i = 0, c = 0; c < 3; c++) {
    for (let y = 0; y < 224; y++) {
      for (let x = 0; x < 224; x++) {
        pixels[i++] = ((7 * c + 3 * y + 5 * x) % 256 - 127) / 128;
      }
    }
  }
  const classifier = await openClassifier();
  // More than a batch of them, to be the same in each.
  const classified = await classifier.classify(Array(6).fill(pixels));
  await classifier.close();
  equal(classified.looks[0].count, 6);
  for (const row of [0, 5]) {
    const looks = classified.looks[0].row(row);
    const logits = classified.logits.row(row);
    allNear(looks, expected.looks, 1e-3, "look");
    allNear(logits, expected.logits, 1e-3, "logit");
    near(Math.hypot(...looks), expected.looksLength, 1e-3, "length");
    const names = await readClassNames();
    deepEqual(
      topK(logits, 5, "higher").map(({ index }) => [
        index,
        names[index].join(", "),
      ]),
      expected.top5,
    );
  }
});

encoderTest("sentences have the reference's tokens and vectors", async () => {
  const sentences = await openSentences();
  for (const { text, ids, int8 } of golden.sentences) {
    deepEqual(sentences.tokenize(text), ids);
    // One at a time, as the reference: int8 rounds by what is in the batch.
    const [vector] = await sentences.encode([text]);
    allNear(vector, int8, 1e-3, `${text}, value`);
  }
  await sentences.close();
});

encoderTest(
  "what is beyond 256 tokens does not matter, but the end does",
  async () => {
    const sentences = await openSentences();
    const long = "owl ".repeat(254);
    const tokens = sentences.tokenize(`${long} mouse cat`);
    equal(tokens.length, 256);
    equal(tokens[0], sentences.tokenize("")[0]);
    equal(tokens[255], sentences.tokenize("").at(-1));
    const [whole, cut, other] = await sentences.encode([
      long,
      `${long} mouse cat`,
      `mouse ${long}`,
    ]);
    deepEqual(cut, whole);
    ok(dot(other, whole) < 0.9999);
    await sentences.close();
  },
);

encoderTest("a sentence is the same beside longer ones", async () => {
  const sentences = await openSentences();
  const texts = ["owl", "a long sentence about a red tractor ".repeat(9)];
  const together = await sentences.encode([texts[1], texts[0]]);
  for (const [row, text] of [texts[1], texts[0]].entries()) {
    const [alone] = await sentences.encode([text]);
    near(dot(alone, together.row(row)), 1, 1e-3, text);
  }
  await sentences.close();
});

for (const id of ["offline", "offline-large"] as const) {
  encoderTest(
    `${id}'s pictures and texts are as close as in the reference`,
    async () => {
      const { texts, pictures, [id]: expected } = golden.joint;
      const encoder = await openOffline(id);
      const saying = await encoder.encodeTexts(texts);
      const showing = await encoder.encodeImages(
        pictures.map((path: string) => samplePath({ path })),
      );
      await encoder.close();
      const compare = async (a: Matrix, b: Matrix, cosines: number[][]) => {
        const found = await multiplyRows(a, b);
        cosines.forEach((row, i) =>
          allNear(found.row(i), row, 0.001, `${texts[i]}, cosine`)
        );
      };
      await compare(saying, showing, expected.textPicture);
      await compare(showing, showing, expected.picturePicture);
      await compare(saying, saying, expected.textText);
    },
    { ignore: id === "offline-large" && !isLargeSetUp },
  );
}

encoderTest(
  "texts have the reference's shares of classes and groups",
  async () => {
    const { names } = await readConcepts();
    const sentences = await openSentences();
    const nearness = await multiplyRows(
      await sentences.encode(golden.joint.texts),
      names,
    );
    await sentences.close();
    [...nearness].forEach((row, i) => {
      const shares = softmax(row, 20);
      for (const [index, name, share] of golden.joint.nearestNames[i]) {
        near(shares[index], share, 0.002, `${golden.joint.texts[i]}: ${name}`);
      }
    });
  },
);

/** As many of the sample's pictures as the reference was measured on. */
async function everySecondPicture() {
  return (await readSample()).filter((_, i) => i % 2 === 0);
}

/** Words for groups, none of which is a class, and the terms they cover. */
const GROUPS_OF_TERMS: Record<string, RegExp> = {
  "an animal": /bird|deer|fish|insect|livestock|predator|primate|rodent/,
  "a bird": /bird/,
  "a mammal": /deer|livestock|predator|primate|rodent/,
  "a carnivore": /predator/,
  "a ruminant": /deer|livestock/,
  "a rodent": /rodent/,
  "a fish": /fish/,
  "an insect": /insect/,
  "a primate": /primate/,
  "a building": /castle|sacred building|tower/,
  "something to eat": /fruit|vegetable/,
  "a fruit": /fruit/,
  "a vegetable": /vegetable/,
  "a flower": /flower/,
  "a vehicle": /vehicle/,
  "a tool": /tool|hammer|wrench/,
  "a musical instrument": /instrument/,
  "game equipment": /sports/,
};

encoderTest(
  "a group's name is nearer to its pictures than to others",
  () =>
    withEncoder(async (encoder) => {
      const sample = await everySecondPicture();
      const nearness = await multiplyRows(
        await encoder.encodeTexts(Object.keys(GROUPS_OF_TERMS)),
        await encoder.encodeImages(sample.map(samplePath)),
      );
      Object.entries(GROUPS_OF_TERMS).forEach(([name, terms], i) => {
        const values = [...nearness.row(i)];
        const isMember = sample.map(({ term }) => terms.test(term));
        const members = values.filter((_, picture) => isMember[picture]);
        const others = values.filter((_, picture) => !isMember[picture]);
        ok(members.length >= 4 && others.length >= 4, name);
        // How often a member is nearer than another picture, both by chance.
        const nearer = members.flatMap((one) =>
          others.map((other) => one > other)
        )
          .filter(Boolean).length / members.length / others.length;
        ok(nearer >= 0.9, `${name}: nearer in ${nearer}`);
      });
    }),
);

for (const id of ["offline", "offline-large"] as const) {
  encoderTest(
    `${id} finds the sample's pictures as well as the reference`,
    async () => {
      const sample = await everySecondPicture();
      const terms = sample.map(({ term }) => term);
      const names = [...new Set(terms)].sort();
      const encoder = await openOffline(id);
      const pictures = await encoder.encodeImages(sample.map(samplePath));
      const named = await encoder.encodeTexts(names);
      const captioned = await encoder.encodeTexts(
        sample.map(({ caption }) => caption),
      );
      await encoder.close();

      const looks = (vectors: Matrix) =>
        Matrix.of(Array.from(vectors, (row) => l2Normalize(row.subarray(384))));
      /** Top-1, precision at 5 and mAP of queries among the pictures. */
      const score = (queries: Matrix, gallery: Matrix, truth: string[]) => {
        const leaveOut = queries === gallery;
        const rankings = Array.from(
          queries,
          (query, i) =>
            search(query, gallery, metrics.cosine)
              .filter(({ index }) => !leaveOut || index !== i)
              .map(({ index }) => terms[index]),
        );
        const { top1, precisionAt5, meanAveragePrecision } = scoreRankings(
          rankings,
          truth,
        );
        return [top1, precisionAt5, meanAveragePrecision];
      };
      const ranks = Array.from(
        captioned,
        (caption, i) =>
          search(caption, pictures, metrics.cosine)
            .findIndex(({ index }) => index === i),
      );
      const seen = looks(pictures);
      const found = {
        pictureToPicture: score(pictures, pictures, terms),
        pictureToPictureByLooks: score(
          ...[looks(pictures)].flatMap((all) => [all, all]) as [Matrix, Matrix],
          terms,
        ),
        termToPicture: score(named, pictures, names),
        termToPictureByLooks: score(looks(named), seen, names),
        captionToPicture: [1, 5, 10].map((k) =>
          ranks.filter((rank) => rank < k).length / ranks.length
        ),
      };
      for (const [what, values] of Object.entries(found)) {
        allNear(values, golden.quality[id][what], 0.015, `${what}, figure`);
      }
    },
    { ignore: id === "offline-large" && !isLargeSetUp },
  );
}
