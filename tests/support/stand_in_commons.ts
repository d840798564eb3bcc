/**
 * A stand-in for the API of Wikimedia Commons on 127.0.0.1: MediaWiki's
 * action=query with generator=search and prop=imageinfo. Errors come with the
 * status 200, as MediaWiki's do; a database that lags is one of them.
 *
 * @module
 */
import { type Context, Hono } from "hono";

/** A file of Commons. */
export interface CommonsFile {
  title: string;
  mime: string;
  width: number;
  height: number;
  /** HTML, by the name of the field. */
  metadata: Record<string, string>;
}

const PARAMETERS = "action format formatversion maxlag generator gsrsearch " +
  "gsrnamespace gsrlimit gsroffset prop iiprop iiurlwidth " +
  "iiextmetadatafilter continue";

/** `haslicense:` by group, and licences outside of all groups. */
const GROUPS: Record<string, RegExp> = {
  "unrestricted": /^(CC0|Public domain)$/,
  "attribution": /^CC BY \d/,
  "attribution-same-license": /^CC BY-SA/,
};

const LICENCES = ["CC BY-SA 4.0", "CC BY 4.0", "CC0", "Public domain", "GFDL"];

/** The file of a number; each tenth is a drawing, which is not decoded. */
export function commonsFile(term: string, number: number): CommonsFile {
  const [ending, mime] = number % 10 === 9
    ? ["xcf", "image/x-xcf"]
    : number % 10 === 8
    ? ["tif", "image/tiff"]
    : ["jpg", "image/jpeg"];
  return {
    title: `File:${term} ${number}.${ending}`,
    mime,
    width: number % 3 === 0 ? 1000 : 6000,
    height: number % 3 === 0 ? 750 : 4000,
    metadata: {
      Artist:
        `<a href="//commons.wikimedia.org/wiki/User:Ada" title="User:Ada">` +
        `Ada &amp; Bo ${number % 4}</a>`,
      ImageDescription: `<p>A <i>${term}</i>,<br>number ${number}</p>`,
      ObjectName: `${term} ${number}`,
      LicenseShortName: LICENCES[number % LICENCES.length],
    },
  };
}

/** Where a file lies, and its copy of a width. */
function addresses({ title, width, mime }: CommonsFile, wished: number) {
  const name = encodeURIComponent(title.slice(5).replaceAll(" ", "_"));
  const folder = "https://upload.wikimedia.org/wikipedia/commons";
  const url = `${folder}/a/ab/${name}`;
  const copy = `${folder}/thumb/a/ab/${name}/${wished}px-${name}`;
  return {
    url,
    thumburl: `${
      width > wished ? copy + (mime === "image/tiff" ? ".jpg" : "") : url
    }?utm_source=commons.wikimedia.org&utm_content=thumbnail`,
    descriptionurl: `https://commons.wikimedia.org/wiki/File:${name}`,
  };
}

/**
 * Starts it.
 *
 * @param found The files of a term.
 */
export function startCommons(found: (term: string) => CommonsFile[]) {
  const requests: { query: URLSearchParams; userAgent: string }[] = [];
  const state = { lag: 0, underWay: 0, mostAtOnce: 0 };
  /** Answers in place of the right ones, in their order. */
  const instead: ((c: Context) => Response)[] = [];
  const app = new Hono();
  app.use(async (_, next) => {
    state.mostAtOnce = Math.max(state.mostAtOnce, ++state.underWay);
    await next();
    state.underWay--;
  });
  app.get("/w/api.php", (c) => {
    const query = new URL(c.req.url).searchParams;
    const userAgent = c.req.header("user-agent") ?? "";
    requests.push({ query, userAgent });
    const answer = instead.shift();
    if (answer) return answer(c);
    const fail = (code: string, info: string, more = {}) => {
      c.header("MediaWiki-API-Error", code);
      return c.json({ error: { code, info, ...more } });
    };
    if (userAgent === "") return c.text("Please set a user-agent", 403);
    // What it does not know it warns of; we send nothing of the kind.
    const strange = [...query.keys()].filter((name) =>
      !PARAMETERS.split(" ").includes(name)
    );
    if (strange.length > 0) throw new Error(`unrecognized: ${strange}`);
    if (query.get("action") !== "query") {
      return fail(
        "badvalue",
        `Unrecognized value for parameter "action": ${query.get("action")}.`,
      );
    }
    if (state.lag > Number(query.get("maxlag") ?? Infinity)) {
      const lag = state.lag;
      state.lag = 0;
      c.header("Retry-After", "1");
      c.header("X-Database-Lag", `${lag}`);
      const info = `Waiting for 10.64.0.1: ${lag} seconds lagged.`;
      return fail("maxlag", info, { host: "10.64.0.1", lag, type: "db" });
    }
    const search = query.get("gsrsearch") ?? "";
    if (search === "") {
      return fail("missingparam", 'The "gsrsearch" parameter must be set.');
    }
    if (search.length > 300) {
      return fail(
        "cirrussearch-query-too-long",
        "Search request is longer than the maximum allowed length. " +
          `(${search.length} > 300)`,
      );
    }
    const [, term, groups] = /^(.*?) filetype:bitmap(?: haslicense:(\S+))?$/s
      .exec(search)!;
    const files = found(term).filter(({ metadata }) =>
      !groups ||
      groups.split("|").some((group) =>
        GROUPS[group].test(metadata.LicenseShortName)
      )
    );
    const limit = Math.min(Number(query.get("gsrlimit")), 500);
    const width = Number(query.get("iiurlwidth"));
    if (limit > 50 && width) throw new Error("at most 50 scaled files");
    const offset = Number(query.get("gsroffset") ?? 0);
    const next = offset + limit;
    if (offset >= files.length) return c.json({ batchcomplete: true });
    const names = query.get("iiextmetadatafilter")!.split("|");
    const pages = files.slice(offset, next).map((file, i) => {
      const scale = Math.min(1, width / file.width);
      return {
        pageid: 1000 - i,
        ns: 6,
        title: file.title,
        index: offset + i + 1,
        imagerepository: "local",
        imageinfo: [{
          size: 1_000_000,
          width: file.width,
          height: file.height,
          ...addresses(file, width),
          thumbwidth: Math.round(file.width * scale),
          thumbheight: Math.round(file.height * scale),
          mime: file.mime,
          extmetadata: Object.fromEntries(
            Object.entries(file.metadata)
              .filter(([name]) => names.includes(name))
              .map(([name, value]) => [name, {
                value,
                source: "commons-desc-page",
              }]),
          ),
        }],
      };
    });
    return c.json({
      batchcomplete: true,
      ...next < files.length && {
        continue: { gsroffset: next, continue: "gsroffset||" },
      },
      // In the order of their numbers, as pages come.
      query: { pages: pages.toSorted((a, b) => a.pageid - b.pageid) },
    });
  });
  const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(listen, app.fetch);
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    requests,
    instead,
    state,
    close: () => server.shutdown(),
  };
}
