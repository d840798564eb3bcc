/**
 * What a server of bad will can do to a download, in one table: each row is
 * recorded, costs bounded bytes and time, and keeps nobody else from their
 * picture.
 */
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import dns from "node:dns";
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { join, sep } from "node:path";
import process from "node:process";
import { gzipSync } from "node:zlib";
import sharp from "sharp";
import { cleanPicture } from "#lib/dataset/clean.ts";
import {
  download,
  downloadPath,
  type Downloads,
} from "#lib/dataset/download.ts";
import { prepareDataset } from "#lib/dataset/prepare.ts";
import { paths } from "#lib/paths.ts";
import type { FoundPicture } from "#lib/records.ts";
import { pngHeader } from "../support/png_header.ts";

const jpeg = await sharp({
  create: { width: 80, height: 60, channels: 3, background: "#406080" },
}).jpeg().toBuffer();
const frames = Buffer.concat([
  Buffer.alloc(80 * 60 * 3, 40),
  Buffer.alloc(80 * 60 * 3, 200),
]);
const animated = await sharp(frames, {
  raw: { width: 80, height: 120, channels: 3, pageHeight: 60 },
}).gif({ delay: [100, 100] }).toBuffer();
const svg =
  '<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/hosts"/></svg>';
const html = "<!doctype html><title>Sign in</title>";

/** A row: what is done to us, and what is to be seen of it. */
interface Row {
  /** What the server does, or how the address looks. */
  what: string;
  /** What it writes to the connection. */
  answer?: (socket: Socket) => void;
  /** The path, if it is what is odd; or the whole address. */
  path?: string;
  url?: string;
  /** Where the download ends, and its reason; neither if there is a file. */
  stage?: string;
  reason?: RegExp;
  /** What cleaning says of the file; "clean" if it is a picture. */
  cleaned?: RegExp;
}

