import fc from "fast-check";
import {
  deepEqual,
  deepStrictEqual,
  equal,
  match,
  ok,
  rejects,
} from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { setImmediate } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { download } from "#lib/dataset/download.ts";
import { paths } from "#lib/paths.ts";
import { readSample, samplePath } from "#lib/photo_site/sample.ts";
import { type Flaw, openLibrary } from "#lib/photo_site/library.ts";
import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
import {
  type Account,
  countLeft,
  type Outcome,
  OUTCOMES,
  readAccounts,
} from "#lib/dataset/accounts.ts";
import type { FoundFile } from "#lib/dataset/clean_each.ts";
import { prepareDataset, type PrepareOptions } from "#lib/dataset/prepare.ts";
import type { DatasetPicture } from "#lib/records.ts";
import { picturePath, readDataset } from "#lib/dataset/dataset.ts";
import { readJsonLines } from "#lib/files.ts";

/** A picture like no other of its kind. */
function picture(seed: number, size = 64): Promise<Uint8Array> {
  const pixels = new Uint8Array(size * size * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = (i * seed) >> 3;
  return sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
    .png().toBuffer();
}

/** Runs `body` with a data set and downloads of its own. */
async function withFolders(body: () => Promise<void>): Promise<void> {
  const { downloads, dataset } = paths;
  const folder = await Deno.makeTempDir({ prefix: "prepare-" });
  paths.downloads = join(folder, "downloads");
  paths.dataset = join(folder, "dataset");
  await Deno.mkdir(paths.downloads);
  try {
    await body();
  } finally {
    Object.assign(paths, { downloads, dataset });
    await Deno.remove(folder, { recursive: true });
  }
}

/** What download() returns for these files, each "term/name". */
async function downloaded(
  files: Record<string, Uint8Array>,
  missing: string[] = [],
) {
  const found = (key: string) => ({
    category: "all",
    term: key.split("/").slice(0, -1).join("/"),
    url: `https://photos.example/${encodeURI(key)}`,
    page: "https://photos.example/page",
    caption: "<b>bold</b>",
    author: "Ada",
    license: "CC0",
  });
  const records = [];
  for (const [key, bytes] of Object.entries(files)) {
    const name = key.split("/").at(-1)!.replace(/\..*/, "");
    const digest = createHash("sha256").update(key).digest("hex").slice(0, 16);
    const file = join(paths.downloads, `${name}-${digest}.png`);
    await Deno.writeFile(file, bytes);
    records.push({ ...found(key), file });
  }
  const failures = missing.map((key) => ({
    ...found(key),
    reason: "404 Not Found",
    stage: "status" as const,
  }));
  return { records, failures };
}

/** Prepares pictures whose likeness is of no interest; returns the accounts. */
async function prepare(
  downloads: Parameters<typeof prepareDataset>[0],
  options: PrepareOptions = {},
): Promise<Account[]> {
  await prepareDataset(downloads, { nearDuplicates: false, ...options });
  return await readAccounts();
}

/** How many ended how. */
function countsOf(outcomes: readonly Outcome[]): Record<Outcome, number> {
  const count = (one: Outcome) => outcomes.filter((it) => it === one).length;
  return Object.fromEntries(
    OUTCOMES.map((one) => [one, count(one)]),
  ) as Record<Outcome, number>;
}

/** Every file below the data set's folder, by path, with its content's sum. */
async function snapshot(
  folder = paths.dataset,
): Promise<Record<string, string>> {
  const sums: Record<string, string> = {};
  const walk = async (below: string) => {
    for await (const entry of Deno.readDir(below)) {
      const path = join(below, entry.name);
      // What a run keeps for the next one.
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory) await walk(path);
      else {
        sums[relative(folder, path)] = createHash("sha256")
          .update(await Deno.readFile(path)).digest("hex");
      }
    }
  };
  await walk(folder);
  return Object.fromEntries(Object.entries(sums).sort());
}

function outcomes(accounts: Account[]): Record<string, Outcome> {
  return Object.fromEntries(
    accounts.map(({ url, outcome }) => [
      decodeURI(url.slice("https://photos.example/".length)),
      outcome,
    ]),
  );
}

