/**
 * A site's search page in a browser tab: opening it, reading it, bringing up
 * more pictures, and waiting until they are there.
 *
 * Times are milliseconds.
 *
 * ```ts
 * import { launchBrowser } from "#lib/crawl/browser.ts";
 * import { SearchPage } from "#lib/crawl/search_page.ts";
 * import { localSite } from "#lib/crawl/sites/local.ts";
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { equal } from "node:assert/strict";
 *
 * const photoSite = await startPhotoSite();
 * const browser = await launchBrowser();
 * const site = localSite(photoSite.origin);
 * const page = new SearchPage(await browser.newPage(), site, 30_000);
 *
 * await page.open("flower");
 * const last = await page.settle("");
 * equal((await page.read()).length, 6);
 * await page.bringUpMore();
 * await page.settle(last);
 * equal((await page.read()).length, 12);
 *
 * await browser.close();
 * await photoSite.close();
 * ```
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type HTTPRequest,
  type HTTPResponse,
  type Page,
  TimeoutError,
} from "puppeteer-core";
import { writeAtomic } from "../files.ts";
import { FinalError } from "../http/final_error.ts";
import { checkStatus } from "../http/http.ts";
import { REFUSED } from "./guard.ts";
import type { Credit, PageSite, SitePicture } from "./sites/site.ts";

/** What is kept of a page that is saved, in bytes. */
const MAX_HTML = 5_000_000;

/** Without a request for so long, nothing more is coming. */
const QUIET_MS = 500;

/** A search page in a tab. */
export class SearchPage {
  /** How the page itself, or its last request for more pictures, failed. */
  #failure: Error | undefined;
  /** What the guard refused the page, under the address it first asked for. */
  readonly #refused = new Set<string>();
  #tab: Page;
  #site: PageSite;
  #timeoutMs: number;

  /**
   * Listens to the tab; `open` loads it.
   *
   * @param tab An empty tab.
   * @param timeoutMs For a page, or for more pictures, to arrive.
   */
  constructor(tab: Page, site: PageSite, timeoutMs: number) {
    this.#tab = tab;
    this.#site = site;
    this.#timeoutMs = timeoutMs;
    // What is framed, an advertisement, is another page.
    const isPages = (request: HTTPRequest) =>
      request.frame() === tab.mainFrame();
    const domain = domainOf(site.searchUrl(""));
    // So is what counts its visitors.
    const isPagesOwn = (request: HTTPRequest) =>
      isPages(request) && /^(xhr|fetch)$/.test(request.resourceType()) &&
      domainOf(firstOf(request)) === domain;
    tab.on("response", (response) => {
      if (!isPagesOwn(response.request())) return;
      try {
        checkResponse(response);
      } catch (error) {
        // What is not there was no picture.
        if (!(error instanceof FinalError)) this.#failure = error as Error;
      }
    });
    tab.on("requestfailed", (request) => {
      const said = request.failure()?.errorText ?? "";
      // The page itself gave it up, or was left.
      if (said.includes("ERR_ABORTED")) return;
      // What the guard refuses a page was not ours to see.
      if (isPagesOwn(request) && said.includes(REFUSED)) {
        this.#refused.add(firstOf(request));
        return;
      }
      // A page that breaks off is shown as far as it came.
      const isPage = isPages(request) && request.isNavigationRequest();
      if (isPagesOwn(request) || isPage) this.#failure = asError(said);
    });
    // A page that asks its reader something waits for the answer.
    tab.on("dialog", (dialog) => dialog.dismiss().catch(() => {}));
  }

