import * as v from "valibot";
import { listOf, pixels, text } from "#lib/crawl/sites/fields.ts";
import type { ApiSite, SiteOptions } from "#lib/crawl/sites/site.ts";

const credit = { page: text, caption: text, author: text, license: text };
const item = v.object({ url: text, ...credit, width: pixels, height: pixels });
const answer = v.object({ pages: v.number(), items: listOf(item) });

/** https://museum.example/ */
export function museum({ licences, origin }: SiteOptions = {}): ApiSite {
  return {
    name: "The museum",
    intervalMs: 1000,
    origin: origin ?? "https://api.museum.example",
    allowedHost: origin && new URL(origin).host,
    licences,
    pictureId: (url) => url,
    async *search(term, ask) {
      for (let page = 1, pages = 1; page <= pages; page++) {
        const url = new URL("/search", this.origin);
        url.search = `${new URLSearchParams({ q: term, page: `${page}` })}`;
        const found = await ask(url, answer);
        yield found.items;
        pages = found.pages;
      }
    },
  };
}
