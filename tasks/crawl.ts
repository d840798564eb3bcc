/**
 * `task crawl`: what notebooks 1 and 2 do, for terms of one's own.
 *
 * @module
 */
import { dirname } from "node:path";
import process from "node:process";
import type { SearchPlan } from "../lib/crawl/plan.ts";
import type { CrawlResult } from "../lib/crawl/records.ts";
import type { Site } from "../lib/crawl/sites/site.ts";
import type { DownloadOptions } from "../lib/dataset/download.ts";
import { paths } from "../lib/paths.ts";
import {
  CommandError,
  defineCommand,
  importLater,
  readWholeNumber,
  runCommand,
} from "./command.ts";
import { takeDatasetLock } from "./lock.ts";
import { readPlanFile, readTerms } from "./plan.ts";
import { type Progress, progressOn } from "./progress.ts";
import { ensureSetup } from "./setup.ts";
import { siteNames } from "./site_names.ts";

const SITES = ["local", ...siteNames()];

const help =
  `Usage: deno task crawl (TERM … | PLAN.json) [--site NAME] [options]

Searches a photo site for terms and writes the addresses of what it finds,
with authors and licences, into the folder 1_crawl of the data folder. A crawl
that was stopped goes on where it was. Begin with few terms: sites want it
slow. What the site's robots.txt says is shown, and kept to.

  PLAN.json       the terms, JSON by category; --plan FILE is the same:
                  {"food": ["fruit", "vegetable"], "space": ["planet"]}
  --site NAME     local, if left out: the practice site on this machine, which
                  knows the terms of the sample; or a site of the web:
                  ${SITES.slice(1).join(", ")}
  --limit N       pictures a term; 20 if left out
  --licence NAME  pictures under this licence alone, "CC BY" in any version;
                  given again, this one too
  --ignore-robots
                  asks for what robots.txt forbids all the same, at its pace,
                  and says so
  --download      then downloads them into 2_downloads, cleans them, and
                  writes the data set, train/ and test/, into 2_dataset
  --json          a last line of JSON: what was found for each term, what
                  failed, what robots.txt says, and where all lies

flickr is seen in a browser; flickr-api asks for a key in FLICKR_API_KEY.
CONTACT_SHEET_CONTACT, a mail address or a URL in the environment, is told to
the site: who minds can then write instead of locking us out.`;

/** The category of terms that were given without one. */
const NO_CATEGORY = "pictures";

export const command = defineCommand({
  help,
  positionals: "TERM",
  options: {
    plan: { type: "string" },
    site: { type: "string", default: "local", values: SITES },
    limit: { type: "string", default: "20" },
    licence: { type: "string", multiple: true, default: [] },
    "ignore-robots": { type: "boolean" },
    download: { type: "boolean" },
    json: { type: "boolean" },
  },
}, async ({ values, positionals, signal }) => {
  const plan = await readArgumentsPlan(positionals, values.plan);
  const { site: siteName, licence, "ignore-robots": ignoreRobots } = values;
  if (!SITES.includes(siteName)) {
    throw new CommandError(
      `--site: expected ${SITES.join(", ")}, got ${siteName || '""'}`,
    );
  }
  if (licence.some((name) => name.trim() === "")) {
    throw new CommandError('--licence: expected a name like "CC BY", got ""');
  }
  const maxImages = readWholeNumber("limit", values.limit, {
    min: 1,
    max: 10_000,
  });
  await ensureSetup(signal);
  const progress = progressOn(process.stderr);
  if (ignoreRobots) {
    progress.line("--ignore-robots: what robots.txt forbids is asked for too");
  }

  const { crawl } = await importLater<typeof import("../lib/crawl/crawl.ts")>(
    "../lib/crawl/crawl.ts",
  );
  const { site, limits, close } = await openSite(siteName, licence);
  try {
    const found = await crawl(site, plan, {
      ...{ maxImages, ignoreRobots, signal },
      onRobots: ({ decision }) => progress.line(decision),
      onProgress: ({ done, total, term, pictures }) =>
        progress.passing(
          `Crawling: ${done} of ${total} terms, ${term}, ${pictures} pictures`,
        ),
    });
    const { pictures, failures, remarks, notReached, robots } = found;
    progress.line(`${pictures.length} pictures of ${site.name}`);
    progress.remarks(
      failures.map(({ term, reason }) => `  failed: ${term}: ${reason}`),
      10,
    );
    progress.remarks(
      remarks.map(({ term, remark }) => `  ${term}: ${remark}`),
      10,
    );
    if (signal.aborted) {
      progress.line(
        `${notReached.length} terms are open: run the command again to go on`,
      );
    }
    const prepared = values.download && pictures.length > 0 && !signal.aborted
      ? await prepare(found, limits, progress, signal)
      : undefined;
    const folder = prepared ? paths.dataset : dirname(paths.crawled);
    if (values.json) {
      const counts = { pictures: pictures.length, ...prepared };
      const terms = countTerms(plan, found);
      const told = { site: site.name, robots, terms };
      const open = { failures, remarks, notReached };
      console.log(JSON.stringify({ ...counts, ...told, ...open, folder }));
    } else if (!signal.aborted) console.log(`They are in ${folder}`);
    return pictures.length > 0 ? 0 : 1;
  } finally {
    await close();
  }
});

