/**
 * `task evaluate`: pixel metrics and an encoder over a folder of classes, or an
 * encoder over pictures with captions.
 *
 * @module
 */
import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { progressStages } from "../lib/display/progress.ts";
import { writeAtomic } from "../lib/files.ts";
import {
  CommandError,
  readArguments,
  readWholeNumber,
  runCommand,
} from "./command.ts";
import { ensureSetup } from "./setup.ts";

const HELP = `Usage: deno task evaluate DIR [options]

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
                   .token, or captions.json (picture → captions)
  --encoder NAME   offline, clip-vit-b32, …, or a folder with a CLIP model
                   (default: auto)
  --size N         side of the pictures on the pixel side (default: 448)
  --hits FILE      writes each query's first five with their values, as JSON
  --json           progress on standard error, and a last line of JSON

Ranges in the tables hold the value in 95 of 100 draws of other queries.`;

/** Most lines about what was left out that are printed. */
const MAX_REMARKS = 20;

if (import.meta.main) {
  await runCommand(async (signal) => {
    const { values, positionals } = readArguments({
      name: "evaluate",
      help: HELP,
      positionals: "DIR",
      options: {
        captions: { type: "string" },
        encoder: { type: "string", default: "auto" },
        size: { type: "string", default: "448" },
        hits: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    const folder = readFolder(positionals);
    const size = readWholeNumber("size", values.size, { min: 1, max: 2048 });
    const captions = values.captions && readFile(values.captions);
    await ensureSetup(signal);

    // Imported now: these need npm packages, which set-up installs.
    const { openEncoder } = await import("../lib/encoders/encoders.ts");
    const { reportCaptions, reportClasses } = await import(
      "./evaluation_report.ts"
    );
    const encoder = await openEncoder(values.encoder, {
      signal,
      log: (line) => console.error(line),
    });
    const options = { size, signal, onProgress: progressStages() };
    let remarks: string[], report;
    if (captions) {
      const { evaluateCaptions } = await import("../lib/evaluate/captions.ts");
      const result = await evaluateCaptions(folder, captions, encoder, options);
      remarks = result.remarks;
      report = reportCaptions(result, encoder);
    } else {
      const { evaluateFolder } = await import("../lib/evaluate/folder.ts");
      const result = await evaluateFolder(folder, encoder, options);
      remarks = result.remarks;
      report = reportClasses(result, encoder, size);
    }
    printRemarks(remarks);
    if (values.hits) {
      await writeAtomic(
        resolve(values.hits),
        JSON.stringify(await report.hits()) + "\n",
      );
      console.error(`Hits are in ${values.hits}`);
    }
    (values.json ? console.error : console.log)(report.text);
    if (values.json) console.log(JSON.stringify(report.json));
    await encoder.close();
  });
}

function readFolder(positionals: string[]): string {
  if (positionals.length !== 1) {
    throw new CommandError(
      `evaluate: expected one DIR, got ${positionals.length}; see --help`,
    );
  }
  const [folder] = positionals;
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new CommandError(
      `evaluate: expected a folder, ${folder} is ${
        existsSync(folder) ? "a file" : "not there"
      }`,
    );
  }
  return resolve(folder);
}

function readFile(path: string): string {
  if (existsSync(path) && statSync(path).isFile()) return resolve(path);
  throw new CommandError(
    `--captions: expected a file, ${path} is ${
      existsSync(path) ? "a folder" : "not there"
    }`,
  );
}

function printRemarks(remarks: readonly string[]): void {
  for (const remark of remarks.slice(0, MAX_REMARKS)) console.error(remark);
  if (remarks.length > MAX_REMARKS) {
    console.error(`… and ${remarks.length - MAX_REMARKS} more like these`);
  }
}