Deno.test("prepareDataset() accounts for every picture and writes what is kept", async () => {
  await withFolders(async () => {
    const owl = await picture(3);
    const downloads = await downloaded({
      "owl/a.png": owl,
      "owl/b.png": await picture(5),
      "owl/again.png": owl,
      "owl/broken.png": owl.subarray(0, 80),
      "owl/icon.png": await picture(7, 32),
      "owl/c.png": await picture(9),
      "water bird/copy.webp": await sharp(owl).webp({ lossless: true })
        .toBuffer(),
      "water bird/d.png": await picture(11),
    }, ["owl/gone.png"]);
    const steps: number[] = [];
    const accounts = await prepare(downloads, {
      onProgress: (done) => steps.push(done),
    });
    deepEqual(outcomes(accounts), {
      "owl/a.png": "test",
      "owl/b.png": "test",
      "owl/again.png": "duplicate",
      "owl/broken.png": "corrupt",
      "owl/icon.png": "too small",
      "owl/c.png": "train",
      "water bird/copy.webp": "duplicate",
      "water bird/d.png": "class too small",
      "owl/gone.png": "not downloaded",
    });
    deepEqual(steps, [1, 2, 3, 4, 5, 6, 7, 8]);
    deepEqual(countLeft(countsOf(accounts.map(({ outcome }) => outcome))), {
      found: 9,
      downloaded: 8,
      decodable: 7,
      "right size": 6,
      distinct: 4,
      unlike: 4,
      split: 3,
    });
    for (const { outcome, reason } of accounts) {
      equal(reason === "", outcome === "train" || outcome === "test");
    }
    match(accounts[2].reason, /^same as test\/owl\/a-[0-9a-f]{12}\.jpg$/);

    const { gallery, queries } = await readDataset();
    const listed = [...queries, ...gallery].map(({ path }) => path);
    match(
      listed.join(" "),
      /^test\/owl\/a-\w{12}\.jpg test\/owl\/b-\w{12}\.jpg train\/owl\/c-\w{12}\.jpg$/,
    );
    equal(
      await Deno.readTextFile(join(paths.dataset, "filename.txt")),
      listed.map((path) => path + "\n").join(""),
    );
    const { file: _, ...found } = downloads.records[0];
    const { path, sha256, ...rest } = queries[0];
    deepEqual(rest, { ...found, split: "test", width: 64, height: 64 });
    const bytes = await Deno.readFile(picturePath({ path }));
    equal(createHash("sha256").update(bytes).digest("hex"), sha256);
    const facts = await sharp(bytes).metadata();
    deepEqual([facts.format, facts.channels], ["jpeg", 3]);
    equal(Object.keys(await snapshot()).length, 3 + 3 + 2 + 2 + 1);
  });
});

Deno.test("prepareDataset() sends each term's first pictures to test, but not its last one, and leaves out a term of one", async () => {
  await withFolders(async () => {
    // In the crawl's order, in which terms may alternate.
    const files: Record<string, Uint8Array> = {};
    for (const [i, name] of ["owl/z", "gull/m", "owl/b", "owl/a"].entries()) {
      files[`${name}.png`] = await picture(2 * i + 3);
    }
    const downloads = await downloaded(files);
    const expected = [
      [0, "train train train train"],
      [1, "test class too small train train"],
      [2, "test class too small test train"],
      [9, "test class too small test train"],
    ] as const;
    for (const [test, splits] of expected) {
      const accounts = await prepare(downloads, { split: { test } });
      equal(accounts.map(({ outcome }) => outcome).join(" "), splits);
      // The manifest and the list of names are sorted, whatever came first.
      const at = (name: string) => join(paths.dataset, name);
      const manifest = await readJsonLines<DatasetPicture>(
        at("manifest.jsonl"),
      );
      const listed = manifest.map(({ path }) => path);
      deepEqual(listed, listed.toSorted());
      equal(
        await Deno.readTextFile(at("filename.txt")),
        listed.join("\n") + "\n",
      );
      deepEqual(
        Object.keys(await snapshot()).filter((path) => /\.jpg$/.test(path)),
        listed,
      );
    }
  });
});

