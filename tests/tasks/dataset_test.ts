import {
  deepStrictEqual,
  match,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import {
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { readDataset } from "#lib/dataset/dataset.ts";
import { readJsonLines } from "#lib/files.ts";
import { paths } from "#lib/paths.ts";
import { openLibrary } from "#lib/photo_site/library.ts";
import { startPhotoSite } from "#lib/photo_site/photo_site.ts";
import { readSample } from "#lib/photo_site/sample.ts";
import { runChild } from "../../tasks/child.ts";
import { readHost } from "../../tasks/dataset.ts";
import { type Preparation, prepareSource } from "../../tasks/preparation.ts";
import { npmPackages } from "../../tasks/setup.ts";
import { pythonPackages, virtualEnvironment } from "../../tasks/python.ts";
import { isDone } from "../../tasks/step.ts";

const missing = ![npmPackages, virtualEnvironment, pythonPackages].every(
  isDone,
);
if (missing) console.warn("dataset_test: one ignored, set-up has not been run");

/** Runs `body` with a data folder of its own. */
async function withData(body: (data: string) => Promise<void>) {
  const { downloads, dataset, crawled } = paths;
  const data = await mkdtemp(join(tmpdir(), "dataset-"));
  paths.downloads = join(data, "2_downloads");
  paths.dataset = join(data, "2_dataset");
  paths.crawled = join(data, "1_crawl", "images.jsonl");
  try {
    await body(data);
  } finally {
    Object.assign(paths, { downloads, dataset, crawled });
    await rm(data, { recursive: true });
  }
}

/** Of `prepareSource`: what is said, and nothing asked of the network. */
function quietly(options: Pick<Preparation, "source"> & Partial<Preparation>) {
  const said: string[] = [];
  const say = (line: string) => void said.push(line);
  const run = prepareSource({
    ...{ licences: [], near: {}, encoder: "none", split: { test: 1 } },
    progress: {
      ...{ line: say, passing: () => {}, waiting: () => () => {} },
      remarks: (lines) => lines.forEach(say),
    },
    ...options,
  });
  return { run, said };
}

/** The command itself. */
async function dataset(data: string, args: string[], cwd = data) {
  const out: string[] = [];
  const file = join(paths.root, "tasks", "dataset.ts");
  const run = await runChild(Deno.execPath(), ["run", "-A", file, ...args], {
    env: { CONTACT_SHEET_DATA: data, NO_COLOR: "1" },
    cwd,
    onLine: (line, stream) => stream === "stdout" && out.push(line),
  });
  return { ...run, out };
}

/** A site of pictures, and a list of some of them: url, text, class, licence. */
async function withSite(
  body: (site: {
    rows: string[];
    limits: Preparation["limits"];
    asked: () => number;
  }) => Promise<void>,
) {
  let asked = 0;
  const site = await startPhotoSite({ port: 0, onRequest: () => asked++ });
  const library = openLibrary(await readSample());
  const rows = library.terms.slice(0, 3).flatMap(({ term }) =>
    library.search(term).filter(({ flaw }) => !flaw).slice(0, 6)
      .map(({ id, name, license }) =>
        `${site.origin}/pictures/${id}-${name}_b.jpg,"A ""${name}""",${term},${license}`
      )
  );
  const limits = { allowedHosts: [site.host], intervalMs: 0, retries: 0 };
  try {
    await body({ rows, limits, asked: () => asked });
  } finally {
    await site.close();
  }
}

Deno.test("task dataset makes a data set of a list, and a second run asks for nothing again", () =>
  withData((data) =>
    withSite(async ({ rows, limits, asked }) => {
      const path = join(data, "birds.csv");
      const bad = [
        "none,x,owl,",
        `${rows[0].split("/pictures/")[0]}/pictures/gone.jpg,x,owl,`,
      ];
      await writeFile(
        path,
        ["URL,TEXT,class,LICENSE", ...rows, ...bad].join("\n"),
      );
      const source = { kind: "list", path } as const;
      const first = quietly({ source, limits });
      const { json, text } = await first.run;
      const { counts, failures } = json;
      strictEqual(json.found, rows.length + 1);
      deepStrictEqual(json.badLines, {
        count: 1,
        first: [{ line: 20, reason: "expected an address, got none" }],
      });
      strictEqual(counts["not downloaded"], 1);
      match(first.said.join("\n"), /line 20: expected an address, got none/);
      match(failures[0].reason, /404/);
      match(text, /404[^\n]*\n.*They are in .*CREDITS\.md/s);
      const { gallery, queries } = await readDataset();
      strictEqual(gallery.length + queries.length, counts.train + counts.test);
      strictEqual(new Set(queries.map(({ term }) => term)).size, 3);
      match(gallery[0].caption, /^A ".+"$/);
      match(
        await readFile(join(paths.dataset, "CREDITS.md"), "utf8"),
        /^# Credits/,
      );
      const pairs = await readJsonLines(
        join(paths.dataset, "near_duplicates.jsonl"),
      );
      strictEqual(pairs.length, json.pairs);

      const before = asked();
      const manifest = join(paths.dataset, "manifest.jsonl");
      const was = await readFile(manifest, "utf8");
      await quietly({ source, limits }).run;
      strictEqual(asked() - before, 1, "what is gone is asked for again");
      strictEqual(await readFile(manifest, "utf8"), was);
    })
  ));

Deno.test("task dataset stopped keeps what has arrived, and the earlier data set", () =>
  withData((data) =>
    withSite(async ({ rows, limits, asked }) => {
      const path = join(data, "birds.csv");
      await writeFile(path, ["url,text,class,licence", ...rows].join("\n"));
      const source = { kind: "list", path } as const;
      const stop = new AbortController();
      const { run } = quietly({
        ...{ source, signal: stop.signal },
        limits: { ...limits, concurrency: 1 },
        progress: {
          ...{ line: () => {}, remarks: () => {}, waiting: () => () => {} },
          passing: () => asked() >= 6 && stop.abort(new Error("stopped")),
        },
      });
      await rejects(run, /stopped|abort/i);
      const manifest = join(paths.dataset, "manifest.jsonl");
      await rejects(stat(manifest), { code: "ENOENT" });
      const { json } = await quietly({ source, limits }).run;
      strictEqual(json.downloaded, rows.length);
      ok(asked() < rows.length + 6, `${asked()} of ${rows.length}`);
    })
  ));

Deno.test("task dataset downloads only what is under the licences wanted", () =>
  withData((data) =>
    withSite(async ({ rows, limits, asked }) => {
      const path = join(data, "birds.csv");
      const free = rows.map((row, i) =>
        row.replace(/[^,]*$/, i % 2 ? "cc0" : "CC BY-NC 4.0")
      );
      await writeFile(path, ["url,text,class,licence", ...free].join("\n"));
      const source = { kind: "list", path } as const;
      const licences = ["CC0", "CC BY"];
      const { json } = await quietly({ source, limits, licences }).run;
      strictEqual(asked(), rows.length / 2);
      strictEqual(json.failures[0].stage, "licence");
      const { gallery } = await readDataset();
      deepStrictEqual([...new Set(gallery.map(({ license }) => license))], [
        "CC0 1.0",
      ]);
    })
  ));

Deno.test("task dataset without SOURCE takes what the crawl left, from the practice site too", () =>
  withData(async (data) => {
    await rejects(
      quietly({ source: { kind: "crawl" } }).run,
      /images\.jsonl not found: run task crawl or notebook 1 first, or give/,
    );
    await withSite(async ({ rows }) => {
      await mkdir(join(data, "1_crawl"));
      const records = rows.map((row) => ({
        ...{ category: "all", term: "owl", page: "", caption: "", author: "" },
        ...{ license: "", url: row.split(",")[0].replace(/:\d+/, ":1") },
      }));
      await writeFile(
        paths.crawled,
        records.map((record) => JSON.stringify(record)).join("\n"),
      );
      const { json } = await quietly({ source: { kind: "crawl" } }).run;
      strictEqual(json.downloaded, rows.length);
    });
  }));

Deno.test({
  name:
    "task dataset reads a folder from where its caller stands, and ends with a line of JSON",
  ignore: missing,
  fn: () =>
    withData(async (data) => {
      const args = ["sample", "--json", "--encoder", "none", "--size", "100"];
      const { code, out } = await dataset(data, args, join(paths.sample, ".."));
      strictEqual(code, 0);
      strictEqual(out.length, 1);
      const { found, counts, folder } = JSON.parse(out[0]);
      ok(found > 300 && counts.test > 20, out[0]);
      const [row] = await readJsonLines<{ width: number }>(
        join(folder, "manifest.jsonl"),
      );
      ok(row.width <= 100);
    }),
});

/** A folder of pictures: by path, the seed of their pixels, or bytes. */
async function fill(folder: string, files: Record<string, number | string>) {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(
      join(folder, path),
      typeof content === "string" ? content : await picture(content),
    );
  }
  return { kind: "folder", path: folder } as const;
}

/** A picture like no other. */
function picture(seed: number): Promise<Uint8Array> {
  const pixels = Uint8Array.from(
    { length: 64 * 64 * 3 },
    (_, i) => (i * i * (seed + 3)) >> 6,
  );
  return sharp(pixels, { raw: { width: 64, height: 64, channels: 3 } })
    .png().toBuffer();
}

Deno.test("task dataset tells why nothing of a folder is left, and what to do", () =>
  withData(async (data) => {
    const cases: [Record<string, number | string>, string[], RegExp][] = [
      [
        { "owl/a.png": 1, "owl/b.png": 2 },
        ["CC0"],
        /licence.*expected one of CC0, got no licence.*Class owl is left out: all 2 .* none of 2 pictures is left: leave out --licence/s,
      ],
      [
        { "owl/a.png": "no", "owl/b.png": "none" },
        [],
        /clean.*corrupt.*Class owl .*: all 2 pictures are corrupt.*pictures that can be decoded/s,
      ],
      [
        { "owl/a.png": 1 },
        [],
        /class too small.*Class owl .*: 1 picture, .*find more pictures of a class/s,
      ],
    ];
    for (const [i, [files, licences, told]] of cases.entries()) {
      const source = await fill(join(data, `mine${i}`), files);
      await writeFile(join(source.path, "x.heic"), "ftypheic");
      const { run, said } = quietly({ source, licences });
      const { json, text } = await run;
      match(said.join("\n"), /heic/i);
      match(text, told);
      strictEqual(text.includes("prepareDataset"), false, text);
      strictEqual(json.found, Object.keys(files).length);
      strictEqual(json.counts.train + json.counts.test, 0);
      strictEqual(json.folder, undefined);
      ok(json.failures[0].count > 0);
    }
  }));

Deno.test("task dataset tells why nothing of a list is left", () =>
  withData((data) =>
    withSite(async ({ rows, limits }) => {
      const path = join(data, "birds.csv");
      await writeFile(path, ["url,text,class,licence", ...rows].join("\n"));
      const source = { kind: "list", path } as const;
      const { json, text } = await quietly({ source }).run;
      strictEqual(json.counts["not downloaded"], rows.length);
      match(text, /address.*--allow HOST:PORT.*none of 18 pictures is left/s);
      await writeFile(path, "url\nnone\n");
      const none = await quietly({ source, limits }).run;
      match(none.text, /^1 line .*\nNo data set is made: .* no pictures$/);
    })
  ));

Deno.test("task dataset names a class of which nothing is left", () =>
  withData(async (data) => {
    const source = await fill(join(data, "mine"), {
      ...{ "blue/a.png": 1, "blue/b.png": 2, "blue/c.png": 3 },
      ...{ "red/a.png": 1, "red/b.png": 2 },
      ...{ "grey/a.png": "no", "grey/b.png": 2 },
    });
    const { json, text } = await quietly({ source }).run;
    deepStrictEqual(json.refused, [
      {
        term: "grey",
        reason: "none of its 2 pictures is left: 1 corrupt, " +
          "1 the same as pictures in blue",
      },
      {
        term: "red",
        reason: "all 2 pictures are the same as pictures in blue",
      },
    ]);
    match(text, /Class red is left out: all 2 pictures are the same as/);
  }));

Deno.test("task dataset says which classes give fewer queries than --test asks for", () =>
  withData(async (data) => {
    const source = await fill(join(data, "mine"), {
      ...{ "owl/a.png": 1, "owl/b.png": 2, "owl/c.png": 3 },
      ...{ "fox/a.png": 4, "fox/b.png": 5, "fox/c.png": 6, "fox/d.png": 7 },
    });
    const { run, said } = quietly({ source, split: { test: 3 } });
    strictEqual((await run).json.counts.test, 5);
    deepStrictEqual(said, [
      "Fewer queries than the 3 asked for: owl 2 of its 3 pictures",
    ]);
  }));

Deno.test("task dataset says what --spare does not find", () =>
  withData(async (data) => {
    const mine = join(data, "mine");
    const source = await fill(mine, { "owl/a.png": 1, "owl/b.png": 2 });
    const near = {
      spare: [join(mine, "owl/a.png"), "https://a.example/x.jpg"],
    };
    const { run, said } = quietly({ source, near });
    await run;
    deepStrictEqual(said, [
      "--spare https://a.example/x.jpg spares nothing: the source has no such " +
      "picture",
    ]);
  }));

Deno.test("task dataset --allow lets it ask that host at that port, as addresses name them", () => {
  const hosts = {
    "192.168.1.5:8080": ["192.168.1.5:8080"],
    "[::1]:8080": ["[::1]:8080"],
    "NAS.local:80": ["nas.local", "nas.local:80"],
    "nas:443": ["nas:443", "nas"],
  };
  for (const [text, expected] of Object.entries(hosts)) {
    deepStrictEqual(readHost(text), expected);
  }
});

Deno.test("two runs of task dataset in one data folder go one after the other", () =>
  withData(async (data) => {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`owl/${i}.png`, i]),
    );
    const source = await fill(join(data, "mine"), files);
    const runs = [1, 2].map(() => quietly({ source }).run);
    const [a, b] = await Promise.all(runs);
    strictEqual(a.text, b.text);
    strictEqual((await readDataset()).gallery.length, a.json.counts.train);
  }));

