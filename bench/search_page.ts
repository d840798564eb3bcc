/// <reference lib="dom" />
/**
 * The search page, in a real browser: from Enter to painted results over 10,000
 * and 100,000 pictures, first paint, scrolling to row 2,000, 50 searches at once,
 * memory, and how much code the page loads.
 *
 * The pictures are those of the sample, many times over, with made-up vectors of
 * 512 numbers, as CLIP's are; texts go through the offline encoder first, so
 * that a query costs what it costs. Each shows other results than the last, and
 * their thumbnails come with the answer. At 100,000 each engine answers in turn;
 * `BENCH_INDEX=hnsw` measures one engine at that size, and nothing else.
 *
 * @module
 */
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import type { Page } from "puppeteer-core";
import {
  openSearchApp,
  type SearchApp,
} from "../lib/search_page/search_page.ts";
import { readQuery } from "../lib/search_page/engine/query.ts";
import { measureRecall } from "../lib/search_page/engine/recall.ts";
import { sampleSource } from "../lib/search_page/index/sources.ts";
import { launchBrowser } from "../lib/crawl/browser.ts";
import type { Encoder } from "../lib/encoders/encoder.ts";
import { type EngineName, ENGINES } from "../lib/engines/engines.ts";
import { openOffline } from "../lib/encoders/offline/offline.ts";
import { Matrix } from "../lib/compare/matrix.ts";
import { l2Normalize } from "../lib/compare/metrics.ts";
import { paths } from "../lib/paths.ts";
import { readSample, samplePath } from "../lib/photo_site/sample.ts";
import { clusteredVectors } from "../lib/compare/synthetic.ts";
import type { Bench, BenchContext, BenchRow } from "./harness.ts";

const DIMENSIONS = 512;

/** Searches in the browser at each size, each for other words. */
const SEARCHES = 60;

/** Searches, and changes of files, over which memory is watched. */
const MANY = 10_000;
const CHANGES = 1000;

/** The row that is scrolled to, in so many frames: nine rows each. */
const ROW = 2000;
const FRAMES = 220;

const WORDS = [
  ...["a bird on the water", "red fruit", "an old tool", "a road sign"],
  ...["a grazing animal", "a yellow flower", "a planet", "a fast car"],
];

/** Measures the page. */
export const bench: Bench = async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  const { search, embeddings, chroma } = paths;
  paths.search = folder;
  paths.embeddings = folder;
  paths.chroma = join(folder, "chroma");
  const offline = await openOffline();
  const rows = [await codeSize()];
  const only = ENGINES.find((name) => name === process.env.BENCH_INDEX);
  try {
    if (only) return await measureEngine(only, offline, context);
    // First, since a process seldom gives back what 100,000 pictures took.
    rows.push(...await changes(join(folder, "changing"), offline, context));
    for (const count of [10_000, 100_000]) {
      rows.push(...await measure(count, offline, context));
    }
    for (const engine of ["hnsw", "chroma"] as const) {
      rows.push(...await measureEngine(engine, offline, context));
    }
  } finally {
    await offline.close();
    Object.assign(paths, { search, embeddings, chroma });
    await rm(folder, { recursive: true });
  }
  return rows;
};

async function measure(
  count: number,
  offline: Encoder,
  { log, signal }: BenchContext,
): Promise<BenchRow[]> {
  log(`Search page: ${count} pictures`);
  const app = await open(count, offline);
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    await page.goto(app.url);
    await page.waitForSelector(".card");
    const firstPaint = await page.evaluate(() =>
      performance.getEntriesByName("first-contentful-paint")[0].startTime
    );
    const { painted, answered } = await searches(page, app, signal);
    // The first ones read what the others find in memory.
    const [fast, slow] = [painted.slice(5), answered.slice(5)];
    const size = count.toLocaleString("en");
    const rows = [
      ms(`first paint, ${size} pictures`, firstPaint),
      ms(`Enter to painted results, median, ${size}`, quantile(fast, 0.5)),
      ms(`Enter to painted results, p95, ${size}`, quantile(fast, 0.95)),
      ms(`query to answer in the server, p95, ${size}`, quantile(slow, 0.95)),
      ...await scroll(page, app, size),
      ms(`50 searches at once, the last one, ${size}`, await atOnce(app)),
    ];
    if (count === 10_000) rows.push(...await memory(app, signal));
    return rows;
  } finally {
    await browser.close();
    await app.close();
  }
}