Deno.test("prepareDataset() run again gives the same data set", async () => {
  await withFolders(async () => {
    const files: Record<string, Uint8Array> = {};
    for (let i = 1; i <= 12; i++) {
      files[`t${i % 3}/same.${i}`] = await picture(i);
    }
    const downloads = await downloaded(files);
    const accounts = await prepare(downloads);
    const before = await snapshot();
    equal(
      Object.keys(before).length,
      12 + 3 + 2 + 2 + 1,
      "no picture takes another's name",
    );
    deepEqual(await prepare(downloads), accounts);
    deepEqual(await snapshot(), before);
  });
});

Deno.test("prepareDataset() removes what an earlier run left", async () => {
  await withFolders(async () => {
    const first = await downloaded({
      "owl/a.png": await picture(3),
      "owl/b.png": await picture(5),
      "gull/c.png": await picture(7),
      "gull/d.png": await picture(9),
    });
    await prepare(first, { split: { test: 1 } });
    await Deno.writeTextFile(join(paths.dataset, "train", "stray.txt"), "");
    await Deno.mkdir(join(paths.dataset, ".new"));
    await Deno.writeTextFile(join(paths.dataset, ".new", "half"), "");
    const accounts = await prepare(
      { records: first.records.slice(0, 2), failures: [] },
      { split: { test: 0 } },
    );
    deepEqual(accounts.map(({ outcome }) => outcome), ["train", "train"]);
    deepEqual(
      Object.keys(await snapshot()).map((path) => path.replace(/-\w+/, "")),
      [
        "CREDITS.md",
        "accounts.jsonl",
        "captions.json",
        "credits.json",
        "filename.txt",
        "manifest.jsonl",
        "train/metadata.jsonl",
        "train/owl/a.jpg",
        "train/owl/b.jpg",
      ],
    );
    ok(!existsSync(join(paths.dataset, "train", "gull")));
    ok(!existsSync(join(paths.dataset, ".new")));
  });
});

Deno.test("prepareDataset() spares what may be the same file under another name", async () => {
  await withFolders(async () => {
    const downloads = await downloaded({ "café/a.png": await picture(3) });
    await prepare(downloads, { split: { test: 0 } });
    const [{ path }] = (await readDataset()).gallery;
    // To some file systems these are the file and its folder.
    for (const other of [path.toUpperCase(), path.normalize("NFD")]) {
      const twin = picturePath({ path: other.replace(/^TRAIN/, "train") });
      if (existsSync(twin)) continue; // On such a file system.
      await Deno.mkdir(dirname(twin), { recursive: true });
      await Deno.copyFile(picturePath({ path }), twin);
      await prepare(downloads, { split: { test: 0 } });
      ok(existsSync(twin), twin);
    }
  });
});

Deno.test("prepareDataset() rejects what is smaller than it is told to", async () => {
  await withFolders(async () => {
    const downloads = await downloaded({
      "owl/a.png": await picture(3, 64),
      "owl/b.png": await picture(5, 80),
    });
    const accounts = await prepare(downloads, {
      minSide: 80,
      split: { test: 0 },
    });
    deepEqual(accounts.map(({ outcome }) => outcome), ["too small", "train"]);
    match(accounts[0].reason, /64 × 64 pixels, expected 80 or more a side/);
  });
});

Deno.test("prepareDataset() has one folder for a term, however its letters are composed", async () => {
  await withFolders(async () => {
    const terms = ["café", "café".normalize("NFD")];
    await prepare(
      await downloaded({
        [`${terms[0]}/a.png`]: await picture(3),
        [`${terms[1]}/b.png`]: await picture(5),
      }),
      { split: { test: 0 } },
    );
    const { gallery } = await readDataset();
    deepEqual(gallery.map(({ term }) => term), terms);
    deepEqual(
      gallery.map(({ path }) => path.split("/")[1]),
      [terms[0], terms[0]],
    );
  });
});

