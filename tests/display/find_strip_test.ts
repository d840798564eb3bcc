import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { findStrip } from "#lib/display/find_strip.ts";
import { outcome, picture, runScript } from "../support/shown.ts";

const small = await picture(300, 200);
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg"><a href="file:///x"/></svg>';

/** What a server of this machine is asked for while a script runs in a kernel. */
async function withServer(script: (host: string) => string) {
  const asked: string[] = [];
  let atOnce = 0, mostAtOnce = 0;
  const server = createServer(async ({ url }, response) => {
    asked.push(url!);
    mostAtOnce = Math.max(mostAtOnce, ++atOnce);
    await sleep(20);
    atOnce--;
    if (url === "/gone") response.writeHead(404).end();
    else if (url === "/svg") response.end(SVG);
    else if (url === "/empty") response.end();
    else if (url === "/large") response.end(new Uint8Array(2 ** 20 + 1));
    else if (url === "/cut") {
      response.writeHead(200, { "content-length": small.length });
      response.write(small.subarray(0, 90));
      response.destroy();
    } else response.end(small);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    const { port } = server.address() as AddressInfo;
    const { stdout, stderr } = await outcome(
      runScript(script(`127.0.0.1:${port}`)),
    );
    strictEqual(stderr, "");
    return { asked, mostAtOnce, shown: JSON.parse(stdout) };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/**
 * Gives a strip these paths, a list a term, and prints what it shows at last. Of
 * a term the first is fetched last.
 */
const inKernel = (host: string, terms: string[][], allowed = [host]) => `
  Deno.jupyter = { broadcast() {} };
  const { findStrip } = await import("#lib/display/find_strip.ts");
  const strip = findStrip({ allowedHosts: ${JSON.stringify(allowed)} });
  for (const paths of ${JSON.stringify(terms)}) {
    strip(paths.map((path) => ({
      caption: path,
      thumbnail: path && "http://${host}" + path,
    })));
    const patience = Date.now() + (${allowed.length} ? 10_000 : 500);
    while (strip([])[0]?.alt !== paths[0] && Date.now() < patience) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  console.log(JSON.stringify(strip([])));`;

Deno.test("findStrip() shows the newest finds first, a few of each term, fetched one after the other", async () => {
  const terms = ["a", "b", "c", "d"].map((term) =>
    [1, 2, 3, 4, 5].map((number) => `/${term}${number}`)
  );
  const { asked, mostAtOnce, shown } = await withServer((host) =>
    inKernel(host, terms)
  );
  strictEqual(mostAtOnce, 1);
  strictEqual(asked.length, 12);
  deepStrictEqual(
    shown.map(({ alt }: { alt: string }) => alt),
    ["/d1", "/d2", "/d3", "/c1", "/c2", "/c3", "/b1", "/b2"],
  );
  for (const { url, width, height } of shown) {
    match(url, /^data:image\/jpeg;base64,/);
    ok(url.length < 6000, `${url.length}`);
    deepStrictEqual([width, height], [96, 64]);
  }
});

Deno.test("findStrip() leaves out what does not come whole, is no picture, or is too large", async () => {
  const terms = [["/a", "/gone", "/svg"], ["/b", "/empty", "/large"], [
    ...["/c", "/cut", ""],
  ]];
  const { shown } = await withServer((host) => inKernel(host, terms));
  deepStrictEqual(shown.map(({ alt }: { alt: string }) => alt), [
    ...["/c", "/b", "/a"],
  ]);
});

Deno.test("findStrip() asks no host of this machine that it was not told of", async () => {
  const { asked, shown } = await withServer((host) =>
    inKernel(host, [["/a"]], [])
  );
  deepStrictEqual([asked, shown], [[], []]);
});

Deno.test("findStrip() fetches nothing where there is no notebook", () => {
  const strip = findStrip();
  deepStrictEqual(
    strip([{ caption: "", thumbnail: "http://127.0.0.1:9/" }]),
    [],
  );
});
