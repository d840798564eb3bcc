import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import {
  download,
  downloadEach,
  type DownloadOptions,
  downloadPath,
  retryFailed,
} from "#lib/dataset/download.ts";
import { paths } from "#lib/paths.ts";
import type { FoundPicture } from "#lib/records.ts";

const small = await picture("#406080");
const other = await picture("#806040");

async function picture(background: string): Promise<Buffer> {
  return await sharp({
    create: { width: 60, height: 60, channels: 3, background },
  }).jpeg().toBuffer();
}

/** A JPEG file of 6.5 MB; what follows the picture is nobody's business. */
function large(start = small): Buffer {
  const noise = Uint8Array.from({ length: 6_500_000 }, (_, i) => i * i >> 7);
  return Buffer.concat([start, noise]);
}
const LARGE = large();

type Asked = { path: string; headers: Record<string, unknown> };

/** Runs a test against a server and a downloads folder of its own. */
async function withServer(
  listener: (
    ...args: [...Parameters<RequestListener>, number]
  ) => void,
  test: (site: {
    origin: string;
    asked: Asked[];
    options: DownloadOptions;
  }) => Promise<void>,
): Promise<void> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url!, headers: request.headers });
    const time = asked.filter(({ path }) => path === request.url).length;
    listener(request, response, time);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const kept = paths.downloads;
  paths.downloads = await Deno.makeTempDir({ prefix: "pictures-" });
  try {
    await test({
      origin: `http://127.0.0.1:${port}`,
      asked,
      options: {
        allowedHosts: [`127.0.0.1:${port}`],
        intervalMs: 0,
        backoffMs: 5,
        timeoutMs: 3000,
      },
    });
  } finally {
    await Deno.remove(paths.downloads, { recursive: true });
    paths.downloads = kept;
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

function found(url: string, license = ""): FoundPicture {
  const record = {
    category: "a",
    term: "b",
    page: "",
    author: "",
    caption: "",
  };
  return { ...record, url, license };
}

/** What lies in the downloads folder, folders within it too. */
function files(folder = paths.downloads): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? files(join(folder, name)) : [name]
  ).toSorted();
}

const read = (url: string) => Deno.readFileSync(downloadPath(url));
const ranges = (asked: Asked[]) => asked.map(({ headers }) => headers.range);

/** Sends a large file by its ranges; the first answer breaks off after 3 MB. */
function cutOnce(
  file: (time: number) => { bytes: Buffer; headers: Record<string, string> },
): Parameters<typeof withServer>[0] {
  return (request, response, time) => {
    const { bytes, headers } = file(time);
    const { range, "if-range": version } = request.headers;
    const isSame = version === headers.etag ||
      version === headers["last-modified"];
    const from = range && isSame ? Number(/\d+/.exec(range)![0]) : 0;
    response.writeHead(from ? 206 : 200, {
      "content-type": "image/jpeg",
      "content-length": bytes.length - from,
      ...from && {
        "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
      },
      ...headers,
    });
    if (time > 1) return response.end(bytes.subarray(from));
    // A connection that breaks off at once takes with it what is on its way.
    response.write(
      bytes.subarray(0, 3_000_000),
      () => setTimeout(() => response.destroy(), 300),
    );
  };
}

for (
  const headers of [
    { etag: '"v1"' },
    { "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT", etag: 'W/"1"' },
  ] as Record<string, string>[]
) {
  Deno.test(`download() goes on with a large file after a cut: ${Object.keys(headers)[0]}`, () =>
    withServer(
      cutOnce(() => ({ bytes: LARGE, headers })),
      async ({ origin, asked, options }) => {
        const { failures } = await download(
          [found(`${origin}/a.jpg`)],
          options,
        );
        deepStrictEqual(failures, []);
        ok(LARGE.equals(read(`${origin}/a.jpg`)));
        const [first, second, ...more] = ranges(asked);
        deepStrictEqual([first, more], [undefined, []]);
        // Of what was sent, some may not have arrived.
        const from = Number(/^bytes=(\d+)-$/.exec(`${second}`)?.[1]);
        ok(from > 1_000_000 && from <= 3_000_000, `${second}`);
        strictEqual(files().filter((name) => name.endsWith(".part")).length, 0);
      },
    ));
}