Deno.test("prepareDataset() keeps the earlier data set when nothing is left or it is stopped", async () => {
  await withFolders(async () => {
    const good = await downloaded({ "owl/a.png": await picture(3) });
    await prepare(good, { split: { test: 0 } });
    const before = await snapshot();
    const none = await downloaded({}, ["owl/x.png", "owl/y.png"]);
    await rejects(prepare(none), /no picture is left of 2 found/);
    await rejects(
      prepare(good, { signal: AbortSignal.abort() }),
      { name: "AbortError" },
    );
    await rejects(prepare(good, { split: { test: 1.5 } }), RangeError);
    await rejects(prepare(good, { minSide: NaN }), /minSide to be 1 pixel/);
    deepEqual(await snapshot(), before);
  });
});

Deno.test("prepareDataset() hears that it is stopped while all it meets is known", async () => {
  await withFolders(async () => {
    const files: Record<string, Uint8Array> = {};
    for (let i = 1; i <= 40; i++) files[`owl/${i}.png`] = await picture(i);
    const downloads = await downloaded(files);
    await prepare(downloads);
    const stop = new AbortController();
    setImmediate(() => stop.abort());
    await rejects(
      prepare(downloads, { signal: stop.signal }),
      { name: "AbortError" },
    );
  });
});

Deno.test("prepareDataset() keeps hostile terms inside the data set's folder", async () => {
  await withFolders(async () => {
    const terms = [
      "../../up",
      "/etc",
      "..",
      ".",
      "",
      "a\\b",
      "cà phê",
      "猫",
      "x".repeat(300),
      "con:1\0\n",
    ];
    const files: Record<string, Uint8Array> = {};
    for (const [i, term] of terms.entries()) {
      files[`${term}/p.png`] = await picture(2 * i + 3);
    }
    await prepare(await downloaded(files), { split: { test: 0 } });
    const { gallery } = await readDataset();
    equal(gallery.length, terms.length);
    for (const { path, term } of gallery) {
      match(path, /^train\/[^/\\.:\0\n]+\/p-\w{12}\.jpg$/);
      ok(terms.includes(term));
      ok(existsSync(picturePath({ path })));
    }
    ok(gallery.some(({ path }) => path.startsWith("train/cà phê/")));
    ok(gallery.some(({ path }) => path.startsWith("train/猫/")));
  });
});

Deno.test("prepareDataset() makes the same data set in whatever order pictures arrive", async () => {
  await withFolders(async () => {
    const files: Record<string, Uint8Array> = {};
    for (let i = 1; i <= 9; i++) files[`t${i % 3}/${i}.png`] = await picture(i);
    files["t1/again.png"] = files["t1/1.png"];
    const { records, failures } = await downloaded(files, ["t1/gone.png"]);
    const accounts = await prepare({ records, failures });
    const before = await snapshot();
    const items = [...records, ...failures].map((item, index) => (
      { ...item, index }
    ));
    async function* arriving(): AsyncGenerator<FoundFile> {
      yield* items.toReversed();
    }
    deepEqual(await prepare(arriving()), accounts);
    deepEqual(await snapshot(), before);
  });
});

Deno.test("prepareDataset() shrinks to the longer side that is wanted, and refuses one below the shortest", async () => {
  await withFolders(async () => {
    const wide = await sharp(await picture(5, 200)).resize(200, 150).png()
      .toBuffer();
    const downloads = await downloaded({
      "owl/a.png": wide,
      "owl/b.png": await picture(3, 64),
    });
    await prepare(downloads, { maxSide: 80 });
    const { queries, gallery } = await readDataset();
    deepEqual([queries[0].width, queries[0].height], [80, 60]);
    deepEqual([gallery[0].width, gallery[0].height], [64, 64]);
    await rejects(
      prepare(downloads, { maxSide: 40 }),
      /expected maxSide to be 50/,
    );
  });
});

Deno.test("prepareDataset() keeps a group on one side", async () => {
  await withFolders(async () => {
    const files: Record<string, Uint8Array> = {};
    for (let i = 0; i < 8; i++) {
      files[`owl/${i}.png`] = await picture(2 * i + 3);
    }
    const downloads = await downloaded(files);
    for (const seed of [1, 2, 3, 4]) {
      const accounts = await prepare(downloads, {
        split: {
          test: 4,
          seed,
          groupBy: ({ url }) => `${/[0-3]\.png/.test(url)}`,
        },
      });
      const sides = accounts.map(({ outcome }) => outcome).join(" ");
      match(sides, /^(test ){4}(train ?){4}$|^(train ){4}(test ?){4}$/);
    }
  });
});

