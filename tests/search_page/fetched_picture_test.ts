import { match, ok, rejects, strictEqual } from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fetchedPicture } from "#lib/search_page/fetched_picture.ts";
import { plain } from "../support/colour_encoder.ts";
import { ask, openOver, paint, withFolder } from "../support/search_app.ts";

/** A site on this machine, which the caller may ask. */
async function withSite(
  answers: Record<string, { type: string; length?: number; body?: Uint8Array }>,
  body: (origin: string, host: string) => Promise<void>,
): Promise<void> {
  const site = createServer((request, response) => {
    const { type, length, body = new Uint8Array() } = answers[request.url!] ??
      { type: "", length: 0 };
    response.statusCode = type ? 200 : 404;
    response.setHeader("content-type", type);
    if (length) response.setHeader("content-length", length);
    if (length && !body.length) response.flushHeaders();
    else response.end(body);
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  const host = `127.0.0.1:${(site.address() as AddressInfo).port}`;
  try {
    await body(`http://${host}`, host);
  } finally {
    site.closeAllConnections();
    await new Promise((resolve) => site.close(resolve));
  }
}

Deno.test("fetchedPicture() brings a picture, and refuses all else in one sentence", async () => {
  const red = await plain("red");
  await withSite({
    "/red.png": { type: "image/png", body: red },
    "/page": { type: "text/html", body: new TextEncoder().encode("<p>") },
    "/large": { type: "image/jpeg", length: 10_000_000_000 },
    "/no": { type: "image/png", body: new TextEncoder().encode("<p>") },
  }, async (origin, host) => {
    const fetched = (path: string) =>
      fetchedPicture(origin + path, { allowedHosts: [host] });
    strictEqual((await fetched(" /red.png".trim())).length, red.length);
    const refused = async (path: string, why: RegExp) =>
      await rejects(fetched(path), ({ name, message }: Error) => {
        strictEqual(name, "QueryError");
        ok(message.startsWith(origin + path) && !message.includes("\n"));
        match(message, why);
        return true;
      });
    await refused("/page", /: expected a picture, got text\/html$/);
    await refused("/large", /: larger than 20000000 bytes$/);
    await refused("/no", /PNG|not a/);
    await refused("/gone", /: 404 Not Found$/);
  });
});

Deno.test("fetchedPicture() asks public addresses alone", async () => {
  for (
    const address of [
      ...["http://127.0.0.1/a.jpg", "http://[::1]/a.jpg", "http://10.0.0.1/a"],
      ...["http://169.254.169.254/latest", "http://localhost:1/a.jpg"],
    ]
  ) {
    await rejects(
      fetchedPicture(address),
      /private networks are not fetched: save the picture/,
    );
  }
  await rejects(fetchedPicture("owl.jpg"), /expected an address, got owl/);
  await rejects(fetchedPicture("data:image/png,x"), /expected an http or/);
});

Deno.test("the page's server fetches no picture from this machine", () =>
  withFolder(async (folder) => {
    await paint(folder, 1);
    const app = await openOver(folder);
    const url = JSON.stringify({ url: app.url });
    const { status, json } = await ask(app, "upload-url", url);
    strictEqual(status, 400);
    match(json.error, /private networks are not fetched: save the picture/);
    strictEqual((await ask(app, "upload-url", "{}")).status, 400);
    await app.close();
  }));

Deno.test("fetchedPicture() says where a host's name is not known", () =>
  rejects(fetchedPicture("http://nosuchhost.invalid/a.jpg"), {
    name: "QueryError",
    message:
      "http://nosuchhost.invalid/a.jpg: no host of this name is found: " +
      "look at the address and at the network",
  }));