  /**
   * Opens the search for a term.
   *
   * @throws {FinalError} If it does not come in time, or is no page.
   * @throws {Error} As `send` understands it.
   */
  async open(term: string): Promise<void> {
    this.#failure = undefined;
    const response = await this.#tab.goto(this.#site.searchUrl(term), {
      waitUntil: "domcontentloaded",
      timeout: this.#timeoutMs,
    }).catch((error) => {
      // A site that is slow would only get slower.
      throw error instanceof TimeoutError
        ? new FinalError(`no answer in ${this.#timeoutMs / 1000} s`)
        : asError(error.message);
    });
    if (!response) throw new Error("no answer");
    checkResponse(response);
    const type = response.headers()["content-type"] ?? "";
    if (response.ok() && !/^(text\/html|application\/xhtml)/i.test(type)) {
      throw new FinalError(`expected a page, got ${type.slice(0, 60)}`);
    }
  }

  /** Everything that the page shows now. */
  read(): Promise<SitePicture[]> {
    return this.#run(`(${this.#site.readResults})(document)`);
  }

  /**
   * Waits until the last picture on the page is another one than `before`, or
   * until no request has been under way for a while.
   *
   * @param before What the last call returned; "" before the first.
   * @returns The last picture's address; "" if there is none.
   * @throws {FinalError} If neither happens in time.
   * @throws {Error} If the page, or its request for more pictures, failed.
   */
  async settle(before: string): Promise<string> {
    const last = `((${this.#site.readResults})(document).at(-1)?.url ?? "")`;
    const stop = new AbortController();
    const waits = { timeout: this.#timeoutMs, signal: stop.signal };
    const arrived = this.#tab.waitForFunction(
      `${last} !== ${JSON.stringify(before)}`,
      { ...waits, polling: 50 },
    );
    const quiet = this.#tab.waitForNetworkIdle({
      ...waits,
      idleTime: QUIET_MS,
    });
    try {
      await Promise.race([arrived, quiet]);
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      const seconds = this.#timeoutMs / 1000;
      throw new FinalError(`more pictures did not arrive in ${seconds} s`);
    } finally {
      stop.abort();
      await Promise.allSettled([arrived, quiet]);
    }
    if (this.#failure) throw this.#failure;
    return await this.#run(last);
  }

  /**
   * Brings up more pictures: presses the button for them, else goes to the
   * bottom, as far as there is one yet.
   *
   * @returns Whether there was a button.
   */
  async bringUpMore(): Promise<boolean> {
    const pressed = await this.#run<boolean>(
      `{ const more = ${this.#more}; more?.click(); more !== undefined; }`,
    );
    if (!pressed) {
      await this.#run("scrollTo(0, document.documentElement.scrollHeight)");
    }
    return pressed;
  }

  /** Whether there is a button for more pictures. */
  hasMore(): Promise<boolean> {
    return this.#run(`${this.#more} !== undefined`);
  }

  /** Finds the button by what it says and by being visible. */
  get #more(): string {
    return `[
      ...document.querySelectorAll("button:enabled, a, [role=button]")
    ].find((button) => button.checkVisibility() &&
      ${this.#site.moreButton}.test(button.ariaLabel ?? button.textContent))`;
  }

  /** Fetches a picture's page inside the tab, and reads it without showing it. */
  async readPhotoPage(url: string): Promise<Credit> {
    const [credit, ...answer] = await this.#run<
      [Credit, ...Parameters<typeof checkStatus>]
    >(`(async () => {
      const signal = AbortSignal.timeout(${this.#timeoutMs});
      const response = await fetch(${JSON.stringify(url)}, { signal });
      const { status, statusText, headers } = response;
      const html = await response.text();
      const page = new DOMParser().parseFromString(html, "text/html");
      const credit = (${this.#site.readPhotoPage})(page, ${
      JSON.stringify(url)
    });
      return [credit, status, statusText, headers.get("retry-after")];
    })()`).catch((error) => {
      throw this.#refused.has(url) ? asError(REFUSED) : error;
    });
    checkStatus(...answer);
    return credit;
  }

  /** Whether the page says something, in words that a visitor sees. */
  async says(words: RegExp | undefined): Promise<boolean> {
    return words !== undefined &&
      words.test(await this.#run<string>("document.body?.innerText ?? ''"));
  }

  /**
   * Saves what the page shows and what it is made of, 5 MB of it at most.
   *
   * @param path Without the ending: .png and .html are added.
   * @throws {Error} If the page does not let itself be drawn, or the disk is full.
   */
  async save(path: string): Promise<void> {
    const [html, png] = await Promise.race([
      Promise.all([
        this.#run<string>(
          `document.documentElement.outerHTML.slice(0, ${MAX_HTML})`,
        ),
        this.#tab.screenshot(),
      ]),
      sleep(this.#timeoutMs, undefined, { ref: false }).then(() => {
        throw new Error("the page does not let itself be drawn");
      }),
    ]);
    await writeAtomic(`${path}.html`, Buffer.from(html).subarray(0, MAX_HTML));
    await writeAtomic(`${path}.png`, png);
  }

  /** Runs source text in the page; types end at its edge. */
  #run<Result>(source: string): Promise<Result> {
    return this.#tab.evaluate(source) as Promise<Result>;
  }
}

/** The address that was asked for before all redirects. */
function firstOf(request: HTTPRequest): string {
  return (request.redirectChain()[0] ?? request).url();
}

/** "example.org" of "https://api.example.org/photos". */
function domainOf(url: string): string {
  return new URL(url).hostname.split(".").slice(-2).join(".");
}

function checkResponse(response: HTTPResponse): void {
  const retryAfter = response.headers()["retry-after"];
  checkStatus(response.status(), response.statusText(), retryAfter);
}

/** What the browser says, in words: "net::ERR_CONNECTION_RESET at …". */
function asError(message: string): Error {
  if (message.includes(REFUSED)) {
    return new FinalError(
      "expected a public address: the page leads into this machine or its network",
    );
  }
  const [, code] = /net::ERR_(\w+)/.exec(message) ?? [];
  // All that a SOCKS proxy (public_proxy.ts) can say of whom it cannot reach.
  const reason = code === "SOCKS_CONNECTION_FAILED"
    ? "no connection"
    : code?.toLowerCase().replaceAll("_", " ") ?? message;
  return code === "TOO_MANY_REDIRECTS"
    ? new FinalError(reason)
    : new Error(reason);
}
