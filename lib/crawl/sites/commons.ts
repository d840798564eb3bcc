/**
 * Wikimedia Commons by the API of MediaWiki: a search among files, with what is
 * known about each.
 *
 * ```text
 * GET /w/api.php?action=query&generator=search&gsrsearch=owl filetype:bitmap
 *     &gsrnamespace=6&prop=imageinfo&iiprop=url|size|mime|extmetadata&…
 * { "continue": { "gsroffset": 50, "continue": "gsroffset||" },
 *   "query": { "pages": [{ "index": 1, "title": "File:Owl.jpg", "imageinfo": [{
 *     "thumburl": …, "descriptionurl": …, "mime": "image/jpeg", "extmetadata": {
 *       "Artist": { "value": "<a href=…>Ada</a>" }, … } }] }] } }
 * ```
 *
 * Originals may have 100 megapixels, so we take Commons' own copy of 1280 pixels
 * width, or the original where that is no wider or none was made, and it is not
 * too large. What comes with a file is HTML, of which we keep the text.
 *
 * As its etiquette asks, requests follow one another, say who asks, and stand
 * back while the databases are busy (`maxlag`).
 *
 * Follows MediaWiki 1.44 (API:Imageinfo, API:Search, API:Etiquette, API:Errors
 * and warnings, Manual:Maxlag parameter) and the keywords of CirrusSearch and
 * WikibaseCirrusSearch (`filetype:`, `haslicense:`). Tried only against a
 * stand-in (tests/support/stand_in_commons.ts): we have never met the live API.
 *
 * ```ts
 * import { commons } from "#lib/crawl/sites/commons.ts";
 * import { strictEqual } from "node:assert/strict";
 *
 * const folder = "https://upload.wikimedia.org/wikipedia/commons";
 * const { pictureId } = commons();
 * strictEqual(pictureId(`${folder}/thumb/a/ab/Owl.jpg/1280px-Owl.jpg`), "a/ab/Owl.jpg");
 * strictEqual(pictureId(`${folder}/a/ab/Owl.jpg`), "a/ab/Owl.jpg");
 * ```
 *
 * @module
 */
import { Parser } from "htmlparser2";
import * as v from "valibot";
import { isOneOf, licenceFamily, licenceName } from "../licences.ts";
import { cut, listOf, number, pixels, Skipped, text } from "./fields.ts";
import type {
  ApiError,
  ApiSite,
  ShownSize,
  SiteOptions,
  SitePicture,
} from "./site.ts";

/** Most files with a smaller copy in one answer. */
const PAGE_SIZE = 50;

/** Widths that Wikimedia keeps ready, of the picture and of the small one. */
const WIDTH = 1280;
const SMALL_WIDTH = 330;

/** Largest original that is taken, in bytes: as much as is downloaded. */
const MAX_ORIGINAL = 20_000_000;

/** Longest query, keywords included. */
const MAX_QUERY = 300;

/** Longest part of HTML that is read. */
const MAX_HTML = 4000;

/** What pictures.ts decodes, of what Commons takes. */
const DECODED = /^image\/(jpeg|png|gif|webp|tiff)$/;

/** The search's groups of licences, and the families in each. */
const LICENCES: Record<string, string[]> = {
  "unrestricted": ["CC0", "public domain"],
  "attribution": ["CC BY"],
  "attribution-same-license": ["CC BY-SA"],
};

/** Names that mean something else here than elsewhere: this one is no CC BY. */
const OWN_NAMES: Record<string, string> = {
  "Attribution": "any use with attribution",
};

/** Metadata: HTML, or something else that is none of ours. */
const html = v.pipe(
  v.fallback(v.object({ value: text }), { value: "" }),
  v.transform(({ value }) => plainText(value)),
);

const metadata = v.object({
  Artist: v.optional(html, { value: "" }),
  ImageDescription: v.optional(html, { value: "" }),
  ObjectName: v.optional(html, { value: "" }),
  LicenseShortName: v.optional(html, { value: "" }),
});

const info = v.object({
  url: text,
  width: pixels,
  height: pixels,
  size: number,
  // Empty where no copy could be made, with the reason.
  thumburl: text,
  thumberror: text,
  thumbwidth: pixels,
  thumbheight: pixels,
  descriptionurl: text,
  mime: text,
  // An empty list where there is none.
  extmetadata: v.fallback(metadata, v.parse(metadata, {})),
});

/** What is known of a file. */
type Info = v.InferOutput<typeof info>;

const file = v.object({
  index: number,
  title: text,
  // A file of which the next answer says more has none yet.
  imageinfo: v.optional(listOf(info), []),
});

/** A file, or why there is none in its place. */
type Found = v.InferOutput<typeof file> | Skipped;

const page = v.pipe(
  v.object({
    batchcomplete: v.optional(v.boolean()),
    continue: v.optional(
      v.record(v.string(), v.union([v.string(), v.number()])),
    ),
    // Nothing was found where there is none.
    query: v.optional(v.object({ pages: listOf(file) }), { pages: [] }),
  }),
  v.check(
    (answer) => Boolean(answer.batchcomplete ?? answer.continue),
    "results",
  ),
);

