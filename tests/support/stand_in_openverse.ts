/**
 * A stand-in for Openverse's API, version 1, on 127.0.0.1: its parameters and
 * their errors, its pages, and its throttles, which count each request in a
 * sliding period as Django REST framework does.
 *
 * @module
 */
import { type Context, Hono } from "hono";

/** A picture as Openverse lists it. */
export interface OpenverseImage {
  id: string;
  title: string | null;
  url: string;
  foreign_landing_url: string | null;
  creator: string | null;
  license: string;
  license_version: string | null;
  license_url: string;
  width: number | null;
  height: number | null;
  thumbnail: string;
}

const LICENCES = "by by-sa by-nd by-nc by-nc-sa by-nc-nd cc0 pdm sampling+ " +
  "nc-sampling+";

const PARAMETERS = "q page page_size license license_type source " +
  "excluded_source creator tags title filter_dead extension mature category " +
  "aspect_ratio size";

/** The picture of a number, under the licence of its number. */
export function openverseImage(term: string, number: number): OpenverseImage {
  const license = LICENCES.split(" ")[number % 8];
  const id = `${term}-${number}`;
  return {
    id,
    title: `${term} ${number}`,
    url: `https://pictures.example/${encodeURIComponent(id)}.jpg`,
    foreign_landing_url: `https://pages.example/${encodeURIComponent(id)}`,
    creator: `Creator ${number % 7}`,
    license,
    license_version: license === "cc0" || license === "pdm" ? "1.0" : "2.0",
    license_url: "https://creativecommons.org/",
    width: 1600,
    height: 1200,
    thumbnail: `https://api.example/v1/images/${encodeURIComponent(id)}/thumb/`,
  };
}

/** A quota, "20/min", and when requests were counted. */
class Throttle {
  #rate: string;
  #most: number;
  #periodMs: number;
  #history: number[] = [];

  constructor(rate: string) {
    const [most, period] = rate.split("/");
    const seconds = { s: 1, m: 60, h: 3600, d: 86_400 }[period[0]]!;
    this.#rate = rate;
    this.#most = Number(most);
    this.#periodMs = 1000 * seconds;
  }

  /** Counts a request; returns the seconds to wait if it is one too many. */
  count(): number | undefined {
    const now = Date.now();
    this.#history = this.#history.filter((at) => at > now - this.#periodMs);
    if (this.#history.length < this.#most) {
      this.#history.push(now);
      return undefined;
    }
    return (this.#history[0] + this.#periodMs - now) / 1000;
  }

  headers(scope: string): Record<string, string> {
    return {
      [`X-RateLimit-Limit-${scope}`]: this.#rate,
      [`X-RateLimit-Available-${scope}`]: `${
        this.#most - this.#history.length
      }`,
    };
  }

  forget() {
    this.#history = [];
  }
}

/**
 * Starts it.
 *
 * @param found How many pictures there are for a term.
 * @param quotas Rates as Openverse writes them.
 */
export function startOpenverse(
  found: (term: string) => number,
  quotas = { burst: "20/min", sustained: "200/day" },
) {
  const throttles = {
    anon_burst: new Throttle(quotas.burst),
    anon_sustained: new Throttle(quotas.sustained),
  };
  const counted = { answered: 0, refused: 0, terms: [] as string[] };
  /** Answers in place of the right ones, in their order. */
  const instead: ((c: Context) => Response)[] = [];
  const app = new Hono();
  app.get("/v1/images/", (c) => {
    const waits = Object.entries(throttles).map(([scope, throttle]) => {
      const wait = throttle.count();
      const headers = Object.entries(throttle.headers(scope));
      for (const [name, value] of headers) c.header(name, value);
      return wait;
    }).filter((wait) => wait !== undefined);
    if (waits.length > 0) {
      counted.refused++;
      const seconds = Math.ceil(Math.max(...waits));
      c.header("Retry-After", `${seconds}`);
      const detail = "Request was throttled. Expected available in " +
        `${seconds} second${seconds === 1 ? "" : "s"}.`;
      return c.json({ detail }, 429);
    }
    counted.answered++;
    const answer = instead.shift();
    if (answer) return answer(c);

    const query = c.req.query();
    // What it does not know it ignores; we send nothing of the kind.
    const strange = Object.keys(query).filter((name) =>
      !PARAMETERS.split(" ").includes(name)
    );
    if (strange.length > 0) throw new Error(`unknown: ${strange}`);
    const { q = "", license, page = "1", page_size = "20" } = query;
    const size = Number(page_size);
    const number = Number(page);
    if (size > 20) {
      const detail = "Ensure this value is less than or equal to 20.";
      return c.json({ detail }, 401);
    }
    const errors: Record<string, string[]> = {};
    for (const [name, value] of Object.entries({ page, page_size })) {
      if (/^[1-9]\d*$/.test(value)) continue;
      errors[name] = ["A valid integer is required."];
    }
    if (number * size > 240) errors.page = ["Invalid page."];
    const wanted = license?.split(",") ?? [];
    const unknown = wanted.find((name) => !LICENCES.split(" ").includes(name));
    if (unknown) errors.license = [`License '${unknown}' does not exist.`];
    if (Object.keys(errors).length > 0) return c.json({ detail: errors }, 400);

    const term = q.slice(0, 200);
    counted.terms.push(term);
    const all = Array.from(
      { length: found(term) },
      (_, i) => openverseImage(term, i),
    ).filter(({ license }) => wanted.length === 0 || wanted.includes(license));
    const result_count = Math.min(all.length, 240);
    return c.json({
      result_count,
      page_count: Math.ceil(result_count / size),
      page_size: size,
      page: number,
      results: all.slice((number - 1) * size, number * size),
    });
  });
  const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(listen, app.fetch);
  return {
    origin: `http://127.0.0.1:${server.addr.port}`,
    counted,
    instead,
    nextDay: () => Object.values(throttles).forEach((each) => each.forget()),
    close: () => server.shutdown(),
  };
}
