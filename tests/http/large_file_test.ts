import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Host } from "#lib/http/hosts.ts";
import type { FetchOptions } from "#lib/http/http.ts";
import { downloadLargeFile } from "#lib/http/large_file.ts";

const content = Uint8Array.from({ length: 50_000 }, (_, i) => i * i >> 5);

/** A server of one file, an empty folder, and what was asked for. */
async function withFile(
  listener: (...args: [...Parameters<RequestListener>, number]) => void,
  test: (file: {
    folder: string;
    ranges: (string | undefined)[];
    download: (
      version?: string,
      options?: FetchOptions & { isRight?: () => Promise<boolean> },
    ) => Promise<Uint8Array>;
  }) => Promise<void>,
): Promise<void> {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    listener(request, response, ranges.length);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const folder = await Deno.makeTempDir({ prefix: "large-" });
  const matches = async (path: string) =>
    (await readFile(path)).equals(content);
  const download = async (
    version = "v1",
    { isRight = matches, ...options }: FetchOptions & {
      isRight?: typeof matches;
    } = {},
  ) => {
    const destination = join(folder, "file");
    await downloadLargeFile(
      new Host("h", { backoffMs: 5 }),
      {
        name: "the file",
        address: `http://127.0.0.1:${port}/file`,
        destination,
        size: content.length,
        version,
        isRight,
      },
      { allowedHosts: [`127.0.0.1:${port}`], ...options },
    );
    return new Uint8Array(await readFile(destination));
  };
  try {
    await test({ folder, ranges, download });
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    await Deno.remove(folder, { recursive: true });
  }
}

/** Sends what is asked for, and says so. */
const sendRange: RequestListener = ({ headers }, response) => {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? "")?.[1] ?? 0);
  if (from) {
    const range = `bytes ${from}-${content.length - 1}/${content.length}`;
    response.writeHead(206, { "content-range": range });
  }
  response.end(content.subarray(from));
};

Deno.test("downloadLargeFile() goes on from the part that is here", () =>
  withFile(sendRange, async ({ folder, ranges, download }) => {
    await writeFile(join(folder, "file.v1.part"), content.subarray(0, 20_000));
    await writeFile(join(folder, "file.v0.part"), "of an older file");
    await writeFile(join(folder, "file.json"), "somebody's own");
    await writeFile(join(folder, "another.v1.part"), "another's");
    deepEqual(await download(), content);
    deepEqual(ranges, ["bytes=20000-"]);
    deepEqual((await readdir(folder)).toSorted(), [
      "another.v1.part",
      "file",
      "file.json",
    ]);
  }));

Deno.test("downloadLargeFile() takes no part of which nobody knows the version", () =>
  withFile(sendRange, async ({ folder, ranges, download }) => {
    await writeFile(join(folder, "file..part"), content.subarray(0, 20_000));
    deepEqual(await download(""), content);
    deepEqual(ranges, [undefined]);
  }));

Deno.test("downloadLargeFile() begins anew where the part is too large, or no part", () =>
  withFile(sendRange, async ({ folder, ranges, download }) => {
    const part = join(folder, "file.v1.part");
    await writeFile(part, new Uint8Array(60_000));
    // Even where there is no checksum that would tell.
    const isRight = () => Promise.resolve(true);
    deepEqual(await download("v1", { isRight }), content);
    deepEqual(ranges, [undefined]);
    // As large as the file, but not the file.
    await writeFile(part, new Uint8Array(50_000));
    deepEqual(await download(), content);
    deepEqual(ranges, [undefined, undefined]);
  }));

Deno.test("downloadLargeFile() does not add a range that it has not asked for", () =>
  withFile((_, response) => {
    response.writeHead(206, { "content-range": "bytes 0-49999/50000" });
    response.end(content);
  }, async ({ folder, ranges, download }) => {
    await writeFile(join(folder, "file.v1.part"), content.subarray(0, 20_000));
    deepEqual(await download(), content);
    deepEqual(ranges, ["bytes=20000-"]);
  }));

Deno.test("downloadLargeFile() takes no more than the file's size of an endless answer", () =>
  withFile((_, response) => {
    const timer = setInterval(() => response.write(content), 1);
    response.on("close", () => clearInterval(timer));
  }, async ({ folder, ranges, download }) => {
    await rejects(download(), /expected 50000 bytes of the file, got \d{5,6}$/);
    equal(ranges.length, 4);
    deepEqual(await readdir(folder), []);
  }));

Deno.test("downloadLargeFile() takes its time over a file that goes on arriving", () =>
  withFile(async (_, response) => {
    for (let from = 0; from < content.length; from += 10_000) {
      response.write(content.subarray(from, from + 10_000));
      await sleep(80);
    }
    response.end();
  }, async ({ ranges, download }) => {
    // Shorter than the whole, longer than from one part to the next.
    deepEqual(await download("v1", { timeoutMs: 300 }), content);
    equal(ranges.length, 1);
  }));

Deno.test("downloadLargeFile() says how much is missing, and keeps the rest", () =>
  withFile((_, response) => response.end(content.subarray(0, 1000)), async (
    { folder, ranges, download },
  ) => {
    await rejects(download(), {
      message: "expected 50000 bytes of the file, got 1000",
    });
    equal(ranges.length, 4);
    deepEqual(await readdir(folder), ["file.v1.part"]);
  }));

Deno.test("downloadLargeFile() begins anew after a wrong checksum, and keeps none", () =>
  withFile((request, response, number) => {
    if (number > 1) return sendRange(request, response);
    response.end(new Uint8Array(50_000));
  }, async ({ ranges, download }) => {
    deepEqual(await download(), content);
    deepEqual(ranges, [undefined, undefined]);
  }));

Deno.test("downloadLargeFile() breaks off a silent connection and goes on", () =>
  withFile((request, response, number) => {
    if (number > 1) return sendRange(request, response);
    response.write(content.subarray(0, 10_000));
  }, async ({ ranges, download }) => {
    const start = Date.now();
    deepEqual(await download("v1", { timeoutMs: 200 }), content);
    ok(Date.now() - start >= 190);
    equal(ranges.length, 2);
    match(ranges[1]!, /^bytes=10000-$/);
  }));

Deno.test("downloadLargeFile() stops at a signal and keeps the part", () =>
  withFile((_, response) => {
    response.write(content.subarray(0, 10_000));
  }, async ({ folder, download }) => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error("enough")), 200);
    await rejects(download("v1", { signal: stop.signal }), {
      message: "enough",
    });
    equal((await readFile(join(folder, "file.v1.part"))).length, 10_000);
  }));
