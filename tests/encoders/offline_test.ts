import { Matrix } from "#lib/compare/matrix.ts";
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import {
  copyFile,
  mkdir,
  readFile,
  rm,
  symlink,
  truncate,
} from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import {
  OFFLINE_FOLDER,
  openClassifier,
  readClassNames,
} from "#lib/encoders/offline/classifier.ts";
import type { Encoder } from "#lib/encoders/encoder.ts";
import { softmax } from "#lib/encoders/offline/joint_space.ts";
import {
  offlineFiles,
  openOffline,
  readClasses,
} from "#lib/encoders/offline/offline.ts";
import { openSentences } from "#lib/encoders/offline/sentences.ts";
import { scoreRankings } from "#lib/evaluate/evaluate.ts";
import { l2Normalize, type Metric } from "#lib/compare/metrics.ts";
import { paths } from "#lib/paths.ts";
import { search, topK } from "#lib/compare/compare.ts";
import { runChild } from "../../tasks/child.ts";
import { offlineEncoderReady } from "../../tasks/offline_encoder.ts";
import { venvPython } from "../../tasks/python.ts";

const shared = join(paths.root, "..", "shared", "data");
const golden = join(shared, "golden");
const isSetUp = offlineFiles().every((file) => existsSync(file));
const isLargeSetUp = offlineFiles("offline-large").every((file) =>
  existsSync(file)
);
const hasGolden = existsSync(golden);
for (
  const [there, what] of [
    [isSetUp, "The offline encoder is not set up (`deno task setup`)"],
    [isLargeSetUp, "offline-large is not set up (`deno task setup --large`)"],
    [hasGolden, "There are no golden values beside the project"],
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

const dotProduct: Metric = {
  label: "Dot product",
  better: "higher",
  measure(a, b) {
    let sum = 0;
    for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  },
};
const dot = dotProduct.measure;

function near(actual: number, expected: number, within: number, what: string) {
  const message = `${what}: expected ${expected} ± ${within}, got ${actual}`;
  ok(Math.abs(actual - expected) <= within + 1e-9, message);
}

/** A picture of the sample's kind: a coloured disc on white. */
function disc(colour: string, side = 256): Promise<Uint8Array> {
  const svg = `<svg width="${side}" height="${side}"><circle cx="50%" cy="50%"
    r="40%" fill="${colour}"/></svg>`;
  return sharp(Buffer.from(svg)).flatten({ background: "#ffffff" }).png()
    .toBuffer();
}

encoderTest(
  "every vector is a unit vector of 1664 numbers",
  () =>
    withEncoder(async (encoder) => {
      equal(encoder.dimensions, 1664);
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
      const photo = join(shared, "coco-mini", "images", "000000078499.jpg");
      const large = await sharp(photo).resize(2560, null, { kernel: "cubic" })
        .jpeg({ quality: 95 }).toBuffer();
      const [a, b] = await encoder.encodeImages([photo, large]);
      ok(dot(a, b) > 0.95, `a photo and its enlargement: ${dot(a, b)}`);
    }),
  { ignore: !hasGolden },
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
      const classes = await readClasses();
      const names = await readClassNames();
      const sentences = await openSentences();
      const [piano] = await sentences.encode([
        "somebody plays the grand piano",
      ]);
      await sentences.close();
      const nearest = topK(
        Array.from(classes.vectors, (vector) => dot(vector, piano)),
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

Deno.test("files that are missing are named, with what to run", async () => {
  const folder = await Deno.makeTempDir();
  await rejects(
    openOffline("offline", folder),
    /classes\.json not found: run `npx deno@2\.8\.1 task setup`$/,
  );
  await rejects(openOffline("offline-large", folder), /task setup --large`$/);
  await rm(folder, { recursive: true });
});

encoderTest("set-up notices what a stopped one left", async () => {
  const folder = await Deno.makeTempDir();
  for (const name of ["lite0", "minilm"]) await mkdir(join(folder, name));
  const files = [
    "lite0/vision.onnx",
    "lite0/class_weights.npy",
    "minilm/model.onnx",
    "minilm/tokenizer.json",
    "classes.json",
    "class_vectors.npy",
  ];
  for (const file of files) {
    await symlink(join(OFFLINE_FOLDER, file), join(folder, file));
  }
  equal(offlineEncoderReady(folder), false);
  const stamp = join(folder, "stamp.json");
  await copyFile(join(OFFLINE_FOLDER, "stamp.json"), stamp);
  equal(offlineEncoderReady(folder), true);

  const cut = join(folder, "classes.json");
  await rm(cut);
  equal(offlineEncoderReady(folder), false);
  await copyFile(join(OFFLINE_FOLDER, "classes.json"), cut);
  await truncate(cut, 100);
  equal(offlineEncoderReady(folder), false);
  await rm(folder, { recursive: true });
});

encoderTest("weights that would run code are refused", async () => {
  const script = `
import io, os, pickle, sys
sys.path.insert(0, "tasks")
from torch_weights import WeightsUnpickler, read_weights
class Bad:
    def __reduce__(self):
        return os.system, ("echo harm",)
for read in (read_weights, lambda file: WeightsUnpickler(file).load()):
    try:
        read(io.BytesIO(pickle.dumps(Bad(), protocol=2)))
    except pickle.UnpicklingError as error:
        print(error)
`;
  const { code, output } = await runChild(venvPython, ["-c", script]);
  const refused = "weights may not use posix.system";
  deepEqual({ code, output }, { code: 0, output: `${refused}\n${refused}` });
});

encoderTest("the classifier gives PyTorch's features and logits", async () => {
  const expected = JSON.parse(
    await readFile(join(golden, "efficientnet-lite0.json"), "utf8"),
  );
  const pixels = new Float32Array(3 * 224 * 224);
  for (let i = 0, c = 0; c < 3; c++) {
    for (let y = 0; y < 224; y++) {
      for (let x = 0; x < 224; x++) {
        pixels[i++] = ((7 * c + 3 * y + 5 * x) % 256 - 127) / 128;
      }
    }
  }
  const classifier = await openClassifier();
  const classified = await classifier.classify([pixels]);
  const [features] = classified.features, [logits] = classified.logits;
  await classifier.close();
  expected.features_first16.forEach((value: number, i: number) =>
    near(features[i], value, 1e-3, `feature ${i}`)
  );
  expected.logits_first16.forEach((value: number, i: number) =>
    near(logits[i], value, 1e-3, `logit ${i}`)
  );
  near(Math.hypot(...features), expected.features_norm, 1e-3, "length");
  const names = await readClassNames();
  deepEqual(
    topK(logits, 5, "higher").map(({ index }) => [
      index,
      names[index].join(", "),
    ]),
    expected.top5.map((row: unknown[]) => row.slice(0, 2)),
  );
}, { ignore: !hasGolden });

encoderTest("sentences have the reference's tokens and vectors", async () => {
  const { texts } = JSON.parse(
    await readFile(join(golden, "minilm.json"), "utf8"),
  );
  const sentences = await openSentences();
  const vectors = await sentences.encode(
    texts.map(({ text }: { text: string }) => text),
  );
  for (const [row, one] of texts.entries()) {
    deepEqual(sentences.tokenize(one.text), one.input_ids);
    one.int8_first16.forEach((value: number, i: number) =>
      near(vectors.row(row)[i], value, 1e-3, `${one.text}, value ${i}`)
    );
  }
  await sentences.close();
}, { ignore: !hasGolden });

encoderTest(
  "pictures and texts are as close as in the reference",
  () =>
    withEncoder(async (encoder) => {
      const expected = JSON.parse(
        await readFile(join(golden, "offline-encoder.json"), "utf8"),
      );
      const texts = await encoder.encodeTexts(expected.texts);
      const images = await encoder.encodeImages(
        expected.images.map((path: string) => join(shared, path)),
      );
      const compare = (
        rows: Matrix,
        columns: Matrix,
        cosines: number[][],
        what: string,
      ) =>
        [...rows].forEach((row, i) =>
          [...columns].forEach((column, j) =>
            near(dot(row, column), cosines[i][j], 0.01, `${what} ${i}, ${j}`)
          )
        );
      compare(texts, images, expected.text_image_cosine, "text, image");
      compare(images, images, expected.image_image_cosine, "image, image");
      compare(texts, texts, expected.text_text_cosine, "text, text");

      const classes = await readClasses();
      const sentences = await openSentences();
      const meanings = await sentences.encode(expected.texts);
      await sentences.close();
      [...meanings].forEach((meaning, i) => {
        const shares = softmax(
          Array.from(classes.vectors, (vector) => dot(vector, meaning)),
          20,
        );
        for (const [index, name, share] of expected.text_top5_classes[i]) {
          // The reference's sentences are float32, ours int8, and softmax
          // magnifies the difference: with float32 it is 0.0006 at most.
          near(shares[index], share, 0.015, `${expected.texts[i]}: ${name}`);
        }
      });
    }),
  { ignore: !hasGolden },
);

/** The files of caltech101-mini: class/name below train or test. */
function caltech(split: "train" | "test") {
  const folder = join(shared, "caltech101-mini", split);
  return readdirSync(folder).sort().flatMap((label) =>
    readdirSync(join(folder, label)).sort().map((name) => ({
      label,
      path: join(folder, label, name),
    }))
  );
}

encoderTest(
  "objects are found as well as the design measured",
  () =>
    withEncoder(async (encoder) => {
      const gallery = caltech("train"), queries = caltech("test");
      const embed = async (pictures: { path: string }[]) => {
        const files = pictures.map(({ path }) => path);
        return await encoder.encodeImages(files);
      };
      const found = await embed(gallery), asked = await embed(queries);
      const labels = [...new Set(gallery.map(({ label }) => label))];
      const named = await encoder.encodeTexts(
        labels.map((label) => label.replaceAll("_", " ")),
      );
      const score = (
        vectors: Matrix,
        truth: string[],
        part: (vector: Float32Array) => Float32Array = (vector) => vector,
      ) => {
        const searched = Matrix.of(Array.from(found, part));
        return scoreRankings(
          Array.from(vectors, (vector) =>
            search(part(vector), searched, dotProduct)
              .map(({ index }) =>
                gallery[index].label
              )),
          truth,
        );
      };
      const looks = (vector: Float32Array) => l2Normalize(vector.subarray(384));
      const truth = queries.map(({ label }) => label);

      const byLooks = score(asked, truth, looks);
      near(byLooks.top1, 0.92, 0.015, "looks, top-1");
      near(byLooks.precisionAt5, 0.89, 0.015, "looks, p@5");
      near(byLooks.meanAveragePrecision, 0.778, 0.015, "looks, mAP");
      const jointly = score(asked, truth);
      near(jointly.top1, 0.93, 0.015, "joint, top-1");
      near(jointly.meanAveragePrecision, 0.804, 0.015, "joint, mAP");
      const nameByLooks = score(named, labels, looks);
      near(nameByLooks.precisionAt5, 0.85, 0.015, "name, looks, p@5");
      near(nameByLooks.meanAveragePrecision, 0.765, 0.015, "name, looks, mAP");
      const byName = score(named, labels);
      near(byName.precisionAt5, 0.855, 0.015, "name, joint, p@5");
      near(byName.meanAveragePrecision, 0.796, 0.015, "name, joint, mAP");
    }),
  { ignore: !hasGolden },
);

for (
  const [id, ready, recall] of [
    ["offline", isSetUp, [0.467, 0.863, 0.953]],
    ["offline-large", isLargeSetUp, [0.525, 0.882, 0.965]],
  ] as const
) {
  encoderTest(
    `${id} finds pictures by caption as the design measured`,
    async () => {
      const folder = join(shared, "coco-mini");
      const pictures: { file: string; captions: string[] }[] = JSON.parse(
        await readFile(join(folder, "captions.json"), "utf8"),
      );
      const encoder = await openOffline(id);
      const images = await encoder.encodeImages(
        pictures.map(({ file }) => join(folder, file)),
      );
      const texts = await encoder.encodeTexts(
        pictures.flatMap(({ captions }) => captions),
      );
      await encoder.close();
      const owner = pictures.flatMap(({ captions }, i) =>
        captions.map(() => i)
      );
      const ranks = Array.from(
        texts,
        (text, i) =>
          search(text, images, dotProduct).findIndex(({ index }) =>
            index === owner[i]
          ),
      );
      for (const [row, k] of [1, 5, 10].entries()) {
        const share = ranks.filter((rank) => rank < k).length / ranks.length;
        near(share, recall[row], 0.015, `R@${k}`);
      }
    },
    { ignore: !hasGolden || !ready },
  );
}
