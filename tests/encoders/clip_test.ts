import { env } from "@huggingface/transformers";
import * as transformers from "@huggingface/transformers";
import {
  deepEqual,
  deepStrictEqual,
  equal,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { existsSync } from "node:fs";
import { cp, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { transformersLayout } from "#lib/encoders/clip.ts";
import { openTokenizer, padTokens } from "#lib/encoders/model_files.ts";
import type { Encoder } from "#lib/encoders/encoder.ts";
import { encoderFiles, openEncoder } from "#lib/encoders/encoders.ts";
import { immichLayout } from "#lib/encoders/immich.ts";
import { search } from "#lib/compare/compare.ts";
import { cosineSimilarity, metrics } from "#lib/compare/metrics.ts";
import { readSample, samplePath } from "#lib/photo_site/sample.ts";
import { withClip } from "../support/tiny_model.ts";
import { startHub } from "../support/stand_in_hub.ts";

const readJson = async (path: string) =>
  JSON.parse(await readFile(path, "utf8"));

const fixture = join(import.meta.dirname!, "..", "fixtures", "tiny_clip");
const golden = await readJson(join(fixture, "golden.json"));
const picture = (name: string) => join(fixture, "pictures", name);
const pictureNames = Object.keys(golden.pictures);
const texts: string[] = golden.texts.map(({ text }: { text: string }) => text);

const layouts = [
  [transformersLayout, "transformers", "tokenizer.json"],
  [immichLayout, "immich", "textual/tokenizer.json"],
] as const;

/** Opens a fixture for one test. */
async function withTiny(
  [layout, folder]: readonly [typeof layouts[number][0], string, ...unknown[]],
  run: (encoder: Encoder) => Promise<void>,
) {
  const encoder = await layout.open(
    join(fixture, folder),
    "fp32",
    "tiny/fp32",
    "cpu",
  );
  try {
    await run(encoder);
  } finally {
    await encoder.close();
  }
}

for (const layout of layouts) {
  const [{ name }, folder, tokenizer] = layout;

  Deno.test(`${name}: token ids are those of golden.json`, async () => {
    const tokenize = await openTokenizer(join(fixture, folder, tokenizer), 77);
    for (const { text, ids } of golden.texts) deepEqual(tokenize(text), ids);
  });

  Deno.test(`${name}: texts are embedded as in NumPy`, () =>
    withTiny(layout, async (encoder) => {
      const vectors = await encoder.encodeTexts(texts);
      Array.from(vectors, (vector, i) => {
        const agreement = cosineSimilarity(vector, golden.texts[i].embedding);
        ok(agreement > 0.99999, `${agreement} for "${texts[i]}"`);
      });
    }));

  Deno.test(`${name}: pictures are embedded as with Pillow and NumPy`, () =>
    withTiny(layout, async (encoder) => {
      const vectors = await encoder.encodeImages(pictureNames.map(picture));
      Array.from(vectors, (vector, i) => {
        const { embedding } = golden.pictures[pictureNames[i]];
        const agreement = cosineSimilarity(vector, embedding);
        ok(agreement > 0.999, `${agreement} for ${pictureNames[i]}`);
      });
    }));

  Deno.test(`${name}: a long list comes back in its order, at length 1`, () =>
    withTiny(layout, async (encoder) => {
      const many = Array.from({ length: 40 }, (_, i) => texts[i % 7]);
      const together = await encoder.encodeTexts(many);
      for (const [i, vector] of [...together].entries()) {
        const [alone] = await encoder.encodeTexts([many[i]]);
        ok(cosineSimilarity(vector, alone) > 0.999999);
        ok(Math.abs(Math.hypot(...vector) - 1) < 1e-6);
      }
      const files = Array.from(
        { length: 20 },
        (_, i) => picture(pictureNames[i % 5]),
      );
      const seen = await encoder.encodeImages(files);
      equal(seen.count, 20);
      ok(cosineSimilarity(seen.row(3), seen.row(18)) > 0.999999);
      equal((await encoder.encodeImages([])).count, 0);
      equal((await encoder.encodeTexts([])).count, 0);
    }));
}

Deno.test("encodeImages() names the picture that cannot be decoded", () =>
  withTiny(layouts[0], async (encoder) => {
    await rejects(
      encoder.encodeImages([picture("grey.png"), "absent.jpg"]),
      /absent\.jpg cannot be decoded/,
    );
  }));

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0";
for (
  const [file, content, reason] of [
    ["onnx/text_model.onnx", "", " is empty. "],
    ["onnx/vision_model.onnx", "no model", " (8 bytes) cannot be opened: "],
    ["tokenizer.json", "{,", ': expected JSON, got "{," (2 bytes)'],
    ["config.json", "[]", ': expected a JSON object, got "[]" (2 bytes)'],
    ["tokenizer_config.json", "null", ': expected a JSON object, got "null"'],
    ...[
      ...["onnx/vision_model.onnx", "onnx/text_model.onnx", "tokenizer.json"],
      ...["preprocessor_config.json", "config.json", "tokenizer_config.json"],
      // The weights of a large model, beside it.
      "onnx/vision_model.onnx_data",
    ].map((file) => [
      file,
      pointer,
      " is a Git LFS pointer: fetch the file itself (git lfs pull)",
    ]),
  ]
) {
  Deno.test(`${file} that holds ${JSON.stringify(content.slice(0, 9))} is named`, () =>
    withClip(
      "transformers",
      { [file]: content },
      (folder) =>
        rejects(
          openEncoder(folder, { device: "cpu" }),
          ({ message }: Error) => {
            ok(message.startsWith(join(folder, file) + reason), message);
            equal(message.split("\n").length, 1);
            return true;
          },
        ),
    ));
}

Deno.test("describe() says which model runs where", () =>
  withTiny(layouts[0], (encoder) => {
    equal(encoder.describe(), "tiny/fp32: CLIP, 12 dimensions, CPU");
    equal(encoder.id, "tiny/fp32");
    equal(encoder.dimensions, 12);
    return Promise.resolve();
  }));

Deno.test("a device that cannot be used is an error that says so", async () => {
  const open = (device: string) =>
    transformersLayout.open(
      join(fixture, "transformers"),
      "fp32",
      "tiny",
      device as "cpu",
    );
  await rejects(open("gpu"), {
    name: "RangeError",
    message: 'expected device auto, cuda, webgpu, cpu, got "gpu"',
  });
  // Where there is CUDA, it opens instead.
  const opened = await open("cuda").catch((error: Error) => error);
  if (opened instanceof Error) {
    match(opened.message, /^CUDA cannot be used: .*; try device "auto"$/);
  } else await opened.close();
});

Deno.test("clipFiles says what Transformers.js opens as well, and nothing else", async () => {
  const folder = join(fixture, "transformers");
  await withTiny(layouts[0], ({ clipFiles }) => {
    deepStrictEqual(clipFiles, { folder, dtype: "fp32" });
    return Promise.resolve();
  });
  await withTiny(layouts[1], ({ clipFiles }) => {
    strictEqual(clipFiles, undefined);
    return Promise.resolve();
  });
  const other = await Deno.makeTempDir();
  try {
    await cp(folder, other, { recursive: true });
    for (const model of ["vision_model", "text_model"]) {
      const stem = join(other, "onnx", model);
      await rename(`${stem}.onnx`, `${stem}_int8.onnx`);
    }
    const encoder = await transformersLayout.open(other, "q8", "tiny", "cpu");
    strictEqual(encoder.clipFiles, undefined);
    await encoder.close();
  } finally {
    await Deno.remove(other, { recursive: true });
  }
});

Deno.test("Transformers.js's own hub code and sessions give the same vectors", async () => {
  const files: Record<string, Uint8Array> = {};
  for (const name of transformersLayout.files("fp32")) {
    files[name] = await readFile(join(fixture, "transformers", name));
  }
  files["tokenizer_config.json"] = new TextEncoder().encode(JSON.stringify({
    tokenizer_class: "CLIPTokenizer",
    pad_token: "<|endoftext|>",
  }));
  const hub = startHub("someone/tiny-clip", files);
  const cache = await Deno.makeTempDir();
  const { remoteHost, cacheDir } = env;
  Object.assign(env, { remoteHost: hub.endpoint, cacheDir: cache });
  try {
    const theirTokenizer = await transformers.AutoTokenizer.from_pretrained(
      "someone/tiny-clip",
    );
    const theirText = await transformers.CLIPTextModelWithProjection
      .from_pretrained("someone/tiny-clip", { dtype: "fp32" });
    const theirVision = await transformers.CLIPVisionModelWithProjection
      .from_pretrained("someone/tiny-clip", { dtype: "fp32" });
    ok(hub.requests.some((line) => line.startsWith("GET store")));
    await withTiny(layouts[0], async (encoder) => {
      // Not the longest: theirs is cut short without its end.
      for (const text of texts.slice(0, 7)) {
        const { text_embeds } = await theirText(theirTokenizer(text));
        const [ours] = await encoder.encodeTexts([text]);
        ok(cosineSimilarity(ours, text_embeds.data) > 0.99999, text);
      }
      const pixels = await encoder.decodeImage(picture("portrait.jpg"));
      const { image_embeds } = await theirVision({
        pixel_values: new transformers.Tensor("float32", pixels, [
          1,
          3,
          40,
          40,
        ]),
      });
      const [ours] = await encoder.encodeDecoded([pixels]);
      ok(cosineSimilarity(ours, image_embeds.data) > 0.99999);
    });
    await Promise.all([theirText.dispose(), theirVision.dispose()]);
  } finally {
    Object.assign(env, { remoteHost, cacheDir });
    await hub.close();
    await Deno.remove(cache, { recursive: true });
  }
});

Deno.test("vectors of the sample and of texts are PyTorch's", () =>
  withTiny(layouts[0], async (encoder) => {
    const { clip } = await readJson(join(fixture, "..", "golden.json"));
    for (const [text, expected] of Object.entries<number[]>(clip.texts)) {
      const [vector] = await encoder.encodeTexts([text]);
      const agreement = cosineSimilarity(vector, expected);
      ok(agreement > 0.99999, `${agreement} for "${text}"`);
    }
    for (const [path, expected] of Object.entries<number[]>(clip.pictures)) {
      const [vector] = await encoder.encodeImages([samplePath({ path })]);
      const agreement = cosineSimilarity(vector, expected);
      ok(agreement > 0.9999, `${agreement} for ${path}`);
    }
  }));

Deno.test("padding repeats the end, or what it is told, under a mask", () => {
  const tokens = [[7, 8, 9], [7, 9]];
  deepEqual(padTokens(tokens), {
    ids: [7, 8, 9, 7, 9, 9],
    mask: [1, 1, 1, 1, 1, 0],
    shape: [2, 3],
  });
  deepEqual(padTokens(tokens, 4, 0).ids, [7, 8, 9, 0, 7, 9, 0, 0]);
});

Deno.test("a text over 77 tokens is cut, and keeps its end", async () => {
  const file = join(fixture, "transformers", "tokenizer.json");
  const tokenize = await openTokenizer(file, 77);
  const [start, end] = tokenize("");
  const ids = tokenize("dog ".repeat(200));
  deepEqual([ids.length, ids[0], ids[76]], [77, start, end]);
  equal(ids.indexOf(end), 76);
});

for (const name of ["clip-vit-b32", "clip-vit-b16", "clip-vit-l14"]) {
  findsTheSample(name);
}
findsTheSample("openclip-vit-b32");
findsTheSample("clip-rn50");

/** Registers a test of a real CLIP, where its files are here. */
function findsTheSample(name: string) {
  Deno.test({
    name: `${name} finds the sample's pictures by their captions`,
    ignore: encoderFiles(name).some((file) => !existsSync(file)),
    async fn() {
      const sample = await readSample();
      const encoder = await openEncoder(name, { device: "cpu" });
      const pictures = await encoder.encodeImages(sample.map(samplePath));
      const captions = await encoder.encodeTexts(
        sample.map(({ caption }) => caption),
      );
      await encoder.close();
      const found = Array.from(
        captions,
        (caption, i) =>
          search(caption, pictures, metrics.cosine, 5)
            .some(({ index }) => index === i),
      );
      const share = found.filter(Boolean).length / found.length;
      ok(share > 0.5, `${share} of the captions`);
    },
  });
}
