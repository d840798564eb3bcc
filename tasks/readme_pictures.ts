/**
 * The work of `task pictures`: takes them in a real browser.
 *
 * @module
 */
import { join } from "node:path";
import type { Browser } from "puppeteer-core";
import { type Hit, search } from "../lib/compare/compare.ts";
import type { Matrix } from "../lib/compare/matrix.ts";
import { type Metric, metrics } from "../lib/compare/metrics.ts";
import { pixelVectors } from "../lib/compare/pixels.ts";
import { launchBrowser } from "../lib/crawl/browser.ts";
import { picturePath, readDataset } from "../lib/dataset/dataset.ts";
import { jupyterDisplay } from "../lib/display/display.ts";
import { hitGrid } from "../lib/display/grid.ts";
import type { Encoder } from "../lib/encoders/encoder.ts";
import { openEncoder } from "../lib/encoders/encoders.ts";
import { writeAtomic } from "../lib/files.ts";
import { encodePicture } from "../lib/pictures/pictures.ts";
import type { DatasetPicture } from "../lib/records.ts";
import { sampleSource } from "../lib/search_page/index/sources.ts";
import { photographPage } from "../lib/search_page/photograph.ts";
import { openSearchApp } from "../lib/search_page/search_page.ts";

/** What is typed into the search page. */
const WORDS = "a string instrument";

/** The window in which pictures are taken. */
const WINDOW = { width: 1200, height: 760, scale: 1.5 };

/**
 * Makes the pictures: search_light.png, search_dark.png, gain_pixels.png and
 * gain_embedding.png, of the query for which embeddings gain most.
 *
 * @param folder Where they go.
 * @returns What they show, as the README says it.
 * @throws {Error} If there is no data set, or no browser starts.
 */
export async function makePictures(folder: string): Promise<string[]> {
  const encoder = await openEncoder("offline");
  const browser = await launchBrowser();
  try {
    return [
      ...await pictureSearchPage(encoder, folder),
      ...await pictureGain(browser, encoder, folder),
    ];
  } finally {
    await browser.close();
    await encoder.close();
  }
}

async function pictureSearchPage(
  encoder: Encoder,
  folder: string,
): Promise<string[]> {
  const options = { encoders: [encoder], log: () => {} };
  const app = await openSearchApp(await sampleSource(), options);
  try {
    await app.ready;
    for (const theme of ["light", "dark"] as const) {
      const options = { ...WINDOW, theme, format: "png" } as const;
      const png = await photographPage(app.url, WORDS, options);
      await save(png, join(folder, `search_${theme}.png`));
    }
    const { indexed } = app.status();
    return [`The search page over ${indexed} pictures, asked for “${WORDS}”`];
  } finally {
    await app.close();
  }
}

async function pictureGain(
  browser: Browser,
  encoder: Encoder,
  folder: string,
): Promise<string[]> {
  const { gallery, queries } = await readDataset();
  const files = gallery.map(picturePath), asked = queries.map(picturePath);
  const nearest = <Row extends Float32Array | Uint8Array>(
    vectors: Matrix<Row>,
    searched: Matrix<Row>,
    metric: Metric,
  ) => [...vectors].map((one) => search(one, searched, metric, 5));
  const byPixels = nearest(
    await pixelVectors(asked, 64),
    await pixelVectors(files, 64),
    metrics.l1,
  );
  const byEncoder = nearest(
    await encoder.encodeImages(asked),
    await encoder.encodeImages(files),
    metrics.cosine,
  );
  const relevant = (hits: readonly Hit[], { term }: DatasetPicture) =>
    hits.filter(({ index }) => gallery[index].term === term).length;
  const gains = queries.map((one, i) =>
    relevant(byEncoder[i], one) - relevant(byPixels[i], one)
  );
  const most = gains.indexOf(Math.max(...gains));
  const query = queries[most];
  const page = await browser.newPage();
  const { scale: deviceScaleFactor, ...size } = WINDOW;
  await page.setViewport({ ...size, deviceScaleFactor });
  const draw = async (name: string, by: string, hits: readonly Hit[]) => {
    const caption = `Nearest by ${by}.`;
    const grid = await hitGrid(query, hits, gallery, { caption, size: 144 });
    await page.setContent(
      `<div style="font:15px sans-serif;padding:8px 16px;width:max-content">` +
        `${grid[jupyterDisplay]()["text/html"]}</div>`,
    );
    const drawn = (await page.$("div"))!;
    await save(await drawn.screenshot(), join(folder, name));
    return `![Nearest by ${by}: ${
      describe(hits, gallery, query)
    }](docs/${name})`;
  };
  return [
    `Among ${gallery.length} pictures, embeddings gain most over pixels on ` +
    `this query: "${query.caption}" (${query.term}). Of all ` +
    `${queries.length} queries, they have more relevant pictures among the ` +
    `first five for ${
      gains.filter((gain) => gain > 0).length
    }, and fewer for ` +
    `${gains.filter((gain) => gain < 0).length}. First by pixels, then by ` +
    "embeddings:",
    await draw("gain_pixels.png", "L1 distance of pixels", byPixels[most]),
    await draw(
      "gain_embedding.png",
      `cosine similarity of embeddings (${encoder.name})`,
      byEncoder[most],
    ),
  ];
}

/** What the hits are, and how many of them are of the query's class. */
function describe(
  hits: readonly Hit[],
  gallery: readonly DatasetPicture[],
  { term }: DatasetPicture,
): string {
  const found = hits.map(({ index }) => gallery[index].term);
  const relevant = found.filter((one) => one === term).length;
  return `${found.join(", ")}; ${relevant} of ${hits.length} relevant.`;
}

/** Writes a picture in at most 256 colours, which makes it a third as large. */
async function save(png: Uint8Array, path: string): Promise<void> {
  const encoding = { format: "png", palette: true, effort: 10 } as const;
  const { data } = await encodePicture(png, encoding);
  await writeAtomic(path, data);
}