/** Writes a whole answer: status line, headers, body. */
const says = (
  status: string,
  headers: Record<string, string | number> = {},
  body: Uint8Array | string = "",
) =>
(socket: Socket) => {
  const lines = Object.entries({
    "content-length": body.length,
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status}\r\n${lines.join("")}\r\n`);
  socket.write(body);
};
const isJpeg = { "content-type": "image/jpeg" };
const picture = says("200 OK", isJpeg, jpeg);
const leadsTo = (location: string) => says("302 Found", { location });

/** Writes something again and again until nobody listens. */
const endless =
  (start: string, more: () => string | Uint8Array, everyMs: number) =>
  (socket: Socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write(more()), everyMs);
    socket.on("close", () => clearInterval(timer));
  };
const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: image/jpeg\r\n";
const ZEROES = `10000\r\n${"\0".repeat(65_536)}\r\n`;

const NOT_PUBLIC = /^expected a public address, got /;
const NO_PICTURE = /, expected a JPEG, PNG, GIF, WebP, AVIF or TIFF file$/;

const SERVERS: Row[] = [
  {
    what: "a length of 10 GB",
    answer: says("200 OK", { ...isJpeg, "content-length": 1e10 }, jpeg),
    ...{ stage: "size", reason: /^larger than 6000000 bytes$/ },
  },
  {
    what: "an endless body in chunks",
    answer: endless(
      `${HEAD}transfer-encoding: chunked\r\n\r\n`,
      () => ZEROES,
      1,
    ),
    ...{ stage: "size", reason: /^larger than 6000000 bytes$/ },
  },
  {
    what: "an endless body without a length",
    answer: endless(`${HEAD}\r\n`, () => "\0".repeat(65_536), 1),
    ...{ stage: "size", reason: /^larger than 6000000 bytes$/ },
  },
  {
    what: "more bytes than it told",
    answer: says("200 OK", { ...isJpeg, "content-length": 200 }, jpeg),
    cleaned: /damaged|premature|decoder/,
  },
  {
    what: "a length below zero",
    answer: says("200 OK", { ...isJpeg, "content-length": -5 }, jpeg),
    stage: "transfer",
  },
  {
    what: "two lengths",
    answer: says("200 OK", { ...isJpeg, "Content-Length": 5 }, jpeg),
    stage: "transfer",
  },
  {
    what: "a PNG of 50,000 x 50,000 pixels",
    answer: says("200 OK", isJpeg, pngHeader(50_000, 50_000)),
    cleaned: /^50000 × 50000 pixels, expected 150000000 or fewer in all$/,
  },
  {
    what: "a gigabyte, in gzip, that nobody asked for",
    answer: says(
      "200 OK",
      { ...isJpeg, "content-encoding": "gzip" },
      gzipSync(Buffer.alloc(2 ** 30)),
    ),
    ...{ stage: "type", reason: NO_PICTURE },
  },
  {
    what: "nothing",
    answer: says("200 OK", isJpeg),
    ...{ stage: "type", reason: /^an empty file/ },
  },
  {
    what: "HTML under the type of a JPEG",
    answer: says("200 OK", isJpeg, html),
    ...{ stage: "type", reason: /^HTML is not supported/ },
  },
  {
    what: "HTML under its own type",
    answer: says("200 OK", { "content-type": "text/html" }, html),
    ...{ stage: "type", reason: /^expected a picture, got text\/html$/ },
  },
  {
    what: "a type of 10,000 letters",
    answer: says("200 OK", { "content-type": "x".repeat(10_000) }, jpeg),
    ...{ stage: "type", reason: /^expected a picture, got x{60}$/ },
  },
  {
    what: "SVG under its own type",
    answer: says("200 OK", { "content-type": "image/svg+xml" }, svg),
    ...{ stage: "type", reason: /^expected a picture, got image\/svg/ },
  },
  {
    what: "SVG under the type of a JPEG",
    answer: says("200 OK", isJpeg, svg),
    ...{ stage: "type", reason: /^SVG is not supported/ },
  },
  {
    what: "a GIF that moves, under the name of a JPEG",
    answer: says("200 OK", isJpeg, animated),
    cleaned: /^clean$/,
  },
  {
    what: "half of a JPEG as a whole one",
    answer: says("200 OK", isJpeg, jpeg.subarray(0, jpeg.length - 60)),
    cleaned: /premature end/,
  },
  ...[
    ...["http://169.254.169.254/latest/meta-data/", "http://127.0.0.1:1/a.jpg"],
    ...["http://[::1]/a.jpg", "http://10.0.0.1/a.jpg", "//192.168.1.1/a.jpg"],
    ...["http://2130706433/a.jpg", "http://localhost/a.jpg"],
  ].map((location) => ({
    what: `a redirect to ${location}`,
    answer: leadsTo(location),
    ...{ stage: "address", reason: NOT_PUBLIC },
  })),
  ...["file:///etc/hosts", "ftp://example.org/a", "javascript:1", "data:,a"]
    .map((location) => ({
      what: `a redirect to ${location}`,
      answer: leadsTo(location),
      stage: "address",
      reason: /^expected an http or https address, got \w+:$/,
    })),
  {
    what: "a redirect to no address",
    answer: leadsTo("http://"),
    ...{ stage: "address", reason: /^expected an address, got http:\/\/$/ },
  },
  {
    what: "a redirect to itself",
    answer: leadsTo("?"),
    ...{ stage: "redirect", reason: /^more than 5 redirects$/ },
  },
  {
    what: "a redirect to nowhere",
    answer: says("301 Moved"),
    stage: "redirect",
    reason: /^expected an address to go to, got none \(301\)$/,
  },
  {
    what: "a header of 4 MB",
    answer: says("200 OK", { ...isJpeg, x: "x".repeat(4_000_000) }, jpeg),
    stage: "transfer",
  },
  {
    what: "headers without end",
    answer: endless(HEAD, () => `x: ${"x".repeat(9000)}\r\n`, 1),
    stage: "transfer",
  },
  {
    what: "one byte a second",
    answer: endless(`${HEAD}content-length: 5000\r\n\r\n`, () => "x", 1000),
    ...{ stage: "time", reason: /^no whole answer in time$/ },
  },
  {
    what: "one byte of its header a second",
    answer: endless("HTTP/1.1 200 ", () => "O", 1000),
    ...{ stage: "time", reason: /^no whole answer in time$/ },
  },
  {
    what: "hints that an answer will come, without end",
    answer: endless("", () => "HTTP/1.1 103 Early Hints\r\n\r\n", 20),
    ...{ stage: "time", reason: /^no whole answer in time$/ },
  },
  {
    what: "silence",
    answer: () => {},
    ...{ stage: "time", reason: /^no whole answer in time$/ },
  },
  {
    what: "a status of 999",
    answer: says("999 Denied", isJpeg, jpeg),
    ...{ stage: "status", reason: /^999 Denied$/ },
  },
  {
    what: "a part that nobody asked for",
    answer: says(
      "206 Partial Content",
      { ...isJpeg, "content-range": "bytes 0-9/10" },
      jpeg,
    ),
    ...{ stage: "status", reason: /^206 Partial Content$/ },
  },
  {
    what: "304 to somebody who has nothing",
    answer: (socket) => socket.write("HTTP/1.1 304 Not Modified\r\n\r\n"),
    ...{ stage: "status", reason: /^304 Not Modified$/ },
  },
  {
    what: "an upgrade to another protocol",
    answer: says("101 Switching", { upgrade: "x", connection: "upgrade" }),
    ...{ stage: "status", reason: /^101 Switching$/ },
  },
  {
    what: "no HTTP",
    answer: (socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"),
    stage: "transfer",
  },
  {
    what: "a closed door",
    answer: (socket) => socket.destroy(),
    stage: "transfer",
  },
];

/** Addresses as lists have them; of this server, and each of one picture. */
const ADDRESSES: Row[] = [
  ...[
    ...["/🦉/🦉.jpg", "/ينام.jpg", "/\u202egpj.exe", "/a b  c.jpg"],
    ...[
      "/..%2f..%2f..%2fetc%2fpasswd",
      "/%2e%2e/%2e%2e/a.jpg",
      "/a\\..\\b.jpg",
    ],
    ...["/CON.jpg", "/.htaccess", "/-rf.jpg", "/~", "/%00.jpg", "/%.jpg", "//"],
    ...[`/${"long".repeat(100)}.jpg`, `/a.jpg?${"x=y&".repeat(2000)}`],
    ...["/a.jpg;jsessionid=1", "/a.jpg#../../b", "/a.php?f=../../b.jpg"],
    ...["/a.part", "/.parts/a", "/%0d%0aSet-Cookie:%20a=b", "/wrong.png"],
  ].map((path) => ({ what: `the path ${path.slice(0, 40)}`, path })),
  {
    what: "a name and a password",
    url: "http://user:secret@HOST/secret.jpg",
  },
  {
    what: "port 0",
    url: "http://127.0.0.1:0/a.jpg",
    ...{ stage: "address", reason: NOT_PUBLIC },
  },
  {
    what: "a port too high",
    url: "http://127.0.0.1:65536/a.jpg",
    ...{ stage: "address", reason: /^expected an address, got / },
  },
  {
    what: "a name in other letters, which nobody has",
    url: "http://bücher.example/a.jpg",
    ...{ stage: "look-up", reason: /ENOTFOUND/ },
  },
  {
    what: "a name of 300 letters",
    url: `http://${"a".repeat(300)}.example/a.jpg`,
    ...{ stage: "look-up", reason: /ENOTFOUND/ },
  },
  {
    what: "a name that leads to this machine",
    url: "http://inside.example/a.jpg",
    ...{
      stage: "address",
      reason: /^expected .* 127\.0\.0\.1 \(inside\.example\)/,
    },
  },
  {
    what: "a name that leads elsewhere at first, then to this machine",
    url: "http://rebind.example:PORT/a.jpg",
    ...{
      stage: "address",
      reason: /^expected .* 127\.0\.0\.1 \(rebind\.example\)/,
    },
  },
  {
    what: "blanks and line breaks around",
    url: " \n http://HOST/around.jpg\t",
  },
  {
    what: "a script",
    url: "javascript:alert(1)",
    ...{ stage: "address", reason: /^expected an http or https address/ },
  },
];

