import fc from "fast-check";
import dns from "node:dns";
import { deepEqual, equal, match, ok, strictEqual } from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import {
  download,
  type DownloadedPicture,
  type DownloadOptions,
  downloadPath,
  type DownloadProgress,
} from "#lib/dataset/download.ts";
import { paths } from "#lib/paths.ts";
import type { FoundPicture } from "#lib/records.ts";

const jpeg = await sharp({
  create: { width: 300, height: 200, channels: 3, background: "#406080" },
}).jpeg().toBuffer();

/** This machine's servers that run now, which downloads are allowed to ask. */
const allowedHosts: string[] = [];

/** Limits that fit a test: a second of patience would be a long one. */
const quick: DownloadOptions = {
  allowedHosts,
  intervalMs: 0,
  backoffMs: 10,
  timeoutMs: 3000,
};

function found(url: string): FoundPicture {
  return {
    category: "birds",
    term: "owl",
    url,
    page: "",
    caption: "",
    author: "",
    license: "",
  };
}

/** What a record was before its download. */
function withoutFile({ file: _, ...picture }: DownloadedPicture): FoundPicture {
  return picture;
}

/** Runs `body` against a server of its own and an empty downloads folder. */
async function withServer(
  listener: RequestListener,
  body: (
    origin: string,
    requests: { path: string; at: number }[],
  ) => Promise<void>,
): Promise<void> {
  const requests: { path: string; at: number }[] = [];
  const server = createServer((request, response) => {
    requests.push({ path: request.url!, at: Date.now() });
    listener(request, response);
  });
  await new Promise<void>((done) => server.listen(0, "0.0.0.0", done));
  const kept = paths.downloads;
  paths.downloads = await Deno.makeTempDir({ prefix: "download-" });
  try {
    const { port } = server.address() as AddressInfo;
    allowedHosts.push(`127.0.0.1:${port}`);
    await body(`http://127.0.0.1:${port}`, requests);
  } finally {
    allowedHosts.pop();
    await Deno.remove(paths.downloads, { recursive: true });
    paths.downloads = kept;
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
}

const picture: RequestListener = (_, response) => {
  response.setHeader("content-type", "image/jpeg").end(jpeg);
};

function files(): string[] {
  return [...Deno.readDirSync(paths.downloads)].map(({ name }) => name).sort();
}

Deno.test("download() asks for each address once, and a second run for none", async () => {
  await withServer(picture, async (origin, requests) => {
    const urls = ["/a.jpg", "/b.jpg", "/a.jpg", "/b.jpg#top", "/c/a.jpg"];
    const pictures = urls.map((url) => found(origin + url));
    const steps: DownloadProgress[] = [];
    const first = await download(pictures, {
      ...quick,
      onProgress: (step) => steps.push(step),
    });
    deepEqual(first.records.map(withoutFile), pictures);
    // Sent side by side, they arrive in any order.
    deepEqual(requests.map(({ path }) => path).sort(), [
      "/a.jpg",
      "/b.jpg",
      "/c/a.jpg",
    ]);
    equal(files().length, 3);
    for (const { file } of first.records) {
      deepEqual(await Deno.readFile(file), new Uint8Array(jpeg));
    }
    deepEqual(steps.map(({ done }) => done), [1, 2, 3, 4, 5]);
    deepEqual(steps.at(-1), { done: 5, total: 5, resumed: 0, failed: 0 });

    const second = await download(pictures, {
      ...quick,
      onProgress: (step) => steps.push(step),
    });
    deepEqual(second, first);
    equal(requests.length, 3);
    deepEqual(steps.at(-1), { done: 5, total: 5, resumed: 5, failed: 0 });
  });
});

Deno.test("download() returns failures with their reasons and goes on", async () => {
  const listener: RequestListener = (request, response) => {
    const path = request.url!;
    if (path === "/page.jpg") {
      response.setHeader("content-type", "text/html; charset=utf-8")
        .end("<title>Sign in</title>");
    } else if (path === "/drawing.svg") {
      response.setHeader("content-type", "image/svg+xml").end("<svg/>");
    } else if (path === "/disguised.jpg") {
      response.setHeader("content-type", "image/jpeg").end("<html></html>");
    } else if (path === "/empty.jpg") {
      response.setHeader("content-type", "image/jpeg").end();
    } else if (path === "/gone.jpg") {
      response.writeHead(404).end("not here");
    } else if (path === "/loop.jpg") {
      response.writeHead(302, { location: "/loop.jpg" }).end();
    } else if (path === "/out.jpg") {
      response.writeHead(302, { location: "file:///etc/hosts" }).end();
    } else if (path === "/declared.jpg") {
      response.setHeader("content-length", 200_000).end(
        new Uint8Array(200_000),
      );
    } else if (path === "/endless.jpg") {
      const timer = setInterval(() => response.write(jpeg), 1);
      response.on("close", () => clearInterval(timer));
    } else if (path === "/untyped") {
      response.end(jpeg);
    } else {
      picture(request, response);
    }
  };
  await withServer(listener, async (origin, requests) => {
    const reasons = {
      "/page.jpg": "expected a picture, got text/html; charset=utf-8",
      "/drawing.svg": "expected a picture, got image/svg+xml",
      "/disguised.jpg":
        "HTML is not supported, expected a JPEG, PNG, GIF, WebP, AVIF or TIFF file",
      "/empty.jpg":
        "an empty file, expected a JPEG, PNG, GIF, WebP, AVIF or TIFF file",
      "/gone.jpg": "404 Not Found",
      "/loop.jpg": "more than 5 redirects",
      "/out.jpg": "expected an http or https address, got file:",
      "/declared.jpg": "larger than 100000 bytes",
      "/endless.jpg": "larger than 100000 bytes",
    };
    const bad = Object.keys(reasons).map((path) => found(origin + path));
    const good = [found(`${origin}/good.jpg`), found(`${origin}/untyped`)];
    const odd = ["", "no address", "data:image/png;base64,AAAA", "javascript:1"]
      .map(found);
    const noText = [null, 5].map((url) => found(url as unknown as string));
    let progress: DownloadProgress | undefined;
    const { records, failures } = await download(
      [good[0], ...bad, ...odd, ...noText, good[1]],
      {
        ...quick,
        maxBytes: 100_000,
        onProgress: (now) => progress = now,
      },
    );
    deepEqual(progress, { done: 17, total: 17, resumed: 0, failed: 15 });
    deepEqual(records.map(withoutFile), good);
    deepEqual(
      failures.slice(0, bad.length).map(({ reason }) => reason),
      Object.values(reasons),
    );
    deepEqual(failures.slice(bad.length).map(({ reason }) => reason), [
      "expected an address, got ",
      "expected an address, got no address",
      "expected an http or https address, got data:",
      "expected an http or https address, got javascript:",
      "expected an address, got null",
      "expected an address, got 5",
    ]);
    equal(files().length, 2);
    equal(requests.filter(({ path }) => path === "/gone.jpg").length, 1);
    equal(requests.filter(({ path }) => path === "/loop.jpg").length, 6);
  });
});

Deno.test("download() asks no address that is not public, however it is spelled", async () => {
  await withServer(picture, async (origin, requests) => {
    const port = new URL(origin).port;
    const hosts = [
      ...["127.0.0.1", "localhost", "LOCALHOST.", "2130706433", "0x7f.1"],
      ...["127.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0"],
      ...["[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::]"],
      ...["10.1.2.3", "172.31.0.1", "192.168.0.1", "100.64.0.1"],
      ...["169.254.169.254", "[fe80::1]", "[fd00::1]", "224.0.0.1"],
      ...["192.0.2.1", "[2001:db8::1]", "255.255.255.255", "[ff02::1]"],
    ];
    const pictures = hosts.map((host) => found(`http://${host}:${port}/a.jpg`));
    const { failures } = await download(pictures, {
      ...quick,
      allowedHosts: [],
    });
    equal(failures.length, hosts.length);
    for (const { url, reason } of failures) {
      match(reason, /^expected a public address, got [0-9a-f.:]+/, url);
    }
    equal(requests.length, 0);
  });
});

Deno.test("download() is led to no other port or machine by a host that is allowed", async () => {
  await withServer(picture, async (secret, asked) => {
    const listener: RequestListener = (request, response) => {
      const { port } = new URL(secret);
      const location = request.url === "/name.jpg"
        ? `http://localhost:${port}/`
        : `http://127.0.0.1:${port}/`;
      response.writeHead(302, { location }).end();
    };
    await withServer(listener, async (origin) => {
      const { failures } = await download(
        ["/name.jpg", "/number.jpg"].map((path) => found(origin + path)),
        { ...quick, allowedHosts: [new URL(origin).host] },
      );
      for (const { reason } of failures) {
        match(reason, /^expected a public address, got (127\.0\.0\.1|::1) /);
      }
      deepEqual([failures.length, asked.length], [2, 0]);
    });
  });
});

Deno.test("download() follows redirects to the picture", async () => {
  const listener: RequestListener = (request, response) => {
    if (request.url === "/old.jpg") {
      response.writeHead(301, { location: "new/place.jpg?x=1" }).end();
    } else picture(request, response);
  };
  await withServer(listener, async (origin) => {
    const { records } = await download([found(`${origin}/old.jpg`)], quick);
    equal(records[0].file, downloadPath(`${origin}/old.jpg`));
  });
});

Deno.test("download() follows five redirects, and no sixth", async () => {
  const listener: RequestListener = (request, response) => {
    const left = Number(request.url!.slice(1));
    if (left > 0) response.writeHead(308, { location: `/${left - 1}` }).end();
    else picture(request, response);
  };
  await withServer(listener, async (origin, requests) => {
    const pictures = [found(`${origin}/5`), found(`${origin}/6`)];
    const { records, failures } = await download(pictures, quick);
    deepEqual(records.map(withoutFile), [pictures[0]]);
    const reason = "more than 5 redirects";
    deepEqual(failures, [{ ...pictures[1], reason, stage: "redirect" }]);
    equal(requests.length, 12);
  });
});

Deno.test("download() takes a file of as many bytes as are allowed, and not one more", async () => {
  const listener: RequestListener = (request, response) => {
    response.setHeader("content-type", "image/jpeg");
    // Where it is not told, only the bytes themselves say how many there are.
    if (request.url!.endsWith("told")) {
      response.setHeader("content-length", jpeg.length);
    }
    response.write(jpeg.subarray(0, 100));
    response.end(jpeg.subarray(100));
  };
  await withServer(listener, async (origin) => {
    for (const path of ["/told", "/untold"]) {
      const pictures = [found(origin + path)];
      const few = { ...quick, maxBytes: jpeg.length - 1 };
      const { failures } = await download(pictures, few);
      equal(failures[0]?.reason, `larger than ${jpeg.length - 1} bytes`, path);
      const enough = { ...quick, maxBytes: jpeg.length };
      equal((await download(pictures, enough)).records.length, 1, path);
    }
  });
});

Deno.test("download() takes for a picture what says so, or says nothing, and is one", async () => {
  const types: Record<string, boolean> = {
    "image/png": true,
    "IMAGE/JPEG; q=1": true,
    "application/octet-stream": true,
    "binary/octet-stream": true,
    "": true,
    "image/svg+xml": false,
    "text/plain": false,
    "application/json": false,
    "application/xhtml+xml": false,
    "video/mp4": false,
  };
  const listener: RequestListener = (request, response) => {
    const type = decodeURIComponent(request.url!.slice(1));
    if (type) response.setHeader("content-type", type);
    response.end(jpeg);
  };
  await withServer(listener, async (origin) => {
    const urls = Object.keys(types).map((type) =>
      `${origin}/${encodeURIComponent(type)}`
    );
    const { records } = await download(urls.map(found), quick);
    deepEqual(
      records.map(({ url }) => decodeURIComponent(new URL(url).pathname)),
      Object.keys(types).filter((type) => types[type]).map((type) =>
        `/${type}`
      ),
    );
  });
});

Deno.test("download() takes nothing but 200 for an answer", async () => {
  const listener: RequestListener = (request, response) => {
    const status = Number(request.url!.slice(1));
    response.writeHead(status, { "content-type": "image/jpeg" });
    response.end(status === 204 || status === 304 ? undefined : jpeg);
  };
  await withServer(listener, async (origin, requests) => {
    const urls = [200, 203, 204, 206, 301, 304].map((n) => `${origin}/${n}`);
    const { records, failures } = await download(urls.map(found), quick);
    deepEqual(records.map(({ url }) => url), urls.slice(0, 1));
    match(failures.map(({ reason }) => reason).join(), /^203 .*,204 .*,206 /);
    equal(requests.length, urls.length);
  });
});

Deno.test("download() tries again after 500, a cut-off answer and a slow one", async () => {
  const seen = new Map<string, number>();
  const listener: RequestListener = (request, response) => {
    const path = request.url!;
    const time = (seen.get(path) ?? 0) + 1;
    seen.set(path, time);
    if (path === "/never.jpg") {
      response.writeHead(502).end();
    } else if (path === "/always-cut.jpg" || path === "/cut.jpg" && time < 3) {
      response.writeHead(200, {
        "content-type": "image/jpeg",
        "content-length": jpeg.length,
      });
      response.write(jpeg.subarray(0, 200), () => response.destroy());
    } else if (path === "/chunked-cut.jpg" && time < 2) {
      response.writeHead(200, { "content-type": "image/jpeg" });
      response.write(jpeg.subarray(0, 200), () => response.destroy());
    } else if (path === "/slow.jpg" && time < 2) {
      response.writeHead(200, { "content-type": "image/jpeg" });
      response.write(jpeg.subarray(0, 200)); // and nothing more
    } else if (path === "/flaky.jpg" && time < 4) {
      response.writeHead([500, 408, 503][time - 1]).end();
    } else picture(request, response);
  };
  await withServer(listener, async (origin) => {
    const good = ["/flaky.jpg", "/cut.jpg", "/chunked-cut.jpg", "/slow.jpg"];
    const bad = ["/never.jpg", "/always-cut.jpg"];
    const { records, failures } = await download(
      [...good, ...bad].map((path) => found(origin + path)),
      { ...quick, timeoutMs: 300 },
    );
    deepEqual(
      records.map((record) => new URL(record.url).pathname),
      good,
    );
    for (const { file } of records) {
      deepEqual(await Deno.readFile(file), new Uint8Array(jpeg));
    }
    equal(failures[0].reason, "502 Bad Gateway");
    ok(failures[1].reason.length > 0);
    deepEqual(bad.map((path) => seen.get(path)), [6, 6]);
    equal(files().length, good.length);
  });
});

Deno.test("download() goes on while requests stall, and sends them again after 3 s", async () => {
  const seen = new Map<string, number[]>();
  const listener: RequestListener = (request, response) => {
    const path = request.url!;
    seen.set(path, [...seen.get(path) ?? [], Date.now()]);
    // Every twelfth, once: eight a second, as many as there are slots.
    if (path.startsWith("/55") && seen.get(path)!.length === 1) {
      return response.writeHead(200, { "content-type": "image/jpeg" })
        .flushHeaders();
    }
    picture(request, response);
  };
  await withServer(listener, async (origin) => {
    const pictures = Array.from(
      { length: 180 },
      (_, i) => found(`${origin}/${i % 12}${i % 12}-${i}.jpg`),
    );
    const options = { allowedHosts, intervalMs: 10 };
    strictEqual((await download(pictures, options)).failures.length, 0);
    // Eight that stall would keep the others from the first second to the fourth.
    const others = [...seen.values()].filter((times) => times.length === 1);
    const sent = others.flat().sort((a, b) => a - b);
    strictEqual(sent.length, 165);
    const gap = Math.max(...sent.slice(1).map((time, i) => time - sent[i]));
    ok(gap < 1500, `${gap} ms between two`);
    const stalled = [...seen.values()].filter((times) => times.length > 1);
    strictEqual(stalled.length, 15);
    for (const [first, second] of stalled) {
      const waited = second - first;
      // With the patience of a request that goes on arriving, it would be 30 s.
      ok(waited >= 2950 && waited < 10_000, `${waited} ms`);
    }
  });
});

Deno.test("download() reports what did not arrive in time or from no host", async () => {
  let closed = "";
  await withServer(() => {}, (origin) => {
    closed = origin;
    return Promise.resolve();
  });
  await withServer(() => {}, async (origin) => {
    const { failures } = await download(
      [found(`${origin}/mute.jpg`), found(`${closed}/a.jpg`)],
      {
        ...quick,
        allowedHosts: [...allowedHosts, new URL(closed).host],
        timeoutMs: 50,
      },
    );
    equal(failures[0].reason, "no whole answer in time");
    match(failures[1].reason, /refused/i);
  });
});

Deno.test("download() gives up hosts that nobody reaches, which keep no others waiting", async () => {
  const { lookup } = dns;
  const looked = new Map<string, number>();
  // A name that leads nowhere, and takes its time to: nothing else is slow
  // everywhere.
  dns.lookup = ((name: string) => {
    looked.set(name, (looked.get(name) ?? 0) + 1);
  }) as unknown as typeof lookup;
  try {
    await withServer(picture, async (origin) => {
      const dead = Array.from(
        { length: 60 },
        (_, i) => found(`http://host${i % 20}.example/${i}.jpg`),
      );
      const good = Array.from(
        { length: 40 },
        (_, i) => found(`${origin}/${i}.jpg`),
      );
      const start = Date.now();
      let goodAt = 0;
      const { records, failures } = await download([...dead, ...good], {
        ...{ ...quick, connectMs: 2000, concurrency: 16, perHost: 2 },
        onProgress: ({ done, failed }) => {
          if (done - failed === good.length) goodAt ||= Date.now() - start;
        },
      });
      strictEqual(records.length, good.length);
      strictEqual(failures.length, dead.length);
      ok(goodAt > 0 && goodAt < 6000, `${goodAt} ms, 8000 in their slots`);
      for (const { reason, stage } of failures) {
        match(
          reason,
          /^host\d+\.example is not reached, \d times in a row: no/,
        );
        strictEqual(stage, "connect");
      }
      // Of three pictures, each asked for six times, it would be 18.
      for (const times of looked.values()) ok(times <= 12, `${times} times`);
    });
  } finally {
    dns.lookup = lookup;
  }
});

Deno.test("download() loses nothing to a host that limits its rate", async () => {
  // A token bucket: 10 requests at once, then 50 a second.
  let tokens = 10, filled = Date.now();
  const listener: RequestListener = (request, response) => {
    tokens = Math.min(10, tokens + (Date.now() - filled) / 20);
    filled = Date.now();
    if (tokens < 1) response.writeHead(429, { "retry-after": "0" }).end();
    else {
      tokens--;
      picture(request, response);
    }
  };
  await withServer(listener, async (origin, requests) => {
    const pictures = Array.from(
      { length: 60 },
      (_, i) => found(`${origin}/${i}.jpg`),
    );
    const { records } = await download(pictures, quick);
    equal(records.length, 60);
    ok(requests.length < 120, `${requests.length} requests`);
  });
});

Deno.test("download() keeps the pause that Retry-After asks for", async () => {
  let refused = 0;
  const listener: RequestListener = (request, response) => {
    if (request.url === "/3.jpg" && !refused) {
      refused = Date.now();
      response.writeHead(503, { "retry-after": "1" }).end();
    } else picture(request, response);
  };
  await withServer(listener, async (origin, requests) => {
    const pictures = Array.from(
      { length: 12 },
      (_, i) => found(`${origin}/${i}.jpg`),
    );
    const { records } = await download(pictures, {
      ...quick,
      concurrency: 2,
      intervalMs: 20,
    });
    equal(records.length, 12);
    const gap = requests.filter(({ at }) =>
      at > refused + 50 && at < refused + 990
    );
    equal(gap.length, 0);
    equal(requests.length, 13);
  });
});

Deno.test("download() gives up a host that refuses for too long, others not", async () => {
  const refusing: RequestListener = (_, response) => {
    response.writeHead(429, { "retry-after": "3600" }).end();
  };
  await withServer(refusing, async (closed, closedRequests) => {
    const pictures = Array.from(
      { length: 40 },
      (_, i) => found(`${closed}/${i}.jpg`),
    );
    const server = createServer(picture);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as AddressInfo;
    const open = found(`http://127.0.0.1:${port}/a.jpg`);
    const { records, failures } = await download([...pictures, open], {
      ...quick,
      allowedHosts: [...allowedHosts, `127.0.0.1:${port}`],
    });
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    deepEqual(records.map(withoutFile), [open]);
    equal(failures.length, 40);
    match(failures[39].reason, /^127\.0\.0\.1:\d+ refuses requests for 36/);
    ok(closedRequests.length <= 8, `${closedRequests.length} requests`);
  });
});

Deno.test("download() gives up a host that never stops refusing", async () => {
  const refusing: RequestListener = (_, response) => {
    response.writeHead(429).end();
  };
  await withServer(refusing, async (origin, requests) => {
    const pictures = Array.from(
      { length: 60 },
      (_, i) => found(`${origin}/${i}.jpg`),
    );
    const { failures } = await download(pictures, {
      ...quick,
      patienceMs: 200,
    });
    equal(failures.length, 60);
    ok(requests.length < 60, `${requests.length} requests`);
  });
});

Deno.test("download() sends a host one request an interval", async () => {
  await withServer(picture, async (origin, requests) => {
    const pictures = Array.from(
      { length: 8 },
      (_, i) => found(`${origin}/${i}.jpg`),
    );
    await download(pictures, { ...quick, intervalMs: 40 });
    const span = requests.at(-1)!.at - requests[0].at;
    ok(span >= 7 * 40 - 20, `8 requests in ${span} ms`);
  });
});

Deno.test("download() is polite unless told otherwise: 100 ms and 8 requests a host, 64 in all", async () => {
  let under = 0, most = 0;
  const listener: RequestListener = async (request, response) => {
    most = Math.max(most, ++under);
    await sleep(60);
    under--;
    if (request.headers.accept === "image/*") picture(request, response);
    else response.writeHead(406).end();
  };
  await withServer(listener, async (origin) => {
    const start = performance.now();
    const few = [1, 2, 3, 4, 5].map((i) => found(`${origin}/${i}.jpg`));
    deepEqual((await download(few, { allowedHosts })).failures, []);
    const took = performance.now() - start;
    ok(took >= 395 && took < 2000, `5 requests in ${took} ms`);

    // Names of one server are as many hosts.
    const hosts = Array.from(
      { length: 10 },
      (_, i) => origin.replace("127.0.0.1", `127.0.0.${i + 1}`),
    );
    const both = hosts.map((one) => new URL(one).host);
    const many = Array.from(
      { length: 120 },
      (_, i) => found(`${hosts[i % 10]}/many/${i}.jpg`),
    );
    const ofOne = many.filter(({ url }) => url.startsWith(origin));
    for (const [pictures, limit] of [[ofOne, 8], [many, 64]] as const) {
      most = 0;
      const options = { intervalMs: 0, allowedHosts: both };
      strictEqual((await download(pictures, options)).failures.length, 0);
      strictEqual(most, limit);
      await Deno.remove(paths.downloads, { recursive: true });
    }
    most = 0;
    await download(many.map(({ url }) => found(`${url}?2`)), {
      intervalMs: 0,
      concurrency: 3,
      allowedHosts: both,
    });
    equal(most, 3);
  });
});

Deno.test("download() stops on a signal and continues in the next run", async () => {
  await withServer(picture, async (origin, requests) => {
    const pictures = Array.from(
      { length: 20 },
      (_, i) => found(`${origin}/${i}.jpg`),
    );
    const stop = new AbortController();
    const stopped = await download(pictures, {
      ...quick,
      intervalMs: 20,
      signal: stop.signal,
      onProgress: ({ done }) => done === 5 && stop.abort(),
    });
    equal(stopped.records.length + stopped.failures.length, 20);
    equal(stopped.failures[0].reason, "stopped: run again to continue");
    ok(stopped.failures.length > 0 && stopped.records.length >= 5);
    const rest = await download(pictures, quick);
    equal(rest.records.length, 20);
    ok(requests.length <= 20 + 8, "only what was under way is asked for again");
  });
});

Deno.test("download() fetches from elsewhere but names by the address", async () => {
  await withServer(picture, async (origin) => {
    const { records, failures } = await download(
      [found("http://old.example/a.jpg"), found("http://bad.example/a.jpg")],
      {
        ...quick,
        rebase: (url) => {
          if (url.includes("bad")) throw new Error("not this site's");
          return url.replace("http://old.example", origin);
        },
      },
    );
    equal(records[0].file, downloadPath("http://old.example/a.jpg"));
    equal(failures[0].reason, "not this site's");
  });
});

Deno.test("downloadPath() stays in the folder, whatever the address", () => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.webUrl({ withQueryParameters: true, withFragments: true }),
    fc.array(
      fc.constantFrom("..", "/", "\\", "%2e%2e", "C:", "\0", "a", ".part", "?"),
      { maxLength: 40 },
    ).map((parts) => parts.join("")),
  );
  fc.assert(fc.property(hostile, (url) => {
    const path = downloadPath(url);
    equal(dirname(path), paths.downloads);
    match(
      basename(path),
      /^[A-Za-z0-9_][A-Za-z0-9_-]{0,59}-[0-9a-f]{16}(\.[a-z]{3,4})?$/,
    );
    equal(downloadPath(url), path);
  }));
});

