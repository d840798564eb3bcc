/**
 * `task bench encoders`: JPEG files of 640 x 480 to unit vectors, by CLIP's
 * ViT-B/32 and by the offline encoder.
 *
 * Beside each rate stands that of the same model in onnxruntime without
 * anything around it ("bare"): what is between the two is what decoding,
 * resizing and this project cost. CLIP has random weights, which cost what the
 * real ones cost; PyTorch makes it, and is a peer itself.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { copyFile, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { Matrix } from "../lib/compare/matrix.ts";
import { embedBatches } from "../lib/embeddings/pipeline.ts";
import {
  NETWORKS,
  OFFLINE_FOLDER,
} from "../lib/encoders/offline/classifier.ts";
import type { Encoder } from "../lib/encoders/encoder.ts";
import { openOffline } from "../lib/encoders/offline/offline.ts";
import { openEncoder } from "../lib/encoders/encoders.ts";
import { writeAtomic } from "../lib/files.ts";
import { openSession } from "../lib/compare/session.ts";
import { cosineSimilarity } from "../lib/compare/metrics.ts";
import { paths } from "../lib/paths.ts";
import { readSample } from "../lib/photo_site/sample.ts";
import {
  type Bench,
  type BenchContext,
  benchFolder,
  type BenchRow,
  type Cost,
  inTurns,
  photographs,
  row,
} from "./harness.ts";

const PICTURES = 96;

/** Pictures a batch of CLIP's: what lib/embeddings/pipeline.ts takes. */
const BATCH = 16;

/** Measures. */
export const bench: Bench = async (context) => {
  const files = await photographs(PICTURES);
  return [...await benchClip(files, context), ...await benchOffline(files)];
};

async function benchClip(
  files: string[],
  context: BenchContext,
): Promise<BenchRow[]> {
  const folder = await makeModel(context);
  if (folder === undefined) return [];
  const { peer, log } = context;
  const onnx = join(folder, "onnx");
  const theirs = await peer("encoders.py", "measure", onnx, dirname(files[0]));
  if (theirs) log(`PyTorch ${theirs.torch}, onnxruntime ${theirs.onnxruntime}`);
  const rates: Record<string, number> = theirs?.rates ?? {};

  const rows: BenchRow[] = [];
  const vectors: Matrix[] = [];
  const fileRates: number[] = [];
  for (const precision of ["fp32", "q8"] as const) {
    const suffix = precision === "q8" ? "_quantized" : "";
    const encoder = await openEncoder(folder, { precision, device: "cpu" });
    const model = join(onnx, `vision_model${suffix}.onnx`);
    const { bare, fromFiles, rows: own } = await beside(
      precision,
      encoder,
      files,
      { model, input: "pixel_values", batchSize: BATCH },
    );
    log(`${precision}: measured`);
    vectors.push(await encoder.encodeImages(files));
    fileRates.push(fromFiles);
    await encoder.close();

    const python = `onnxruntime Python ${precision === "q8" ? "int8" : "fp32"}`;
    const pyTorch = precision === "q8" ? [] : Object.keys(rates)
      .filter((name) => name.startsWith("PyTorch"));
    rows.push(
      row(
        `${precision}, bare, batch ${BATCH}`,
        "pictures/s",
        bare,
        `${python}, batch 8`,
        rates[`${python}, batch 8, model only`],
      ),
      ...own,
      ...pyTorch.map((name) =>
        row("fp32, from files", "pictures/s", fromFiles, name, rates[name])
      ),
    );
  }
  const [whole, small] = vectors;
  const cosines = Array.from(
    whole,
    (vector, i) => cosineSimilarity(vector, small.row(i)),
  );
  const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
  rows.push(
    row("q8, from files", "pictures/s", fileRates[1], "fp32", fileRates[0]),
    row("q8 to fp32, mean", "cosine", mean, "", undefined),
    row("q8 to fp32, lowest", "cosine", Math.min(...cosines), "", undefined),
  );
  return rows;
}

