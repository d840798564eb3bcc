import { deepEqual, match, rejects } from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { launchBrowser } from "#lib/crawl/browser.ts";
import { crawl } from "#lib/crawl/crawl.ts";
import { guardTab } from "#lib/crawl/guard.ts";
import { localSite } from "#lib/crawl/sites/local.ts";

const browser = await launchBrowser();
Deno.test.afterAll(() => browser.close());

/** A server of this machine: its host with the port, and the paths asked for. */
async function serve(listener: RequestListener) {
  const paths: string[] = [];
  const server = createServer((request, response) => {
    paths.push(request.url!);
    listener(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    paths,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** What must not be asked: it says so to the test if it is. */
const secret: RequestListener = (_, response) => {
  response.setHeader("access-control-allow-origin", "*").end("secret");
};

Deno.test("guardTab() lets a page of an allowed host reach no other of this machine", async () => {
  using hidden = await serve(secret);
  const port = hidden.host.split(":")[1];
  const others = [
    "127.1",
    "localhost",
    "a.localhost",
    "[::ffff:127.0.0.1]",
    "0",
  ]
    .map((host) => `http://${host}:${port}`);
  using site = await serve((request, response) => {
    response.setHeader("content-type", "text/html");
    if (request.url === "/elsewhere") {
      response.writeHead(302, { location: `http://${hidden.host}/redirected` });
      return response.end();
    }
    response.end(`<img src="/elsewhere"><img src="data:image/gif;base64,AAAA">
      ${
      others.map((other) =>
        `<img src="${other}/img"><iframe src="${other}/"></iframe>`
      )
    }
      <link rel="stylesheet" href="${others[0]}/css">
      <a target="_blank" href="${others[0]}/window">x</a><script>
      fetch("http://${hidden.host}/fetched").catch(() => {})</script>`);
  });
  const context = await browser.createBrowserContext();
  const tab = await context.newPage();
  await guardTab(tab, [site.host]);
  await tab.goto(`http://${site.host}/`, {
    waitUntil: "networkidle0",
    timeout: 5000,
  });
  // As a click of ours on what looks like "Load more".
  await tab.evaluate("document.querySelector('a').click()");
  for (const address of [`http://${site.host}/elsewhere`, others[1]]) {
    await rejects(tab.goto(address), /ERR_ACCESS_DENIED/);
  }
  await rejects(tab.goto("file:///etc/hosts"), /ERR_ACCESS_DENIED/);
  await rejects(tab.goto("http://no-such-name.invalid/"), /NAME_NOT_RESOLVED/);
  deepEqual(hidden.paths, []);
  match(site.paths.join(), /^\/,\/elsewhere/);
  await context.close();
});

Deno.test("crawl() says of what leads into this machine or is none of the web, and goes on", async () => {
  using hidden = await serve(secret);
  using server = await serve(({ url }, response) => {
    response.setHeader("content-type", "text/html");
    if (url === "/robots.txt") return response.writeHead(404).end();
    if (url === "/search/?text=door") {
      response.writeHead(302, { location: `http://${hidden.host}/search/` });
      return response.end();
    }
    if (url === "/photos/8/") {
      response.writeHead(302, { location: `http://${hidden.host}/photos/8/` });
      return response.end();
    }
    const photo = (image: string, page: string) =>
      `<li class="photo"><a href="${page}"><img src="${image}"></a></li>`;
    if (url === "/search/?text=elk") {
      return response.end(
        `<ul>${photo("/pictures/8-elk_t.jpg", "/photos/8/")}`,
      );
    }
    if (url === "/search/?text=frames") {
      return response.end(`<ul>${photo("/pictures/9-elk_t.jpg", "/photos/9/")}
        <iframe src="http://${hidden.host}/"></iframe>
        <iframe src="http://no-such-advertisement.invalid/"></iframe>
        <object data="http://${hidden.host}/object"></object>
        <script>fetch("http://counter.invalid/").catch(() => {})</script>
        <iframe srcdoc="<script>fetch('http://no-such.invalid/')</script>">
        </iframe>`);
    }
    const owl = "/pictures/1-owl_t.jpg";
    response.end(`<ul>${photo(owl, "/photos/1/")}
      ${photo("data:image/gif;base64,AAAA", "/photos/2/")}
      ${photo("file:///pictures/3-owl_t.jpg", "/photos/3/")}
      ${photo("/pictures/4-owl_t.jpg", "javascript:alert(4)")}
      ${photo("/pictures/5-owl_t.jpg", `http://${hidden.host}/5/`)}
      ${photo("/pictures/6-owl_t.jpg", "/photos/6/")}
      <p class="author">Ada</p></ul>`);
  });
  const origin = `http://${server.host}`;
  const folder = await Deno.makeTempDir();
  const options = { browser, folder, backoffMs: 10, timeoutMs: 5000 };
  const plan = { birds: ["owl", "door"], deer: ["elk", "frames"] };
  const { pictures, skipped, failures } = await crawl(
    localSite(origin),
    plan,
    options,
  );
  deepEqual(
    pictures.map(({ url, page }) => [url, page]),
    [
      [`${origin}/pictures/1-owl_b.jpg`, `${origin}/photos/1/`],
      [`${origin}/pictures/4-owl_b.jpg`, ""],
      [`${origin}/pictures/5-owl_b.jpg`, `http://${hidden.host}/5/`],
      [`${origin}/pictures/6-owl_b.jpg`, `${origin}/photos/6/`],
      [`${origin}/pictures/8-elk_b.jpg`, `${origin}/photos/8/`],
      [`${origin}/pictures/9-elk_b.jpg`, `${origin}/photos/9/`],
    ],
  );
  const authors = pictures.map(({ author }) => author);
  deepEqual(authors, ["Ada", "", "", "Ada", "", "Ada"]);
  const term = { category: "birds", term: "owl" };
  const reason = (scheme: string) =>
    `expected an http or https address, got ${scheme}:`;
  deepEqual(skipped, [
    { ...term, url: "data:image/gif;base64,AAAA", reason: reason("data") },
    { ...term, url: "file:///pictures/3-owl_t.jpg", reason: reason("file") },
    { ...term, url: "javascript:alert(4)", reason: reason("javascript") },
  ]);
  const refusal =
    "expected a public address: the page leads into this machine or its network";
  deepEqual(failures, [
    { category: "birds", term: "door", reason: refusal },
    { category: "deer", term: "elk", reason: refusal },
  ]);
  deepEqual(hidden.paths, []);

  // A site that is served here, and does not say so.
  const { allowedHost: _, ...site } = localSite(origin);
  const refused = await crawl(site, { birds: ["hen"] }, options);
  match(refused.failures[0].reason, /robots\.txt .* expected a public address/);
  await Deno.remove(folder, { recursive: true });
});
