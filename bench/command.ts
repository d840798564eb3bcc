/**
 * The installed command as a reader meets it: a second search in a folder of
 * 10,000 pictures, as whole processes, and how much of it is start-up.
 *
 * Beside it `rclip -n` on the same pictures: with its own start and ranking, but
 * with random vectors, and without its model, which takes time as well.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { writeAtomic } from "../lib/files.ts";
import { paths } from "../lib/paths.ts";
import { readSample, samplePath } from "../lib/photo_site/sample.ts";
import { runOrFail } from "../tasks/child.ts";
import { type Bench, benchFolder, medianMs, row } from "./harness.ts";

const COUNT = 10_000;

/** Measures the command. */
export const bench: Bench = async ({ log, peer, signal }) => {
  log(`Command: ${COUNT} pictures`);
  const folder = await smallPictures(COUNT);
  const contactSheet = (...args: string[]) =>
    runOrFail("contact-sheet", Deno.execPath(), [
      ...["run", "-A", "--quiet", "--config", join(paths.root, "deno.json")],
      join(paths.root, "tasks", "contact_sheet.ts"),
      ...args,
    ], {
      cwd: folder,
      signal,
      env: {
        CONTACT_SHEET_DATA: join(benchFolder, "command-data"),
        CONTACT_SHEET_ENCODER: "offline",
        DENO_NO_UPDATE_CHECK: "1",
      },
      onLine: (line, stream) => stream === "stderr" && log(`  ${line}`),
    });
  // The picture of a hit is always above the line, whatever else there is.
  const search = ["search", "--json", "an animal + ./0000.jpg"];
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

/** JPEGs of 160 pixels, made once: pictures of the sample in many colours. */
async function smallPictures(count: number): Promise<string> {
  const folder = join(benchFolder, "small");
  await mkdir(folder, { recursive: true });
  const sample = await readSample();
  for (let i = 0; i < count; i++) {
    const file = join(folder, `${String(i).padStart(4, "0")}.jpg`);
    if (existsSync(file)) continue;
    const bytes = await sharp(samplePath(sample[i % sample.length]))
      .resize(160, 160, { fit: "inside" })
      .modulate({ hue: Math.floor(i / sample.length) * 11 % 360 })
      .jpeg().toBuffer();
    await writeAtomic(file, bytes);
  }
  return folder;
}
