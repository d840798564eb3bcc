/**
 * What one search brings up, by a page or by an interface: each picture once,
 * under the address of the wished size, with texts from outside cut and checked.
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
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const origin = "http://127.0.0.1:8765";
 * const results = new SearchResults(localSite(origin), 20);
 * const shown = ["_m.jpg", "_t.jpg?from=promoted"].map((end) => (
 *   { url: `${origin}/pictures/1042-pear${end}`, page: "", caption: "A pear",
 *     author: "", license: "" }
 * ));
 * results.add(shown);
 * const { pictures, repeats } = results.findings();
 * deepStrictEqual(pictures.map(({ url }) => url), [`${origin}/pictures/1042-pear_b.jpg`]);
 * deepStrictEqual(repeats, [{ url: shown[1].url, of: pictures[0].url }]);
 * ```
 *
 * @module
 */
import { webAddress } from "../http/http.ts";
import { isOneOf, licenceName } from "./licences.ts";
import { cut, Skipped } from "./sites/fields.ts";
import type { PageSite, ShownSize, Site, SitePicture } from "./sites/site.ts";

/** What a term's search led to. */
export interface TermFindings {
  /** In the site's order, each once. */
  pictures: SitePicture[];
  /** Addresses at which the site showed one again, and the picture's own. */
  repeats: { url: string; of: string }[];
  /**
   * What is left out, and why: addresses that are none of the web, cut short, and
   * what the site itself cannot give; absent if nothing.
   */
  skipped?: { url: string; reason: string }[];
  /** What else is to be known of the pictures; absent if nothing. */
  remark?: string;
  /** Why there is nothing, or may be more; absent if all went well. */
  failure?: string;
}

/** Longest text that is kept of a caption, an author or a licence. */
const MAX_TEXT = 500;

/** Longest part that is kept of an address that is skipped: `data:` has no end. */
const MAX_ADDRESS = 100;

/** The pictures of one search, each under its first address. */
export class SearchResults {
  /** In the site's order, with the address of the wished size. */
  readonly pictures: SitePicture[] = [];
  /** Addresses that the site showed later, and that of the picture. */
  readonly repeats = new Map<string, string>();
  /** What is left out, each once: addresses that are none of the web (`data:`). */
  readonly skipped = new Map<string, Skipped>();
  /** Pages that robots.txt forbids, of pictures whose credits are not known. */
  readonly forbidden = new Set<string>();
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

  /** How many pictures were looked at, those that were dropped among them. */
  get seen(): number {
    return this.#known.size;
  }

  /** Whether there are enough. */
  get complete(): boolean {
    return this.pictures.length >= this.#maxImages;
  }

  /** Takes all that a page shows, most of which was there a step ago. */
  add(shown: readonly (SitePicture | Skipped)[]): void {
    for (const picture of shown) {
      if (picture instanceof Skipped) {
        this.#skip(picture.url, picture.reason);
        continue;
      }
      if (picture.url === "" && "search" in this.#site) {
        this.#skip(picture.page, "no address of a picture");
      }
      if (!this.#isOfWeb(picture.url)) continue;
      const url = "pictureUrl" in this.#site
        ? this.#site.pictureUrl(picture.url)
        : picture.url;
      if (!url || !this.#isOfWeb(url)) continue;
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
      const { width, height } = picture;
      const isSmall = "pictureUrl" in this.#site;
      const thumbnail = picture.thumbnail ?? (isSmall ? picture.url : "");
      this.pictures.push({
        url,
        page: this.#isOfWeb(picture.page) ? picture.page : "",
        caption: tidy(picture.caption),
        author: tidy(picture.author),
        license: licenceName(tidy(picture.license)),
        ...isLength(width) && isLength(height) && { width, height },
        ...this.#isOfWeb(thumbnail) && { thumbnail },
        ...picture.sizes && this.bestOf(url, [...picture.sizes, { url }]),
      });
    }
  }

  /**
   * The wished one of the sizes in which a page shows a picture.
   *
   * @param url The picture's address until now.
   * @returns Undefined if there is none, or it is of another picture.
   */
  bestOf(
    url: string,
    sizes: readonly ShownSize[] = [],
  ): ShownSize | undefined {
    const site = this.#site as PageSite;
    const own = sizes.filter((size) =>
      this.#isOfWeb(size.url) &&
      site.pictureId(size.url) === site.pictureId(url)
    );
    const best = site.bestSize?.(own);
    if (!best) return;
    const { width, height } = best;
    const isTold = isLength(width) && isLength(height);
    return { url: best.url, ...isTold && { width, height } };
  }

  /**
   * Drops the pictures under other licences; they stay known.
   *
   * @param licences As isOneOf() takes them; none drops nothing.
   * @returns How many were dropped.
   */
  dropAllBut(licences: readonly string[]): number {
    if (licences.length === 0) return 0;
    const others = this.pictures.filter(({ license }) =>
      !isOneOf(license, licences)
    );
    const ids = new Set(others.map(({ url }) => this.#site.pictureId(url)));
    for (const [url, of] of this.repeats) {
      if (ids.has(this.#site.pictureId(of))) this.repeats.delete(url);
    }
    for (const other of others) {
      this.pictures.splice(this.pictures.indexOf(other), 1);
    }
    return others.length;
  }

  /**
   * What the search led to.
   *
   * @param failure Why there is nothing, or may be more.
   */
  findings(failure?: string): TermFindings {
    const repeats = [...this.repeats].map(([url, of]) => ({ url, of }));
    const skipped = [...this.skipped.values()].map((one) => ({ ...one }));
    const { size: forbidden } = this.forbidden;
    return {
      pictures: this.pictures,
      repeats,
      ...skipped.length > 0 && { skipped },
      ...forbidden > 0 && {
        remark: `robots.txt forbids ${forbidden} of the pictures' pages: ` +
          "their authors or licences may be missing",
      },
      ...failure && { failure },
    };
  }

  /** Whether there is an http or https address; another one is noted. */
  #isOfWeb(address: string): boolean {
    if (address === "") return false;
    try {
      webAddress(address);
      return true;
    } catch (error) {
      this.#skip(address, (error as Error).message);
      return false;
    }
  }

  #skip(address: string, why: string): void {
    const url = cut(address, MAX_ADDRESS);
    const reason = tidy(why);
    this.skipped.set(`${url}\n${reason}`, new Skipped(url, reason));
  }
}

/** Whether a site's number can be one of pixels. */
function isLength(pixels: number | undefined): boolean {
  return Number.isInteger(pixels) && pixels! > 0;
}

/** Text from outside: on one line, of whole characters, and not endless. */
export function tidy(text: string): string {
  return cut(text.replace(/\s+/g, " ").trim(), MAX_TEXT);
}
