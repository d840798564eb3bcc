import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import sharp from "sharp";
import { openSearchApp, type SearchApp } from "#lib/search_page/search_page.ts";
import { datasetSource, folderSource } from "#lib/search_page/index/sources.ts";
import { jupyterDisplay } from "#lib/display/display.ts";
import { Matrix } from "#lib/compare/matrix.ts";
import { writeNpy } from "#lib/compare/npy.ts";
import { embedPictures } from "#lib/embeddings/embeddings.ts";
import { paths } from "#lib/paths.ts";
import type { DatasetPicture } from "#lib/records.ts";
import { writeDataset } from "#lib/dataset/dataset.ts";
import { colourEncoder, plain } from "../support/colour_encoder.ts";
import { pngHeader } from "../support/png_header.ts";

/** Runs `body` with an empty folder for pictures, and an index of its own. */
async function withFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "search-" });
  const { search, embeddings } = paths;
  paths.search = join(root, "index");
  paths.embeddings = join(root, "embeddings");
  await mkdir(join(root, "pictures"));
  try {
    await body(join(root, "pictures"));
  } finally {
    Object.assign(paths, { search, embeddings });
    await Deno.remove(root, { recursive: true });
  }
}

/** Shades of red and blue in folders of those names. */
async function paint(folder: string): Promise<void> {
  for (const term of ["red", "blue"]) {
    await mkdir(join(folder, "paint", term), { recursive: true });
    for (let shade = 0; shade < 12; shade++) {
      const strong = 255 - 8 * shade;
      const weak = 9 * shade;
      const background = term === "red"
        ? { r: strong, g: weak, b: 0 }
        : { r: 0, g: weak, b: strong };
      await writeFile(
        join(folder, "paint", term, `${term}-${shade}.png`),
        await plain(background),
      );
    }
  }
}

async function open(folder: string): Promise<SearchApp> {
  const app = await openSearchApp(await folderSource(folder), {
    encoders: [colourEncoder()],
    log: () => {},
  });
  await app.ready;
  return app;
}

/** Asks as the page does. */
async function ask(
  app: SearchApp,
  path: string,
  body?: string | Uint8Array,
) {
  const response = await fetch(app.url + path, {
    method: body === undefined ? "GET" : "POST",
    body: body as BodyInit | undefined,
    headers: body === undefined ? {} : { origin: new URL(app.url).origin },
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const text = new TextDecoder().decode(bytes);
  const json = text.startsWith("{") || text.startsWith("[")
    ? JSON.parse(text)
    : undefined;
  return { status: response.status, headers: response.headers, bytes, json };
}

Deno.test("openSearchApp() finds by text, by picture, by likeness, within filters", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await open(folder);
    const terms = async (query: Parameters<SearchApp["search"]>[0]) =>
      (await app.search({ cut: "none", fold: 2, k: 6, ...query })).hits
        .map(({ term }) => term);
    deepEqual(new Set(await terms({ text: "blue" })), new Set(["blue"]));
    deepEqual(
      new Set(await terms({ text: "blue", mode: "visual" })),
      new Set(["blue"]),
    );
    const like = "paint/red/red-0.png";
    deepEqual(new Set(await terms({ like })), new Set(["red"]));
    deepEqual(
      new Set(await terms({ like, terms: ["blue"] })),
      new Set(["blue"]),
    );
    const { hits } = await app.search({ like, cut: "none" });
    ok(
      !hits.some(({ path }) => path === like),
      "a picture is not its own result",
    );

    const upload = await ask(app, "upload", await plain("#0000fe", "jpeg", 80));
    deepEqual(
      new Set(await terms({ picture: upload.json.picture })),
      new Set(["blue"]),
    );
    deepEqual(
      new Set(
        await terms({
          picture: upload.json.picture,
          space: "pixels",
          metric: "l1",
        }),
      ),
      new Set(["blue"]),
    );
    await app.close();
  }));

