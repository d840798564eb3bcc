/**
 * `task bench embeddings`: 10,000 pictures through the offline encoder into
 * their store: the rate, the most memory held, the second run over the same
 * pictures, and ten more of them.
 *
 * The pictures are JPEG photographs of 640 x 480, no two with the same bytes:
 * copies with a number in a JPEG comment. They take 0.9 GB of the disk until
 * the end.
 *
 * @module
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { embedPictures } from "../lib/embeddings/embeddings.ts";
import { openOffline } from "../lib/encoders/offline/offline.ts";
import { paths } from "../lib/paths.ts";
import { listPictures } from "../lib/pictures/folder.ts";
import {
  type Bench,
  benchFolder,
  peakMegabytes,
  photographs,
  row,
} from "./harness.ts";

const PICTURES = 10_000;
const MORE = 10;

/** Measures. */
export const bench: Bench = async ({ log, signal }) => {
  const folder = join(benchFolder, "many");
  const pictures = join(folder, "pictures");
  await rm(folder, { recursive: true, force: true });
  await mkdir(pictures, { recursive: true });
  const encoder = await openOffline();
  const { embeddings } = paths;
  paths.embeddings = join(folder, "embeddings");
  try {
    log(`Writing ${PICTURES} pictures`);
    await writeCopies(pictures, 0, PICTURES);
    const update = async () => {
      const start = performance.now();
      const { pictures: found } = await listPictures(pictures);
      const { embedded } = await embedPictures(
        encoder,
        found.map((path) => ({ path, source: join(pictures, path) })),
        {
          signal,
          onProgress: (done, total) => {
            if (done % 1000 < 16) log(`${done} of ${total} pictures`);
          },
        },
      );
      return { embedded, seconds: (performance.now() - start) / 1000 };
    };
    const first = await update();
    const peak = await peakMegabytes();
    const second = await update();
    await writeCopies(pictures, PICTURES, MORE);
    const third = await update();
    const alone = (what: string, unit: string, value: number) =>
      row(what, unit, value, "", undefined);
    return [
      alone("first run", "pictures/s", first.embedded / first.seconds),
      alone("first run, peak memory", "MB", peak),
      alone("second run", "s", second.seconds),
      alone("second run, embedded", "pictures", second.embedded),
      alone(`with ${MORE} more`, "s", third.seconds),
      alone(`with ${MORE} more, embedded`, "pictures", third.embedded),
    ];
  } finally {
    paths.embeddings = embeddings;
    await encoder.close();
    await rm(folder, { recursive: true, force: true });
  }
};

/** Writes `count` pictures, each with its number in it. */
async function writeCopies(
  folder: string,
  start: number,
  count: number,
): Promise<void> {
  const originals = await Promise.all(
    (await photographs(96)).map((file) => readFile(file)),
  );
  for (let i = start; i < start + count; i++) {
    const jpeg = originals[i % originals.length];
    const text = new TextEncoder().encode(String(i));
    // A comment, right after the two bytes that begin every JPEG file.
    const comment = [0xff, 0xfe, 0, 2 + text.length, ...text];
    await writeFile(
      join(folder, `${i}.jpg`),
      Buffer.concat([
        jpeg.subarray(0, 2),
        Uint8Array.from(comment),
        jpeg.subarray(2),
      ]),
    );
  }
}
