/**
 * What a crawl has found so far, each picture once.
 *
 * A site shows one picture under many addresses: in several sizes, with a note
 * of where it was clicked, on a second page of results because new uploads
 * pushed it there. The site's own id for the picture tells them together. A
 * picture that was uploaded twice has two ids; only its bytes give it away,
 * which is for the stage that downloads them.
 *
 * Touches no network.
 *
 * ```ts
 * import { Finds } from "#lib/crawl/finds.ts";
 * import { localSite } from "#lib/crawl/sites/local.ts";
 * import { equal } from "node:assert/strict";
 *
 * const finds = new Finds(localSite("http://127.0.0.1:8765"), 20);
 * const seen = { page: "", caption: "A pear", author: "", license: "" };
 * finds.add([
 *   { ...seen, image: "http://127.0.0.1:8765/pictures/1042-pear_m.jpg" },
 *   { ...seen, image: "http://127.0.0.1:8765/pictures/1042-pear_t.jpg?from=promoted" },
 * ]);
 * equal(finds.pictures.length, 1);
 * equal(finds.repeats.size, 1);
 * ```
 *
 * @module
 */
import type { FoundPicture } from "../records.ts";
import type { SeenPicture, Site } from "./sites/site.ts";

/** A found picture, before it has a category and a term. */
export type TermPicture = Omit<FoundPicture, "category" | "term">;

/** An address at which the site showed a picture again. */
export interface Repeat {
  /** As the page showed it. */
  url: string;
  /** The address under which the picture was found first. */
  of: string;
}

/** Longest text that is kept of a caption, an author or a licence. */
const MAX_TEXT = 500;

/** The pictures of one search, each under its first address. */
export class Finds {
  /** In the site's order. */
  readonly pictures: TermPicture[] = [];
  /** By the repeat's address. */
  readonly repeats = new Map<string, Repeat>();
  /** By the site's id: where it was seen first, and its address. */
  #known = new Map<string, { image: string; url: string }>();
  #site: Site;
  #maxImages: number;

  /**
   * Starts with no finds.
   *
   * @param site Tells the site's pictures from others, and from each other.
   * @param maxImages Most pictures to take.
   */
  constructor(site: Site, maxImages: number) {
    this.#site = site;
    this.#maxImages = maxImages;
  }

  /** Whether there are enough. */
  get complete(): boolean {
    return this.pictures.length >= this.#maxImages;
  }

  /** Takes all that a page shows, most of which was there a step ago. */
  add(seen: readonly SeenPicture[]): void {
    for (const { image, page, caption, author, license } of seen) {
      const url = this.#site.pictureUrl(image);
      if (!url || !/^https?:/.test(url)) continue;
      const id = this.#site.pictureId(url);
      const known = this.#known.get(id);
      if (known) {
        if (known.image !== image) {
          this.repeats.set(image, { url: image, of: known.url });
        }
        continue;
      }
      if (this.complete) return;
      this.#known.set(id, { image, url });
      this.pictures.push({
        url,
        page: /^https?:/.test(page) ? page : "",
        caption: tidy(caption),
        author: tidy(author),
        license: tidy(license),
      });
    }
  }
}

/** Text from outside: on one line, and not endless. */
export function tidy(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, MAX_TEXT);
}
