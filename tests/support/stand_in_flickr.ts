/**
 * A stand-in for Flickr's API, flickr.photos.search alone, on 127.0.0.1: its
 * key, its arguments and error codes, its sizes as far as an owner permits
 * them, and its bound: beyond 4,000 results it shows the last page again.
 *
 * @module
 */
import { type Context, Hono } from "hono";

/** A photo: when it was uploaded, in seconds, and what its owner permits. */
export interface FlickrPhoto {
  id: string;
  title: string;
  owner: string;
  ownername: string;
  license: number;
  uploaded: number;
  width: number;
  height: number;
  /** Whether everybody may have the original. */
  original: boolean;
}

const ARGUMENTS = "method api_key format nojsoncallback text tags tag_mode " +
  "user_id min_upload_date max_upload_date min_taken_date max_taken_date " +
  "license sort media content_type safe_search extras per_page page";

const EXTRAS = "description license date_upload date_taken owner_name " +
  "icon_server original_format last_update geo tags machine_tags o_dims views " +
  "media path_alias url_sq url_t url_s url_q url_m url_n url_z url_c url_l url_o";

const SORTS = "date-posted-asc date-posted-desc date-taken-asc " +
  "date-taken-desc interestingness-desc interestingness-asc relevance";

/** The longer side of each size, and its letter in an address. */
const SIZES: Record<string, [side: number, suffix: string]> = {
  t: [100, "_t"],
  s: [240, "_m"],
  n: [320, "_n"],
  m: [500, ""],
  z: [640, "_z"],
  c: [800, "_c"],
  l: [1024, "_b"],
};

/** Most results that a query leads to. */
const BOUND = 4000;

/** The photo of a number. */
export function flickrPhoto(number: number, uploaded: number): FlickrPhoto {
  return {
    id: `${53_000_000_000 + number}`,
    title: `Photo ${number}`,
    owner: `${1000 + number % 9}@N0${number % 9}`,
    ownername: `Owner ${number % 9}`,
    license: number % 17,
    uploaded,
    width: 3000,
    height: 2000,
    original: number % 2 === 0,
  };
}

/** What the extras add: numbers as JSON has them, the licence as a text. */
function described(photo: FlickrPhoto, extras: string[]) {
  const { id, owner, title, license, ownername, width, height } = photo;
  const about: Record<string, unknown> = { id, owner, title, secret: "0a1b2c" };
  if (extras.includes("license")) about.license = `${license}`;
  if (extras.includes("owner_name")) about.ownername = ownername;
  const longer = Math.max(width, height);
  for (const [size, [side, suffix]] of Object.entries(SIZES)) {
    if (!extras.includes(`url_${size}`) || side > longer) continue;
    const scale = side / longer;
    about[`url_${size}`] =
      `https://live.staticflickr.com/65535/${id}_0a1b2c${suffix}.jpg`;
    about[`width_${size}`] = Math.round(width * scale);
    about[`height_${size}`] = Math.round(height * scale);
  }
  if (photo.original && extras.includes("url_o")) {
    about.url_o = `https://live.staticflickr.com/65535/${id}_ffeedd_o.png`;
    about.width_o = `${width}`;
    about.height_o = `${height}`;
  }
  return about;
}

/**
 * Starts it.
 *
 * @param found The photos of a term.
 */
export function startFlickr(found: (term: string) => FlickrPhoto[]) {
  const requests: URLSearchParams[] = [];
  /** Answers in place of the right ones, in their order. */
  const instead: ((c: Context) => Response)[] = [];
  const app = new Hono();
  app.get("/services/rest/", (c) => {
    const query = new URL(c.req.url).searchParams;
    requests.push(query);
    const answer = instead.shift();
    if (answer) return answer(c);
    const fail = (code: number, message: string) =>
      c.json({ stat: "fail", code, message });
    const list = (name: string) => query.get(name)?.split(",") ?? [];
    if (query.get("format") !== "json" || !query.has("nojsoncallback")) {
      return fail(111, `Format "${query.get("format")}" not found`);
    }
    if (query.get("method") !== "flickr.photos.search") {
      return fail(112, `Method "${query.get("method")}" not found`);
    }
    if (query.get("api_key") !== KEY) {
      return fail(100, "Invalid API Key (Key has invalid format)");
    }
    const text = query.get("text") ?? "";
    if (text.trim() === "") {
      return fail(
        3,
        "Parameterless searches have been disabled. Please use " +
          "flickr.photos.getRecent instead.",
      );
    }
    // What it does not know it ignores; we send nothing of the kind.
    const known = (names: string, all: string) =>
      names.split(",").every((name) => all.split(" ").includes(name));
    const right = known([...query.keys()].join(), ARGUMENTS) &&
      known(query.get("extras")!, EXTRAS) && known(query.get("sort")!, SORTS);
    if (!right) throw new Error(`not as documented: ${query}`);

    const from = Number(query.get("min_upload_date") ?? 0);
    const to = Number(query.get("max_upload_date") ?? Infinity);
    if (from > to) return fail(18, "Illogical arguments");
    const licences = list("license").map(Number);
    const photos = found(text).filter(({ license, uploaded }) =>
      uploaded >= from && uploaded <= to &&
      (licences.length === 0 || licences.includes(license))
    ).sort((a, b) => b.uploaded - a.uploaded);
    const perPage = Math.min(500, Number(query.get("per_page") ?? 100));
    const last = Math.max(
      1,
      Math.ceil(Math.min(photos.length, BOUND) / perPage),
    );
    const page = Math.min(Number(query.get("page") ?? 1), last);
    return c.json({
      photos: {
        page,
        pages: Math.ceil(photos.length / perPage),
        perpage: perPage,
        // A text, in some answers.
        total: `${photos.length}`,
        photo: photos.slice((page - 1) * perPage, page * perPage)
          .map((photo) => described(photo, list("extras"))),
      },
      stat: "ok",
    });
  });
  const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(listen, app.fetch);
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    requests,
    instead,
    close: () => server.shutdown(),
  };
}

/** The one key that it takes. */
export const KEY = "0123456789abcdef0123456789abcdef";
