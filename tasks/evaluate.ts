/**
 * `task evaluate`: pixel metrics and an encoder over a folder of classes, or an
 * encoder over pictures with captions.
 *
 * @module
 */
import process from "node:process";
import { writeAtomic } from "../lib/files.ts";
import {
  CommandError,
  defineCommand,
  ENCODER_OPTION,
  importLater,
  PRECISION_OPTION,
  readNewPath,
  readPath,
  readPrecision,
  readWholeNumber,
  runCommand,
} from "./command.ts";
import { progressOn } from "./progress.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task evaluate DIR [options]

Searches with every picture of DIR/test/CLASS/ among those of DIR/train/CLASS/,
by four pixel metrics and by an encoder's embeddings, and with every class's
name. Where there is no test/, each picture is searched for among all others.
Nothing is written into DIR.

  top-1        share of queries whose first hit is of their class
  precision@5  share of hits of the query's class among the first five
  mAP          mean average precision of the whole ranking
  ms a query   comparing with the gallery and ranking it; pixels and
               embeddings are at hand

  --captions FILE  instead, search with every caption among the pictures of DIR
                   and the other way round: R@1, R@5, R@10, median rank. FILE is
                   COCO's captions_*.json, Flickr30k's dataset_flickr30k.json or
                   .token, captions.json (picture → captions), or .jsonl
  --encoder NAME   offline, clip-vit-b32, …, or a folder with a CLIP model
                   (default: auto)
  --precision P    how CLIP's weights are stored: fp32, fp16 or q8
  --size N         side of the pictures on the pixel side (default: 448)
  --hits FILE      writes each query's first five with their values, as JSON
  --json           progress on standard error, and a last line of JSON

Ranges in the tables hold the value in 95 of 100 draws of other queries.`;

export const command = defineCommand({
  help,
  positionals: "DIR",
  options: {
    captions: { type: "string" },
    encoder: ENCODER_OPTION,
    precision: PRECISION_OPTION,
    size: { type: "string", default: "448" },
    hits: { type: "string" },
    json: { type: "boolean" },
  },
}, async ({ values, positionals, signal }) => {
  if (positionals.length !== 1) {
    throw new CommandError(
      `evaluate: expected one DIR, got ${positionals.length}; see --help`,
    );
  }
  const folder = readPath("evaluate", positionals[0], "folder");
  const size = readWholeNumber("size", values.size, { min: 1, max: 2048 });
  const captions = values.captions &&
    readPath("--captions", values.captions, "file");
  const precision = readPrecision(values.precision);
  const hitsFile = values.hits === undefined
    ? undefined
    : readNewPath("--hits", values.hits);
  await ensureSetup(signal);

  const { evaluate } = await importLater<typeof import("./evaluation.ts")>(
    "./evaluation.ts",
  );
  const { encoder } = values;
  const options = { folder, captions, size, signal, encoder, precision };
  const { remarks, hits, text, json } = await evaluate(options);
  progressOn(process.stderr).remarks(remarks, 20);
  if (hitsFile) {
    await writeAtomic(hitsFile, JSON.stringify(await hits()) + "\n");
    console.error(`Hits are in ${values.hits}`);
  }
  (values.json ? console.error : console.log)(text);
  if (values.json) console.log(JSON.stringify(json));
});

if (import.meta.main) await runCommand(command);
