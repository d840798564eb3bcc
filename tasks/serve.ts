/**
 * `task serve`: the search page over the sample, or over a folder of pictures.
 *
 * @module
 */
import process from "node:process";
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

const help = `Usage: deno task serve [DIR] [--encoder NAME] [--port PORT]

Opens the search page over the sample pictures, or over a folder: all pictures
in it and below are indexed, and can be searched meanwhile. The index lies under
data/4_embeddings; nothing is written into the folder. Captions are taken from a
captions.json or .jsonl, from COCO's annotations/, and from the files
embeddings.npy, metadata.json and images.txt where those lie in the folder.
Ctrl-C stops it.

  --encoder NAME    clip-vit-b32, offline, a folder with a model, …; "auto" if
                    left out. Several, with commas, can be compared on the page
  --precision P     how CLIP's weights are stored: fp32, fp16 or q8
  --port PORT       where to listen; a free port if left out
  --host ADDRESS    beyond this machine, such as 0.0.0.0; whoever knows the
                    address, which holds a token, can then see the pictures
  --public-url URL  where a proxy shows this port: the page is then opened there`;

export const command = defineCommand({
  help,
  positionals: "DIR",
  options: {
    encoder: { type: "string", default: "auto" },
    precision: PRECISION_OPTION,
    port: { type: "string" },
    host: { type: "string" },
    "public-url": { type: "string" },
  },
}, async ({ values, positionals, signal }) => {
  const { encoder, host, "public-url": publicUrl } = values;
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
  await ensureSetup(signal);
  const { folderSource, sampleSource } = await importLater<
    typeof import("../lib/search_page/index/sources.ts")
  >("../lib/search_page/index/sources.ts");
  const { openSearchApp } = await importLater<
    typeof import("../lib/search_page/search_page.ts")
  >("../lib/search_page/search_page.ts");

  const [folder] = positionals;
  const source = folder ? await folderSource(folder) : await sampleSource();
  const { line, passing, remarks } = progressOn(process.stderr);
  const app = await openSearchApp(source, {
    encoders: encoder.split(","),
    precision,
    port,
    host,
    publicUrl,
    onProgress: (done, total) =>
      passing(`Indexing: ${done} of ${total} pictures`),
    log: line,
  });
  signal.throwIfAborted(); // Opening an encoder takes a while.
  console.log(`Search page: ${app.address}`);
  console.log("Ctrl-C stops it.");
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