Deno.test("download() begins a large file anew if it has changed meanwhile", () => {
  const changed = large(other);
  return withServer(
    cutOnce((time) => ({
      bytes: time === 1 ? LARGE : changed,
      headers: { etag: time === 1 ? '"v1"' : '"v2"' },
    })),
    async ({ origin, asked, options }) => {
      await download([found(`${origin}/a.jpg`)], options);
      ok(changed.equals(read(`${origin}/a.jpg`)));
      strictEqual(asked[1].headers["if-range"], '"v1"');
      strictEqual(asked.length, 2);
    },
  );
});

Deno.test("download() begins a large file anew that has no version, or no ranges", () =>
  withServer((request, response, time) => {
    const etag = request.url === "/version.jpg" ? { etag: '"v1"' } : {};
    const type = { "content-type": "image/jpeg" };
    const length = { "content-length": LARGE.length };
    response.writeHead(200, { ...type, ...length, ...etag });
    if (time > 1) return response.end(LARGE);
    // Of what breaks off at once, nothing may have arrived.
    const start = LARGE.subarray(0, 3_000_000);
    response.write(start, () => setTimeout(() => response.destroy(), 300));
  }, async ({ origin, asked, options }) => {
    for (const path of ["/version.jpg", "/none.jpg"]) {
      await download([found(origin + path)], options);
      ok(LARGE.equals(read(origin + path)));
    }
    const [, again, , none] = ranges(asked);
    ok(again !== undefined && none === undefined);
  }));

Deno.test("download() adds no range that it has not asked for, and no other version's", () => {
  const wrong: Record<string, Record<string, string>> = {
    "/start.jpg": { "content-range": `bytes 7-9/${LARGE.length}` },
    "/none.jpg": {},
    "/version.jpg": { etag: '"v2"' },
  };
  return withServer((request, response, time) => {
    const headers: Record<string, string> = {
      "content-type": "image/jpeg",
      etag: '"v1"',
    };
    const from = /\d+/.exec(request.headers.range ?? "")?.[0];
    if (time === 2 && from) {
      if (request.url === "/version.jpg") {
        headers["content-range"] = `bytes ${from}-${
          LARGE.length - 1
        }/${LARGE.length}`;
      }
      response.writeHead(206, { ...headers, ...wrong[request.url!] });
      return response.end("noise");
    }
    headers["content-length"] = `${LARGE.length}`;
    response.writeHead(200, headers);
    if (time > 1) return response.end(LARGE);
    response.write(LARGE.subarray(0, 3_000_000), () => response.destroy());
  }, async ({ origin, options }) => {
    for (const path of Object.keys(wrong)) {
      const { failures } = await download([found(origin + path)], options);
      deepStrictEqual(failures, []);
      ok(LARGE.equals(read(origin + path)), path);
    }
  });
});

Deno.test("download() keeps a large file's part over a stop, for the next run", () =>
  withServer((request, response, time) => {
    const etag = '"v1"';
    const from = Number(/\d+/.exec(request.headers.range ?? "0")![0]);
    const range = `bytes ${from}-${LARGE.length - 1}/${LARGE.length}`;
    response.writeHead(from ? 206 : 200, {
      ...{ "content-type": "image/jpeg", etag },
      "content-length": LARGE.length - from,
      ...from && { "content-range": range },
    });
    if (time > 1) response.end(LARGE.subarray(from));
    else response.write(LARGE.subarray(0, 3_000_000));
  }, async ({ origin, asked, options }) => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 700);
    const list = [found(`${origin}/a.jpg`)];
    const signal = stop.signal;
    const { failures } = await download(list, { ...options, signal });
    strictEqual(failures[0].stage, "stopped");
    deepStrictEqual((await download(list, options)).failures, []);
    ok(LARGE.equals(read(`${origin}/a.jpg`)));
    strictEqual(asked[1].headers["if-range"], '"v1"');
  }));

