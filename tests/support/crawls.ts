import { crawl, type CrawlOptions } from "#lib/crawl/crawl.ts";
import type { SearchPlan } from "#lib/crawl/plan.ts";
import type { Site } from "#lib/crawl/sites/site.ts";

/** What a test gets: a stand-in that runs, a folder, and crawls into it. */
export interface Crawls<StandIn, Options> {
  standIn: StandIn;
  folder: string;
  /** Crawls for a plan, or for terms of one category. */
  run: (
    plan: SearchPlan | string[],
    options?: CrawlOptions & Options,
  ) => ReturnType<typeof crawl>;
}

/**
 * Runs a test of crawls at a stand-in, which is closed at the end.
 *
 * @param open Makes the site from a run's options.
 */
export async function withCrawls<
  StandIn extends { close(): Promise<unknown> },
  Options,
>(
  standIn: StandIn,
  open: (options?: Options) => Site,
  test: (crawls: Crawls<StandIn, Options>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test({
      standIn,
      folder,
      run: (plan, options) =>
        crawl(open(options), Array.isArray(plan) ? { a: plan } : plan, {
          folder,
          intervalMs: 0,
          backoffMs: 5,
          ...options,
        }),
    });
  } finally {
    await standIn.close();
    await Deno.remove(folder, { recursive: true });
  }
}
