/**
 * What the search for one term has brought up, each picture once.
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
 * import { SearchResults } from "#lib/crawl/search_results.ts";
 * import { localSite } from "#lib/crawl/sites/local.ts";
 * import { equal } from "node:assert/strict";
 *
 * const results = new SearchResults(localSite("http://127.0.0.1:8765"), 20);
 * const pear = { page: "", caption: "A pear", author: "", license: "" };
 * results.add([
 *   { ...pear, url: "http://127.0.0.1:8765/pictures/1042-pear_m.jpg" },
 *   { ...pear, url: "http://127.0.0.1:8765/pictures/1042-pear_t.jpg?from=promoted" },
 * ]);
 * equal(results.pictures.length, 1);
 * equal(results.repeats.size, 1);
 * ```
 *
 * @module
 */
import type { Site, SitePicture } from "./sites/site.ts";

/** Longest text that is kept of a caption, an author or a licence. */
const MAX_TEXT = 500;

/** The pictures of one search, each under its first address. */
export class SearchResults {
  /** In the site's order, with the address of the wished size. */
  readonly pictures: SitePicture[] = [];
  /** Addresses that the site showed later, and that of the picture. */
  readonly repeats = new Map<string, string>();
  /** By the site's id: at which address it was shown first, and its own. */
  #known = new Map<string, { shown: string; url: string }>();
  #site: Site;
  #maxImages: number;

  /**
   * Starts with no results.
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
  add(shown: readonly SitePicture[]): void {
    for (const picture of shown) {
      const url = this.#site.pictureUrl(picture.url);
      if (!url || !/^https?:/.test(url)) continue;
      const id = this.#site.pictureId(url);
      const known = this.#known.get(id);
      if (known) {
        if (known.shown !== picture.url) {
          this.repeats.set(picture.url, known.url);
        }
        continue;
      }
      if (this.complete) return;
      this.#known.set(id, { shown: picture.url, url });
      this.pictures.push({
        url,
        page: /^https?:/.test(picture.page) ? picture.page : "",
        caption: tidy(picture.caption),
        author: tidy(picture.author),
        license: tidy(picture.license),
      });
    }
  }
}

/** Text from outside: on one line, and not endless. */
export function tidy(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, MAX_TEXT);
}