Deno.test("download() asks once more for a part behind which is nothing", () =>
  withServer((request, response) => {
    const etag = '"v1"';
    if (request.headers.range) {
      response.writeHead(416, { "content-range": `bytes */${LARGE.length}` });
      return response.end();
    }
    response.writeHead(200, { "content-type": "image/jpeg", etag }).end(LARGE);
  }, async ({ origin, options }) => {
    const url = `${origin}/a.jpg`;
    const parts = join(paths.downloads, ".parts");
    await Deno.mkdir(parts);
    const version = Buffer.from('"v1"').toString("base64url");
    const part = join(parts, `${basename(downloadPath(url))}.${version}.part`);
    await Deno.writeFile(part, LARGE);
    deepStrictEqual((await download([found(url)], options)).failures, []);
    ok(LARGE.equals(read(url)));
    deepStrictEqual(files().filter((name) => name.endsWith(".part")), []);
  }));

Deno.test("download() writes what grows large without saying so, and bounds it", () =>
  withServer((request, response) => {
    response.writeHead(200, { "content-type": "image/jpeg" });
    response.write(LARGE);
    if (request.url === "/whole.jpg") return response.end();
    const timer = setInterval(() => response.write(LARGE), 5);
    response.on("close", () => clearInterval(timer));
  }, async ({ origin, options }) => {
    const { records, failures } = await download(
      ["/whole.jpg", "/endless.jpg"].map((path) => found(origin + path)),
      options,
    );
    ok(LARGE.equals(Deno.readFileSync(records[0].file)));
    strictEqual(failures[0].reason, "larger than 20000000 bytes");
    strictEqual(files().length, 1);
  }));

Deno.test("download() asks with refresh for what has changed, by ETag and by date", () => {
  let now = small;
  const date = "Thu, 01 Jan 2026 00:00:00 GMT";
  return withServer((request, response) => {
    const etag = now === small ? '"1"' : '"2"';
    const isSame = request.headers["if-none-match"] === etag ||
      request.url === "/date.jpg" &&
        request.headers["if-modified-since"] === date;
    const version: Record<string, string> = request.url === "/etag.jpg"
      ? { etag }
      : request.url === "/date.jpg"
      ? { "last-modified": date }
      : {};
    if (isSame) return response.writeHead(304, version).end();
    response.writeHead(200, { "content-type": "image/jpeg", ...version })
      .end(now);
  }, async ({ origin, asked, options }) => {
    const urls = ["/etag.jpg", "/date.jpg", "/none.jpg"].map((at) =>
      origin + at
    );
    const list = urls.map((url) => found(url));
    await download(list, options);
    await download(list, options);
    strictEqual(asked.length, 3, "nothing is asked for without refresh");

    const again = { ...options, refresh: true };
    let progress;
    await download(list, { ...again, onProgress: (step) => progress = step });
    strictEqual(asked.length, 6);
    deepStrictEqual(progress, { done: 3, total: 3, resumed: 2, failed: 0 });

    now = other;
    await download(list, again);
    ok(other.equals(read(urls[0])) && other.equals(read(urls[2])));
    // A tag is good for the bytes that it came with, and for no others.
    Deno.writeFileSync(downloadPath(urls[0]), small);
    await download(list, again);
    ok(other.equals(read(urls[0])));
    strictEqual(asked.at(-3)!.headers["if-none-match"], undefined);
  });
});

Deno.test("download() keeps with refresh what is here where nothing better is to be had", () => {
  let gone = false;
  return withServer((_, response) => {
    if (gone) response.writeHead(404).end();
    else response.writeHead(200, { "content-type": "image/jpeg" }).end(small);
  }, async ({ origin, options }) => {
    const list = [found(`${origin}/a.jpg`)];
    const first = await download(list, options);
    gone = true;
    deepStrictEqual(await download(list, { ...options, refresh: true }), first);
    ok(small.equals(read(`${origin}/a.jpg`)));
  });
});

