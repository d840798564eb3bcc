/**
 * `task search`: pictures found by words or by pictures, in a terminal.
 *
 * @module
 */
import { isAbsolute, normalize, relative, resolve, sep } from "node:path";
import process from "node:process";
import { paths } from "../lib/paths.ts";
import { PROTOCOLS } from "../lib/search_page/terminal/protocol.ts";
import {
  MODE_NAMES,
  MODES,
  RANGES,
  TERMINAL_DEFAULTS,
} from "../lib/search_page/web/query.js";
import {
  CommandError,
  defineCommand,
  ENCODER_OPTION,
  importLater,
  INDEX_OPTION,
  indexHelp,
  PRECISION_OPTION,
  readEngine,
  readPath,
  readPrecision,
  readWholeNumber,
  runCommand,
} from "./command.ts";
import { progressOn, withoutControls } from "./progress.ts";
import { readQueryWords } from "./query_words.ts";
import { ensureSetup } from "./setup.ts";

const { k: top } = TERMINAL_DEFAULTS;

const help = `Usage: deno task search [OPTIONS] QUERY [+ QUERY] [- QUERY]

Finds pictures by words, by a picture or by both, in a folder or in the sample.
The folder is indexed first, where only what is new is embedded; nothing is
written into it. It answers as the search page does.

  search a cat on a sofa           words
  search ./cat.jpg at night        a picture and words; a path begins with ./,
                                   ../, / or ~/, anything else is a word
  search https://host/cat.jpg      a picture of the web
  search cat + 2:night - people    added up and taken away; night counts twice

  -a, --add QUERY       as +, and may be given several times
  -s, --subtract QUERY  as -
      --image FILE      a picture, whatever its path begins with
      --images DIR      the folder to search in; left out, the sample, and for
                        an installed contact-sheet the folder you stand in
  -t, --top K           how many, ${RANGES.k.least} to ${RANGES.k.most}; ${top} if left out; pictures that
                        are nearly equal count as one
  -f, --filepath-only   only absolute paths, and only of what fits; near copies
                        follow the picture that they are copies of
  -0, --null            with -f: a NUL after each in place of a line break
  -p, --preview[=HOW]   shows the pictures by ${
  PROTOCOLS.slice(0, -1).join(", ")
} or ${PROTOCOLS.at(-1)};
                        without HOW as the terminal can, else by blocks; left
                        out, where the terminal has a protocol or true colour
                        and NO_COLOR is not set
      --no-preview      never shows them
  -i, --interactive     a grid in the terminal that is searched as you type
  -n, --no-indexing     searches what is indexed already
      --exclude-dir NAME      passes over folders of that name, or the one of
                              that path below DIR; several times
      --include-hidden        looks into what begins with a dot
      --max-image-megapixels N  leaves larger pictures out
      --mode MODE       visual: compares with the pictures; text: with what is
                        written about them; smart, if left out: with both
      --encoder NAME    clip-vit-b32, offline, a folder with a model, …
      --precision P     how CLIP's weights are stored: fp32, fp16 or q8
${indexHelp("    ")}
      --json            one line of JSON at the end of standard output: query,
                        encoder, index, cut, line, hits with their near copies,
                        and leftOut with the reasons

Each line has a rank, the similarity, how far it lies above the line from where
on a picture fits, and the path. Ends with 0 where something fits, with 1 where
nothing does (the nearest are printed still), with 2 for an error. Of fewer than
three pictures, and where things are only taken away, nothing tells what fits:
all do then, and cut and line are null.

For those who know rclip: what does not fit comes last, and -f leaves it out;
near copies are one result; no folder is passed over by itself but hidden ones;
there is no -H, no -b, and there are no raw pictures.`;

/** How long nothing is said of indexing, in milliseconds. */
const PATIENCE_MS = 1000;

/** Options of which only one may be given: of two, one would do nothing. */
const ALONE = [
  ["filepath-only", "json", "interactive"],
  ["preview", "no-preview"],
  ["preview", "filepath-only"],
  ["preview", "json"],
  ["no-preview", "interactive"],
] as const;