/** What 100,000 pictures cost by an engine: to be built, and to be searched. */
async function measureEngine(
  engine: EngineName,
  offline: Encoder,
  { log, signal }: BenchContext,
): Promise<BenchRow[]> {
  const count = 100_000;
  log(`Search page: ${count} pictures, ${engine}`);
  const start = performance.now();
  const app = await open(count, offline, engine);
  const built = (performance.now() - start) / 1000;
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    await page.goto(app.url);
    await page.waitForSelector(".card");
    const { painted, answered } = await searches(page, app, signal);
    const [fast, slow] = [painted.slice(5), answered.slice(5)];
    const [space] = app.searcher.spaces;
    // Of a database all are compared, one by one: that takes its time.
    const words = WORDS.slice(0, 3).map((text) => space.embedText(text));
    const query = readQuery({ text: "words" });
    const recall = await measureRecall(space, await Promise.all(words), query);
    const what = (text: string) => `${text}, 100,000, ${engine}`;
    return [
      { what: what("until all are in"), unit: "s", ours: Math.round(built) },
      ms(what("Enter to painted results, median"), quantile(fast, 0.5)),
      ms(what("Enter to painted results, p95"), quantile(fast, 0.95)),
      ms(what("query to answer in the server, p95"), quantile(slow, 0.95)),
      {
        ...{ what: what("recall@10, smart"), unit: "share" },
        ours: Number(recall.toFixed(3)),
      },
    ];
  } finally {
    await browser.close();
    await app.close();
  }
}

/** Searches in the browser: until painted, and in the server, in milliseconds. */
async function searches(page: Page, app: SearchApp, signal: AbortSignal) {
  const painted: number[] = [];
  const answered: number[] = [];
  for (let i = 0; i < SEARCHES; i++) {
    signal.throwIfAborted();
    await page.evaluate((text) => {
      delete document.documentElement.dataset.painted;
      (document.querySelector("#text") as HTMLInputElement).value = text;
      (document.querySelector("#form") as HTMLFormElement).requestSubmit();
    }, `${WORDS[i % WORDS.length]}, number ${i}`);
    await page.waitForFunction(() => document.documentElement.dataset.painted);
    painted.push(
      await page.evaluate(() =>
        Number(document.documentElement.dataset.painted)
      ),
    );
    answered.push(app.result!.ms);
  }
  return { painted, answered };
}

/** The page over that many pictures. */
async function open(
  count: number,
  offline: Encoder,
  index: EngineName = "exact",
): Promise<SearchApp> {
  const sample = await sampleSource();
  const vectors = clusteredVectors(count, DIMENSIONS);
  const encoder: Encoder = {
    ...offline,
    id: "bench",
    dimensions: DIMENSIONS,
    async encodeTexts(texts) {
      const long = await offline.encodeTexts(texts);
      return Matrix.of(
        Array.from(
          long,
          (vector) => l2Normalize(vector.subarray(0, DIMENSIONS)),
        ),
        DIMENSIONS,
      );
    },
    close: () => Promise.resolve(),
  };
  const app = await openSearchApp(
    { ...sample, pictures: [], look: undefined },
    { encoders: [encoder], index, log: () => {} },
  );
  await app.ready;
  // Straight into the collection: to embed them would take minutes.
  const [space] = app.searcher.spaces;
  const { collection } = space;
  const terms = sample.pictures.map(({ term }) => term);
  const texts = await encoder.encodeTexts(terms);
  for (let row = 0; row < count; row++) {
    const place = row % sample.pictures.length;
    const title = terms[place];
    const picture = { ...sample.pictures[place], title, caption: "" };
    collection.add(
      { ...picture, path: `${row}` },
      vectors.row(row),
      texts.row(place),
    );
    // A database takes them as they come.
    if (row % 1000 === 999) {
      if (!collection.keepsVectors) await space.index?.sync();
    }
  }
  await space.index?.sync();
  // All thumbnails are made.
  for (let row = 0; row < sample.pictures.length; row++) {
    const address = `${app.url}thumbnail/${collection.idOf(row)}`;
    await (await fetch(address)).arrayBuffer();
  }
  return app;
}