/** https://commons.wikimedia.org/ */
export function commons(options: SiteOptions = {}): ApiSite {
  const { licences = [], origin } = options;
  return {
    name: "Wikimedia Commons",
    intervalMs: 1000,
    origin: origin ?? "https://commons.wikimedia.org",
    allowedHost: origin && new URL(origin).host,
    licences,
    pictureId: (url) =>
      /\/wikipedia\/commons\/(?:thumb\/)?(.\/..\/[^/?]+)/.exec(url)?.[1] ?? url,
    async *search(term, ask) {
      let further: Record<string, string | number> | undefined = {};
      while (further) {
        const url = new URL("/w/api.php", this.origin);
        for (
          const [name, value] of Object.entries({
            action: "query",
            format: "json",
            formatversion: 2,
            maxlag: 5,
            generator: "search",
            gsrsearch: queryOf(term, licences),
            gsrnamespace: 6,
            gsrlimit: PAGE_SIZE,
            prop: "imageinfo",
            iiprop: "url|size|mime|extmetadata",
            iiurlwidth: WIDTH,
            iiextmetadatafilter: Object.keys(metadata.entries).join("|"),
            ...further,
          })
        ) url.searchParams.set(name, `${value}`);
        const answer: v.InferOutput<typeof page> = await ask(url, page);
        yield answer.query.pages.toSorted((a, b) => placeOf(a) - placeOf(b))
          .flatMap(toPicture);
        further = answer.continue;
      }
    },
    errorOf,
  };
}

/** The term, and the keywords that keep to pictures and licences. */
function queryOf(term: string, licences: readonly string[]): string {
  const groups = Object.entries(LICENCES).filter(([, names]) =>
    names.some((name) => isOneOf(name, licences.map(licenceFamily)))
  );
  // Other licences have no group of their own, and are told when they come.
  const known = groups.flatMap(([, names]) => names);
  const allKnown = licences.every((licence) =>
    isOneOf(licenceFamily(licence), known)
  );
  const keywords = licences.length > 0 && allKnown
    ? ` filetype:bitmap haslicense:${groups.map(([name]) => name).join("|")}`
    : " filetype:bitmap";
  return cut(term, MAX_QUERY - keywords.length) + keywords;
}

/** Its place among the results; what is no file comes first. */
function placeOf(found: Found): number {
  return found instanceof Skipped ? 0 : found.index;
}

/** One picture, or none of a file that is not decoded. */
function toPicture(found: Found): (SitePicture | Skipped)[] {
  if (found instanceof Skipped) return [found];
  const { title, imageinfo: [info] } = found;
  if (!info) return [];
  if (info instanceof Skipped) return [new Skipped(title, info.reason)];
  if (!DECODED.test(info.mime)) return [];
  const size = sizeOf(info);
  if (size instanceof Skipped) return [size];
  const { Artist, ImageDescription, ObjectName, LicenseShortName } =
    info.extmetadata;
  return [{
    ...size,
    page: info.descriptionurl,
    caption: ImageDescription || ObjectName ||
      title.replace(/^File:|\.\w+$/g, ""),
    author: Artist,
    license: licenceName(OWN_NAMES[LicenseShortName] ?? LicenseShortName),
  }];
}

/** The smaller copy; the original where there is none. */
function sizeOf(
  { url, width, height, size, thumburl, thumberror, ...more }: Info,
): ShownSize & { thumbnail?: string } | Skipped {
  // Some answers add who asked: "?utm_source=…".
  const [original] = url.split("?");
  const [copy] = thumburl.split("?");
  if (copy) {
    const thumbnail = copy.replace(`/${WIDTH}px-`, `/${SMALL_WIDTH}px-`);
    const { thumbwidth, thumbheight } = more;
    return { url: copy, width: thumbwidth, height: thumbheight, thumbnail };
  }
  if (original && size <= MAX_ORIGINAL) return { url: original, width, height };
  const why = thumberror || "no reason given";
  return new Skipped(
    more.descriptionurl,
    `no smaller copy (${why}), and an original of ${size} bytes: expected ` +
      `${MAX_ORIGINAL} at most`,
  );
}

/** What a browser shows on lines of its own. */
const ON_ITS_OWN =
  /^(?:br|hr|p|div|h[1-6]|ul|ol|li|dl|dt|dd|table|tr|td|th|blockquote|pre)$/;

/** What a browser would show of HTML, without the name of its language. */
function plainText(html: string): string {
  let text = "";
  /** How many of the elements around are hidden, or within one that is. */
  let hidden = 0;
  const keepApart = (name: string) => {
    if (ON_ITS_OWN.test(name)) text += " ";
  };
  const parser = new Parser({
    onopentag(name, attributes) {
      if (hidden > 0 || isHidden(name, attributes)) hidden++;
      keepApart(name);
    },
    ontext(part) {
      if (hidden === 0) text += part;
    },
    onclosetag(name) {
      if (hidden > 0) hidden--;
      keepApart(name);
    },
  });
  parser.end(html.slice(0, MAX_HTML));
  return text;
}

/** Commons keeps data for programs in what is not shown: "Creator QS:P170,Q5582". */
function isHidden(
  name: string,
  { style = "", class: classes = "", hidden }: Record<string, string>,
): boolean {
  return /^(?:script|style|template)$/.test(name) || hidden !== undefined ||
    /display\s*:\s*none/i.test(style) ||
    // "English:" before a description in English.
    classes.split(/\s/).includes("language");
}

const failure = v.object({ error: v.object({ code: v.string(), info: text }) });

function errorOf(answer: unknown): ApiError | undefined {
  if (!v.is(failure, answer)) return undefined;
  const { code, info } = v.parse(failure, answer).error;
  const remedy = /^(maxlag|ratelimited)$/.test(code)
    ? "wait"
    : /^(readonly|internal_api_error|cirrussearch-.*(busy|backend))/.test(code)
    ? "retry"
    : "none";
  return { said: `${code}: ${plainText(info)}`, remedy };
}
