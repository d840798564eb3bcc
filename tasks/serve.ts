/**
 * `task serve`: the search page over the sample, or over a folder of pictures.
 *
 * @module
 */
import process from "node:process";
import { openOutside } from "../lib/search_page/server/reveal.ts";
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
import { progressOn } from "./progress.ts";
import { ensureSetup } from "./setup.ts";

const help = `Usage: deno task serve [DIR] [--encoder NAME] [--port PORT]

Opens the search page over a folder: all pictures in it and below are indexed,
and can be searched meanwhile; the folder is watched. Without DIR it opens over
the sample, and an installed contact-sheet over the folder that you stand in.
The index lies in the data folder; nothing is written into yours. Captions are
taken from a captions.json or .jsonl, from COCO's annotations/, and from the
files embeddings.npy, metadata.json and images.txt where those lie in it. Ctrl-C
stops it.

  --encoder NAME    clip-vit-b32, offline, a folder with a model, …; "auto" if
                    left out. Several, with commas, can be compared on the page
  --precision P     how CLIP's weights are stored: fp32, fp16 or q8
${indexHelp()}
  --port PORT       where to listen; the folder's last port if left out and free
  --token TOKEN     what the address ends in, 16 to 64 letters and digits; left
                    out, the folder's own, so that a bookmark stays good
  --open            opens the page in the browser
  --host ADDRESS    beyond this machine, such as 0.0.0.0; whoever knows the
                    address, which holds a token, can then see the pictures
  --public-url URL  where a proxy shows this port: the page is then opened there`;

export const command = defineCommand({
  help,
  positionals: "DIR",
  options: {
    encoder: ENCODER_OPTION,
    precision: PRECISION_OPTION,
    index: INDEX_OPTION,
    port: { type: "string" },
    token: { type: "string" },
    open: { type: "boolean" },
    host: { type: "string" },
    "public-url": { type: "string" },
  },
}, async ({ values, positionals, signal, here }) => {
  const { encoder, host, token, "public-url": publicUrl } = values;
  if (positionals.length > 1) {
    throw new CommandError(
      `serve: expected one folder, got ${positionals.length}`,
    );
  }
  const port = values.port === undefined
    ? undefined
    : readWholeNumber("port", values.port, { min: 1, max: 65535 });
  if (publicUrl !== undefined && !URL.canParse(publicUrl)) {
    throw new CommandError(
      `--public-url: expected an address such as https://hub.example/proxy/8000/, got ${publicUrl}`,
    );
  }
  const precision = readPrecision(values.precision);
  const index = readEngine(values.index);
  const folder = positionals.length > 0
    ? readPath("serve", positionals[0], "folder")
    : here;
  await ensureSetup(signal);
  const { sampleSource } = await importLater<
    typeof import("../lib/search_page/index/sources.ts")
  >("../lib/search_page/index/sources.ts");
  const { openSearchApp } = await importLater<
    typeof import("../lib/search_page/search_page.ts")
  >("../lib/search_page/search_page.ts");

  // A folder is listed when the page is there already.
  const source = folder ?? await sampleSource();
  const { line, passing, remarks } = progressOn(process.stderr);
  const app = await openSearchApp(source, {
    encoders: encoder.split(","),
    precision,
    index,
    port,
    token,
    host,
    publicUrl,
    onProgress: (done, total) =>
      passing(`Indexing: ${done} of ${total} pictures`),
    log: line,
  });
  signal.throwIfAborted(); // Opening an encoder takes a while.
  console.log(`Search page: ${app.address}`);
  console.log("Ctrl-C stops it.");
  if (values.open) {
    const trouble = await openOutside(app.address);
    if (trouble) line(`The page is not opened: ${trouble}`);
  }
  app.ready.then(() => {
    const { indexed, failures, problems } = app.status();
    line(`${indexed} pictures can be searched`);
    remarks(problems.map((problem) => `  ${problem}`), 10);
    remarks(
      failures.map(({ path, reason }) => `  left out: ${path}: ${reason}`),
      5,
    );
  }, (error) => line(`Indexing stopped: ${error.message}`));
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
  await app.close();
});

if (import.meta.main) await runCommand(command);