Deno.test("plus and minus terms lead a query towards and away", () =>
  withFolder(async (folder) => {
    for (const colour of ["red", "yellow", "green", "white"]) {
      await writeFile(join(folder, `${colour}.png`), await plain(colour));
    }
    const app = await open(folder);
    const first = async (query: Parameters<SearchApp["search"]>[0]) =>
      (await app.search({ mode: "visual", ...query })).hits[0].path;
    equal(await first({ text: "red" }), "red.png");
    equal(await first({ text: "red", plus: ["green"] }), "yellow.png");
    equal(await first({ text: "yellow", minus: ["red"] }), "green.png");
    await app.close();
  }));

Deno.test("near copies are folded behind the best of them", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await open(folder);
    const { hits } = await app.search({
      text: "red",
      fold: 0.995,
      cut: "none",
    });
    ok(hits[0].copies.length > 0);
    const all = hits.flatMap(({ path, copies }) => [path, ...copies]);
    equal(new Set(all).size, all.length);
    await app.close();
  }));

Deno.test("what unrelated texts reach is no result", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await open(folder);
    const found = await app.search({ text: "red" });
    ok(found.cut! > 0 && found.relevant > 0 && found.relevant < found.total);
    const none = await app.search({ text: "the price of shares" });
    deepEqual([none.hits.length, none.relevant], [0, 0]);
    equal(none.scores.bins.reduce((sum, bin) => sum + bin), 24);
    const forced = await app.search({
      text: "the price of shares",
      cut: "none",
      fold: 2,
    });
    equal(forced.hits.length, 12);
    await app.close();
  }));

Deno.test("a folder is embedded once: a second start embeds only what is new", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const start = async () => {
      const counted = { pictures: 0, texts: 0 };
      const app = await openSearchApp(await folderSource(folder), {
        encoders: [colourEncoder(counted)],
        log: () => {},
      });
      await app.ready;
      const { indexed } = app.status();
      await app.close();
      return { ...counted, indexed };
    };
    const before = await readdir(folder, { recursive: true });
    const first = await start(), second = await start();
    deepEqual([first.pictures, first.indexed], [24, 24]);
    deepEqual([second.pictures, second.indexed], [0, 24]);
    // Both embed the texts that tell what chance reaches.
    equal(first.texts - second.texts, 24);
    await writeFile(join(folder, "new.png"), await plain("green"));
    const later = await start();
    deepEqual([later.pictures, later.indexed], [1, 25]);
    // Nothing of ours was written beside the pictures.
    const after = await readdir(folder, { recursive: true });
    deepEqual(after.sort(), [...before, "new.png"].sort());
  }));

Deno.test("a changed file is embedded anew, a bad one is reported and shifts nobody", () =>
  withFolder(async (folder) => {
    const file = join(folder, "a.png");
    await writeFile(file, await plain("red"));
    await writeFile(join(folder, "b.png"), "no picture");
    await writeFile(join(folder, "c.png"), await plain("blue"));
    const app = await open(folder);
    const { failures, indexed } = app.status();
    deepEqual([indexed, failures.map(({ path }) => path)], [2, ["b.png"]]);
    equal((await app.search({ text: "blue" })).hits[0].path, "c.png");
    await app.close();

    await writeFile(file, await plain("green"));
    await utimes(file, new Date(), new Date(Date.now() + 5000));
    const again = await open(folder);
    equal((await again.search({ text: "green" })).hits[0].path, "a.png");
    await again.close();
  }));

Deno.test("a collection can be searched while it is indexed", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const encoder = colourEncoder();
    const held = Promise.withResolvers<void>();
    const { encodeDecoded } = encoder;
    let batches = 0;
    encoder.encodeDecoded = async (pixels) => {
      if (++batches === 2) await held.promise;
      return await encodeDecoded(pixels);
    };
    for (let i = 0; i < 60; i++) {
      await writeFile(
        join(folder, `z${String(i).padStart(2, "0")}.png`),
        await plain({ r: 4 * i, g: 200, b: i }),
      );
    }
    const app = await openSearchApp(await folderSource(folder), {
      encoders: [encoder],
      log: () => {},
    });
    batches = -2; // let the first group of 48 pass, then hold
    while (app.status().indexed === 0) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const { indexed, done } = app.status();
    ok(indexed > 0 && indexed < 84 && !done, `${indexed} indexed`);
    ok((await app.search({ text: "red", cut: "none" })).hits.length > 0);
    held.resolve();
    await app.ready;
    equal(app.status().indexed, 84);
    await app.close();
  }));