Deno.test("downloadPath() keeps apart addresses with one basename", () => {
  const urls = [
    "https://a.example/1/owl.jpg",
    "https://a.example/2/owl.jpg",
    "https://b.example/1/owl.jpg",
    "https://a.example/1/owl.jpg?size=l",
    "https://a.example/1/OWL.jpg",
  ];
  const names = urls.map((url) => basename(downloadPath(url)).toLowerCase());
  equal(new Set(names).size, urls.length);
});

Deno.test("download() continues after kill -9 and takes no part for a whole", async () => {
  const bodies = new Map<string, number>();
  // Each body comes in two halves, so that a kill finds some of them half done.
  const listener: RequestListener = (request, response) => {
    const path = request.url!;
    response.writeHead(200, { "content-type": "image/jpeg" });
    response.write(jpeg.subarray(0, 300));
    const rest = setTimeout(() => {
      response.end(
        jpeg.subarray(300),
        () => bodies.set(path, (bodies.get(path) ?? 0) + 1),
      );
    }, 40);
    response.on("close", () => clearTimeout(rest));
  };
  await withServer(listener, async (origin, requests) => {
    const urls = Array.from({ length: 60 }, (_, i) => `${origin}/${i}.jpg`);
    const script = join(
      paths.downloads,
      "..",
      `killed-${crypto.randomUUID()}.ts`,
    );
    await Deno.writeTextFile(
      script,
      `import { download } from "#lib/dataset/download.ts";
       import { paths } from "#lib/paths.ts";
       paths.downloads = ${JSON.stringify(paths.downloads)};
       await download(${JSON.stringify(urls.map(found))}, {
         intervalMs: 0,
         allowedHosts: ${JSON.stringify(allowedHosts)},
       });`,
    );
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "-A",
        "--no-lock",
        "-c",
        join(paths.root, "deno.json"),
        script,
      ],
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    while (bodies.size < 20) await sleep(5);
    child.kill("SIGKILL");
    equal((await child.status).signal, "SIGKILL");
    await Deno.remove(script);
    await Deno.writeFile(
      join(paths.downloads, ".00000000-half.part"),
      jpeg.subarray(0, 300),
    );

    const whole = files().filter((name) => !name.endsWith(".part"));
    ok(whole.length > 0 && whole.length < 60, `${whole.length} files`);
    for (const name of whole) {
      deepEqual(
        await Deno.readFile(join(paths.downloads, name)),
        new Uint8Array(jpeg),
      );
    }
    const asked = requests.length;
    const { records } = await download(urls.map(found), quick);
    equal(records.length, 60);
    equal(requests.length - asked, 60 - whole.length);
    deepEqual(files(), urls.map((url) => basename(downloadPath(url))).sort());
  });
});
