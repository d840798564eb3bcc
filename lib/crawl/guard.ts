/**
 * Keeps a browser's tab from addresses that are not public: whatever a page
 * opens, loads, asks for or redirects to is judged before it is sent.
 *
 * It sees the tab's own requests and says why they fail. What goes out in other
 * ways (web sockets, workers, what is fetched ahead), and a name that answers
 * otherwise when it is looked up again, public_proxy.ts stops.
 *
 * ```ts
 * import { launchBrowser } from "#lib/crawl/browser.ts";
 * import { guardTab } from "#lib/crawl/guard.ts";
 * import { rejects } from "node:assert/strict";
 *
 * const browser = await launchBrowser();
 * const tab = await browser.newPage();
 * await guardTab(tab, []);
 * await rejects(tab.goto("http://localhost:1/"), /ERR_ACCESS_DENIED/);
 * await browser.close();
 * ```
 *
 * @module
 */
import type { HTTPRequest, Page } from "puppeteer-core";
import { checkHost } from "../http/addresses.ts";
import { FinalError } from "../http/final_error.ts";

/** What the browser says of a request that the guard refused. */
export const REFUSED = "ERR_ACCESS_DENIED";

/**
 * Refuses a tab's requests to addresses that are not public.
 *
 * @param allowedHosts Hosts with their ports that may be asked all the same.
 */
export async function guardTab(
  tab: Page,
  allowedHosts: readonly string[],
): Promise<void> {
  /** Why hosts are refused, if they are: a page asks the same few many times. */
  const known = new Map<string, Promise<AbortReason | undefined>>();
  const refusalOf = async (request: HTTPRequest) => {
    const url = new URL(request.url());
    if (!/^https?:$/.test(url.protocol)) {
      // Content that the page itself carries may be shown, not opened.
      const carried = /^(data|blob):$/.test(url.protocol);
      return carried && !request.isNavigationRequest()
        ? undefined
        : "accessdenied";
    }
    if (allowedHosts.includes(url.host)) return undefined;
    if (!known.has(url.hostname)) {
      const judged = checkHost(url).then(() => undefined, reasonOf);
      known.set(url.hostname, judged);
    }
    return await known.get(url.hostname);
  };
  tab.on("request", async (request) => {
    const refusal = await refusalOf(request);
    const sent = refusal ? request.abort(refusal) : request.continue();
    // The tab may be closed by now.
    await sent.catch(() => {});
  });
  await tab.setRequestInterception(true);
}

type AbortReason = "accessdenied" | "namenotresolved";

function reasonOf(error: Error): AbortReason {
  return error instanceof FinalError ? "accessdenied" : "namenotresolved";
}
