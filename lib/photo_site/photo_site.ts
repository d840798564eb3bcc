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
 * Reads the sample pictures (sample.ts), of which library.ts makes what a site
 * has; pages.ts shows it, ranges.ts sends what is new of a file, faults.ts lets it
 * fail on request.
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
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import sharp from "sharp";
import { limitConnections, NO_LIMITS } from "../http/connections.ts";
import { type Fault, meetFaults, pathOf } from "./faults.ts";
import { type Library, openLibrary, type Photo } from "./library.ts";
import {
  homePage,
  notFoundPage,
  photoPage,
  SCRIPT,
  searchPage,
  SIZES,
  STYLE,
} from "./pages.ts";
import { addVersions } from "./ranges.ts";
import { readSample, samplePath } from "./sample.ts";

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
  /** "127.0.0.1:8765", as downloads want it among the hosts they are allowed. */
  host: string;
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
  const app = new Hono();
  app.use((context, next) => {
    onRequest?.(pathOf(context.req.url));
    return next();
  });
  app.use(meetFaults(faults));
  addVersions(app, "/pictures/*");
  addPages(app, openLibrary(await readSample()));
  const server = createAdaptorServer({
    fetch: app.fetch,
    overrideGlobalObjects: false,
    serverOptions: NO_LIMITS,
  }) as Server;
  limitConnections(server);
  await listen(server, port).catch((error) => {
    if (error.code !== "EADDRINUSE") throw error;
    return listen(server, 0);
  });
  const taken = (server.address() as AddressInfo).port;
  const host = `127.0.0.1:${taken}`;
  const origin = `http://${host}`;
  return {
    origin,
    host,
    port: taken,
    rebase: (url) =>
      url.replace(
        /^http:\/\/127\.0\.0\.1:\d+(?=\/(pictures|photos)\/)/,
        origin,
      ),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}

function addPages(app: Hono, library: Library): void {
  app.get("/", (context) => context.html(homePage(library)));
  app.get("/site.css", (context) => {
    context.header("content-type", "text/css; charset=utf-8");
    return context.body(STYLE);
  });
  app.get("/site.js", (context) => {
    context.header("content-type", "text/javascript; charset=utf-8");
    return context.body(SCRIPT);
  });
  app.get(
    "/robots.txt",
    (context) => context.text("User-agent: *\nDisallow: /account/\n"),
  );
  app.get("/search/", (context) => {
    const { text = "", page } = context.req.query();
    const number = Math.max(1, Number(page) || 1);
    return context.html(searchPage(text, library.search(text), number));
  });
  app.get("/photos/:id{[0-9]+}/", (context) => {
    const photo = library.find(Number(context.req.param("id")));
    return photo ? context.html(photoPage(photo)) : context.notFound();
  });
  app.get("/pictures/:name", async (context) => {
    const [, id, size] = PICTURE.exec(context.req.param("name")) ?? [];
    const photo = library.find(Number(id));
    if (!photo || photo.flaw === "gone") return context.notFound();
    context.header("content-type", "image/jpeg");
    return context.body(await pictureFile(photo, size as keyof typeof SIZES));
  });
  app.notFound((context) => context.html(notFoundPage(context.req.path), 404));
  app.onError((error, context) => context.text(error.message, 500));
}

/** Number and size in the name of a picture's file. */
const PICTURE = /^(\d+)-[a-z0-9-]+_([stmb])\.jpg$/;

/** A photo's file in a size, with its flaw if it has one. */
async function pictureFile(
  photo: Photo,
  size: keyof typeof SIZES,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = await readFile(samplePath(photo));
  if (size !== "b") return await resized(file, SIZES[size], size === "s");
  if (photo.isNearCopy) return await resized(file, NEAR_COPY_SIDE);
  switch (photo.flaw) {
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

/** Longest side of a near copy: the photos have up to 320. */
const NEAR_COPY_SIDE = 240;

async function resized(file: Uint8Array, side: number, square = false) {
  const fit = square ? "cover" : "inside";
  return new Uint8Array(
    await sharp(file).resize(side, side, { fit, withoutEnlargement: true })
      .jpeg({ quality: 85 }).toBuffer(),
  );
}