Deno.test("task dataset checks the encoder's name before the work", () =>
  withData(async (data) => {
    const source = await fill(join(data, "mine"), { "owl/a.png": 1 });
    await rejects(
      quietly({ source, encoder: "foo" }).run,
      /^RangeError: unknown encoder "foo": expected auto/,
    );
  }));

Deno.test("task dataset says in one line what is wrong", () =>
  withData(async (data) => {
    await writeFile(join(data, "a.parquet"), "PAR1");
    await writeFile(join(data, "a.csv"), "name,size\n");
    const cases: [string[], RegExp][] = [
      [["gone"], /^dataset: expected a folder or a list, gone is not there$/],
      [[""], /^dataset: expected a folder or a list, "" is not there$/],
      [["a", "b"], /^dataset: expected one SOURCE, got 2: a, b$/],
      [
        ["a.parquet"],
        /^dataset: expected a folder, or a list called .*, got a\.parquet$/,
      ],
      [
        ["a.csv", "--test", "1.5"],
        /^--test: expected a whole number .*, got 1\.5$/,
      ],
      [["a.csv", "--test", "-1"], /^--test: .*, got -1$/],
      [["a.csv", "--test", ""], /^--test: .*, got ""$/],
      [
        ["a.csv", "--seed", "x"],
        /^--seed: expected a whole number from 0 .*, got x$/,
      ],
      [
        ["a.csv", "--size", "7"],
        /^--size: expected a whole number from 50 .*, got 7$/,
      ],
      [
        ["a.csv", "--keep", "best"],
        /^--keep: expected larger or earlier, got best$/,
      ],
      [
        ["a.csv", "--licence", " "],
        /^--licence: expected a licence's name, got ""$/,
      ],
      [
        ["a.csv", "--spare", "gone.jpg"],
        /^--spare: expected a file, gone\.jpg is not there$/,
      ],
      [
        ["a.csv", "--allow", "host"],
        /^--allow: expected HOST:PORT, .* got host$/,
      ],
      [["a.csv", "--allow", "a:99999"], /^--allow: .* got a:99999$/],
      [["a.csv", "--allow", "http://a:1"], /^--allow: .* got http:\/\/a:1$/],
      [["a.csv", "--allow", ""], /^--allow: .* got ""$/],
      [
        ["a.csv", "--sed", "1"],
        /^dataset: unknown option --sed; did you mean --seed\?/,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, output } = await dataset(data, args);
      strictEqual(code, 2, output);
      match(output.trim(), message);
    }
  }));
