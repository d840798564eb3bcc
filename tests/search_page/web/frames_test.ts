/**
 * The search page inside another page, and behind a proxy, in a real browser.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { createServer, request as forward } from "node:http";
import type { AddressInfo } from "node:net";
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
      deepEqual(await terms(page), ["blue"]);
      equal(await page.$(".tile.gone"), null);
    }, { publicUrl });
  } finally {
    proxy.close();
    proxy.closeAllConnections();
  }
});