Deno.test("the seeds' files come in: images.txt, metadata.json, embeddings.npy", () =>
  withFolder(async (folder) => {
    const colours = ["red", "green", "blue"];
    const encoder = colourEncoder();
    const pictures = await Promise.all(colours.map((c) => plain(c)));
    const lines = pictures.map((bytes) =>
      Buffer.from(bytes).toString("base64")
    );
    lines[1] = `data:image/png;base64,${lines[1]}`;
    await writeFile(join(folder, "images.txt"), lines.join("\n") + "\n");
    await writeFile(
      join(folder, "metadata.json"),
      JSON.stringify(colours.map((title) => ({ title: `A ${title} wall` }))),
    );
    const vectors = await encoder.encodeImages(pictures);
    const npy = (rows: Matrix) =>
      writeNpy(join(folder, "embeddings.npy"), rows);
    await npy(vectors);
    const start = async () => {
      const counted = { pictures: 0, texts: 0 };
      const app = await openSearchApp(await folderSource(folder), {
        encoders: [colourEncoder(counted)],
        log: () => {},
      });
      await app.ready;
      const { hits: [{ title }] } = await app.search({ text: "green" });
      const { problems } = app.status();
      const thumbnail = await ask(app, "thumbnail/2");
      equal((await sharp(thumbnail.bytes).stats()).dominant.b > 200, true);
      await app.close();
      return { embedded: counted.pictures, title, problems };
    };
    // One picture is embedded to see whether the vectors are this encoder's.
    deepEqual(await start(), {
      embedded: 1,
      title: "A green wall",
      problems: [],
    });
    await npy(new Matrix(new Float32Array(3 * 512).fill(0.1), 512));
    const foreign = await start();
    deepEqual([foreign.embedded, foreign.title], [3, "A green wall"]);
    match(
      foreign.problems[0],
      /not colours's: the pictures are embedded again/,
    );
  }));

Deno.test("the data set comes with the embeddings of notebook 4", () =>
  withFolder(async (folder) => {
    const { dataset, embeddings } = paths;
    Object.assign(paths, {
      dataset: folder,
      embeddings: join(folder, "embeddings"),
    });
    try {
      const record = (colour: string): DatasetPicture => ({
        ...{ category: "paint", term: colour, url: "", page: "" },
        ...{ caption: `${colour} paint`, author: "Ada", license: "CC0" },
        ...{ path: `train/${colour}/a.png`, split: "train" },
        ...{ width: 32, height: 32, sha256: colour },
      });
      const records = ["blue", "red"].map(record);
      for (const { path, term } of records) {
        await mkdir(join(folder, "train", term), { recursive: true });
        await writeFile(join(folder, path), await plain(term));
      }
      await writeDataset(records);
      await embedPictures(
        colourEncoder(),
        records.map((one) => ({ ...one, source: join(folder, one.path) })),
      );
      const counted = { pictures: 0, texts: 0 };
      const app = await openSearchApp(await datasetSource(), {
        encoders: [colourEncoder(counted)],
        log: () => {},
      });
      await app.ready;
      const { hits: [{ path, author }] } = await app.search({ text: "red" });
      deepEqual([path, author], ["train/red/a.png", "Ada"]);
      equal(counted.pictures, 0, "all were in the store");
      await app.close();
    } finally {
      Object.assign(paths, { dataset, embeddings });
    }
  }));

Deno.test("a COCO folder brings its captions and licences", () =>
  withFolder(async (folder) => {
    await mkdir(join(folder, "val2017"));
    await mkdir(join(folder, "annotations"));
    await writeFile(
      join(folder, "val2017", "000000000009.jpg"),
      await plain("red", "jpeg"),
    );
    await writeFile(
      join(folder, "annotations", "captions_val2017.json"),
      JSON.stringify({
        licenses: [{ id: 4, name: "CC BY 2.0", url: "" }],
        images: [{ id: 9, file_name: "000000000009.jpg", license: 4 }],
        annotations: [{ id: 1, image_id: 9, caption: "Walls <b>in</b> red." }],
      }),
    );
    const app = await open(folder);
    const { hits: [hit] } = await app.search({ text: "red", mode: "text" });
    deepEqual([hit.caption, hit.license], [
      "Walls <b>in</b> red.",
      "CC BY 2.0",
    ]);
    await app.close();
  }));