export const command = defineCommand({
  help,
  positionals: "QUERY",
  options: {
    add: { type: "string", short: "a", multiple: true },
    subtract: { type: "string", short: "s", multiple: true },
    image: { type: "string" },
    images: { type: "string" },
    top: { type: "string", short: "t", default: `${top}` },
    "filepath-only": { type: "boolean", short: "f" },
    null: { type: "boolean", short: "0" },
    preview: {
      type: "string",
      short: "p",
      optional: true,
      values: PROTOCOLS,
    },
    "no-preview": { type: "boolean" },
    interactive: { type: "boolean", short: "i" },
    "no-indexing": { type: "boolean", short: "n" },
    "exclude-dir": { type: "string", multiple: true },
    "include-hidden": { type: "boolean" },
    "max-image-megapixels": { type: "string" },
    mode: { type: "string", default: "smart", values: Object.keys(MODES) },
    encoder: ENCODER_OPTION,
    precision: PRECISION_OPTION,
    index: INDEX_OPTION,
    json: { type: "boolean" },
  },
}, async ({ values, positionals, signal, here }) => {
  const query = readQueryWords(positionals, values);
  const { text, plus, minus, pictures } = query;
  const isEmpty = [text, plus, minus, pictures].every(({ length }) => !length);
  for (const names of ALONE) {
    const given = names.filter((name) => values[name] !== undefined);
    if (given.length > 1) {
      throw new CommandError(
        `search: expected one of --${given.join(" and --")}, got both`,
      );
    }
  }
  if (values.null && !values["filepath-only"]) {
    throw new CommandError(
      "search: expected --filepath-only (-f) with --null (-0), got --null alone",
    );
  }
  const { mode, preview } = values;
  if (!Object.hasOwn(MODES, mode)) {
    throw new CommandError(
      `--mode: expected ${MODE_NAMES}, got ${mode || '""'}`,
    );
  }
  const wanted = PROTOCOLS.find((name) => name === preview);
  if (preview && !wanted) {
    throw new CommandError(
      `--preview: expected ${PROTOCOLS.join(", ")}, got ${preview}`,
    );
  }
  const { least: min, most: max } = RANGES.k;
  const k = readWholeNumber("top", values.top, { min, max });
  const precision = readPrecision(values.precision);
  const folder = values.images === undefined
    ? here
    : readPath("--images", values.images, "folder");
  const options = {
    ...{ folder, precision, signal, encoder: values.encoder },
    index: readEngine(values.index),
    embedNew: !values["no-indexing"],
    listing: {
      excludeDirs: values["exclude-dir"]
        ?.map((dir) => readExcluded(dir, folder ?? paths.sample)),
      includeHidden: values["include-hidden"],
      maxMegapixels: readMegapixels(values["max-image-megapixels"]),
    },
  };
  // Last: "-t cat" lacks a number, and not a word.
  if (isEmpty && !values.interactive) {
    throw new CommandError("search: expected words or a picture, got neither");
  }
  await ensureSetup(signal);
  // Begun here, so that it is read from disk while the terminal is looked at.
  const importing = importLater<
    typeof import("../lib/search_page/search_once.ts")
  >("../lib/search_page/search_once.ts");

  const { line: log, passing, remarks, waiting } = progressOn(process.stderr);
  const stopWaiting = waiting("Looking for pictures, opening the encoder");
  let began: number | undefined;
  const onProgress = (done: number, total: number) => {
    stopWaiting();
    began ??= Date.now();
    // What is indexed already passes in a moment.
    if (Date.now() - began < PATIENCE_MS) return;
    passing(`Indexing: ${done} of ${total} pictures`);
  };
  const { findProtocol } = await importLater<
    typeof import("../lib/search_page/terminal/protocol.ts")
  >("../lib/search_page/terminal/protocol.ts");
  const isDumb = process.env.TERM === "dumb";
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY && !isDumb;
  const isWanted = preview !== undefined || values.interactive && isTerminal;
  const protocol = wanted ??
    (values["no-preview"] ? undefined : await findProtocol(
      process.env,
      { input: process.stdin, output: process.stdout },
    ) ?? (isWanted ? "blocks" : undefined));
  if (values.interactive && protocol && isTerminal) {
    // Without this module of it, Deno waits for ever while it imports Ink.
    await import(new URL("reconciler.js", import.meta.resolve("ink")).href);
    const { runGrid } = await importLater<typeof import("./terminal_grid.ts")>(
      "./terminal_grid.ts",
    );
    return await runGrid(query.line, {
      ...options,
      ...{ log, onProgress, protocol, mode },
    });
  }
  if (isEmpty) {
    throw new CommandError(
      "search: --interactive needs a terminal that shows pictures, or a query",
    );
  }

  if (values.interactive) {
    log("-i needs a terminal that shows pictures: this is an ordinary search");
  }
  const { searchOnce } = await importing;
  // Now, since Deno imports nothing where the folder that it stands in is gone.
  const { drawResult } = await importLater<
    typeof import("../lib/search_page/terminal/hits.ts")
  >("../lib/search_page/terminal/hits.ts");
  const found = await searchOnce({
    ...options,
    ...{ log, onProgress, pictures },
    query: { text, plus, minus, k, mode: mode as keyof typeof MODES },
  });
  const { encoder, index, failures, leftOut, problems, result, sourceOf } =
    found;
  const { hits, cut, line } = result;
  passing("");
  remarks(problems.map((problem) => `  ${problem}`), 10);
  remarks(
    failures.map(({ path, reason }) => `  left out: ${path}: ${reason}`),
    5,
  );
  const fileOf = (path: string) => {
    const source = sourceOf({ path });
    return typeof source === "string" ? source : "";
  };
  const fitting = hits.filter(({ fits }) => fits);
  if (values.json) {
    const rows = hits.map((hit) => ({
      path: fileOf(hit.path),
      relativePath: hit.path,
      copies: hit.copies.map(fileOf),
      similarity: hit.value,
      fits: hit.fits,
      label: hit.term,
      caption: hit.caption,
      captions: hit.captions ?? (hit.caption ? [hit.caption] : []),
    }));
    const said = { query: query.typed, encoder, index, cut: cut ?? null };
    const rest = { line: line ?? null, hits: rows, leftOut };
    console.log(JSON.stringify({ ...said, ...rest }));
  } else if (values["filepath-only"]) {
    const end = values.null ? "\0" : "\n";
    const files = fitting.flatMap(({ path, copies }) => [path, ...copies])
      .map(fileOf);
    for (const file of files.filter(Boolean)) {
      const isRead = process.stdout.isTTY && !values.null;
      process.stdout.write((isRead ? withoutControls(file) : file) + end);
    }
    if (files.includes("")) {
      log("  left out: pictures that have no file of their own (images.txt)");
    }
  } else {
    const { columns } = process.stdout;
    const hasAllColours = /truecolor|24bit/.test(process.env.COLORTERM ?? "");
    const trueColour = !process.stdout.isTTY || hasAllColours;
    const pictures = protocol && { protocol, sourceOf, columns, trueColour };
    console.log(await drawResult(result, pictures));
  }
  return fitting.length > 0 ? 0 : 1;
});

/**
 * A folder that is passed over: a name, or its path below the folder.
 *
 * @throws {CommandError} If it is neither.
 */
function readExcluded(typed: string, folder: string): string {
  const below = isAbsolute(typed) ? relative(resolve(folder), typed) : typed;
  const path = normalize(below).split(sep).join("/").replace(/\/$/, "");
  if (typed !== "" && path !== "" && !/^\.{1,2}(\/|$)/.test(path)) return path;
  throw new CommandError(
    "--exclude-dir: expected a folder's name, or its path below the one that is " +
      `searched, got ${typed || '""'}`,
  );
}

/** @throws {CommandError} If it is no number of megapixels. */
function readMegapixels(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const megapixels = Number(text);
  if (megapixels > 0 && Number.isFinite(megapixels)) return megapixels;
  throw new CommandError(
    `--max-image-megapixels: expected a number above 0, got ${text || '""'}`,
  );
}

if (import.meta.main) await runCommand(command);