Deno.test("download() records what a hostile server does, and survives it", async (test) => {
  const rows = [...SERVERS, ...ADDRESSES];
  /** Paths asked for at this server, and what came with it. */
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      const [, path] = /^GET (\S+)/.exec(`${data}`) ?? [];
      asked.push(path);
      const row = SERVERS[Number(/^\/row\/(\d+)/.exec(path)?.[1])];
      (row?.answer ?? picture)(socket);
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  const urlOf = ({ url, path }: Row, i: number) =>
    url?.replace("HOST", host).replace("PORT", `${port}`) ??
      `http://${host}${path ?? `/row/${i}/a.jpg`}`;

  const folder = await Deno.makeTempDir({ prefix: "hostile-" });
  const kept = { downloads: paths.downloads, lookup: dns.lookup };
  paths.downloads = join(folder, "data", "downloads");
  const looked: string[] = [];
  dns.lookup = fakeLookup(looked) as unknown as typeof dns.lookup;
  const memory = process.memoryUsage().rss;
  const start = Date.now();
  let result: Downloads;
  try {
    result = await download(
      rows.map((row, i) => found(urlOf(row, i))),
      {
        allowedHosts: [host],
        intervalMs: 0,
        backoffMs: 5,
        retries: 1,
        timeoutMs: 1500,
        perHost: 100,
        maxBytes: 6_000_000,
      },
    );
  } finally {
    dns.lookup = kept.lookup;
    server.close();
  }
  const took = Date.now() - start;
  const grown = (process.memoryUsage().rss - memory) / 1e6;

  const outcomes: Record<string, (typeof result)["failures"][0] | string> = {};
  for (const failure of result.failures) outcomes[failure.url] = failure;
  for (const { url, file } of result.records) outcomes[url] = file;
  for (const [i, row] of rows.entries()) {
    await test.step(row.what, async () => {
      const outcome = outcomes[urlOf(row, i)];
      if (typeof outcome !== "string") {
        ok(row.stage || row.reason, `no file: ${outcome?.reason}`);
        if (row.stage) strictEqual(outcome.stage, row.stage, outcome.reason);
        match(outcome.reason, row.reason ?? /./);
        ok(outcome.reason.length <= 200 && !/[\r\n]/.test(outcome.reason));
        return;
      }
      ok(!row.stage, `a file: ${outcome}`);
      strictEqual(outcome, downloadPath(urlOf(row, i)));
      const cleaned = await cleanPicture(outcome);
      const said = "rejected" in cleaned ? cleaned.reason : "clean";
      match(said, row.cleaned ?? /^clean$/);
    });
  }
  await test.step("all in bounded time and memory", () => {
    ok(took < 20_000, `${took} ms`);
    ok(grown < 400, `${grown} MB`);
  });
  await test.step("nothing is written outside the folder", () => {
    const written = filesIn(folder);
    strictEqual(written.length, result.records.length, `${written}`);
    for (const path of written) ok(path.startsWith(paths.downloads + sep));
  });
  await test.step("the connection's own look-up decides, each time", () => {
    const ofOne = looked.filter((name) => name === "rebind.example");
    strictEqual(ofOne.length, 2);
    const paths = asked.filter((path) => path?.includes("Set-Cookie"));
    deepStrictEqual(paths, ["/%0d%0aSet-Cookie:%20a=b"]);
  });
  paths.downloads = kept.downloads;
  await Deno.remove(folder, { recursive: true });
});

