/**
 * The search page over a small folder of colours, without a browser.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { paths } from "#lib/paths.ts";
import { openSearchApp, type SearchApp } from "#lib/search_page/search_page.ts";
import { folderSource } from "#lib/search_page/index/sources.ts";
import { colourEncoder, plain } from "./colour_encoder.ts";

/** Runs `body` with an empty folder for pictures, and an index of its own. */
export async function withFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "search-" });
  const { search, embeddings } = paths;
  paths.search = join(root, "index");
  paths.embeddings = join(root, "embeddings");
  await mkdir(join(root, "pictures"));
  try {
    await body(join(root, "pictures"));
  } finally {
    Object.assign(paths, { search, embeddings });
    await Deno.remove(root, { recursive: true });
  }
}

/** Shades of red and blue in folders of those names. */
export async function paint(folder: string, shades = 12): Promise<void> {
  for (const term of ["red", "blue"]) {
    await mkdir(join(folder, "paint", term), { recursive: true });
    for (let shade = 0; shade < shades; shade++) {
      const strong = 255 - 8 * shade, weak = 9 * shade;
      const background = term === "red"
        ? { r: strong, g: weak, b: 0 }
        : { r: 0, g: weak, b: strong };
      await writeFile(
        join(folder, "paint", term, `${term}-${shade}.png`),
        await plain(background),
      );
    }
  }
}

/** The page over a folder that is indexed. */
export async function openOver(
  folder: string,
  encoder = colourEncoder(),
): Promise<SearchApp> {
  const app = await openSearchApp(await folderSource(folder), {
    encoders: [encoder],
    log: () => {},
  });
  await app.ready;
  return app;
}

/** Asks as the page does. */
export async function ask(
  app: SearchApp,
  path: string,
  body?: string | Uint8Array,
) {
  const response = await fetch(app.url + path, {
    method: body === undefined ? "GET" : "POST",
    body: body as BodyInit | undefined,
    headers: body === undefined ? {} : { origin: new URL(app.url).origin },
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  const json = text.startsWith("{") || text.startsWith("[")
    ? JSON.parse(text)
    : undefined;
  return { status: response.status, headers: response.headers, bytes, json };
}