Deno.test("retryFailed() asks for what failed, and puts all in the order given", () => {
  let isUp = false;
  return withServer((request, response) => {
    if (request.url!.includes("bad") && !isUp) {
      return response.writeHead(404).end();
    }
    response.writeHead(200, { "content-type": "image/jpeg" }).end(small);
  }, async ({ origin, asked, options }) => {
    const names = ["bad0", "good1", "bad2", "good3", "bad4"];
    const list = names.map((name) => found(`${origin}/${name}.jpg`));
    const first = await download(list, options);
    deepStrictEqual(first.failures.map(({ stage }) => stage), [
      ...["status", "status", "status"],
    ]);
    deepStrictEqual(await retryFailed(first, options), first);
    isUp = true;
    const asking = asked.length;
    const second = await retryFailed(first, options);
    strictEqual(asked.length - asking, 3);
    deepStrictEqual(second, await download(list, options));
    deepStrictEqual(
      second.records.map(({ url }) => url),
      list.map((one) => one.url),
    );
  });
});

Deno.test("download() asks for no picture under another licence", () =>
  withServer((_, response) => {
    response.writeHead(200, { "content-type": "image/jpeg" }).end(small);
  }, async ({ origin, asked, options }) => {
    const licences = ["CC BY 4.0", "CC BY-NC 2.0", "CC0 1.0", ""];
    const { records, failures } = await download(
      licences.map((license, i) => found(`${origin}/${i}.jpg`, license)),
      { ...options, licences: ["CC0", "CC BY"] },
    );
    deepStrictEqual(asked.map(({ path }) => path), ["/0.jpg", "/2.jpg"]);
    deepStrictEqual(records.map(({ license }) => license), [
      "CC BY 4.0",
      "CC0 1.0",
    ]);
    deepStrictEqual(failures.map(({ stage, reason }) => [stage, reason]), [
      ["licence", "expected one of CC0, CC BY, got CC BY-NC 2.0"],
      ["licence", "expected one of CC0, CC BY, got no licence"],
    ]);
  }));

Deno.test("downloadEach() yields while it reads an endless list, and lets go of it", () =>
  withServer((_, response) => {
    response.writeHead(200, { "content-type": "image/jpeg" }).end(small);
  }, async ({ origin, options }) => {
    let read = 0, isClosed = false;
    async function* endless() {
      try {
        while (true) {
          yield found(`${origin}/${read++ % 50}.jpg`);
          await sleep(0);
        }
      } finally {
        isClosed = true;
      }
    }
    const indices = new Set<number>();
    for await (const { index } of downloadEach(endless(), options)) {
      indices.add(index);
      if (indices.size === 200) break;
    }
    strictEqual(indices.size, 200);
    await sleep(50);
    ok(isClosed);
    const atEnd = read;
    await sleep(50);
    strictEqual(read, atEnd);
  }));

Deno.test("downloadEach() reads no more ahead of a slow reader than its window", async () => {
  const kept = paths.downloads;
  paths.downloads = await Deno.makeTempDir({ prefix: "window-" });
  let read = 0;
  function* list() {
    while (read < 30_000) yield found(`no address ${read++}`);
  }
  let last = 0;
  for await (const { index } of downloadEach(list())) {
    last = Math.max(last, index);
    ok(read - last <= 10_001, `${read} read, ${last} yielded`);
  }
  strictEqual(last, 29_999);
  await Deno.remove(paths.downloads, { recursive: true });
  paths.downloads = kept;
});

Deno.test("downloadEach() keeps no host waiting for one that refuses", () =>
  withServer((request, response) => {
    if (request.headers.host?.startsWith("127.")) {
      return response.writeHead(429, { "retry-after": "1" }).end();
    }
    response.writeHead(200, { "content-type": "image/jpeg" }).end(small);
  }, async ({ origin, options }) => {
    const open = origin.replace("127.0.0.1", "localhost");
    // Thousands in a row are of the host that refuses.
    const list = Array.from(
      { length: 4000 },
      (_, i) => found(`${i < 3900 ? origin : open}/${i}.jpg`),
    );
    const start = Date.now();
    let fromOpen = 0;
    for await (
      const { index } of downloadEach(list, {
        ...options,
        allowedHosts: [new URL(origin).host, new URL(open).host],
      })
    ) {
      if (index >= 3900 && ++fromOpen === 100) break;
    }
    strictEqual(fromOpen, 100);
    ok(Date.now() - start < 5000);
  }));

