/**
 * An offline photo site on this machine: search pages, photo pages, pictures
 * in four sizes, over HTTP on 127.0.0.1, as a crawler would meet them.
 *
 * ```text
 * /                        all terms
 * /search/?text=fruit      photos for a term; more on scrolling and "Load more"
 * /photos/1042/            one photo, its author and licence
 * /pictures/1042-pear_m.jpg   s 75, t 100, m 240, b 1024 pixels at most
 * /robots.txt
 * ```
 *
 * Reads the sample pictures.
 *
 * ```ts
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { match } from "node:assert/strict";
 *
 * const site = await startPhotoSite();
 * const page = await fetch(`${site.origin}/search/?text=fruit`);
 * match(await page.text(), /Load more|More photos/);
 * await site.close();
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import sharp from "sharp";
import { readSample } from "./sample.ts";
import { type Answer, type Fault, faultFinder, send } from "./faults.ts";
import { SCRIPT, STYLE } from "./assets.ts";
import { type Library, openLibrary, type Photo } from "./library.ts";
import {
  homePage,
  notFoundPage,
  photoPage,
  searchPage,
  SIZES,
} from "./pages.ts";

/** How to start the site. */
export interface PhotoSiteOptions {
  /**
   * Where to listen; a free port if this one is taken. The same port each
   * time makes the same addresses each time. @default {8765}
   */
  port?: number;
  /** Faults for tests. @default {[]} */
  faults?: readonly Fault[];
  /** Called with each request's path and query. */
  onRequest?: (path: string) => void;
}

/** A running site. */
export interface PhotoSite {
  /** "http://127.0.0.1:8765" */
  origin: string;
  /** 8765 */
  port: number;
  /**
   * This site's address for what an earlier one had under its own, maybe on
   * another port. Addresses of other hosts stay as they are.
   */
  rebase(url: string): string;
  /** Stops the site at once. */
  close(): Promise<void>;
}

/**
 * Starts the site.
 *
 * @throws {Error} If the sample cannot be read, or 127.0.0.1 not be bound.
 */
export async function startPhotoSite(
  { port = 8765, faults = [], onRequest }: PhotoSiteOptions = {},
): Promise<PhotoSite> {
  const library = openLibrary(await readSample());
  const findFault = faultFinder(faults);
  const server = createServer(async (request, response) => {
    const path = request.url ?? "/";
    onRequest?.(path);
    const answer = await answerTo(library, path).catch((error): Answer => ({
      status: 500,
      headers: { "content-type": "text/plain; charset=utf-8" },
      body: (error as Error).message,
    }));
    await send(response, answer, findFault(path), path);
  });
  await listen(server, port).catch((error) => {
    if (error.code !== "EADDRINUSE") throw error;
    return listen(server, 0);
  });
  const taken = (server.address() as AddressInfo).port;
  const origin = `http://127.0.0.1:${taken}`;
  return {
    origin,
    port: taken,
    rebase: (url) =>
      url.replace(
        /^http:\/\/127\.0\.0\.1:\d+(?=\/(pictures|photos)\/)/,
        origin,
      ),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function answerTo(library: Library, path: string): Promise<Answer> {
  const { pathname, searchParams } = new URL(path, "http://127.0.0.1");
  switch (pathname) {
    case "/":
      return html(homePage(library));
    case "/site.css":
      return text("text/css", STYLE);
    case "/site.js":
      return text("text/javascript", SCRIPT);
    case "/robots.txt":
      return text("text/plain", "User-agent: *\nDisallow: /account/\n");
    case "/search/": {
      const asked = searchParams.get("text") ?? "";
      const page = Math.max(1, Number(searchParams.get("page")) || 1);
      return html(searchPage(asked, library.search(asked), page));
    }
  }
  const [, place, id, size] =
    /^\/(photos|pictures)\/(\d+)(?:\/|-[a-z0-9-]+_([stmb])\.jpg)$/
      .exec(pathname) ?? [];
  const photo = library.find(Number(id));
  if (place === "photos" && photo && !size) return html(photoPage(photo));
  if (place === "pictures" && photo && photo.flaw !== "gone" && size) {
    const body = await pictureFile(photo, size as keyof typeof SIZES);
    const type = { "content-type": "image/jpeg" };
    return { status: 200, headers: type, body };
  }
  return { ...html(notFoundPage(pathname)), status: 404 };
}

/** A photo's file in a size, with its flaw if it has one. */
async function pictureFile(
  { path, flaw }: Photo,
  size: keyof typeof SIZES,
): Promise<Uint8Array> {
  const file = await readFile(path);
  if (size !== "b") return await resized(file, SIZES[size], size === "s");
  switch (flaw) {
    case "cut off":
      return file.subarray(0, file.length * 0.6);
    case "too small":
      return await resized(file, 40);
    case "not a picture":
      return Buffer.from("This photo is being processed. Come back later.\n");
    default:
      return file;
  }
}

function resized(
  file: Uint8Array,
  side: number,
  square = false,
): Promise<Uint8Array> {
  return sharp(file)
    .resize(side, side, {
      fit: square ? "cover" : "inside",
      withoutEnlargement: true,
    })
    .jpeg({ quality: 85 })
    .toBuffer();
}

function html(body: string): Answer {
  return text("text/html", body);
}

function text(type: string, body: string): Answer {
  const headers = { "content-type": `${type}; charset=utf-8` };
  return { status: 200, headers, body };
}
