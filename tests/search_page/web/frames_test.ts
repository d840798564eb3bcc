/**
 * The search page inside another page, and behind a proxy, in a real browser.
 */
import { deepStrictEqual, equal, ok, strictEqual } from "node:assert/strict";
import { createServer, request as forward } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { pixelVector } from "#lib/compare/pixels.ts";
import { jupyterDisplay } from "#lib/display/display.ts";
import { photographPage } from "#lib/search_page/photograph.ts";
import { searchText, terms, withPage } from "../../support/search_tab.ts";

Deno.test("the page works inside a page of another port, as in a notebook", () =>
  withPage(async ({ app, page }) => {
    const outer = createServer((_, response) => {
      response.setHeader("content-type", "text/html");
      response.end(
        `<!doctype html><iframe src="${app.url}" width="900" height="700"></iframe>`,
      );
    });
    await new Promise<void>((resolve) => outer.listen(0, "127.0.0.1", resolve));
    const { port } = outer.address() as AddressInfo;
    try {
      await page.goto(`http://127.0.0.1:${port}/`);
      const frame = await (await page.waitForSelector("iframe"))!
        .contentFrame();
      await frame.waitForSelector(".card");
      const next = app.next();
      await frame.type("#text", "blue");
      await frame.$eval(
        "#form",
        (form) => (form as HTMLFormElement).requestSubmit(),
      );
      equal((await next).query?.text, "blue");
    } finally {
      outer.close();
      outer.closeAllConnections();
    }
  }));

Deno.test("a frame shows its picture where the page does not answer, and only there", () =>
  withPage(async ({ app, page }) => {
    const picture = await photographPage(app.url, "blue", { height: 400 });
    const shown = app.frame({ picture, alt: '"blue" & more' });
    const html = shown[jupyterDisplay]()["text/html"];
    const outer = createServer((_, response) => {
      response.setHeader("content-type", "text/html");
      response.end(`<!doctype html>${html}`);
    });
    await new Promise<void>((resolve) => outer.listen(0, "127.0.0.1", resolve));
    const { port } = outer.address() as AddressInfo;
    const visible = () =>
      page.evaluate(() => ({
        frame: document.querySelector("iframe")!.checkVisibility(),
        picture: document.querySelector("img")!.checkVisibility(),
      }));
    try {
      await page.goto(`http://127.0.0.1:${port}/`);
      await page.waitForSelector("iframe", { visible: true });
      deepStrictEqual(await visible(), { frame: true, picture: false });
      strictEqual(
        await page.$eval(
          "img",
          ({ alt, naturalHeight }) => `${alt} ${naturalHeight}`,
        ),
        '"blue" & more 400',
      );
      await app.close();
      await page.goto(`http://127.0.0.1:${port}/`, { waitUntil: "load" });
      await setTimeout(500);
      deepStrictEqual(await visible(), { frame: false, picture: true });
    } finally {
      outer.close();
      outer.closeAllConnections();
    }
  }));

Deno.test("a photograph shows the page after the search, in the theme asked for", () =>
  withPage(async ({ app }) => {
    const size = { width: 600, height: 500 };
    const light = await photographPage(app.url, "blue", size);
    strictEqual(app.query?.text, "blue");
    const dark = await photographPage(app.url, "blue", {
      ...size,
      theme: "dark",
    });
    const brightness = await Promise.all([light, dark].map(async (jpeg) => {
      const pixels = await pixelVector(jpeg, 64);
      return pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
    }));
    ok(brightness[0] > 150 && brightness[1] < 100, `${brightness}`);
  }));

Deno.test("the page works behind a proxy that puts a path before its own", async () => {
  let target = "";
  const prefix = "/user/ada/proxy/8000";
  // As jupyter-server-proxy does: the path is cut, the Host header kept.
  const proxy = createServer((request, response) => {
    const { method, headers, url = "" } = request;
    const path = url.startsWith(`${prefix}/`) ? url.slice(prefix.length) : "/";
    request.pipe(
      forward(new URL(path, target), { method, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      }),
    );
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  const publicUrl = `http://127.0.0.1:${port}${prefix}/`;
  try {
    await withPage(async ({ app, page }) => {
      target = new URL(app.url).origin;
      ok(app.address.startsWith(publicUrl));
      await page.goto(app.address);
      await page.waitForSelector(".card");
      await searchText(page, "blue");
      deepStrictEqual(await terms(page), ["blue"]);
      equal(await page.$(".tile.gone"), null);
    }, { publicUrl });
  } finally {
    proxy.close();
    proxy.closeAllConnections();
  }
});
