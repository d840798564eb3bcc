/**
 * `task crawl`: what notebooks 1 and 2 do, for terms of one's own.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import type { CrawlResult } from "../lib/crawl/records.ts";
import type { Site } from "../lib/crawl/sites/site.ts";
import type { DownloadOptions } from "../lib/dataset/download.ts";
import { paths } from "../lib/paths.ts";
import {
  CommandError,
  defineCommand,
  importLater,
  readPath,
  readWholeNumber,
  runCommand,
} from "./command.ts";
import { parsePlan } from "./plan.ts";
import { type Progress, progressOn } from "./progress.ts";
import { ensureSetup } from "./setup.ts";

const help =
  `Usage: deno task crawl (TERM … | --plan FILE) [--download] [--json]

Searches a photo site for terms and writes the addresses of what it finds, with
authors and licences, into the folder 1_crawl of the data folder. A crawl that
was stopped goes on where it was. Begin with few terms: sites want it slow.

  --plan FILE   the terms, JSON by category:
                {"food": ["fruit", "vegetable"], "space": ["planet"]}
  --site NAME   local: the practice site on this machine, which knows the terms
                of the sample; or flickr; local if left out
  --limit N     pictures a term; 20 if left out
  --download    then downloads them into 2_downloads, cleans them, and writes
                the data set, train/ and test/, into 2_dataset
  --json        a last line of JSON: how many pictures, what failed, and where
                they lie`;

const SITES = ["local", "flickr"];

/** The category of terms that were given without one. */
const NO_CATEGORY = "pictures";

export const command = defineCommand({
  help,
  positionals: "TERM",
  options: {
    plan: { type: "string" },
    site: { type: "string", default: "local", values: SITES },
    limit: { type: "string", default: "20" },
    download: { type: "boolean" },
    json: { type: "boolean" },
  },
}, async ({ values, positionals, signal }) => {
  const plan = await readTerms(positionals, values.plan);
  const { site: siteName } = values;
  if (!SITES.includes(siteName)) {
    throw new CommandError(
      `--site: expected ${SITES.join(" or ")}, got ${siteName}`,
    );
  }
  const maxImages = readWholeNumber("limit", values.limit, {
    min: 1,
    max: 500,
  });
  await ensureSetup(signal);
  const progress = progressOn(process.stderr);

  const { crawl } = await importLater<typeof import("../lib/crawl/crawl.ts")>(
    "../lib/crawl/crawl.ts",
  );
  const { site, limits, close } = await openSite(siteName);
  try {
    const found = await crawl(site, plan, {
      maxImages,
      signal,
      onProgress: ({ done, total, term, pictures }) =>
        progress.passing(
          `Crawling: ${done} of ${total} terms, ${term}, ${pictures} pictures`,
        ),
    });
    const { pictures, failures, notReached } = found;
    progress.line(`${pictures.length} pictures of ${site.name}`);
    progress.remarks(
      failures.map(({ term, reason }) => `  failed: ${term}: ${reason}`),
      10,
    );
    if (signal.aborted) {
      progress.line(
        `${notReached.length} terms are open: run the command again to go on`,
      );
      return;
    }
    const prepared = values.download && pictures.length > 0
      ? await prepare(found, limits, progress, signal)
      : undefined;
    const folder = prepared ? paths.dataset : dirname(paths.crawled);
    if (values.json) {
      const counts = { pictures: pictures.length, failures, ...prepared };
      console.log(JSON.stringify({ ...counts, folder }));
    } else console.log(`They are in ${folder}`);
    return pictures.length > 0 ? 0 : 1;
  } finally {
    await close();
  }
});

/** The plan of a file, or of terms. */
async function readTerms(
  terms: string[],
  file: string | undefined,
): Promise<Record<string, string[]>> {
  if ((terms.length > 0) === (file !== undefined)) {
    throw new CommandError(
      `crawl: expected either terms or --plan FILE, got ${
        file === undefined ? "neither" : "both"
      }`,
    );
  }
  const empty = terms.find((term) => term.trim() === "");
  if (empty !== undefined) {
    throw new CommandError(`crawl: expected terms, got "${empty}" among them`);
  }
  if (file === undefined) return { [NO_CATEGORY]: terms };
  const path = readPath("--plan", file, "file");
  return parsePlan(file, await readFile(path, "utf8"));
}

/** The site of that name; the practice site runs until it is closed. */
async function openSite(name: string): Promise<
  { site: Site; limits: DownloadOptions; close: () => Promise<void> }
> {
  if (name === "flickr") {
    const { flickr } = await importLater<
      typeof import("../lib/crawl/sites/flickr.ts")
    >("../lib/crawl/sites/flickr.ts");
    return { site: flickr(), limits: {}, close: () => Promise.resolve() };
  }
  const { localSite } = await importLater<
    typeof import("../lib/crawl/sites/local.ts")
  >("../lib/crawl/sites/local.ts");
  const { startPhotoSite } = await importLater<
    typeof import("../lib/photo_site/photo_site.ts")
  >("../lib/photo_site/photo_site.ts");
  const photoSite = await startPhotoSite();
  return {
    site: localSite(photoSite.origin),
    limits: {
      rebase: photoSite.rebase,
      allowedHosts: [photoSite.host],
      intervalMs: 5,
    },
    close: () => photoSite.close(),
  };
}

/** Downloads what was found, and makes the data set of it. */
async function prepare(
  { pictures }: CrawlResult,
  limits: DownloadOptions,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ downloaded: number; kept: number }> {
  const { download } = await importLater<
    typeof import("../lib/dataset/download.ts")
  >("../lib/dataset/download.ts");
  const { prepareDataset } = await importLater<
    typeof import("../lib/dataset/prepare.ts")
  >("../lib/dataset/prepare.ts");
  const downloads = await download(pictures, {
    ...limits,
    signal,
    onProgress: ({ done, total, failed }) =>
      progress.passing(`Downloading: ${done} of ${total}, ${failed} failed`),
  });
  signal.throwIfAborted();
  progress.remarks(
    downloads.failures.map(({ url, reason }) =>
      `  left out: ${url}: ${reason}`
    ),
    5,
  );
  const { counts } = await prepareDataset(downloads, {
    signal,
    onProgress: (done) => progress.passing(`Cleaning: ${done} pictures`),
  });
  signal.throwIfAborted();
  const kept = counts.train + counts.test;
  progress.line(`${kept} of them are the data set`);
  return { downloaded: downloads.records.length, kept };
}

if (import.meta.main) await runCommand(command);