/** The plan of a file, or of terms. */
async function readArgumentsPlan(
  terms: string[],
  file: string | undefined,
): Promise<SearchPlan> {
  const isFile = terms.length === 1 && /\.json$/i.test(terms[0]);
  const given = terms.length > 0 ? isFile ? "a plan" : "terms" : "";
  if ((given !== "") === (file !== undefined)) {
    throw new CommandError(
      `crawl: expected either terms or a plan, got ${
        file === undefined ? "neither" : `${given} and --plan`
      }`,
    );
  }
  if (isFile) return await readPlanFile("PLAN.json", terms[0]);
  if (file !== undefined) return await readPlanFile("--plan", file);
  return readTerms("crawl", { [NO_CATEGORY]: terms });
}

/** How many pictures each term brought, in the plan's order. */
function countTerms(plan: SearchPlan, { pictures }: CrawlResult) {
  const counts = new Map<string, number>();
  for (const { term } of pictures) {
    counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  return Object.entries(plan).flatMap(([category, terms]) =>
    terms.map((term) => ({ category, term, pictures: counts.get(term) ?? 0 }))
  );
}

/** The site of that name; the practice site runs until it is closed. */
async function openSite(name: string, licences: readonly string[]): Promise<
  { site: Site; limits: DownloadOptions; close: () => Promise<void> }
> {
  if (name !== "local") {
    const { sites } = await importLater<
      typeof import("../lib/crawl/sites/sites.ts")
    >("../lib/crawl/sites/sites.ts");
    const close = () => Promise.resolve();
    return { site: sites[name]({ licences }), limits: {}, close };
  }
  const { localSite } = await importLater<
    typeof import("../lib/crawl/sites/local.ts")
  >("../lib/crawl/sites/local.ts");
  const { startPhotoSite } = await importLater<
    typeof import("../lib/photo_site/photo_site.ts")
  >("../lib/photo_site/photo_site.ts");
  const photoSite = await startPhotoSite();
  return {
    site: localSite(photoSite.origin, { licences }),
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
  using _lock = await takeDatasetLock();
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
  const { counts, refused } = await prepareDataset(downloads, {
    signal,
    onProgress: (done) => progress.passing(`Cleaning: ${done} pictures`),
  });
  signal.throwIfAborted();
  progress.remarks(
    refused.map(({ term, reason }) => `  left out: ${term}: ${reason}`),
    5,
  );
  const kept = counts.train + counts.test;
  progress.line(`${kept} of them are the data set`);
  return { downloaded: downloads.records.length, kept };
}

if (import.meta.main) await runCommand(command);