/** Photographs, and near copies of the first. */
async function nearCopies() {
  const [one, two, three, four] = ["lemon", "pear", "banana", "mango"]
    .map((name) => samplePath({ path: `food/fruit/${name}.jpg` }));
  const read = (path: string) => Deno.readFile(path);
  return await downloaded({
    "a/small.png": await sharp(one).resize(160).png().toBuffer(),
    "a/one.png": await read(one),
    "a/two.png": await read(two),
    "a/three.png": await read(three),
    "b/saved.png": await sharp(one).jpeg({ quality: 40 }).toBuffer(),
    "b/four.png": await read(four),
    "b/five.png": await read(samplePath({ path: "food/fruit/kiwi.jpg" })),
  });
}

Deno.test("prepareDataset() leaves out near duplicates of all classes but the largest", async () => {
  await withFolders(async () => {
    const downloads = await nearCopies();
    const file = (name: string) =>
      downloads.records.find(({ url }) => url.endsWith(name))!.file;
    const { counts, pairs } = await prepareDataset(downloads);
    deepEqual(counts["near duplicate"], 2);
    deepEqual(
      pairs.map(({ kept, dropped, across }) => [kept, dropped, across]),
      [
        [file("one.png"), file("small.png"), false],
        [file("one.png"), file("saved.png"), true],
      ],
    );
    const [small] = await readAccounts();
    match(small.reason, /^nearly the same as test\/a\/one-/);
    deepEqual([small.outcome, small.stage], ["near duplicate", "compare"]);
  });
});

Deno.test("prepareDataset() keeps what differs in colour alone, run again too", async () => {
  await withFolders(async () => {
    const files: Record<string, Uint8Array> = {};
    for (const name of ["lemon", "pear"]) {
      const image = sharp(samplePath({ path: `food/fruit/${name}.jpg` }));
      for (const colour of ["red", "blue"]) {
        files[`${colour}/${name}.png`] = await image.clone().tint(colour).png()
          .toBuffer();
      }
    }
    const downloads = await downloaded(files);
    for (let run = 0; run < 2; run++) {
      const { counts, pairs } = await prepareDataset(downloads, {
        split: { test: 1 },
      });
      deepStrictEqual([counts.train, counts.test, pairs], [2, 2, []]);
    }
  });
});

Deno.test("prepareDataset() keeps what is spared, on the side of its twin", async () => {
  await withFolders(async () => {
    const downloads = await nearCopies();
    const { pairs } = await prepareDataset(downloads);
    const spare = pairs.map(({ dropped }) => dropped);
    for (const seed of [1, 2, 3]) {
      const { counts } = await prepareDataset(downloads, {
        nearDuplicates: { spare },
        split: { test: 1, seed },
      });
      deepEqual(counts["near duplicate"], 0);
      const ends = outcomes(await readAccounts());
      deepEqual(ends["a/small.png"], ends["a/one.png"]);
      deepEqual(ends["b/saved.png"], ends["a/one.png"]);
    }
    // Its address does the same, and the rule may prefer the earlier.
    const byUrl = await prepareDataset(downloads, {
      nearDuplicates: { keep: "earlier", spare: [downloads.records[4].url] },
    });
    deepEqual(byUrl.pairs.map(({ dropped }) => dropped), [
      downloads.records[1].file,
    ]);
  });
});

Deno.test("countLeft() ends with what is kept and never rises", () => {
  const outcome = fc.constantFrom(...OUTCOMES);
  fc.assert(fc.property(fc.array(outcome), (outcomes) => {
    const counts = Object.values(countLeft(countsOf(outcomes)));
    equal(counts[0], outcomes.length);
    deepEqual(counts, counts.toSorted((a, b) => b - a));
    equal(
      counts.at(-1),
      outcomes.filter((one) => one === "train" || one === "test").length,
    );
  }));
});

/** What becomes of the site's flawed photos. */
const ENDS: Record<Flaw, Outcome> = {
  "gone": "not downloaded",
  "not a picture": "not downloaded",
  "cut off": "corrupt",
  "too small": "too small",
};