/** The longest frame while the results pass by, and until the last are there. */
async function scroll(
  page: Page,
  app: SearchApp,
  size: string,
): Promise<BenchRow[]> {
  await page.goto("about:blank");
  await page.goto(`${app.url}#text=a+bird&cut=none&fold=2`);
  await page.waitForSelector(".showMore:not([hidden])");
  await page.click(".showMore");
  const { longest, settled } = await page.evaluate(
    async (row, frames) => {
      const tiles = [...document.querySelectorAll(".card")]
        .map((card) => card.getBoundingClientRect());
      const height = tiles.find(({ top }) => top > tiles[0].top)!.top -
        tiles[0].top;
      const nextFrame = () =>
        new Promise<number>((resolve) => requestAnimationFrame(resolve));
      let before = await nextFrame();
      let longest = 0;
      for (let frame = 1; frame <= frames; frame++) {
        scrollTo({ top: row * height * frame / frames, behavior: "instant" });
        const now = await nextFrame();
        longest = Math.max(longest, now - before);
        before = now;
      }
      // The tile with the focus stays, wherever it is.
      const isInSight = (card: Element) => {
        const { top, bottom } = card.getBoundingClientRect();
        return bottom > 0 && top < innerHeight;
      };
      const isThere = () =>
        [...document.querySelectorAll(".card")].filter(isInSight)
          .every((card) => card.querySelector("img")?.complete);
      while (!isThere()) await nextFrame();
      return { longest, settled: performance.now() - before };
    },
    ROW,
    FRAMES,
  );
  return [
    ms(`longest frame, scrolled to row 2,000, ${size}`, longest),
    ms(`until its pictures are there, ${size}`, settled),
  ];
}

/** What the page loads, each file compressed. */
async function codeSize(): Promise<BenchRow> {
  const folder = new URL("../lib/search_page/web/", import.meta.url);
  const files = await Promise.all(
    (await readdir(folder)).map((name) => readFile(new URL(name, folder))),
  );
  const size = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
  return {
    what: "code of the page, compressed",
    unit: "KB",
    ours: Number((size / 1000).toPrecision(3)),
  };
}

/** Milliseconds until the last of 50 searches is answered. */
async function atOnce(app: SearchApp): Promise<number> {
  const start = performance.now();
  await Promise.all(
    Array.from({ length: 50 }, (_, i) => ask(app, `at once, ${i}`)),
  );
  return performance.now() - start;
}

/** Memory after a thousand searches and after ten thousand. */
async function memory(
  app: SearchApp,
  signal: AbortSignal,
): Promise<BenchRow[]> {
  const used: number[] = [];
  for (let i = 1; i <= MANY; i++) {
    signal.throwIfAborted();
    await ask(app, `memory ${i}`);
    if (i === MANY / 10 || i === MANY) {
      used.push(process.memoryUsage().rss / 1e6);
    }
  }
  return [
    {
      what: "memory after 1,000 searches",
      unit: "MB",
      ours: Math.round(used[0]),
    },
    {
      what: "memory after 10,000 searches",
      unit: "MB",
      ours: Math.round(used[1]),
    },
  ];
}

/** Memory after a hundred changes of a served folder's files, and a thousand. */
async function changes(
  folder: string,
  offline: Encoder,
  { log, signal }: BenchContext,
): Promise<BenchRow[]> {
  log(`Search page: ${CHANGES} changes`);
  await mkdir(folder);
  const sample = await Promise.all(
    (await readSample()).map((picture) => readFile(samplePath(picture))),
  );
  const app = await openSearchApp(folder, {
    ...{ encoders: [offline], watch: false, log() {} },
  });
  const used: BenchRow[] = [];
  for (let i = 1; i <= CHANGES; i++) {
    signal.throwIfAborted();
    const file = join(folder, `${i % sample.length}.jpg`);
    // One in eleven goes, the others come or become another picture.
    if (i % 11 === 0) await rm(file, { force: true });
    else {
      const bytes = sample[i * 7 % sample.length];
      await writeFile(file, Buffer.concat([bytes, Buffer.from(`${i}`)]));
    }
    await app.rescan();
    await ask(app, "a bird");
    if (i === CHANGES / 10 || i === CHANGES) {
      used.push({
        what: `memory after ${i.toLocaleString("en")} changes of files`,
        unit: "MB",
        ours: Math.round(process.memoryUsage().rss / 1e6),
      });
    }
  }
  await app.close();
  return used;
}

async function ask(app: SearchApp, text: string): Promise<void> {
  const response = await fetch(`${app.url}search`, {
    method: "POST",
    headers: { origin: new URL(app.url).origin },
    body: JSON.stringify({ text }),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`search: ${response.status}`);
}

function ms(what: string, value: number): BenchRow {
  return { what, unit: "ms", ours: Number(value.toPrecision(3)) };
}

function quantile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))];
}
