/**
 * `task dataset`: a data set of one's own pictures, of a list of addresses, or of
 * what the crawl found.
 *
 * @module
 */
import { resolve } from "node:path";
import process from "node:process";
import { statOf } from "../lib/files.ts";
import {
  CommandError,
  defineCommand,
  ENCODER_OPTION,
  importLater,
  readPath,
  readWholeNumber,
  runCommand,
} from "./command.ts";
import type { Source } from "./preparation.ts";
import { progressOn } from "./progress.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task dataset [SOURCE] [options]

Makes a data set, train/ and test/ with their lists and credits, in the folder
2_dataset of the data folder, in place of the one that is there. SOURCE is only
read:

  a folder  of any depth; the class is the folder that a picture lies in. Where
            train/ and test/ are there, their split is kept; authors and
            licences come from metadata.jsonl or metadata.csv beside pictures
  a list    .csv, .tsv, .jsonl or .txt, also .gz, of addresses, with captions
            and classes where columns have them, as img2dataset and LAION do
  nothing   what \`task crawl\` or notebook 1 found

What was downloaded is not asked for again: a run that was stopped goes on.

  --size N        shrinks pictures to a longer side of N pixels
  --test N        queries a class: a number, or a fraction between 0 and 1;
                  2 if left out
  --seed N        draws them by chance, the same for the same N; the first ones
                  of a class if left out
  --group         keeps pictures of one author and page on one side
  --licence NAME  only pictures under it: "CC BY" takes in its versions. May be
                  given several times
  --keep WHICH    which of near duplicates stays: larger or earlier; larger if
                  left out
  --spare FILE    a picture, by file or address, that stays though it is nearly
                  the same as another. May be given several times
  --allow HOST:PORT
                  a machine of your own network, of which a list may have
                  addresses. May be given several times
  --encoder NAME  has to confirm near duplicates that the hash finds doubtful:
                  offline, clip-vit-b32, … (default: auto), or none, which
                  leaves them to hash and colours
  --json          progress on standard error, and a last line of JSON`;

export const command = defineCommand({
  help,
  positionals: "SOURCE",
  options: {
    size: { type: "string" },
    test: { type: "string" },
    seed: { type: "string" },
    group: { type: "boolean" },
    licence: { type: "string", multiple: true, default: [] },
    keep: { type: "string", default: "larger", values: ["larger", "earlier"] },
    spare: { type: "string", multiple: true, default: [] },
    allow: { type: "string", multiple: true, default: [] },
    encoder: { ...ENCODER_OPTION, values: [...ENCODER_OPTION.values, "none"] },
    json: { type: "boolean" },
  },
}, async ({ values, positionals, signal }) => {
  const source = readSource(positionals);
  const { keep, encoder } = values;
  if (keep !== "larger" && keep !== "earlier") {
    throw new CommandError(
      `--keep: expected larger or earlier, got ${keep || '""'}`,
    );
  }
  const number = (option: "size" | "seed", min: number) => {
    const text = values[option];
    const bounds = { min, max: option === "size" ? 10_000 : 2 ** 31 };
    return text === undefined
      ? undefined
      : readWholeNumber(option, text, bounds);
  };
  const maxSide = number("size", 50);
  const test = values.test === undefined ? undefined : readTest(values.test);
  const seed = number("seed", 0);
  const allowedHosts = values.allow.flatMap(readHost);
  const licences = values.licence;
  if (licences.some((name) => name.trim() === "")) {
    throw new CommandError('--licence: expected a licence\'s name, got ""');
  }
  const spare = values.spare.map((one) =>
    /^https?:\/\//i.test(one) ? one : readPath("--spare", one, "file")
  );
  await ensureSetup(signal);

  const { prepareSource } = await importLater<
    typeof import("./preparation.ts")
  >("./preparation.ts");
  const { byAuthorAndPage } = await importLater<
    typeof import("../lib/dataset/split.ts")
  >("../lib/dataset/split.ts");
  const groupBy = values.group ? byAuthorAndPage : undefined;
  const progress = progressOn(process.stderr);
  try {
    const { json, text } = await prepareSource({
      ...{ source, split: { test, seed, groupBy }, maxSide, licences },
      ...{ near: { keep, spare }, limits: { allowedHosts } },
      ...{ encoder, progress, signal },
    });
    progress.passing("");
    (values.json ? console.error : console.log)(text);
    if (values.json) console.log(JSON.stringify(json));
    return json.counts.train + json.counts.test > 0 ? 0 : 1;
  } catch (error) {
    if (!signal.aborted) throw error;
    progress.line("What has arrived is kept: run the command again to go on");
  }
});

/** @throws {CommandError} If it is nothing to make a data set of. */
function readSource(given: string[]): Source {
  if (given.length === 0) return { kind: "crawl" };
  const [path] = given;
  if (given.length > 1) {
    throw new CommandError(
      `dataset: expected one SOURCE, got ${given.length}: ${given.join(", ")}`,
    );
  }
  const found = statOf(path);
  if (found?.isDirectory()) return { kind: "folder", path: resolve(path) };
  if (!found?.isFile()) {
    throw new CommandError(
      `dataset: expected a folder or a list, ${path || '""'} is not there`,
    );
  }
  if (/\.(csv|tsv|tab|jsonl|ndjson|txt)(\.gz)?$/i.test(path)) {
    return { kind: "list", path: resolve(path) };
  }
  throw new CommandError(
    `dataset: expected a folder, or a list called .csv, .tsv, .jsonl or .txt, ` +
      `got ${path}`,
  );
}

/** A number of queries a class, or a fraction of it. */
function readTest(text: string): number {
  const number = Number(text);
  const isFraction = number > 0 && number < 1;
  if (/^\d*\.?\d+$/.test(text) && (isFraction || Number.isInteger(number))) {
    return number;
  }
  throw new CommandError(
    `--test: expected a whole number from 0, or a fraction between 0 and 1, ` +
      `got ${text || '""'}`,
  );
}

/** A host and port, as addresses write them: without the port that is usual. */
export function readHost(text: string): string[] {
  const [, port] = /^[^\s/@?#\\]+:(\d{1,5})$/.exec(text) ?? [];
  const urls = ["http", "https"].map((how) => URL.parse(`${how}://${text}`));
  if (!(Number(port) > 0) || !urls[0]) {
    throw new CommandError(
      `--allow: expected HOST:PORT, like 192.168.1.5:8080, got ${text || '""'}`,
    );
  }
  return [...new Set(urls.map((url) => url!.host))];
}

if (import.meta.main) await runCommand(command);