/** What the names of the table lead to; the first time, one leads elsewhere. */
function fakeLookup(looked: string[]) {
  return (
    name: string,
    _: unknown,
    done: (error: Error | null, found?: unknown[]) => void,
  ) => {
    looked.push(name);
    const isAgain = looked.filter((other) => other === name).length > 1;
    if (name === "inside.example" || name === "rebind.example" && isAgain) {
      return done(null, [{ address: "127.0.0.1", family: 4 }]);
    }
    // Public, and given to nobody: no packet of ours arrives anywhere.
    if (name === "rebind.example") {
      return done(null, [{ address: "2000::1", family: 6 }]);
    }
    const error = new Error(`getaddrinfo ENOTFOUND ${name}`.slice(0, 190));
    done(Object.assign(error, { code: "ENOTFOUND" }));
  };
}

Deno.test("prepareDataset() keeps pictures of hostile terms in the folder, each in its own", async () => {
  const terms = [
    ...["owl", "a/b", "a\\b", "a_b", "../../owl", "/etc/passwd", ".", "..", ""],
    ...[
      "🦉",
      "🦅",
      "ينام",
      "\u202elwo",
      "o\u0000wl",
      "CON",
      "aux.jpg",
      "~",
      "*",
    ],
    ...["o:wl", "owl.", "owl ", "  ", "x".repeat(300), "x".repeat(299) + "y"],
    ...["train", "test", ".new", "%2e%2e", "-rf", "<b>", "İ", "ß"],
  ];
  const folder = await Deno.makeTempDir({ prefix: "terms-" });
  const kept = { dataset: paths.dataset, downloads: paths.downloads };
  paths.dataset = join(folder, "data", "dataset");
  paths.downloads = join(folder, "data", "downloads");
  await Deno.mkdir(paths.downloads, { recursive: true });
  try {
    const records = await Promise.all(
      terms.flatMap((term, i) =>
        [0, 1, 2, 3].map(async (n) => {
          const url = `http://example.org/${i}/${n}.jpg`;
          const background = { r: 6 * i, g: 60 * n, b: 90 };
          const size = { width: 60, height: 60, channels: 3 } as const;
          const bytes = await sharp({ create: { ...size, background } })
            .png().toBuffer();
          await Deno.writeFile(downloadPath(url), bytes);
          return { ...found(url), term, file: downloadPath(url) };
        })
      ),
    );
    // Plain pictures look alike to a rule that finds near copies.
    const options = { nearDuplicates: false } as object;
    await prepareDataset({ records, failures: [] }, options);
    const given = new Set(records.map(({ file }) => file));
    const written = filesIn(folder).filter((path) => !given.has(path));
    strictEqual(
      written.filter((path) => path.endsWith(".jpg")).length,
      records.length,
    );
    const train = join(paths.dataset, "train");
    for (const path of written) ok(path.startsWith(paths.dataset + sep), path);
    const folders = [...Deno.readDirSync(train)].map(({ name }) => name);
    const folded = folders.filter((name) => name !== "metadata.jsonl")
      .map((name) => name.normalize("NFC").toLowerCase());
    strictEqual(new Set(folded).size, terms.length, folders.join(" | "));
  } finally {
    Object.assign(paths, kept);
    await Deno.remove(folder, { recursive: true });
  }
});

function found(url: string): FoundPicture {
  const record = {
    category: "a",
    term: "b",
    page: "",
    author: "",
    caption: "",
  };
  return { ...record, url, license: "" };
}

function filesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory ? filesIn(join(folder, name)) : [join(folder, name)]
  );
}
