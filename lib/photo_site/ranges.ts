/**
 * Files by their versions and in ranges, as web servers send them: what has not
 * changed is not sent again (304), and what broke off goes on (206).
 *
 * ```ts
 * import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const site = await startPhotoSite({ port: 0 });
 * const ask = (headers: HeadersInit = {}) =>
 *   fetch(`${site.origin}/pictures/1001-any_m.jpg`, { headers });
 * const whole = await ask();
 * const etag = whole.headers.get("etag")!;
 * const rest = await ask({ range: "bytes=100-", "if-range": etag });
 * const same = await ask({ "if-none-match": etag });
 * const statuses = [whole, rest, same].map(({ status }) => status);
 * deepStrictEqual(statuses, [200, 206, 304]);
 * const bytes = await whole.bytes();
 * deepStrictEqual(await rest.bytes(), bytes.subarray(100));
 * await site.close();
 * ```
 *
 * @module
 */
import type { Hono, MiddlewareHandler } from "hono";
import { etag } from "hono/etag";

/** Gives what lies under a path its versions and ranges. */
export function addVersions(app: Hono, path: string): void {
  app.use(path, sendRange, etag());
}

/** Cuts a whole answer to the range that is asked for: "bytes=5000-". */
const sendRange: MiddlewareHandler = async (context, next) => {
  await next();
  const { req, res } = context;
  const [, start] = /^bytes=(\d+)-$/.exec(req.header("range") ?? "") ?? [];
  const version = res.headers.get("etag");
  const isWanted = [undefined, version].includes(req.header("if-range"));
  if (start === undefined || res.status !== 200 || !isWanted) return;
  const bytes = new Uint8Array(await res.arrayBuffer());
  const headers = new Headers(res.headers);
  headers.delete("content-length");
  const from = Number(start);
  const isThere = from < bytes.length;
  const range = isThere ? `${from}-${bytes.length - 1}` : "*";
  headers.set("content-range", `bytes ${range}/${bytes.length}`);
  context.res = undefined;
  context.res = isThere
    ? new Response(bytes.subarray(from), { status: 206, headers })
    : new Response(null, { status: 416, headers });
};