Deno.test("download() goes on with a large file and many small ones after kill -9", () =>
  withServer((request, response) => {
    const isLarge = request.url === "/large.jpg";
    const bytes = isLarge ? LARGE : small;
    const from = Number(/\d+/.exec(request.headers.range ?? "0")![0]);
    response.writeHead(from ? 206 : 200, {
      ...{ "content-type": "image/jpeg", etag: '"v1"' },
      "content-length": bytes.length - from,
      ...from && {
        "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
      },
    });
    // The first run never sees the end of the large one.
    if (isLarge && !from) return response.write(bytes.subarray(0, 4_000_000));
    setTimeout(() => response.end(bytes.subarray(from)), isLarge ? 0 : 20);
  }, async ({ origin, asked, options }) => {
    const names = ["large", ...Array.from({ length: 300 }, (_, i) => `${i}`)];
    const list = names.map((name) => found(`${origin}/${name}.jpg`));
    const script = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(
      script,
      `import { download } from "#lib/dataset/download.ts";
       import { paths } from "#lib/paths.ts";
       paths.downloads = ${JSON.stringify(paths.downloads)};
       await download(${JSON.stringify(list)}, ${JSON.stringify(options)});`,
    );
    const config = join(paths.root, "deno.json");
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "-c", config, script],
      stdout: "null",
    }).spawn();
    while (asked.length < 120) await sleep(5);
    child.kill("SIGKILL");
    await child.status;
    await Deno.remove(script);
    const here = files().filter((name) => name.endsWith(".jpg")).length;
    ok(here > 50 && here < 300, `${here} files`);

    const before = asked.length;
    const { records, failures } = await download(list, options);
    deepStrictEqual(failures, []);
    deepStrictEqual(records.map(({ url }) => url), list.map((one) => one.url));
    strictEqual(asked.length - before, names.length - here);
    const range = ranges(asked.slice(before)).find((one) => one);
    ok(Number(/\d+/.exec(`${range}`)?.[0]) > 1_000_000, `${range}`);
    ok(LARGE.equals(read(list[0].url)));
    for (const { url } of list.slice(1)) ok(small.equals(read(url)));
  }));

Deno.test("download() joins no range that does not name the version asked for", () => {
  const changed = large(other);
  return withServer((request, response, time) => {
    const head = { "content-type": "image/jpeg" };
    if (time === 1) {
      const { length } = LARGE;
      response.writeHead(200, {
        ...head,
        etag: '"v1"',
        "content-length": length,
      });
      response.write(LARGE.subarray(0, 3_000_000));
      return setTimeout(() => response.destroy(), 300);
    }
    const from = Number(/\d+/.exec(`${request.headers.range}`)?.[0] ?? 0);
    const { length } = changed;
    response.writeHead(from ? 206 : 200, {
      ...head,
      "content-length": length - from,
      ...from && { "content-range": `bytes ${from}-${length - 1}/${length}` },
    }).end(changed.subarray(from));
  }, async ({ origin, options }) => {
    const url = `${origin}/changed.jpg`;
    const { failures } = await download([found(url)], options);
    deepStrictEqual(failures, []);
    ok(changed.equals(read(url)));
  });
});

Deno.test("download() begins anew where a range brings nothing, or is refused, in the same run", async () => {
  for (const status of [206, 416]) {
    await withServer((request, response) => {
      const from = Number(/\d+/.exec(`${request.headers.range}`)?.[0] ?? 0);
      const head = { "content-type": "image/jpeg", etag: '"v1"' };
      const { length } = LARGE;
      if (from > 0) {
        const range = `bytes ${from}-99999998/99999999`;
        return response.writeHead(status, { ...head, "content-range": range })
          .end();
      }
      response.writeHead(200, { ...head, "content-length": length });
      if (asks++ > 0) return response.end(LARGE);
      response.write(LARGE.subarray(0, 3_000_000));
      setTimeout(() => response.destroy(), 300);
    }, async ({ origin, options }) => {
      const url = `${origin}/odd.jpg`;
      const { failures } = await download([found(url)], options);
      deepStrictEqual(failures, []);
      ok(LARGE.equals(read(url)));
    });
    asks = 0;
  }
});

let asks = 0;
