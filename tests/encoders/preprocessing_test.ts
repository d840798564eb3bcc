import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import sharp from "sharp";
import {
  decodeInput,
  readPreprocessCfg,
  readPreprocessorConfig,
} from "#lib/encoders/preprocessing.ts";
import { openEncoder } from "#lib/encoders/encoders.ts";
import { visionModel, withClip } from "../support/tiny_model.ts";

/** A preprocessor_config.json as Transformers writes it. */
const CLIP = {
  image_processor_type: "CLIPImageProcessor",
  size: { shortest_edge: 40 },
  crop_size: { height: 40, width: 40 },
  do_resize: true,
  do_center_crop: true,
  do_rescale: true,
  do_normalize: true,
  do_convert_rgb: true,
  resample: 3,
  rescale_factor: 1 / 255,
  image_mean: [0.5, 0.25, 0],
  image_std: [0.5, 0.25, 2],
};

/** Reads a configuration that differs from one. */
async function read<Read>(
  reader: (file: string) => Promise<Read>,
  config: unknown,
): Promise<Read> {
  const folder = await Deno.makeTempDir();
  const file = join(folder, "given.json");
  try {
    await Deno.writeTextFile(file, JSON.stringify(config));
    return await reader(file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The colour that a picture of one colour becomes. */
async function colourOf(change: object): Promise<number[]> {
  const input = await read(readPreprocessorConfig, { ...CLIP, ...change });
  const create = {
    width: 50,
    height: 60,
    channels: 3,
    background: "#ff8000",
  } as const;
  const pixels = await decodeInput(
    await sharp({ create }).png().toBuffer(),
    input,
  );
  const place = 40 * 40;
  return [0, place, 2 * place].map((i) => Math.round(1000 * pixels[i]) / 1000);
}

Deno.test("colours are scaled and normalised as preprocessor_config.json says", async () => {
  const half = 128 / 255;
  const round = (value: number) => Math.round(1000 * value) / 1000;
  deepEqual(await colourOf({}), [1, round((half - 0.25) / 0.25), 0]);
  deepEqual(await colourOf({ do_normalize: false }), [1, round(half), 0]);
  const bytes = { do_rescale: false, do_normalize: false };
  deepEqual(await colourOf(bytes), [255, 128, 0]);
  deepEqual(await colourOf({ do_rescale: false }), [509, 511, 0]);
  const factor = {
    rescale_factor: 1 / 127.5,
    image_mean: [1, 1, 1],
    image_std: 1,
  };
  deepEqual(await colourOf(factor), [1, round(2 * half - 1), -1]);
});

Deno.test("what preprocessor_config.json leaves out is what CLIPImageProcessor takes for granted", async () => {
  const expected = {
    size: 224,
    kept: 224,
    mean: [0.48145466, 0.4578275, 0.40821073],
    std: [0.26862954, 0.26130258, 0.27577711],
  };
  deepEqual(await read(readPreprocessorConfig, {}), expected);
  deepEqual(await read(readPreprocessCfg, {}), expected);
  const numbers = { size: 224, crop_size: 224, image_mean: null, do_pad: null };
  deepEqual(await read(readPreprocessorConfig, numbers), expected);
});

Deno.test("a crop inside the resized square keeps its middle", async () => {
  const middle = await sharp({
    create: { width: 40, height: 40, channels: 3, background: "#ff0000" },
  }).png().toBuffer();
  const framed = await sharp({
    create: { width: 48, height: 60, channels: 3, background: "#0000ff" },
  }).composite([{ input: middle, left: 4, top: 10 }]).png().toBuffer();
  const bare = { do_normalize: false, size: { shortest_edge: 48 } };
  const input = await read(readPreprocessorConfig, { ...CLIP, ...bare });
  deepEqual([input.size, input.kept], [48, 40]);
  const pixels = await decodeInput(framed, input);
  equal(pixels.length, 3 * 40 * 40);
  ok(pixels.subarray(0, 1600).every((red) => red > 0.999));
  ok(pixels.subarray(3200).every((blue) => blue < 0.001));
});

for (
  const [change, message] of [
    [
      { resample: 0 },
      "resample 0 (nearest) is not supported: expected 3 (bicubic)",
    ],
    [{ resample: 1 }, "resample 1 (lanczos)"],
    [{ resample: 2 }, "resample 2 (bilinear)"],
    [{ resample: 4 }, "resample 4 (box)"],
    [{ resample: 5 }, "resample 5 (hamming)"],
    [{ resample: 9 }, "resample 9 is not supported"],
    [{ do_resize: false }, "do_resize false"],
    [{ do_center_crop: false }, "do_center_crop false"],
    [{ do_normalize: "no" }, 'do_normalize "no"'],
    [{ do_pad: true }, "do_pad true"],
    [{ do_flip_channel_order: true }, "do_flip_channel_order true"],
    [{ size: { height: 40, width: 40 } }, 'size {"height":40,"width":40}'],
    [{ size: { longest_edge: 40 } }, 'size {"longest_edge":40}'],
    [{ size: 40, default_to_square: true }, "size 40"],
    [{ size: "40" }, 'size "40"'],
    [{ size: { shortest_edge: 0 } }, "size"],
    [{ crop_size: { height: 40, width: 30 } }, "crop_size"],
    [{ crop_size: { height: 40 } }, "crop_size"],
    [
      { crop_size: 48 },
      "crop_size 48 is not supported: expected the 40 pixels",
    ],
    [{ crop_size: 39 }, "crop_size 39"],
    [{ rescale_factor: 0 }, "rescale_factor 0"],
    [{ rescale_factor: "1/255" }, 'rescale_factor "1/255"'],
    [{ image_mean: [0.5] }, "image_mean [0.5]"],
    [{ image_mean: "0.5" }, 'image_mean "0.5"'],
    [
      { image_std: [1, 1, 0] },
      "image_std [1,1,0] is not supported: expected three numbers from 0.000001 to 1000000",
    ],
    [{ image_std: [1, "1", 1] }, "image_std"],
    [{ image_std: [1e-300, 1, 1] }, "image_std [1e-300,1,1]"],
    [
      { image_mean: [1e300, 0, 0] },
      "image_mean [1e+300,0,0] is not supported: expected three numbers from -1000000 to",
    ],
    [
      { rescale_factor: 1e300 },
      "rescale_factor 1e+300 is not supported: expected a number from 0.000001",
    ],
    [{ rescale_factor: 1e-300 }, "rescale_factor 1e-300"],
    [{ size: 4097 }, "size 4097"],
    [{ size: { shortest_edge: 1e9 } }, 'size {"shortest_edge":1000000000}'],
    [{ crop_size: 4097 }, "crop_size 4097"],
    [
      { image_processor_type: "SiglipImageProcessor" },
      'image_processor_type "SiglipImageProcessor"',
    ],
  ] as const
) {
  Deno.test(`preprocessor_config.json with ${JSON.stringify(change)} is refused by name`, () =>
    rejects(
      read(readPreprocessorConfig, { ...CLIP, ...change }),
      ({ name, message: got }: Error) => {
        equal(name, "RangeError");
        ok(got.includes(`given.json: ${message}`), got);
        return true;
      },
    ));
}

for (
  const [change, message] of [
    [
      { interpolation: "bilinear" },
      'interpolation "bilinear" is not supported: expected "bicubic"',
    ],
    [{ resize_mode: "squash" }, 'resize_mode "squash"'],
    [{ mode: "L" }, 'mode "L"'],
    [{ size: [40, 30] }, "size [40,30]"],
    [{ size: "40" }, 'size "40"'],
    [{ std: [0, 1, 1] }, "std [0,1,1]"],
    [{ mean: 1e300 }, "mean 1e+300"],
    [{ size: [4097, 4097] }, "size [4097,4097]"],
  ] as const
) {
  Deno.test(`preprocess_cfg.json with ${JSON.stringify(change)} is refused by name`, () =>
    rejects(
      read(readPreprocessCfg, { size: [40, 40], ...change }),
      ({ message: got }: Error) => {
        ok(got.includes(`given.json: ${message}`), got);
        return true;
      },
    ));
}

Deno.test("a model that takes squares of another size than its file says is refused", async () => {
  const file = "onnx/vision_model.onnx";
  const fixed = visionModel({ shape: ["batch", 3, 32, 32] });
  await withClip("transformers", { [file]: fixed }, (folder) =>
    rejects(
      openEncoder(folder, { device: "cpu" }),
      /vision_model\.onnx: input pixels float32 \[batch, 3, 32, 32\]: expected float32 \[any, 3, 40, 40\]/,
    ));
});

Deno.test("a model whose pictures are squeezed by default is refused by its type", () =>
  withClip(
    "transformers",
    { "config.json": { model_type: "siglip" } },
    (folder) =>
      rejects(
        openEncoder(folder, { device: "cpu" }),
        /preprocessor_config\.json: .*_type left out is not supported: expected "CLIPImageProcessor"/,
      ),
  ));
