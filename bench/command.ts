/**
 * The installed command as a reader meets it: a second search in a folder of
 * 10,000 pictures, as whole processes, and how much of it is start-up.
 *
 * The pictures are those of the sample, many times over, each file with other
 * bytes; their vectors are made up, since to embed them would take minutes. What
 * a search reads and computes is the same.
 *
 * Beside it `rclip -n` on the same pictures: with its own start and ranking, but
 * with made-up vectors too, and without its model, which takes time as well.
 *
 * @module
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { clusteredVectors } from "../lib/compare/synthetic.ts";
import { EmbeddingStore } from "../lib/embeddings/store.ts";
import { openOffline } from "../lib/encoders/offline/offline.ts";
import { paths } from "../lib/paths.ts";
import { readSample, samplePath } from "../lib/photo_site/sample.ts";
import { runOrFail } from "../tasks/child.ts";
import { type Bench, benchFolder, medianMs, row } from "./harness.ts";

const COUNT = 10_000;

/** Measures the command. */
export const bench: Bench = async ({ log, peer, signal }) => {
  log(`Command: ${COUNT} pictures`);
  const data = join(benchFolder, "command-data");
  const folder = join(benchFolder, "small");
  for (const old of [data, folder]) {
    await rm(old, { force: true, recursive: true });
  }
  const files = await smallPictures(folder);
  await makeUpEmbeddings(files, join(data, "4_embeddings"));
  const contactSheet = (...args: string[]) =>
    runOrFail("contact-sheet", Deno.execPath(), [
      ...["run", "-A", "--quiet", "--config", join(paths.root, "deno.json")],
      join(paths.root, "tasks", "contact_sheet.ts"),
      ...args,
    ], {
      cwd: folder,
      signal,
      env: {
        CONTACT_SHEET_DATA: data,
        CONTACT_SHEET_ENCODER: "offline",
        DENO_NO_UPDATE_CHECK: "1",
      },
      onLine: (line, stream) => stream === "stderr" && log(`  ${line}`),
    });
  const search = ["search", "--json", "an animal"];
  await contactSheet(...search);
  const whole = await medianMs(() => contactSheet(...search));
  const start = await medianMs(() => contactSheet("search", "--help"));
  const rclip = await peer("rclip_search.py", folder);
  const size = COUNT.toLocaleString("en");
  return [
    row(`second search of ${size}`, "ms", whole, "rclip -n", rclip?.wholeMs),
    row("of which start-up", "ms", start, "its imports", rclip?.startMs),
  ];
};

/**
 * JPEGs of 160 pixels, filed as the sample is and called as cameras call them:
 * their paths.
 */
async function smallPictures(folder: string): Promise<string[]> {
  const sample = await readSample();
  const small = await Promise.all(sample.map(async (picture) => ({
    name: join(folder, picture.path.replace(/\.jpg$/, "")),
    bytes: await sharp(samplePath(picture))
      .resize(160, 160, { fit: "inside" }).jpeg().toBuffer(),
  })));
  const files: string[] = [];
  for (let i = 0; i < COUNT; i++) {
    const { name, bytes } = small[i % small.length];
    const file = join(name, `IMG_${String(i).padStart(4, "0")}.jpg`);
    await mkdir(dirname(file), { recursive: true });
    // What comes after a picture's end is not decoded.
    await writeFile(file, Buffer.concat([bytes, Buffer.from(`${i}`)]));
    files.push(file);
  }
  return files.toSorted(); // As they are listed, and embedded.
}

/** Fills a store with an embedding of each file. */
async function makeUpEmbeddings(
  files: readonly string[],
  folder: string,
): Promise<void> {
  const encoder = await openOffline();
  const store = await EmbeddingStore.open(encoder, folder);
  const vectors = clusteredVectors(files.length, encoder.dimensions);
  for (const [i, file] of files.entries()) {
    store.put(await store.files.of(file), vectors.row(i));
  }
  await store.save();
  await encoder.close();
}