async function benchOffline(files: string[]): Promise<BenchRow[]> {
  const encoder = await openOffline();
  const { rows } = await beside("offline", encoder, files, {
    model: join(OFFLINE_FOLDER, NETWORKS.offline[0].folder, "vision.onnx"),
    input: "pixels",
    batchSize: 4,
  });
  const captions = (await readSample()).map(({ caption }) => caption);
  const { texts } = await inTurns({
    texts: () => encoder.encodeTexts(captions),
  });
  await encoder.close();
  return [
    ...rows,
    row("offline", "texts/s", rate(captions, texts), "", undefined),
  ];
}

/** A model in onnxruntime with nothing around it. */
interface BareModel {
  model: string;
  /** Its input's name. */
  input: string;
  batchSize: number;
}

/** An encoder from files, beside its model alone. */
async function beside(
  name: string,
  encoder: Encoder,
  files: string[],
  { model, input, batchSize }: BareModel,
) {
  const spinning = await InferenceSession.create(model);
  const resting = await openSession(model);
  const tensors = await decodeBatches(encoder, files, batchSize);
  const runAll = async (session: InferenceSession) => {
    for (const tensor of tensors) await session.run({ [input]: tensor });
  };
  const costs = await inTurns({
    bare: () => runAll(spinning),
    async fromFiles() {
      for await (const _ of embedBatches(encoder, files));
    },
    resting: () => runAll(resting),
    decoding: () => decodeBatches(encoder, files, BATCH),
  }, 3);
  await Promise.all([spinning.release(), resting.release()]);

  const bare = rate(files, costs.bare);
  const fromFiles = rate(files, costs.fromFiles);
  const cpuMs = ({ cpuMs }: Cost) => cpuMs / files.length;
  const rows = [
    row(`${name}, from files`, "pictures/s", fromFiles, "bare", bare),
    row(
      `${name}, from files`,
      "pictures/s",
      fromFiles,
      "bare, without spinning",
      rate(files, costs.resting),
    ),
    row(
      `${name}, from files, processor time`,
      "ms/picture",
      cpuMs(costs.fromFiles),
      "bare, without spinning",
      cpuMs(costs.resting),
    ),
    row(
      `${name}, decoding and resizing, processor time`,
      "ms/picture",
      cpuMs(costs.decoding),
      "",
      undefined,
    ),
  ];
  return { bare, fromFiles, rows };
}

async function decodeBatches(
  encoder: Encoder,
  files: string[],
  batchSize: number,
): Promise<Tensor[]> {
  const tensors: Tensor[] = [];
  for (let i = 0; i < files.length; i += batchSize) {
    const batch = files.slice(i, i + batchSize);
    const pixels = await Promise.all(
      batch.map((file) => encoder.decodeImage(file)),
    );
    const side = Math.sqrt(pixels[0].length / 3);
    const data = new Float32Array(batch.length * pixels[0].length);
    pixels.forEach((one, row) => data.set(one, row * one.length));
    tensors.push(new Tensor("float32", data, [batch.length, 3, side, side]));
  }
  return tensors;
}

/**
 * A folder in the layout of Transformers.js, made once. Its tokenizer is the
 * tests' tiny one, since only pictures are measured.
 *
 * @returns Undefined where PyTorch is not installed, which is then said.
 */
async function makeModel(
  { peer, log }: BenchContext,
): Promise<string | undefined> {
  const folder = join(benchFolder, "clip-vit-b32-random-2");
  const onnx = join(folder, "onnx");
  const finished = join(folder, "config.json");
  if (existsSync(finished)) return folder;
  log("Making CLIP's ViT-B/32 with random weights, once");
  if (!await peer("encoders.py", "make", onnx)) return undefined;
  const tiny = join(paths.root, "tests/fixtures/tiny_clip/transformers");
  await copyFile(join(tiny, "tokenizer.json"), join(folder, "tokenizer.json"));
  const preprocessor = "preprocessor_config.json";
  const input = JSON.parse(await readFile(join(tiny, preprocessor), "utf8"));
  input.size.shortest_edge = 224;
  input.crop_size = { height: 224, width: 224 };
  await writeAtomic(join(folder, preprocessor), JSON.stringify(input));
  await copyFile(join(tiny, "config.json"), finished);
  return folder;
}

function rate(items: unknown[], { wallMs }: Cost): number {
  return items.length / wallMs * 1000;
}