Deno.test("download() and prepareDataset() come through a photo site's bad day", async () => {
  await withFolders(async () => {
    const sample = await readSample();
    const library = openLibrary(sample);
    const match = /_b\.jpg/;
    let requests = 0;
    const site = await startPhotoSite({
      port: 0,
      faults: [
        { match, answer: "429", times: 3, retryAfter: 0 },
        { match, answer: "500", times: 2 },
        { match, answer: "cut off", times: 2 },
        { match, answer: "slow", times: 1, delayMs: 200 },
      ],
      onRequest: () => requests++,
    });
    // The addresses of a crawl at another port.
    const found = library.terms.flatMap(({ category, term }) =>
      library.search(term).map((photo, i, found) => ({
        category,
        term,
        url: `http://127.0.0.1:1/pictures/${photo.id}-${photo.name}_b.jpg` +
          (found.indexOf(photo) < i ? "?again" : ""),
        page: `http://127.0.0.1:1/photos/${photo.id}/`,
        caption: photo.caption,
        author: photo.author,
        license: photo.license,
      }))
    );
    const limits = {
      intervalMs: 0,
      backoffMs: 10,
      rebase: site.rebase,
      allowedHosts: [site.host],
    };
    const downloads = await download(found, limits);
    const asked = new Set(found.map(({ url }) => url)).size;
    equal(requests, asked + 3 + 2 + 2);
    deepEqual(await download(found, limits), downloads);
    equal(requests, asked + 3 + 2 + 2 + downloads.failures.length);
    await site.close();

    const { counts, pairs } = await prepareDataset(downloads);
    const accounts = await readAccounts();
    for (const { url, outcome } of accounts) {
      const id = Number(/\d+(?=-)/.exec(url)![0]);
      const { flaw, isNearCopy } = library.find(id)!;
      if (flaw) equal(outcome, ENDS[flaw], url);
      if (isNearCopy) equal(outcome, "near duplicate", url);
    }
    // Every near copy is left out for its original, and nothing else is.
    const copies = library.photos.filter(({ isNearCopy }) => isNearCopy);
    equal(counts["near duplicate"], copies.length);
    ok(pairs.every(({ across }) => !across));
    equal(counts.train + counts.test, sample.length);
  });
});

Deno.test("prepareDataset() killed at any time leaves a data set that is whole", async () => {
  await withFolders(async () => {
    const files: Record<string, Uint8Array> = {};
    for (let i = 1; i <= 40; i++) {
      files[`t${i % 4}/${i}.png`] = await picture(i);
    }
    const downloads = await downloaded(files);
    await prepare(downloads, { split: { test: 1 } });
    const script = join(paths.downloads, "killed.ts");
    await Deno.writeTextFile(
      script,
      `import { paths } from "#lib/paths.ts";
       import { prepareDataset } from "#lib/dataset/prepare.ts";
       paths.dataset = ${JSON.stringify(paths.dataset)};
       const downloads = ${JSON.stringify(downloads)};
       await prepareDataset(downloads,
         { split: { test: 5 }, nearDuplicates: false });`,
    );
    const staging = join(paths.dataset, ".new");
    // While cleaning; when files begin to take their places; when old ones go.
    const listed = (await readDataset()).gallery.map(picturePath);
    const moments = [
      () => existsSync(staging) && [...Deno.readDirSync(staging)].length > 1,
      () => [...Deno.readDirSync(join(paths.dataset, "test", "t1"))].length > 1,
      () => !listed.every((file) => existsSync(file)),
    ];
    for (const moment of moments) {
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
      }).spawn();
      let ended = false;
      const status = child.status.finally(() => ended = true);
      while (!ended && !moment()) await sleep(1);
      if (!ended) child.kill("SIGKILL");
      await status;
      const manifest = await readJsonLines<DatasetPicture>(
        join(paths.dataset, "manifest.jsonl"),
      );
      equal(manifest.length, 40);
      const sums = await snapshot();
      for (const { path, sha256 } of manifest) equal(sums[path], sha256);
    }
    await prepare(downloads, { split: { test: 5 } });
    const resumed = await snapshot();
    await Deno.remove(paths.dataset, { recursive: true });
    await prepare(downloads, { split: { test: 5 } });
    deepEqual(resumed, await snapshot());
  });
});
