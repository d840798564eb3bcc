/**
 * `task search`: pictures found by words or by a picture, in a terminal.
 *
 * @module
 */
import process from "node:process";
import {
  MODE_NAMES,
  MODES,
  RANGES,
  TERMINAL_DEFAULTS,
} from "../lib/search_page/web/query.js";
import {
  CommandError,
  defineCommand,
  importLater,
  PRECISION_OPTION,
  readPrecision,
  readWholeNumber,
  runCommand,
} from "./command.ts";
import { progressOn } from "./progress.ts";
import { ensureSetup } from "./setup.ts";

const { k: top, mode } = TERMINAL_DEFAULTS;

const help =
  `Usage: deno task search [--images DIR] [--top K] (TEXT | --image FILE)

Finds the pictures nearest to a text or to a picture: among the sample, or in a
folder, which is indexed first (under data/4_embeddings; only what is new is
embedded). Shows them where the terminal has colours enough, else as a list.

  --images DIR    the folder to search in
  --image FILE    a picture to search for
  --top K         how many, ${RANGES.k.least} to ${RANGES.k.most}; ${top} if left out
  --mode MODE     visual: compares with the pictures; text: with what is written
                  about them; smart: with both; ${mode} if left out
  --encoder NAME  clip-vit-b32, offline, a folder with a model, …
  --precision P   how CLIP's weights are stored: fp32, fp16 or q8
  --json          one line of JSON at the end of standard output: hits, and
                  what was left out of the folder, with the reasons`;

export const command = defineCommand({
  help,
  positionals: "TEXT",
  options: {
    images: { type: "string" },
    image: { type: "string" },
    top: { type: "string", default: `${top}` },
    mode: { type: "string", default: mode },
    encoder: { type: "string", default: "auto" },
    precision: PRECISION_OPTION,
    json: { type: "boolean" },
  },
}, async ({ values, positionals, signal }) => {
  const text = positionals.join(" ").trim();
  if ((text === "") === (values.image === undefined)) {
    throw new CommandError(
      "search: expected either words or --image FILE, got " +
        (text ? "both" : "neither"),
    );
  }
  if (!Object.hasOwn(MODES, values.mode)) {
    throw new CommandError(
      `--mode: expected ${MODE_NAMES}, got ${values.mode}`,
    );
  }
  const { least: min, most: max } = RANGES.k;
  const k = readWholeNumber("top", values.top, { min, max });
  const precision = readPrecision(values.precision);
  await ensureSetup(signal);

  const { drawHits } = await importLater<
    typeof import("../lib/search_page/terminal.ts")
  >("../lib/search_page/terminal.ts");
  const { searchOnce } = await importLater<
    typeof import("../lib/search_page/search_once.ts")
  >("../lib/search_page/search_once.ts");

  const { line, passing, remarks } = progressOn(process.stderr);
  const found = await searchOnce({
    folder: values.images,
    encoder: values.encoder,
    precision,
    query: { text, k, mode: values.mode as typeof mode },
    picture: values.image,
    onProgress: (done, total) =>
      passing(`Indexing: ${done} of ${total} pictures`),
    log: line,
    signal,
  });
  const { encoder, fits, failures, leftOut, problems, result: { hits } } =
    found;
  if (process.stderr.isTTY) passing("");
  remarks(problems.map((problem) => `  ${problem}`), 10);
  remarks(
    failures.map(({ path, reason }) => `  left out: ${path}: ${reason}`),
    5,
  );
  if (values.json) {
    const rows = hits.map(({ path, value, term, caption, captions }) => ({
      ...{ path, similarity: value, label: term, caption },
      captions: captions ?? (caption ? [caption] : []),
    }));
    const query = text || values.image;
    console.log(JSON.stringify({ query, encoder, hits: rows, leftOut }));
    return;
  }
  console.log(await drawHits(hits, values.images, process.stdout));
  if (!fits) console.log("None of them is nearer than chance would bring it.");
});

if (import.meta.main) await runCommand(command);