Deno.test("a port that is taken, and an address of elsewhere, are named", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const source = await folderSource(folder);
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const start = (place: { port?: number; host?: string }) =>
      openSearchApp(source, {
        encoders: [colourEncoder()],
        log: () => {},
        ...place,
      });
    try {
      await rejects(
        start({ port }),
        new RegExp(`^Error: port ${port} of 127.0.0.1 is taken: give another`),
      );
      await rejects(
        start({ host: "192.0.2.1" }),
        /^Error: cannot listen at 192.0.2.1, port 0 \(E\w+\): expected/,
      );
    } finally {
      other.close();
    }
  }));

Deno.test("the server refuses strangers: token, Host, Origin, method", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await open(folder);
    const { port, origin, pathname } = new URL(app.url);
    const raw = (lines: string[]) =>
      new Promise<string>((resolve, reject) => {
        let answer = "";
        const socket = connect(Number(port), "127.0.0.1", () => {
          socket.write(lines.join("\r\n") + "\r\nConnection: close\r\n\r\n");
        });
        socket.on("data", (chunk) => answer += chunk);
        socket.on("end", () => resolve(answer.slice(9, 12)));
        socket.on("error", reject);
      });
    const get = (path: string, ...more: string[]) =>
      raw([`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...more]);
    equal(await get(`${pathname}status`), "200");
    equal(await get("/status"), "404");
    equal(await get(`/${"0".repeat(32)}/status`), "404");
    equal(
      await raw([`GET ${pathname}status HTTP/1.1`, "Host: evil.example"]),
      "421",
    );
    equal(
      await get(`${pathname}status`, "Origin: https://evil.example"),
      "403",
    );
    equal(await get(`${pathname}status`, "Origin: null"), "403");
    equal(await get(`${pathname}status`, "Sec-Fetch-Site: cross-site"), "403");
    // A notebook frames the page from another port.
    equal(await get(pathname, "Sec-Fetch-Site: same-site"), "200");
    equal(
      await raw([`POST ${pathname}search HTTP/1.1`, `Host: 127.0.0.1:${port}`]),
      "403",
    );
    for (
      const path of [
        "..%2f..%2fapp.ts",
        "../app.ts",
        "thumbnail/..%2f..%2fdeno.json",
        "thumbnail/-1",
        "thumbnail/99",
        "picture/%00",
        "uploaded/..%2f..%2f..%2fetc%2fpasswd",
        "%zz",
        "detail?id=../../etc/passwd",
      ]
    ) {
      match(await get(pathname + path), /40[04]/, path);
    }
    equal((await fetch(`${origin}${pathname}icon.svg`)).ok, true);
    await app.close();
  }));

Deno.test("bad questions are answered in words, and the server goes on", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await open(folder);
    const search = (query: object) => ask(app, "search", JSON.stringify(query));
    const complaint = async (query: object, status: number, words: RegExp) => {
      const answer = await search(query);
      equal(answer.status, status);
      match(answer.json.error, words);
    };
    await complaint(
      { text: "x".repeat(100_000) },
      400,
      /at most 1000 characters, got 100000/,
    );
    await complaint({ text: "x".repeat(300_000) }, 413, /too much to take/);
    await complaint({}, 400, /nothing to look for/);
    await complaint({ k: 1e9 }, 400, /k: expected a number from 1 to 200/);
    await complaint(
      { text: "a", space: "clap" },
      400,
      /expected colours, pixels/,
    );
    await complaint(
      { text: "a", space: "pixels" },
      400,
      /pixels cannot be compared with words/,
    );
    await complaint({ like: "nobody" }, 400, /no picture "nobody"/);
    await complaint({ picture: "0".repeat(64) }, 400, /gone: give it again/);
    await complaint({ text: "a", colour: 1 }, 400, /"colour": expected/);
    await complaint({ text: "please fail" }, 500, /ran out of memory/);
    equal((await ask(app, "search", "{")).status, 400);

    const upload = async (bytes: Uint8Array) =>
      (await ask(app, "upload", bytes)).json.error;
    match(await upload(Uint8Array.of(1, 2, 3)), /no picture that can be read/);
    const whole = await plain("red", "png", 400);
    match(await upload(whole.slice(0, 200)), /no picture that can be read/);
    const svg = new TextEncoder().encode(
      '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"/>',
    );
    match(await upload(svg), /no picture that can be read/);
    match(
      await upload(pngHeader(15_000, 10_001)),
      /more than 150 million pixels/,
    );
    match(await upload(new Uint8Array(20_000_001)), /too much to take/);

    await Deno.remove(join(folder, "paint", "red", "red-0.png"));
    const row = (await app.search({ text: "red", cut: "none" })).hits
      .find(({ path }) => path.endsWith("red-0.png"))?.row ?? 12;
    equal((await ask(app, `picture/${row}`)).status, 404);
    equal((await search({ text: "red" })).status, 200);
    await app.close();
  }));

Deno.test("an encoder that fails stops indexing, and says so", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const encoder = colourEncoder();
    encoder.encodeDecoded = () => Promise.reject(new Error("out of memory"));
    const app = await openSearchApp(await folderSource(folder), {
      encoders: [encoder],
      log: () => {},
    });
    await rejects(app.ready, /out of memory/);
    const { json } = await ask(app, "status");
    deepEqual([json.done, json.error, json.indexed], [
      true,
      "out of memory",
      0,
    ]);
    await app.close();
  }));

Deno.test("two encoders stand beside each other, each with its own vectors", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const counted = { pictures: 0, texts: 0 };
    const app = await openSearchApp(await folderSource(folder), {
      encoders: [colourEncoder(), colourEncoder(counted, "others")],
      log: () => {},
    });
    await app.ready;
    equal(counted.pictures, 24);
    const { hits, comparedBy } = await app.search({
      text: "blue",
      space: "others",
    });
    deepEqual([hits[0].term, comparedBy], [
      "blue",
      "Cosine similarity, others: mean colours",
    ]);
    await app.close();
  }));

Deno.test("50 searches at once are all answered", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await open(folder);
    const answers = await Promise.all(
      Array.from(
        { length: 50 },
        (_, i) =>
          ask(
            app,
            "search",
            JSON.stringify({ text: `red ${i}`, cut: "none", fold: 2 }),
          ),
      ),
    );
    ok(
      answers.every(({ status, json }) =>
        status === 200 && json.hits.length === 12
      ),
    );
    await app.close();
  }));

Deno.test("cells see what the reader does: query, selection, next()", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await open(folder);
    const next = app.next();
    await ask(app, "search", JSON.stringify({ text: "red", k: 6 }));
    equal((await next).query?.text, "red");
    const selected = app.next();
    await ask(
      app,
      "select",
      JSON.stringify({ paths: ["paint/red/red-1.png", "gone"] }),
    );
    deepEqual((await selected).selection.map(({ path }) => path), [
      "paint/red/red-1.png",
    ]);
    await app.search({ text: "blue" });
    equal(app.query?.text, "red", "a cell's own search is not the reader's");
    match(
      `${app[jupyterDisplay]()["text/html"]}`,
      /<iframe src="http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/"/,
    );
    await app.close();
    await rejects(fetch(app.url));
  }));

Deno.test("a proxy's address is used in the frame and accepted as Host", () =>
  withFolder(async (folder) => {
    await paint(folder);
    const app = await openSearchApp(await folderSource(folder), {
      encoders: [colourEncoder()],
      publicUrl: "https://hub.example/user/ada/proxy/8000/",
      log: () => {},
    });
    await app.ready;
    match(
      `${app.frame()[jupyterDisplay]()["text/html"]}`,
      /src="https:\/\/hub\.example\/user\/ada\/proxy\/8000\/[0-9a-f]{32}\/"/,
    );
    equal(new URL(app.address).pathname.split("/").at(-2)?.length, 32);
    await app.close();
  }));
