/**
 * `task bench retrieval`: COCO's 5,000 pictures and 25,000 captions, from their
 * embeddings to R@k both ways with intervals, against the same ranks in NumPy.
 *
 * @module
 */
import { Matrix } from "../lib/compare/matrix.ts";
import { l2Normalize } from "../lib/compare/metrics.ts";
import { scoreCaptions } from "../lib/evaluate/retrieval.ts";
import { type Bench, peakMegabytes, row } from "./harness.ts";

const PICTURES = 5000;
const CAPTIONS_EACH = 5;

/** Measures: CLIP's 512 numbers, and the offline encoder's 984. */
export const bench: Bench = async ({ log, peer }) => {
  const rows = [];
  for (const dimensions of [512, 984]) {
    const numbers = await peer(
      "retrieval.py",
      ...[PICTURES, CAPTIONS_EACH, dimensions].map(String),
    );
    const unit = (seed: number) =>
      l2Normalize(
        Float32Array.from({ length: dimensions }, (_, i) =>
          (Math.imul(i + 1, Math.imul(seed + 1, 0x9e3779b1)) >>> 8) / 2 ** 24 -
          0.5),
      );
    const pictures = Matrix.of(
      Array.from({ length: PICTURES }, (_, i) => unit(i)),
    );
    const pictureOf = Array.from(
      { length: PICTURES * CAPTIONS_EACH },
      (_, caption) => Math.floor(caption / CAPTIONS_EACH),
    );
    const captions = Matrix.of(
      pictureOf.map((_, caption) => unit(PICTURES + caption)),
    );
    log(
      `${PICTURES} pictures, ${captions.count} captions, ${dimensions} numbers each`,
    );
    const start = performance.now();
    await scoreCaptions(pictures, captions, pictureOf);
    const seconds = (performance.now() - start) / 1000;
    rows.push(
      row(
        `both ways, ${dimensions} numbers`,
        "s",
        seconds,
        "NumPy float32, ranks alone",
        numbers?.seconds,
      ),
      row(
        `peak memory, ${dimensions} numbers`,
        "MB",
        await peakMegabytes(),
        "NumPy float32, ranks alone",
        numbers?.megabytes,
      ),
    );
  }
  return rows;
};
